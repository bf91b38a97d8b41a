//! What cannot be kept is not taken: after a snapshot that failed, or while the append only file cannot be written, clients' writes are
//! refused, whether they come as commands, from a queue or from a script.
//!
//! A replica has nobody to refuse. It ends rather than fall behind on disk what it shows, unless
//! `replica-ignore-disk-write-errors` says to go on.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use super::Engine;
use super::execute::Run;
use crate::catalog::{Flags, Spec};
use crate::config::Settings;
use crate::resp::{Args, WireError};
use crate::session::Session;

/// How often the log tells that a replica goes on.
const SAY_AGAIN_MS: i64 = 10_000;

/// When the log told last that a replica goes on.
#[derive(Default)]
pub struct DiskTrouble(AtomicI64);

impl Engine {
    /// Why writes are refused, while they cannot be kept.
    pub(super) fn disk_refusal(&self, settings: &Settings) -> Option<WireError> {
        let persistence = &settings.persistence;
        if self.saving.saves.last_failed.load(Relaxed)
            && persistence.stop_writes_on_bgsave_error
            && !persistence.save.0.is_empty()
        {
            return Some(WireError::CANNOT_SAVE);
        }
        let why = self.append_only.log.is_failing().then(|| self.append_only.log.failure().unwrap_or_default())?;
        Some(WireError::new(format!("MISCONF Errors writing to the AOF file: {why}")))
    }

    /// Whether a command writes, by itself or through a script or a queue, or is to show whether writing works.
    pub(super) fn heeds_disk(&self, session: &Session, spec: &Spec, args: Args<'_>) -> bool {
        self.effective_flags(spec, args).intersects(Flags::WRITE | Flags::SHOWS_HEALTH)
            || (spec.flags.contains(Flags::RUNS_QUEUE) && self.any_queued_will(session, Flags::WRITE))
    }

    /// A command of the primary's stream is about to be carried out.
    pub(super) fn heed_disk_as_replica(&self, run: &Run<'_>, session: &Session, spec: &Spec, args: Args<'_>) {
        if self.disk_refusal(run.settings).is_none()
            || spec.flags.contains(Flags::SHOWS_HEALTH)
            || !self.heeds_disk(session, spec, args)
        {
            return;
        }
        if !run.settings.replication.replica_ignore_disk_write_errors {
            tracing::error!(
                "Replica was unable to write command to disk. It stops (replica-ignore-disk-write-errors): what it shows \
                 would not be what it keeps."
            );
            std::process::abort();
        }
        let said_at = &self.disk_trouble.0;
        if run.now.0 - said_at.load(Relaxed) > SAY_AGAIN_MS {
            said_at.store(run.now.0, Relaxed);
            tracing::warn!("Replica is applying a command even though it is unable to write to disk.");
        }
    }
}
