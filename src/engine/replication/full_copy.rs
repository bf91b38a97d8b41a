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

/// A copy that this server is about to take.
#[derive(Clone, Copy)]
pub struct FullCopy<'c> {
    /// Who takes it.
    pub engine: &'static Engine,
    /// The settings that hold meanwhile.
    pub settings: &'c Settings,
    /// What errors call the snapshot.
    pub name: &'c Path,
    /// Where it comes from.
    pub origin: CopyOrigin,
}

impl FullCopy<'_> {
    /// Takes it in the place of what is here; the database that the stream behind it begins in. While it comes in, clients are told that
    /// the server is loading. Where it fails, nothing is left.
    pub fn take(self, source: impl Read) -> Result<DbIndex, LoadError> {
        let engine = self.engine;
        self.give_up_save();
        let _shown = Shown::loading(engine);
        {
            let _alone = engine.gate.exclusive();
            self.check_still_wanted()?;
            self.part_with_history();
            tracing::info!("MASTER <-> REPLICA sync: Flushing old data");
            self.drop_everything();
        }
        tracing::info!("MASTER <-> REPLICA sync: Loading DB in memory");
        let loaded = engine.load_from(self.settings, self.name, source, MODE);
        let _alone = engine.gate.exclusive();
        let result = loaded.and_then(|loaded| {
            self.check_still_wanted()?;
            Ok(self.adopt(&loaded))
        });
        match result {
            Ok(_) => self.log_copy(),
            Err(_) => self.drop_everything(),
        }
        result
    }

    /// As [`FullCopy::take`], but what is here stays until all of the copy has come in. Data of the same history can be read meanwhile; of
    /// other data clients are told that the server is loading.
    pub fn take_aside(self, mut source: impl Read) -> Result<DbIndex, LoadError> {
        let engine = self.engine;
        let is_same = self.origin.position.is_some_and(|(id, _)| id == engine.replication.history().id);
        let _shown = if is_same { Shown::loading_aside(engine) } else { Shown::loading(engine) };
        tracing::info!("MASTER <-> REPLICA sync: Loading DB in memory");
        let loaded = engine.load_aside_from(self.settings, self.name, &mut source, MODE).and_then(|loaded| {
            // The snapshot is whole when its end has come too.
            io::copy(&mut source, &mut io::sink()).map_err(|error| self.unfit(error.to_string()))?;
            Ok(loaded)
        });
        let result = loaded.and_then(|(loaded, aside)| {
            self.give_up_save();
            let _alone = engine.gate.exclusive();
            self.check_still_wanted()?;
            self.swap_in(&aside)?;
            let db = self.adopt(&loaded);
            self.log_copy();
            Ok(db)
        });
        if result.is_err() {
            tracing::info!("MASTER <-> REPLICA sync: Discarding temporary DB in background");
        }
        result
    }

    /// Puts what was loaded aside in the place of what is here, or fails without a change. The caller holds the gate exclusively.
    fn swap_in(&self, aside: &Aside) -> Result<(), LoadError> {
        let functions: Vec<&[u8]> = aside.functions.iter().map(Vec::as_slice).collect();
        let joined = self.engine.libraries.join(&functions, Joining::Flush, true);
        joined.map_err(|error| self.unfit(format!("Failed loading library, {}", error.text())))?;
        tracing::info!("MASTER <-> REPLICA sync: Swapping active DB with loaded DB");
        self.part_with_history();
        tracing::info!("MASTER <-> REPLICA sync: Discarding old DB in background");
        self.drop_keys(true);
        self.engine.keyspace.take_in(&aside.keyspace);
        Ok(())
    }

    fn unfit(&self, why: String) -> LoadError {
        LoadError::Unfit(self.name.into(), why)
    }

    /// A snapshot of the old data is of no use any more.
    fn give_up_save(&self) {
        if self.engine.saving.give_up() {
            tracing::info!(
                "Replica is about to load the RDB file received from the master, but there is a pending RDB child running. \
                 Killing process and removing its temp file to avoid any race"
            );
        }
    }

    /// The data here is about to go: nobody goes on from it, and the append only file says nothing of what comes. The caller holds
    /// the gate exclusively.
    fn part_with_history(&self) {
        self.engine.forget_history();
        if self.engine.append_only.state() != AofState::Off {
            self.engine.stop_append_only(self.settings);
        }
    }

    /// The data here is the primary's: where the configuration asks for it, an append only file begins with it.
    fn log_copy(&self) {
        let settings = self.engine.config.settings();
        if settings.persistence.appendonly {
            // Where it fails, the log says why.
            let _ = self.engine.start_append_only(&settings, false);
        }
    }

    /// A node that has been given another role meanwhile keeps what it has. The caller holds the gate exclusively.
    fn check_still_wanted(&self) -> Result<(), LoadError> {
        let wanted = self.engine.still_follows(self.origin.generation);
        wanted.then_some(()).ok_or_else(|| self.unfit("its primary is not followed any more".into()))
    }

    fn adopt(&self, loaded: &Loaded) -> DbIndex {
        let db = loaded.stream_db.unwrap_or(DbIndex(0));
        // A primary that was asked with SYNC tells nothing: its stream cannot be gone on with.
        let (id, offset) = self.origin.position.unwrap_or((ReplicationId::random(), ReplOffset(0)));
        self.engine.take_history(id, offset, db);
        db
    }

    /// Empties all databases and drops all functions. The caller holds the gate exclusively.
    fn drop_everything(&self) {
        if let Err(error) = self.engine.libraries.flush() {
            tracing::warn!("functions could not be dropped: {error}");
        }
        self.drop_keys(self.settings.replication.replica_lazy_flush);
    }

    fn drop_keys(&self, lazy: bool) {
        let (engine, now) = (self.engine, UnixMillis::now());
        for db in engine.keyspace.indices().filter(|db| engine.keyspace.is_built(*db)) {
            for (db, key) in engine.watches.watched_in(&[db]) {
                engine.watches.touch(db, &key);
            }
            let mut keys = Keys::exclusive(&engine.keyspace, db, now, Engine::freshness(self.settings));
            let (count, tables) = keys.clear();
            if lazy {
                engine.reclaimer.drop_tables(tables, count);
            }
        }
        engine.database_emptied(self.settings);
    }
}

/// What clients see while a copy comes in, however that ends.
struct Shown(&'static Engine);

impl Shown {
    fn loading(engine: &'static Engine) -> Self {
        engine.saving.loads.active.store(true, Relaxed);
        Self(engine)
    }

    fn loading_aside(engine: &'static Engine) -> Self {
        engine.replication.link.update(|report| report.loads_aside = true);
        Self(engine)
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.replication.link.update(|report| report.loads_aside = false);
        self.0.saving.loads.active.store(false, Relaxed);
    }
}
