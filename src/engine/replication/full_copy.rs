//! A replica takes its primary's copy: everything that was here goes, and the snapshot comes in its place.
//!
//! What is here goes either before the snapshot comes in, or, where memory for both is granted, at the instant all of it is here. In
//! the second case a snapshot that never becomes whole changes nothing.

use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

use super::super::saving::Aside;
use super::super::{AofState, Engine, LoadError, LoadMode, Loaded};
use crate::base::clock::UnixMillis;
use crate::config::Settings;
use crate::keyspace::{DbIndex, Keys};
use crate::replication::{ReplOffset, ReplicationId};
use crate::scripting::Joining;

/// What follows the file counts on keys that have expired.
const MODE: LoadMode = LoadMode { merge: false, exclusive: false, keep_expired: true };

/// Where a copy comes from.
#[derive(Clone, Copy, Debug)]
pub struct CopyOrigin {
    /// Whom to follow was decided with this number.
    pub generation: u64,
    /// Where the copy stands in the primary's stream, if the primary has told.
    pub position: Option<(ReplicationId, ReplOffset)>,
}

impl Engine {
    /// Takes a copy from a source. While it comes in, clients are told that the server is
    /// loading. Where it fails, nothing is left.
    pub fn take_copy(
        &'static self,
        settings: &Settings,
        name: &Path,
        source: impl Read,
        origin: &CopyOrigin,
    ) -> Result<DbIndex, LoadError> {
        self.give_up_save();
        self.saving.loads.active.store(true, Relaxed);
        let result = self.take_copy_in_place(settings, name, source, origin);
        self.saving.loads.active.store(false, Relaxed);
        result
    }

    fn take_copy_in_place(
        &'static self,
        settings: &Settings,
        name: &Path,
        source: impl Read,
        origin: &CopyOrigin,
    ) -> Result<DbIndex, LoadError> {
        {
            let _alone = self.gate.exclusive();
            self.check_still_wanted(name, origin)?;
            self.part_with_history(settings);
            tracing::info!("MASTER <-> REPLICA sync: Flushing old data");
            self.drop_everything(settings);
        }
        tracing::info!("MASTER <-> REPLICA sync: Loading DB in memory");
        let loaded = self.load_from(settings, name, source, MODE);
        let _alone = self.gate.exclusive();
        let result = loaded.and_then(|loaded| {
            self.check_still_wanted(name, origin)?;
            Ok(self.adopt(&loaded, origin))
        });
        match result {
            Ok(_) => self.log_copy(),
            Err(_) => self.drop_everything(settings),
        }
        result
    }

    /// As [`Engine::take_copy`], but what is here stays until all of the copy has come in. Data of the same history can be read
    /// meanwhile; of other data clients are told that the server is loading.
    pub fn take_copy_aside(
        &'static self,
        settings: &Settings,
        name: &Path,
        mut source: impl Read,
        origin: &CopyOrigin,
    ) -> Result<DbIndex, LoadError> {
        let is_same = origin.position.is_some_and(|(id, _)| id == self.replication.history().id);
        if is_same {
            self.replication.link.update(|report| report.loads_aside = true);
        } else {
            self.saving.loads.active.store(true, Relaxed);
        }
        tracing::info!("MASTER <-> REPLICA sync: Loading DB in memory");
        let loaded = self.load_aside_from(settings, name, &mut source, MODE).and_then(|loaded| {
            // The snapshot is whole when its end has come too.
            io::copy(&mut source, &mut io::sink()).map_err(|error| LoadError::Unfit(name.into(), error.to_string()))?;
            Ok(loaded)
        });
        let result = loaded.and_then(|(loaded, aside)| {
            self.give_up_save();
            let _alone = self.gate.exclusive();
            self.check_still_wanted(name, origin)?;
            self.swap_in(settings, name, &aside)?;
            let db = self.adopt(&loaded, origin);
            self.log_copy();
            Ok(db)
        });
        if result.is_err() {
            tracing::info!("MASTER <-> REPLICA sync: Discarding temporary DB in background");
        }
        self.replication.link.update(|report| report.loads_aside = false);
        self.saving.loads.active.store(false, Relaxed);
        result
    }

    /// Puts what was loaded aside in the place of what is here, or fails without a change. The caller holds the gate exclusively.
    fn swap_in(&'static self, settings: &Settings, name: &Path, aside: &Aside) -> Result<(), LoadError> {
        let functions: Vec<&[u8]> = aside.functions.iter().map(Vec::as_slice).collect();
        self.libraries
            .join(&functions, Joining::Flush, true)
            .map_err(|error| LoadError::Unfit(name.into(), format!("Failed loading library, {}", error.text())))?;
        tracing::info!("MASTER <-> REPLICA sync: Swapping active DB with loaded DB");
        self.part_with_history(settings);
        tracing::info!("MASTER <-> REPLICA sync: Discarding old DB in background");
        self.drop_keys(settings, true);
        self.keyspace.take_in(&aside.keyspace);
        Ok(())
    }

    /// A snapshot of the old data is of no use any more.
    fn give_up_save(&self) {
        if self.saving.give_up() {
            tracing::info!(
                "Replica is about to load the RDB file received from the master, but there is a pending RDB child running. \
                 Killing process and removing its temp file to avoid any race"
            );
        }
    }

    /// The data here is about to go: nobody goes on from it, and the append only file says nothing of what comes. The caller holds
    /// the gate exclusively.
    fn part_with_history(&'static self, settings: &Settings) {
        self.forget_history();
        if self.append_only.state() != AofState::Off {
            self.stop_append_only(settings);
        }
    }

    /// The data here is the primary's: where the configuration asks for it, an append only file begins with it.
    fn log_copy(&'static self) {
        let settings = self.config.settings();
        if settings.persistence.appendonly {
            // Where it fails, the log says why.
            let _ = self.start_append_only(&settings, false);
        }
    }

    /// A node that has been given another role meanwhile keeps what it has. The caller holds the gate exclusively.
    fn check_still_wanted(&self, name: &Path, origin: &CopyOrigin) -> Result<(), LoadError> {
        let wanted = self.still_follows(origin.generation);
        wanted.then_some(()).ok_or_else(|| LoadError::Unfit(name.into(), "its primary is not followed any more".into()))
    }

    fn adopt(&self, loaded: &Loaded, origin: &CopyOrigin) -> DbIndex {
        let db = loaded.stream_db.unwrap_or(DbIndex(0));
        // A primary that was asked with SYNC tells nothing: its stream cannot be gone on with.
        let (id, offset) = origin.position.unwrap_or((ReplicationId::random(), ReplOffset(0)));
        self.take_history(id, offset, db);
        db
    }

    /// Empties all databases and drops all functions. The caller holds the gate exclusively.
    fn drop_everything(&'static self, settings: &Settings) {
        if let Err(error) = self.libraries.flush() {
            tracing::warn!("functions could not be dropped: {error}");
        }
        self.drop_keys(settings, settings.replication.replica_lazy_flush);
    }

    fn drop_keys(&'static self, settings: &Settings, lazy: bool) {
        let now = UnixMillis::now();
        for db in self.keyspace.indices().filter(|db| self.keyspace.is_built(*db)) {
            for (db, key) in self.watches.watched_in(&[db]) {
                self.watches.touch(db, &key);
            }
            let mut keys = Keys::exclusive(&self.keyspace, db, now, Self::freshness(settings));
            let (count, tables) = keys.clear();
            if lazy {
                self.reclaimer.drop_tables(tables, count);
            }
        }
        self.database_emptied(settings);
    }
}
