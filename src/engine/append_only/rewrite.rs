//! Rewriting in the background: a new base from what is in memory, and the old parts go.
//!
//! The instant of the snapshot and the beginning of the new increment are one, since both happen under the exclusive gate: what is before it
//! is in the base, what is after it in the increment.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::AofState;
use super::base::BaseFile;
use super::files::{Folder, NotWritten};
use super::log::OnError;
use crate::base::clock::UnixMillis;
use crate::base::progress::Teller;
use crate::base::system_text::system_text;
use crate::config::Settings;
use crate::engine::Engine;
use crate::engine::saving::{RunningSnapshot, Ticket, pace};
use crate::persistence::aof::manifest;

/// A rewrite could not begin; the log says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RewriteFailed;

/// How a rewrite ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Done,
    Failed,
    GivenUp,
}

impl Engine {
    /// Begins a rewrite. The caller holds the gate exclusively, and has made sure that no snapshot is being taken.
    pub fn begin_rewrite(&'static self, settings: &Settings) -> Result<(), RewriteFailed> {
        let begun = self.try_begin_rewrite(settings);
        if begun.is_err() {
            self.append_only.update(|report| report.last_failed = true);
        }
        begun
    }

    fn try_begin_rewrite(&'static self, settings: &Settings) -> Result<(), RewriteFailed> {
        let aof = &self.append_only;
        let mut current = aof.ticket.lock();
        if current.is_some() || self.keyspace.is_snapshotting() {
            return Err(RewriteFailed);
        }
        let folder = Folder::of(settings);
        folder.create().map_err(|NotWritten| RewriteFailed)?;
        self.begin_increment(&folder, settings)?;
        let snapshot = self.begin_base(settings).map_err(|_| RewriteFailed)?;
        let now = UnixMillis::now().seconds();
        aof.keys_done.store(0, Relaxed);
        aof.update(|report| {
            report.count += 1;
            report.scheduled = false;
            report.running_since = Some(now);
            report.keys_total = snapshot.census().iter().map(|census| census.keys as u64).sum();
        });
        let ticket = Arc::new(Ticket::default());
        let (settings, held) = (settings.clone(), Arc::clone(&ticket));
        let work = move || {
            let ending = self.rewrite(snapshot, &folder, &settings, &held);
            self.end_rewrite(ending, &folder);
        };
        tracing::info!("Background append only file rewriting started by pid {}", std::process::id());
        if let Err(error) = std::thread::Builder::new().name("rewrite".into()).spawn(work) {
            tracing::warn!("Can't rewrite append only file in background: {error}");
            aof.update(|report| report.running_since = None);
            return Err(RewriteFailed);
        }
        *current = Some(ticket);
        Ok(())
    }

    /// What changes from now on goes into a new increment.
    fn begin_increment(&'static self, folder: &Folder, settings: &Settings) -> Result<(), RewriteFailed> {
        let aof = &self.append_only;
        let (tail, failed) = (&self.feed.tail, |NotWritten| RewriteFailed);
        let name = match aof.state() {
            AofState::Off => return Ok(()),
            AofState::WaitsForBase => {
                let name = manifest::temporary_increment(&folder.stem);
                let (file, bytes) = folder.open_increment(&name, true).map_err(failed)?;
                aof.log.begin(file, bytes);
                tail.open();
                name
            }
            AofState::On => {
                let always = settings.persistence.appendfsync == crate::config::values::AppendFsync::Always;
                aof.log.write(tail, if always { OnError::Exit } else { OnError::TryAgain });
                let mut manifest = aof.manifest.lock();
                let mut next = manifest.clone();
                let name = next.new_increment(&folder.stem);
                let (file, bytes) = folder.open_increment(&name, true).map_err(failed)?;
                folder.write_manifest(&next).map_err(failed)?;
                *manifest = next;
                aof.log.begin(file, bytes);
                tail.forget_database();
                name
            }
        };
        tracing::info!("Creating AOF incr file {name} on background rewrite");
        Ok(())
    }

