//! How recently or how often a key was used: the 24 bits that eviction policies compare.
//!
//! LRU: seconds of the wall clock modulo 2^24. LFU: 16 bits of minutes of the last decay, 8 bits of a logarithmic
//! counter (see Redis's documentation of key eviction, "The new LFU mode").

use std::sync::atomic::Ordering::Relaxed;

use super::entry::Entry;
use crate::base::clock::UnixMillis;

const BITS: u32 = 0x00ff_ffff;
const LFU_INITIAL: u32 = 5;

/// The two numbers that tune the LFU counter.
#[derive(Clone, Copy, Debug)]
pub struct LfuTuning {
    /// How quickly the counter saturates (`lfu-log-factor`).
    pub log_factor: u32,
    /// Minutes for the counter to lose one (`lfu-decay-time`).
    pub decay_minutes: u32,
}

/// What is recorded on access, as the maxmemory policy wants it.
#[derive(Clone, Copy, Debug)]
pub enum Freshness {
    /// Time of last use.
    Lru,
    /// Frequency of use.
    Lfu(LfuTuning),
}

impl Freshness {
    /// The bits of a key created now.
    pub fn initial(self, now: UnixMillis) -> u32 {
        match self {
            Self::Lru => lru_clock(now),
            Self::Lfu(_) => (minutes(now) << 8) | LFU_INITIAL,
        }
    }

    /// The bits of a key that was idle for so many seconds, or was used so often; `None` where this is not what counts.
    pub fn restored(self, idle_s: Option<u64>, frequency: Option<u8>, now: UnixMillis) -> Option<u32> {
        match self {
            Self::Lru => {
                let idle_s = u32::try_from(idle_s?).unwrap_or(u32::MAX).min(BITS);
                Some(lru_clock(now).wrapping_sub(idle_s) & BITS)
            }
            Self::Lfu(_) => Some((minutes(now) << 8) | u32::from(frequency?)),
        }
    }

    /// Records a use.
    pub fn touch(self, entry: &Entry, now: UnixMillis) {
        let old = entry.lru().load(Relaxed);
        let new = match self {
            Self::Lru => lru_clock(now),
            Self::Lfu(tuning) => (minutes(now) << 8) | grown(lfu_decayed(old, now, tuning), tuning.log_factor),
        };
        // Storing only what changed keeps a hot key's cache line shared between cores.
        if new != old {
            entry.lru().store(new, Relaxed);
        }
    }
}

fn lru_clock(now: UnixMillis) -> u32 {
    now.seconds() as u32 & BITS
}

fn minutes(now: UnixMillis) -> u32 {
    (now.seconds() / 60) as u32 & 0xffff
}

/// Milliseconds since the last use, from LRU bits.
pub fn lru_idle_ms(bits: u32, now: UnixMillis) -> u64 {
    u64::from(lru_clock(now).wrapping_sub(bits) & BITS) * 1000
}

/// The LFU counter, from LFU bits, after the decay that is due.
pub fn lfu_decayed(bits: u32, now: UnixMillis, tuning: LfuTuning) -> u32 {
    let counter = bits & 0xff;
    let elapsed = minutes(now).wrapping_sub(bits >> 8) & 0xffff;
    elapsed.checked_div(tuning.decay_minutes).map_or(counter, |periods| counter.saturating_sub(periods))
}

fn grown(counter: u32, log_factor: u32) -> u32 {
    if counter >= 255 {
        return 255;
    }
    let base = f64::from(counter.saturating_sub(LFU_INITIAL));
    let chance = 1.0 / (base * f64::from(log_factor) + 1.0);
    counter + u32::from(rand::random::<f64>() < chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_and_decay_wrap_around() {
        assert_eq!(lru_idle_ms(BITS, UnixMillis((i64::from(BITS) + 2) * 1000)), 2000);
        let tuning = LfuTuning { log_factor: 10, decay_minutes: 1 };
        let bits = Freshness::Lfu(tuning).initial(UnixMillis(0));
        assert_eq!(lfu_decayed(bits, UnixMillis(3 * 60_000), tuning), LFU_INITIAL - 3);
        assert_eq!(lfu_decayed(bits, UnixMillis(3 * 60_000), LfuTuning { decay_minutes: 0, ..tuning }), LFU_INITIAL);
    }
}
