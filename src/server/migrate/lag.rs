//! Whether the target keeps up: it does if it soon is where the source has just been.
//!
//! Under load the source is always a little ahead, so that the two are never seen at the same place. Therefore the source is asked where it is,
//! and the target is given a moment to come there.

use std::time::{Duration, Instant};

use super::calls::Calls;
use super::endpoint::Endpoint;

/// The moment.
const SOON: Duration = Duration::from_secs(1);
/// How long the answer is believed.
const BELIEVED: Duration = Duration::from_millis(500);
/// How long the source may take to say where it is.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The target keeps up.
    Level,
    /// That will show.
    Unknown,
    /// It does not.
    Behind,
}

/// Looks at the lag.
pub struct Lag<'e> {
    source: &'e Endpoint,
    calls: Option<Calls>,
    goal: Option<u64>,
    asked: Option<Instant>,
    level_until: Option<Instant>,
}

impl<'e> Lag<'e> {
    /// Nothing is known yet.
    pub fn new(source: &'e Endpoint) -> Self {
        Self { source, calls: None, goal: None, asked: None, level_until: None }
    }

    /// Looks, with the target at `reached`.
    pub fn look(&mut self, reached: u64) -> Standing {
        if self.level_until.is_some_and(|until| Instant::now() < until) {
            return Standing::Level;
        }
        let waited = self.asked.map(|asked| asked.elapsed());
        match (self.goal, waited) {
            (Some(goal), Some(waited)) if reached >= goal => {
                self.goal = None;
                if waited > SOON {
                    return Standing::Behind;
                }
                self.level_until = Some(Instant::now() + BELIEVED);
                Standing::Level
            }
            (Some(_), Some(waited)) => {
                if waited > SOON {
                    Standing::Behind
                } else {
                    Standing::Unknown
                }
            }
            (None, Some(waited)) if waited < BELIEVED => Standing::Behind,
            _ => {
                self.asked = Some(Instant::now());
                self.goal = self.ask().ok();
                if self.goal.is_some() { Standing::Unknown } else { Standing::Behind }
            }
        }
    }

    /// The stream was cut: nothing is known any more.
    pub fn forget(&mut self) {
        *self = Self::new(self.source);
    }

    fn ask(&mut self) -> Result<u64, String> {
        let mut calls = match self.calls.take() {
            Some(calls) => calls,
            None => {
                let mut calls = Calls::open(self.source)?;
                calls.be_patient(PATIENCE)?;
                calls
            }
        };
        let offset = calls.offset()?;
        self.calls = Some(calls);
        Ok(offset)
    }
}