    fn rewrite(&self, mut snapshot: RunningSnapshot, folder: &Folder, settings: &Settings, ticket: &Ticket) -> Ending {
        let written = self.write_pieces_of_base(&mut snapshot, folder, settings, ticket);
        self.append_only.update(|report| report.last_copied = snapshot.copied());
        // The next snapshot may begin from here on.
        drop(snapshot);
        match written {
            Ok(None) => Ending::GivenUp,
            Ok(Some(file)) => match ticket.redeem(|| self.install_base(file, folder, settings)) {
                None => Ending::GivenUp,
                Some(Ok(())) => Ending::Done,
                Some(Err(NotWritten)) => Ending::Failed,
            },
            Err(error) => {
                tracing::warn!("Write error writing append only file on disk: {}", system_text(&error));
                Ending::Failed
            }
        }
    }

    /// Writes the base to a temporary file; `None` if the rewrite was given up.
    fn write_pieces_of_base(
        &self,
        snapshot: &mut RunningSnapshot,
        folder: &Folder,
        settings: &Settings,
        ticket: &Ticket,
    ) -> io::Result<Option<BaseFile>> {
        let mut file = BaseFile::create(folder.temporary("-bg"), settings, snapshot.census())?;
        file.write(&snapshot.preamble)?;
        let (done, total) = (&self.append_only.keys_done, self.append_only.rewrites().keys_total);
        let mut teller = Teller::default();
        while let Some(piece) = snapshot.next_piece() {
            file.piece(&piece)?;
            if let Some(progress) = teller.due(done.load(Relaxed), total) {
                tracing::info!("Background AOF rewrite: {progress}");
            }
            if !pace::count(piece.keys, || self.key_save_delay_us(), ticket, done) {
                return Ok(None);
            }
        }
        file.finish()?;
        Ok(Some(file))
    }

    /// Exchanges the parts.
    fn install_base(&self, file: BaseFile, folder: &Folder, settings: &Settings) -> Result<(), NotWritten> {
        let aof = &self.append_only;
        let persistence = &settings.persistence;
        tracing::info!("Background AOF rewrite terminated with success");
        let mut manifest = aof.manifest.lock();
        let mut next = manifest.clone();
        let base = next.new_base(&folder.stem, persistence.aof_use_rdb_preamble);
        let temporary = folder.temporary("-bg");
        if let Err(error) = file.commit(&folder.part(&base)) {
            tracing::warn!(
                "Error trying to rename the temporary AOF base file {} into {base}: {}",
                temporary.display(),
                system_text(&error)
            );
            folder.remove(&base);
            return Err(NotWritten);
        }
        tracing::info!(
            "Successfully renamed the temporary AOF base file {} into {base}",
            temporary.file_name().unwrap_or_default().display()
        );
        let mut increment = None;
        let placed = match aof.state() {
            AofState::WaitsForBase => {
                let name = next.new_increment(&folder.stem);
                increment = Some(name.clone());
                name_increment(folder, &name)
            }
            AofState::Off | AofState::On => Ok(()),
        };
        next.retire_increments(aof.state() != AofState::Off);
        if placed.and_then(|()| folder.write_manifest(&next)).is_err() {
            folder.remove(&base);
            increment.iter().for_each(|name| folder.remove(name));
            return Err(NotWritten);
        }
        *manifest = next;
        if aof.state() != AofState::Off {
            let total = folder.length(&base).unwrap_or(0) + aof.log.bytes();
            aof.log.total_bytes.store(total, Relaxed);
            aof.rewritten_bytes.store(total, Relaxed);
        }
        folder.remove_history(&mut manifest, self.config.settings().persistence.aof_disable_auto_gc);
        if aof.state() == AofState::WaitsForBase {
            aof.set_state(AofState::On);
            self.serve_ack_waiters();
        }
        tracing::info!("Background AOF rewrite finished successfully");
        Ok(())
    }

