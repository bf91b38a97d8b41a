//! The figures of rewriting, and when a failed rewrite is tried again.

/// Failures after which rewriting is put off.
const FAILURES: u64 = 3;
/// The longest that it is put off, in minutes.
const MAX_MINUTES: i64 = 60;

/// Figures of rewriting. Times are Unix seconds.
#[derive(Clone, Copy, Debug)]
pub struct RewriteReport {
    /// When the rewrite that is running began.
    pub running_since: Option<i64>,
    /// Keys it has to write.
    pub keys_total: u64,
    /// Whether a rewrite is to begin as soon as that is possible.
    pub scheduled: bool,
    /// Seconds the last one took, -1 before the first.
    pub last_took_s: i64,
    /// Whether the last one failed.
    pub last_failed: bool,
    /// Rewrites begun.
    pub count: u64,
    /// How many failed since the last that succeeded.
    pub consecutive_failures: u64,
    /// Bytes that writers had to write down during the last one.
    pub last_copied: u64,
    /// Minutes for which it was put off last, and until when.
    delay_minutes: i64,
    next_at: i64,
}

impl Default for RewriteReport {
    fn default() -> Self {
        Self {
            running_since: None,
            keys_total: 0,
            scheduled: false,
            last_took_s: -1,
            last_failed: false,
            count: 0,
            consecutive_failures: 0,
            last_copied: 0,
            delay_minutes: 0,
            next_at: 0,
        }
    }
}

impl RewriteReport {
    /// Whether rewrites that nobody asked for are put off at `now`, since several in a row have failed.
    pub(super) fn is_limited(&mut self, now: i64) -> bool {
        if self.consecutive_failures < FAILURES {
            (self.delay_minutes, self.next_at) = (0, 0);
            return false;
        }
        if self.next_at != 0 {
            let limited = now < self.next_at;
            if !limited {
                self.next_at = 0;
            }
            return limited;
        }
        self.delay_minutes = (self.delay_minutes * 2).clamp(1, MAX_MINUTES);
        self.next_at = now + self.delay_minutes * 60;
        tracing::warn!(
            "Background AOF rewrite has repeatedly failed and triggered the limit, will retry in {} minutes",
            self.delay_minutes
        );
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_put_rewrites_off_for_longer_and_longer() {
        let mut report = RewriteReport { consecutive_failures: 2, ..RewriteReport::default() };
        assert!(!report.is_limited(0));
        report.consecutive_failures = 3;
        assert!(report.is_limited(100) && report.is_limited(159) && !report.is_limited(160));
        report.consecutive_failures = 4;
        assert!(report.is_limited(1000) && report.is_limited(1119) && !report.is_limited(1120));
        report.consecutive_failures = 0;
        assert!(!report.is_limited(1121));
    }
}
