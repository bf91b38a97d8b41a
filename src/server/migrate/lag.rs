//! Whether the target keeps up: it does if it soon is where the source has just been.
//!
//! Under load the source is always a little ahead, so that the two are never seen at the same place. Therefore the source is asked where it is,
//! and the target is given a moment to come there. Whoever has not looked for longer than that knows nothing, and takes the target to be behind.

use std::time::{Duration, Instant};

use super::calls::Calls;
use super::endpoint::Endpoint;

/// The moment.
const SOON: Duration = Duration::from_secs(1);
/// How long the answer is believed.
const BELIEVED: Duration = Duration::from_millis(500);

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

/// What has been seen.
#[derive(Default)]
struct Judge {
    /// Where the source was, and when.
    goal: Option<(u64, Instant)>,
    level_until: Option<Instant>,
    /// When it is asked again after an answer that was no good.
    again: Option<Instant>,
    looked: Option<Instant>,
}

impl Judge {
    /// Judges, with the target at `reached`. `ask` says where the source is, if it can, and what time it is then.
    fn look(&mut self, reached: u64, now: Instant, ask: impl FnOnce() -> (Option<u64>, Instant)) -> Standing {
        let unseen = self.looked.replace(now).is_none_or(|looked| now - looked > SOON);
        if unseen {
            (self.goal, self.level_until) = (None, None);
        }
        if self.level_until.is_some_and(|until| now < until) {
            return Standing::Level;
        }
        if self.again.is_some_and(|again| now < again) {
            return Standing::Behind;
        }
        match self.goal {
            Some((goal, asked)) if reached >= goal => {
                self.goal = None;
                if now - asked > SOON {
                    return Standing::Behind;
                }
                self.level_until = Some(now + BELIEVED);
                Standing::Level
            }
            Some((_, asked)) => {
                if now - asked > SOON {
                    Standing::Behind
                } else {
                    Standing::Unknown
                }
            }
            None => {
                let (goal, answered) = ask();
                self.looked = Some(answered);
                self.again = None;
                match goal {
                    Some(goal) if answered - now <= SOON => {
                        self.goal = Some((goal, now));
                        if unseen { Standing::Behind } else { Standing::Unknown }
                    }
                    _ => {
                        self.again = Some(answered + BELIEVED);
                        Standing::Behind
                    }
                }
            }
        }
    }
}

/// Looks at the lag.
pub struct Lag<'e> {
    source: &'e Endpoint,
    calls: Option<Calls>,
    judge: Judge,
}

impl<'e> Lag<'e> {
    /// Nothing is known yet.
    pub fn new(source: &'e Endpoint) -> Self {
        Self { source, calls: None, judge: Judge::default() }
    }

    /// Looks, with the target at `reached`.
    pub fn look(&mut self, reached: u64) -> Standing {
        let (source, calls) = (self.source, &mut self.calls);
        self.judge.look(reached, Instant::now(), || (ask(source, calls).ok(), Instant::now()))
    }

    /// The stream was cut: nothing is known any more.
    pub fn forget(&mut self) {
        self.judge = Judge::default();
    }
}

/// Where the source is. A connection that has broken is made anew.
fn ask(source: &Endpoint, kept: &mut Option<Calls>) -> Result<u64, String> {
    let mut calls = match kept.take() {
        Some(calls) => calls,
        None => {
            let mut calls = Calls::open(source)?;
            calls.be_patient(SOON)?;
            calls
        }
    };
    let offset = calls.offset()?;
    *kept = Some(calls);
    Ok(offset)
}

#[cfg(test)]
mod tests {
    use super::Standing::{Behind, Level, Unknown};
    use super::*;

    /// Looks at times in milliseconds; the source then is at an offset, or does not answer, and takes its time.
    fn looks(steps: &[(u64, u64, Option<u64>, u64, Standing)]) {
        let start = Instant::now();
        let mut judge = Judge::default();
        for (at, reached, source, takes, expected) in steps {
            let now = start + Duration::from_millis(*at);
            let seen = judge.look(*reached, now, || (*source, now + Duration::from_millis(*takes)));
            assert_eq!(seen, *expected, "at {at}");
        }
    }

    #[test]
    fn who_soon_is_where_the_source_was_keeps_up() {
        looks(&[
            (0, 0, Some(100), 1, Behind),
            (100, 50, Some(200), 1, Unknown),
            (200, 120, Some(300), 1, Level),
            (600, 150, Some(900), 1, Level),
            (800, 150, Some(900), 1, Unknown),
            (1500, 899, Some(999), 1, Unknown),
            (1801, 899, Some(999), 1, Behind),
            (1900, 900, Some(999), 1, Behind),
            (2000, 900, Some(999), 1, Unknown),
            (2100, 999, Some(999), 1, Level),
        ]);
    }

    #[test]
    fn who_has_not_looked_or_got_no_answer_knows_nothing() {
        looks(&[
            (0, 100, Some(100), 1, Behind),
            (10, 100, Some(100), 1, Level),
            // The answer comes late, and with it what has been held up.
            (700, 100, Some(100), 1900, Behind),
            (2700, 100, Some(200), 1, Behind),
            (3200, 100, Some(200), 1, Unknown),
            (3300, 200, Some(200), 1, Level),
            // Nobody looked for long.
            (4500, 200, Some(200), 1, Behind),
            (4501, 200, Some(200), 1, Level),
            (5100, 200, None, 1, Behind),
            (5200, 200, Some(200), 1, Behind),
        ]);
    }
}