    fn end_rewrite(&'static self, ending: Ending, folder: &Folder) {
        let aof = &self.append_only;
        match ending {
            Ending::Done => {}
            Ending::Failed => tracing::warn!("Background AOF rewrite terminated with error"),
            Ending::GivenUp => tracing::warn!("Background AOF rewrite was given up"),
        }
        // Where the file was to be switched on, what was logged is worth nothing without its base.
        let waits = aof.state() == AofState::WaitsForBase;
        if waits && ending == Ending::Failed {
            let hold = self.gate.exclusive();
            let name = manifest::temporary_increment(&folder.stem);
            if let Err(error) = aof.log.end(&self.feed.tail) {
                tracing::warn!("Fail to fsync the AOF file: {}", system_text(&error));
            }
            drop(hold);
            tracing::info!("Removing the temp incr aof file {name} in the background");
            folder.remove(&name);
        }
        let now = UnixMillis::now().seconds();
        aof.update(|report| {
            report.last_took_s = report.running_since.map_or(-1, |since| now - since);
            report.running_since = None;
            match ending {
                Ending::Done => (report.last_failed, report.consecutive_failures) = (false, 0),
                Ending::Failed => {
                    report.last_failed = true;
                    report.consecutive_failures += 1;
                }
                Ending::GivenUp => {}
            }
            report.scheduled |= waits;
        });
        *aof.ticket.lock() = None;
    }

    /// Gives up the rewrite in the background; `false` if there is none.
    pub fn give_up_rewrite(&self) -> bool {
        let ticket = self.append_only.ticket.lock().clone();
        let Some(ticket) = ticket else { return false };
        tracing::info!("Killing running AOF rewrite child: {}", std::process::id());
        ticket.withdraw();
        true
    }

    /// Has a rewrite begun as soon as that is possible, whatever has failed before.
    pub fn schedule_rewrite(&self) {
        self.append_only.update(|report| (report.scheduled, report.consecutive_failures) = (true, 0));
    }

    /// Begins a rewrite if one was scheduled or the file has grown too much. Called periodically.
    pub fn rewrite_if_due(&'static self, now: UnixMillis) {
        let aof = &self.append_only;
        let (scheduled, state) = (aof.rewrites().scheduled, aof.state());
        if state == AofState::Off && !scheduled {
            self.resume_append_only();
        }
        if !scheduled && state != AofState::On {
            return;
        }
        if self.saving.loads.is_active()
            || self.saving.in_background()
            || aof.is_rewriting()
            || self.keyspace.is_snapshotting()
        {
            return;
        }
        let settings = self.config.settings();
        let growth = (state == AofState::On).then(|| self.aof_growth(&settings)).flatten();
        if (!scheduled && growth.is_none()) || aof.rewrites.lock().is_limited(now.seconds()) {
            return;
        }
        let hold = self.gate.exclusive_unless_busy();
        if hold.is_nothing() {
            return;
        }
        if let (false, Some(growth)) = (scheduled, growth) {
            tracing::info!("Starting automatic rewriting of AOF on {growth}% growth");
        }
        // On an error the log says why.
        if self.begin_rewrite(&settings).is_err() {
            aof.update(|report| report.consecutive_failures += 1);
        }
    }

    /// By how many percent the file has grown, if that is too much.
    fn aof_growth(&self, settings: &Settings) -> Option<u64> {
        let persistence = &settings.persistence;
        let percentage = u64::from(persistence.auto_aof_rewrite_percentage);
        let total = self.append_only.log.total_bytes.load(Relaxed);
        if percentage == 0 || total <= persistence.auto_aof_rewrite_min_size {
            return None;
        }
        let base = self.append_only.rewritten_bytes().max(1);
        let growth = (u128::from(total) * 100 / u128::from(base)).saturating_sub(100) as u64;
        (growth >= percentage).then_some(growth)
    }
}

/// Gives the increment that waited for its base the name it has in the manifest.
fn name_increment(folder: &Folder, name: &str) -> Result<(), NotWritten> {
    let temporary = manifest::temporary_increment(&folder.stem);
    match fs::rename(folder.part(&temporary), folder.part(name)) {
        Ok(()) => {
            tracing::info!("Successfully renamed the temporary AOF incr file {temporary} into {name}");
            Ok(())
        }
        Err(error) => {
            tracing::warn!(
                "Error trying to rename the temporary AOF incr file {temporary} into {name}: {}",
                system_text(&error)
            );
            Err(NotWritten)
        }
    }
}
