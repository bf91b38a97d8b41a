//! Saving in the background: BGSAVE and the save points.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::save::{target, temporary};
use super::{RunningSnapshot, SaveError, SnapshotFile, Ticket, pace};
use crate::base::clock::UnixMillis;
use crate::base::progress::Teller;
use crate::config::Settings;
use crate::engine::Engine;

/// Seconds between a failed save and the next one that a save point begins.
const RETRY_S: i64 = 5;

/// What follows a save in the background: gets the file in its place, or nothing if it did not get there.
pub type AfterSave = Box<dyn FnOnce(Option<&Path>) + Send>;

/// How a save in the background ended.
enum Ending {
    Saved,
    Failed,
    GivenUp,
}

impl Engine {
    /// Begins a save in the background. The caller holds the gate exclusively.
    pub fn save_in_background(&'static self, settings: &Settings) -> Result<(), SaveError> {
        self.save_in_background_then(settings, Box::new(|_| {}))
    }

    /// As [`Engine::save_in_background`]; `then` runs before another save can begin.
    pub fn save_in_background_then(&'static self, settings: &Settings, then: AfterSave) -> Result<(), SaveError> {
        let mut current = self.saving.ticket.lock();
        if current.is_some() {
            return Err(SaveError);
        }
        let snapshot = self.begin_snapshot(settings, false).map_err(|_| SaveError)?;
        self.note_save_begun(&snapshot);
        let ticket = Arc::new(Ticket::default());
        let (dirty, settings, held) = (self.dirty.load(Relaxed), settings.clone(), Arc::clone(&ticket));
        let work = move || {
            let ending = self.run_save(snapshot, &settings, &held);
            then(matches!(ending, Ending::Saved).then(|| target(&settings)).as_deref());
            self.end_save(ending, dirty);
        };
        tracing::info!("Background saving started by pid {}", std::process::id());
        if let Err(error) = std::thread::Builder::new().name("snapshot".into()).spawn(work) {
            tracing::warn!("Can't save in background: {error}");
            self.saving.saves.last_failed.store(true, Relaxed);
            self.saving.saves.update(|report| report.running_since = None);
            return Err(SaveError);
        }
        *current = Some(ticket);
        Ok(())
    }

    /// Notes that a snapshot is being made in the background.
    pub(in crate::engine) fn note_save_begun(&self, snapshot: &RunningSnapshot) {
        let now = UnixMillis::now().seconds();
        self.saving.saves.keys_done.store(0, Relaxed);
        self.saving.saves.update(|report| {
            report.count += 1;
            report.last_tried_at = now;
            report.running_since = Some(now);
            report.keys_total = snapshot.census().iter().map(|census| census.keys as u64).sum();
            report.scheduled = false;
        });
    }

    /// Notes that a snapshot for replicas, which is on no disk, has ended.
    pub(in crate::engine) fn note_sync_ended(&self, whole: bool) {
        let now = UnixMillis::now().seconds();
        if whole {
            tracing::info!("Background RDB transfer terminated with success");
        } else {
            tracing::warn!("Background transfer error");
        }
        self.saving.saves.update(|report| {
            report.last_took_s = report.running_since.map_or(-1, |since| now - since);
            report.running_since = None;
        });
        self.saving.return_ticket();
    }

    fn run_save(&self, mut snapshot: RunningSnapshot, settings: &Settings, ticket: &Ticket) -> Ending {
        let result = self.write_pieces(&mut snapshot, settings, ticket);
        self.saving.saves.update(|report| report.last_copied = snapshot.copied());
        // The next snapshot may begin from here on.
        drop(snapshot);
        let placed = match result {
            Ok(Some(file)) => ticket.redeem(|| file.commit(&target(settings))).transpose(),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        match placed {
            Ok(Some(())) => Ending::Saved,
            Ok(None) => Ending::GivenUp,
            Err(error) => {
                tracing::warn!("Write error while saving DB to the disk ({}): {error}", target(settings).display());
                Ending::Failed
            }
        }
    }

    /// Writes the file; `None` if the save was given up.
    fn write_pieces(
        &self,
        snapshot: &mut RunningSnapshot,
        settings: &Settings,
        ticket: &Ticket,
    ) -> std::io::Result<Option<SnapshotFile>> {
        let persistence = &settings.persistence;
        let mut file = SnapshotFile::create(
            temporary(settings, "-background"),
            persistence.rdbchecksum,
            persistence.rdb_save_incremental_fsync,
            snapshot.census(),
        )?;
        file.write(&snapshot.preamble)?;
        let (done, total) = (&self.saving.saves.keys_done, self.saving.saves.report().keys_total);
        let mut teller = Teller::default();
        while let Some(piece) = snapshot.next_piece() {
            file.piece(&piece)?;
            if let Some(progress) = teller.due(done.load(Relaxed), total) {
                tracing::info!("Background saving: {progress}");
            }
            if !pace::count(piece.keys, || self.key_save_delay_us(), ticket, done) {
                return Ok(None);
            }
        }
        file.finish()?;
        Ok(Some(file))
    }

    /// How long saving a key is to take longer: as it is configured now.
    pub(in crate::engine) fn key_save_delay_us(&self) -> i32 {
        self.config.settings().persistence.rdb_key_save_delay
    }

    fn end_save(&self, ending: Ending, dirty_before: u64) {
        let now = UnixMillis::now().seconds();
        let saves = &self.saving.saves;
        match ending {
            Ending::Saved => {
                tracing::info!("Background saving terminated with success");
                // Less where everything was saved meanwhile.
                let _ = self.dirty.fetch_update(Relaxed, Relaxed, |dirty| Some(dirty.saturating_sub(dirty_before)));
                saves.last_failed.store(false, Relaxed);
            }
            Ending::Failed => {
                tracing::warn!("Background saving error");
                saves.last_failed.store(true, Relaxed);
            }
            Ending::GivenUp => tracing::warn!("Background saving was given up"),
        }
        saves.update(|report| {
            report.last_took_s = report.running_since.map_or(-1, |since| now - since);
            report.running_since = None;
            if matches!(ending, Ending::Saved) {
                report.last_saved_at = now;
            }
        });
        self.saving.return_ticket();
    }

    /// Whether a snapshot is being made, or is made and not in its place yet: until then no other can begin.
    pub(in crate::engine) fn is_saving(&self) -> bool {
        self.keyspace.is_snapshotting() || self.saving.in_background()
    }

    /// Begins a save if one was scheduled or a save point is reached. Called periodically.
    pub fn save_if_due(&'static self, now: UnixMillis) {
        if self.saving.loads.is_active() || self.is_saving() {
            return;
        }
        let settings = self.config.settings();
        let report = self.saving.saves.report();
        let now = now.seconds();
        let may_try = now - report.last_tried_at > RETRY_S || !self.saving.saves.last_failed.load(Relaxed);
        let dirty = self.dirty.load(Relaxed);
        let reached = settings
            .persistence
            .save
            .0
            .iter()
            .find(|point| dirty >= point.changes && (now - report.last_saved_at).max(0) as u64 > point.seconds);
        if !may_try || (reached.is_none() && !report.scheduled) {
            return;
        }
        if let Some(point) = reached {
            tracing::info!("{} changes in {} seconds. Saving...", point.changes, point.seconds);
        }
        let hold = self.gate.exclusive_unless_busy();
        if hold.is_nothing() {
            return;
        }
        // On an error the log says why, and the next round tries again.
        let _ = self.save_in_background(&settings);
    }
}
