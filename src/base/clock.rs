//! Wall-clock and monotonic time as the server uses it.
//!
//! Handlers never read the clock: the engine reads it once per command and passes it on, so that one
//! command sees one instant. Times on the wire and in the keyspace are Unix milliseconds.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// The wall clock now.
    pub fn now() -> Self {
        Self(since_epoch().as_millis() as i64)
    }

    /// Whole seconds, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

/// The wall clock in microseconds since the Unix epoch.
pub fn unix_micros() -> i64 {
    since_epoch().as_micros() as i64
}

fn since_epoch() -> Duration {
    // A clock set before 1970 reads as 1970: every key with an expiry then simply lives on.
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A monotonic stopwatch in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Microseconds since the start.
    pub fn micros(self) -> u64 {
        self.0.elapsed().as_micros() as u64
    }
}
