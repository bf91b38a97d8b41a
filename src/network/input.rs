//! The bytes of one connection that wait to be parsed.
//!
//! A buffer that was large once is cut down to what has been needed lately, and is given back while its client is idle.

use crate::base::clock::UnixMillis;

/// Buffers up to this size are left alone while the client is busy.
const KEEP_BYTES: usize = 32 * 1024;
/// The time after which "lately" starts anew, in milliseconds.
const PEAK_WINDOW_MS: i64 = 200;

/// Plaintext received.
#[derive(Default)]
pub(super) struct Input {
    /// All of it; what is before `start` has been run.
    pub bytes: Vec<u8>,
    /// Where the next request begins.
    pub start: usize,
    /// The most bytes that were needed at once since `peak_since`.
    peak: usize,
    peak_since: i64,
}

impl Input {
    /// What has not been run.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Moves what is left to the front, and cuts down a buffer that is much larger than what was needed lately; `wanted`
    /// is how many bytes the request that has begun takes.
    pub fn compact(&mut self, now: UnixMillis, wanted: usize) {
        self.peak = self.peak.max(self.bytes.len());
        if self.start == self.bytes.len() {
            self.bytes.clear();
        } else if self.start > 0 {
            self.bytes.drain(..self.start);
        }
        self.start = 0;
        if self.bytes.capacity() > KEEP_BYTES && now.0 - self.peak_since > PEAK_WINDOW_MS {
            if self.bytes.capacity() / 2 > self.peak {
                self.bytes.shrink_to(self.peak.max(wanted));
            }
            self.peak = 0;
            self.peak_since = now.0;
        }
    }

    /// Gives back what an idle client does not need.
    pub fn trim(&mut self) {
        self.bytes.shrink_to_fit();
        self.peak = self.bytes.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_buffer_shrinks_to_what_was_needed_lately() {
        let mut input = Input::default();
        let fill = |input: &mut Input, count: usize| {
            input.bytes.extend(std::iter::repeat_n(b'x', count));
            input.start = input.bytes.len();
        };
        fill(&mut input, 400_000);
        input.compact(UnixMillis(1_000), 0);
        assert!(input.bytes.capacity() >= 400_000, "it was needed just now");
        fill(&mut input, 100);
        input.compact(UnixMillis(1_100), 0);
        assert!(input.bytes.capacity() >= 400_000, "too early to tell");
        fill(&mut input, 100);
        input.compact(UnixMillis(1_300), 0);
        assert!((100..1_000).contains(&input.bytes.capacity()));
    }

    #[test]
    fn what_was_not_run_stays() {
        let mut input = Input { bytes: b"donerest".to_vec(), start: 4, ..Input::default() };
        input.compact(UnixMillis(0), 0);
        assert_eq!(input.rest(), b"rest");
        input.trim();
        assert_eq!(input.rest(), b"rest");
    }
}
