//! Saving at once, while everybody waits: SAVE, FLUSHALL, the end of the process.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::snapshot::key_encoder;
use super::{SnapshotFile, Ticket, pace};
use crate::base::clock::UnixMillis;
use crate::config::Settings;
use crate::engine::Engine;

/// The snapshot could not be written; the log says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaveError;

/// Where the snapshot is.
pub(super) fn target(settings: &Settings) -> PathBuf {
    Path::new(&settings.general.dir).join(&settings.persistence.dbfilename)
}

/// A temporary file beside it; saves that may run side by side differ in `suffix`.
pub(super) fn temporary(settings: &Settings, suffix: &str) -> PathBuf {
    Path::new(&settings.general.dir).join(format!("temp-{}{suffix}.rdb", std::process::id()))
}

impl Engine {
    /// Writes a snapshot. The caller holds the gate exclusively, and makes sure that nothing saves in the background.
    pub fn save_now(&'static self, settings: &Settings, ticket: &Ticket) -> Result<(), SaveError> {
        match self.write_snapshot(settings, ticket) {
            Ok(None) => Err(SaveError),
            Ok(Some(())) => {
                tracing::info!("DB saved on disk");
                self.dirty.store(0, Relaxed);
                self.saving.saves.last_failed.store(false, Relaxed);
                self.saving.saves.update(|report| report.last_saved_at = UnixMillis::now().seconds());
                Ok(())
            }
            Err(error) => {
                tracing::warn!("Write error while saving DB to the disk ({}): {error}", target(settings).display());
                Err(SaveError)
            }
        }
    }

    /// `None` if the save was given up.
    fn write_snapshot(&self, settings: &Settings, ticket: &Ticket) -> io::Result<Option<()>> {
        let now = UnixMillis::now();
        let persistence = &settings.persistence;
        let mut file = SnapshotFile::create(
            temporary(settings, ""),
            persistence.rdbchecksum,
            persistence.rdb_save_incremental_fsync,
            self.keyspace.census(),
        )?;
        file.write(&self.preamble(settings, now, false, true))?;
        let encoder = key_encoder(settings, now);
        for piece in self.keyspace.pieces(&encoder) {
            file.piece(&piece)?;
            if !pace::count(piece.keys, || persistence.rdb_key_save_delay, ticket, &AtomicU64::new(0)) {
                return Ok(None);
            }
        }
        file.finish()?;
        ticket.redeem(|| file.commit(&target(settings))).transpose()
    }
}
