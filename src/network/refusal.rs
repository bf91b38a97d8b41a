//! Connections that are turned away: what is counted and logged of them.
//!
//! Strangers can cause these lines at will, so one limiter, shared by acceptors and workers, bounds them for the whole server.

use crate::base::clock::UnixMillis;
use crate::engine::Engine;
use crate::tls::counters::FailureReason;
use crate::tls::mode::{LogLimiter, TransitEncryption};

/// Log lines at once, and milliseconds until the next one after that.
const BURST: u64 = 10;
const INTERVAL_MS: u64 = 1000;

/// The book of refused connections.
pub struct Refusals {
    engine: &'static Engine,
    limiter: LogLimiter,
}

impl Refusals {
    /// An empty book.
    pub fn new(engine: &'static Engine) -> Self {
        Self { engine, limiter: LogLimiter::new(BURST, INTERVAL_MS, UnixMillis::now().0 as u64) }
    }

    /// A connection came in the other mode than the group's.
    pub fn wrong_mode(&self, peer: &str, group: TransitEncryption) {
        self.engine.handshakes.fail(FailureReason::WrongMode);
        self.log(|| format!("Refused a connection from {peer}: {}", group.refusal_reason()));
    }

    /// A handshake failed.
    pub fn handshake(&self, peer: &str, reason: FailureReason, sentence: &str) {
        self.engine.handshakes.fail(reason);
        self.log(|| format!("Error accepting a client connection from {peer}: {sentence}"));
    }

    fn log(&self, line: impl FnOnce() -> String) {
        match self.limiter.admit(UnixMillis::now().0 as u64) {
            None => {}
            Some(0) => tracing::warn!("{}", line()),
            Some(more) => tracing::warn!("{} ({more} similar lines left out)", line()),
        }
    }
}
