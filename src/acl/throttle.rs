//! Slows down whoever guesses passwords: after a few failures from an address, replies to AUTH are held back.
//!
//! Right and wrong passwords are held back alike, so that a quick reply tells nothing. The delay grows with each further
//! failure up to a second and is forgotten after a minute without one. Nothing waits here: whoever asks gets a duration.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use parking_lot::Mutex;

/// Failures that cost nothing: people mistype.
const FREE_FAILURES: u32 = 10;
/// The delay of the first failure beyond those; each further one doubles it.
const FIRST_DELAY: Duration = Duration::from_millis(10);
/// The longest delay.
const MAX_DELAY: Duration = Duration::from_secs(1);
/// After so long without a failure an address is forgotten.
const FORGET_AFTER_MS: i64 = 60_000;
/// Addresses remembered; beyond that the one that failed longest ago makes room.
const MAX_ADDRESSES: usize = 4096;

/// Failures by address.
#[derive(Default)]
pub struct AuthThrottle {
    failures: Mutex<HashMap<Origin, Failures>>,
}

/// Whom failures are counted against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Origin {
    /// An address; of IPv6 the part that one customer gets.
    Ip(IpAddr),
    /// This machine, through a Unix socket.
    Local,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last_ms: i64,
}

impl AuthThrottle {
    /// Notes how an attempt from `address` ended; how long its reply is to be held back.
    pub fn attempt(&self, address: &str, succeeded: bool, now_ms: i64) -> Duration {
        let origin = Origin::of(address);
        let mut failures = self.failures.lock();
        let fresh = |known: &Failures| known.last_ms.saturating_add(FORGET_AFTER_MS) > now_ms;
        let count = failures.get(&origin).filter(|known| fresh(known)).map_or(0, |known| known.count);
        if succeeded {
            return delay(count);
        }
        if failures.len() >= MAX_ADDRESSES && !failures.contains_key(&origin) {
            failures.retain(|_, known| fresh(known));
            if failures.len() >= MAX_ADDRESSES
                && let Some(oldest) = failures.iter().min_by_key(|(_, known)| known.last_ms).map(|(origin, _)| *origin)
            {
                failures.remove(&oldest);
            }
        }
        let count = count.saturating_add(1);
        failures.insert(origin, Failures { count, last_ms: now_ms });
        delay(count)
    }
}

fn delay(failures: u32) -> Duration {
    match failures.checked_sub(FREE_FAILURES + 1) {
        None => Duration::ZERO,
        Some(beyond) => FIRST_DELAY.saturating_mul(1 << beyond.min(16)).min(MAX_DELAY),
    }
}

impl Origin {
    fn of(address: &str) -> Self {
        match address.parse::<SocketAddr>().map(|address| address.ip().to_canonical()) {
            Ok(IpAddr::V6(ip)) => {
                let [a, b, c, d, ..] = ip.segments();
                Self::Ip(IpAddr::from([a, b, c, d, 0, 0, 0, 0]))
            }
            Ok(ip) => Self::Ip(ip),
            Err(_) => Self::Local,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_gets_slower_and_is_forgotten() {
        let throttle = AuthThrottle::default();
        let fail = |now| throttle.attempt("10.0.0.1:1", false, now).as_millis();
        let delays: Vec<_> = (0..20).map(fail).collect();
        assert_eq!(delays[..10], [0; 10]);
        assert_eq!(delays[10..], [10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000]);
        assert_eq!(throttle.attempt("10.0.0.1:2", true, 21), MAX_DELAY, "a right guess is no quicker");
        assert_eq!(throttle.attempt("10.0.0.2:1", true, 21), Duration::ZERO, "others are not slowed down");
        assert_eq!(fail(70_000), 0);
    }

    #[test]
    fn neighbours_in_ipv6_are_one_and_memory_is_bounded() {
        let throttle = AuthThrottle::default();
        for host in 0..11 {
            throttle.attempt(&format!("[2001:db8::{host:x}]:1"), false, 0);
        }
        assert_eq!(throttle.attempt("[2001:db8::ffff]:9", true, 0), FIRST_DELAY);
        for network in 0..10_000u32 {
            throttle.attempt(&format!("10.1.{}.{}:1", network >> 8, network & 255), false, 1);
        }
        assert_eq!(throttle.failures.lock().len(), MAX_ADDRESSES);
        assert_eq!(throttle.attempt("/run/redis.sock", false, 1), Duration::ZERO);
    }
}
