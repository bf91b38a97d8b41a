//! `oom-score-adj`: which process the kernel ends first when memory runs out.
//!
//! The adjustment found at the start is remembered, so that relative values have a base and `no` restores it.

use parking_lot::Mutex;

use super::Engine;
use crate::base::process::{adjust_oom_score, oom_score_adjustment};
use crate::config::Settings;
use crate::config::values::OomScoreAdj;

/// The adjustment that was in force before ours.
#[derive(Default)]
pub struct OomScore {
    base: Mutex<Option<i32>>,
}

impl OomScore {
    /// Brings the kernel's value in line with the configuration; `replica` picks the second of the configured values.
    fn apply(&self, settings: &Settings, replica: bool) -> std::io::Result<()> {
        let mut base = self.base.lock();
        let mode = settings.general.oom_score_adj;
        if mode == OomScoreAdj::No {
            return match base.take() {
                Some(before) => adjust_oom_score(before),
                None => Ok(()),
            };
        }
        let before = match *base {
            Some(before) => before,
            None => *base.insert(oom_score_adjustment()?),
        };
        let value = settings.general.oom_score_adj_values.0[usize::from(replica)];
        adjust_oom_score(if mode == OomScoreAdj::Absolute { value } else { before + value })
    }
}

impl Engine {
    /// Brings the kernel's value in line with the configuration and the role.
    pub fn adjust_oom_score(&self, settings: &Settings) -> std::io::Result<()> {
        self.oom_score.apply(settings, self.replication.is_replica())
    }

    /// As [`Engine::adjust_oom_score`], where the role has changed and nobody can be told that it failed but the log.
    pub(super) fn adjust_oom_score_to_role(&self) {
        if let Err(error) = self.adjust_oom_score(&self.config.settings()) {
            tracing::warn!("oom-score-adj: the out-of-memory score cannot be adjusted: {error}");
        }
    }
}
