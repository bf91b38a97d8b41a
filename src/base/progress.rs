//! How far a long piece of work has come, and how much longer it takes if it goes on as it went.

use std::fmt;
use std::time::{Duration, Instant};

/// How often the log tells how far the work has come.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// A look at the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is done, in units of the work.
    pub done: u64,
    /// What there is to do; 0 where that is not known.
    pub total: u64,
    /// Seconds since it began.
    pub elapsed_s: u64,
}

impl Progress {
    /// Percent done, 0 where the total is not known.
    pub fn percent(&self) -> f64 {
        if self.total == 0 { 0.0 } else { self.done.min(self.total) as f64 / self.total as f64 * 100.0 }
    }

    /// Seconds that are left. In the first second there is nothing to go by, and 1 stands for it.
    pub fn eta_s(&self) -> u64 {
        if self.elapsed_s < 1 {
            return 1;
        }
        let left = self.total.saturating_sub(self.done);
        let eta = u128::from(self.elapsed_s) * u128::from(left) / (u128::from(self.done) + 1);
        u64::try_from(eta).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1}% done, {} seconds left", self.percent(), self.eta_s())
    }
}

/// Tells now and then how far the work has come.
pub struct Teller {
    began: Instant,
    told: Instant,
}

impl Default for Teller {
    fn default() -> Self {
        let now = Instant::now();
        Self { began: now, told: now }
    }
}

impl Teller {
    /// A look at the work where it is time to tell about it: not in the first seconds, so that short work stays unmentioned.
    pub fn due(&mut self, done: u64, total: u64) -> Option<Progress> {
        if self.told.elapsed() < TELL_EVERY {
            return None;
        }
        self.told = Instant::now();
        Some(Progress { done, total, elapsed_s: self.began.elapsed().as_secs() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_follows_from_what_is_done() {
        let rows = [
            ((0, 0, 0), (0.0, 1)),
            ((0, 1000, 0), (0.0, 1)),
            ((249, 1000, 10), (24.9, 30)),
            ((1000, 1000, 10), (100.0, 0)),
            ((2000, 1000, 10), (100.0, 0)),
            ((0, u64::MAX, u64::MAX), (0.0, u64::MAX)),
        ];
        for ((done, total, elapsed_s), (percent, eta_s)) in rows {
            let progress = Progress { done, total, elapsed_s };
            assert_eq!((progress.percent(), progress.eta_s()), (percent, eta_s), "{progress:?}");
        }
        let progress = Progress { done: 249, total: 1000, elapsed_s: 10 };
        assert_eq!(progress.to_string(), "24.9% done, 30 seconds left");
    }

    #[test]
    fn short_work_stays_unmentioned() {
        assert_eq!(Teller::default().due(1, 2), None);
        let long_ago = Instant::now().checked_sub(TELL_EVERY).unwrap();
        let mut teller = Teller { began: long_ago, told: long_ago };
        assert_eq!(teller.due(1, 2), Some(Progress { done: 1, total: 2, elapsed_s: 5 }));
        assert_eq!(teller.due(1, 2), None);
    }
}
