//! How long something has been over its limit: since when now, and how long in all the times before.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use crate::base::clock::UnixMillis;

/// The time, in milliseconds.
#[derive(Default)]
pub struct TimeOver {
    /// Unix milliseconds since when it has been over; 0 while it is not.
    since: AtomicI64,
    before: AtomicI64,
}

impl TimeOver {
    /// It is over its limit at this time.
    pub fn begin(&self, now: UnixMillis) {
        // Only the first to see it counts; that is no error.
        let _ = self.since.compare_exchange(0, now.0, Relaxed, Relaxed);
    }

    /// It is not, or no longer.
    pub fn end(&self, now: UnixMillis) {
        if self.since.load(Relaxed) == 0 {
            return;
        }
        let since = self.since.swap(0, Relaxed);
        if since != 0 {
            self.before.fetch_add((now.0 - since).max(0), Relaxed);
        }
    }

    /// How long it has been over by now: this time, and all times together.
    pub fn read(&self, now: UnixMillis) -> (i64, i64) {
        let current = match self.since.load(Relaxed) {
            0 => 0,
            since => (now.0 - since).max(0),
        };
        (current, self.before.load(Relaxed) + current)
    }

    /// Starts anew; a time that goes on is counted from now.
    pub fn clear(&self, now: UnixMillis) {
        self.before.store(0, Relaxed);
        if self.since.load(Relaxed) != 0 {
            self.since.store(now.0, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_add_up_and_can_be_forgotten() {
        let time = TimeOver::default();
        time.end(UnixMillis(5));
        assert_eq!(time.read(UnixMillis(9)), (0, 0));
        time.begin(UnixMillis(10));
        time.begin(UnixMillis(15));
        assert_eq!(time.read(UnixMillis(30)), (20, 20));
        time.end(UnixMillis(40));
        time.begin(UnixMillis(100));
        assert_eq!(time.read(UnixMillis(101)), (1, 31));
        time.clear(UnixMillis(105));
        assert_eq!(time.read(UnixMillis(107)), (2, 2));
    }
}
