//! Switching the append only file on and off, and its end with the process.

use std::sync::atomic::Ordering::Relaxed;

use super::files::{Folder, NotWritten};
use super::log::OnError;
use super::rewrite::RewriteFailed;
use super::{AofFailed, AofState};
use crate::base::system_text::system_text;
use crate::config::Settings;
use crate::engine::Engine;
use crate::persistence::aof::manifest;

impl Engine {
    /// Goes on in the parts that were loaded, or begins them. Called at the start, before anybody may change anything.
    pub fn open_append_only(&'static self, settings: &Settings) -> Result<(), AofFailed> {
        let failed = |NotWritten| AofFailed;
        let folder = Folder::of(settings);
        let stem = &folder.stem;
        folder.create().map_err(failed)?;
        let mut manifest = self.append_only.manifest.lock();
        if manifest.is_empty() {
            let name = manifest.new_base(stem, settings.persistence.aof_use_rdb_preamble);
            if let Err(error) = self.write_base(settings, folder.temporary(""), &folder.part(&name)) {
                tracing::error!("Write error writing append only file on disk: {}", system_text(&error));
                return Err(AofFailed);
            }
            tracing::info!("Creating AOF base file {name} on server start");
        }
        let last = manifest.increments().last().map(|part| part.name.clone());
        let existed = last.is_some();
        let name = last.unwrap_or_else(|| manifest.new_increment(stem));
        let (file, bytes) = folder.open_increment(&name, false).map_err(failed)?;
        folder.write_manifest(&manifest).map_err(failed)?;
        drop(manifest);
        self.append_only.log.begin(file, bytes);
        self.feed.tail.note_times(settings.persistence.aof_timestamp_enabled);
        self.feed.tail.open();
        self.start_writer().map_err(|error| {
            tracing::error!("no thread for the append only file: {error}");
            AofFailed
        })?;
        self.append_only.set_state(AofState::On);
        let doing = if existed { "Opening" } else { "Creating" };
        tracing::info!("{doing} AOF incr file {name} on server start");
        Ok(())
    }

    /// Removes parts that are no longer needed, where that is wanted.
    pub fn remove_aof_history(&self, settings: &Settings) {
        let keep = settings.persistence.aof_disable_auto_gc;
        Folder::of(settings).remove_history(&mut self.append_only.manifest.lock(), keep);
    }

    /// Logs changes from now on. The caller holds the gate exclusively; `in_transaction` says that it is in the middle of a transaction.
    pub fn start_append_only(&'static self, settings: &Settings, in_transaction: bool) -> Result<(), RewriteFailed> {
        let aof = &self.append_only;
        self.feed.tail.note_times(settings.persistence.aof_timestamp_enabled);
        self.start_writer().map_err(|error| {
            tracing::warn!("no thread for the append only file: {error}");
            RewriteFailed
        })?;
        aof.set_state(AofState::WaitsForBase);
        if aof.is_rewriting() {
            tracing::info!(
                "AOF was enabled but there is already an AOF rewriting in background. Stopping background AOF and starting \
                 a rewrite now."
            );
            // Its end begins the new one: until then it holds the snapshot.
            self.give_up_rewrite();
            aof.update(|report| report.scheduled = true);
        } else if in_transaction || self.is_saving() {
            aof.update(|report| report.scheduled = true);
            tracing::info!(
                "AOF was enabled {}. An AOF background was scheduled to start when possible.",
                if in_transaction {
                    "during a transaction"
                } else {
                    "but there is already another background operation"
                }
            );
        } else if self.begin_rewrite(settings).is_err() {
            aof.set_state(AofState::Off);
            tracing::warn!(
                "Redis needs to enable the AOF but can't trigger a background AOF rewrite operation. Check the above logs \
                 for more info about the error."
            );
            return Err(RewriteFailed);
        }
        if aof.log.forgive() {
            tracing::warn!("AOF reopen, just ignore the last error.");
        }
        Ok(())
    }

    /// Logs changes again where that was ended for the copy of a primary that did not come.
    pub(super) fn resume_append_only(&'static self) {
        let is_missing = || {
            self.config.settings().persistence.appendonly
                && self.append_only.state() == AofState::Off
                && !self.saving.loads.is_active()
                && !self.replication.is_replica()
        };
        if !is_missing() {
            return;
        }
        let hold = self.gate.exclusive_unless_busy();
        if !hold.is_nothing() && is_missing() {
            tracing::info!("Restarting the AOF after a synchronisation that failed");
            // Where it fails, the log says why, and the next round tries again.
            let _ = self.start_append_only(&self.config.settings(), false);
        }
    }

    /// Logs nothing from now on. The caller holds the gate exclusively.
    pub fn stop_append_only(&'static self, settings: &Settings) {
        let aof = &self.append_only;
        let waited = aof.state() == AofState::WaitsForBase;
        aof.set_state(AofState::Off);
        aof.update(|report| report.scheduled = false);
        aof.feed_on_disk.store(0, Relaxed);
        self.give_up_rewrite();
        if let Err(error) = aof.log.end(&self.feed.tail) {
            tracing::warn!("Fail to fsync the AOF file: {}", system_text(&error));
        }
        if waited {
            let folder = Folder::of(settings);
            folder.remove(&manifest::temporary_increment(&folder.stem));
        }
        self.serve_ack_waiters();
    }

    /// Brings everything to disk before the process ends, or before the file is read again.
    pub fn flush_append_only(&self) {
        if self.append_only.state() == AofState::Off {
            return;
        }
        self.append_only.log.write(&self.feed.tail, OnError::TryAgain);
        if let Err(error) = self.append_only.log.flush() {
            tracing::warn!("Fail to fsync the AOF file: {}.", system_text(&error));
        }
    }
}
