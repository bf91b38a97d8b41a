//! Lines of progress on standard error, one every few seconds.

use std::time::{Duration, Instant};

use super::calls::Calls;
use super::copy::Copied;
use super::endpoint::Endpoint;

/// Items between two looks at the clock.
const ITEMS: u64 = 64;

/// Tells how far it is.
pub struct Progress<'e> {
    every: Option<Duration>,
    last: Instant,
    keys: u64,
    items: u64,
    source: &'e Endpoint,
    calls: Option<Calls>,
}

/// How far the live stream is.
pub struct State {
    /// Where the target is.
    pub reached: u64,
    /// Commands brought over.
    pub commands: u64,
    /// Commands without an answer.
    pub in_flight: usize,
}

impl<'e> Progress<'e> {
    /// A line every so many seconds; none for zero.
    pub fn new(every_s: u64, source: &'e Endpoint) -> Self {
        let every = (every_s > 0).then(|| Duration::from_secs(every_s));
        Self { every, last: Instant::now(), keys: 0, items: 0, source, calls: None }
    }

    /// Whether it is time for a line, and how long it has been.
    fn is_due(&mut self) -> Option<Duration> {
        let passed = self.last.elapsed();
        if passed < self.every? {
            return None;
        }
        self.last = Instant::now();
        Some(passed)
    }

    /// Another item of the copy has been read.
    pub fn copying(&mut self, copied: &Copied) {
        self.items += 1;
        if !self.items.is_multiple_of(ITEMS) {
            return;
        }
        let Some(passed) = self.is_due() else { return };
        let rate = (copied.keys - self.keys) as f64 / passed.as_secs_f64();
        self.keys = copied.keys;
        let (keys, megabytes) = (copied.keys, copied.bytes as f64 / 1e6);
        let of = if copied.announced > 0 { format!(" of {}", copied.announced) } else { String::new() };
        eprintln!("copying: {keys}{of} keys, {megabytes:.1} MB, {rate:.0} keys/s");
    }

    /// The live stream is being followed.
    pub fn following(&mut self, standing: impl FnOnce() -> State) {
        if self.is_due().is_none() {
            return;
        }
        let State { reached, commands, in_flight } = standing();
        let lag = match self.offset() {
            Ok(offset) => format!("source at {offset}, lag {} bytes", offset.saturating_sub(reached)),
            Err(error) => format!("lag unknown: {error}"),
        };
        eprintln!("following: target at {reached}, {lag}, {commands} commands, {in_flight} in flight");
    }

    /// Where the source is. A connection that has broken is made anew.
    fn offset(&mut self) -> Result<u64, String> {
        let mut calls = match self.calls.take() {
            Some(calls) => calls,
            None => Calls::open(self.source)?,
        };
        let offset = calls.offset()?;
        self.calls = Some(calls);
        Ok(offset)
    }
}
