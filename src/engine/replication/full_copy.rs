//! A replica takes its primary's copy: everything that was here goes, and the snapshot comes in its place.

use std::io::Read;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

use super::super::{AofState, Engine, LoadError, LoadMode, Loaded};
use crate::base::clock::UnixMillis;
use crate::config::Settings;
use crate::keyspace::{DbIndex, Keys};
use crate::replication::{ReplOffset, ReplicationId};

/// What follows the file counts on keys that have expired.
const MODE: LoadMode = LoadMode { merge: false, exclusive: false, keep_expired: true };

impl Engine {
    /// Takes a copy from a source, as of a position if the primary has told one. While it comes in, clients are told that the server is
    /// loading. Where it fails, nothing is left.
    pub fn take_copy(
        &'static self,
        settings: &Settings,
        name: &Path,
        source: impl Read,
        position: Option<(ReplicationId, ReplOffset)>,
    ) -> Result<DbIndex, LoadError> {
        if self.saving.give_up() {
            tracing::info!(
                "Replica is about to load the RDB file received from the master, but there is a pending RDB child running. \
                 Killing process and removing its temp file to avoid any race"
            );
        }
        self.saving.loads.active.store(true, Relaxed);
        {
            let _alone = self.gate.exclusive();
            self.forget_history();
            // What is in the file is no part of what comes.
            if self.append_only.state() != AofState::Off {
                self.stop_append_only(settings);
            }
            tracing::info!("MASTER <-> REPLICA sync: Flushing old data");
            self.drop_everything(settings);
        }
        tracing::info!("MASTER <-> REPLICA sync: Loading DB in memory");
        let loaded = self.load_from(settings, name, source, MODE);
        let _alone = self.gate.exclusive();
        let result = loaded.map(|loaded| self.adopt(&loaded, position));
        if result.is_err() {
            self.drop_everything(settings);
        }
        let settings = self.config.settings();
        if result.is_ok() && settings.persistence.appendonly {
            // Where it fails, the log says why.
            let _ = self.start_append_only(&settings, false);
        }
        self.saving.loads.active.store(false, Relaxed);
        result
    }

    /// A snapshot comes in while what is here stays. Data of the same history can be read meanwhile; other data cannot.
    pub fn load_aside(&self, id: Option<ReplicationId>) {
        if id == Some(self.replication.history().id) {
            self.replication.link.update(|report| report.loads_aside = true);
        } else {
            self.saving.loads.started_at.store(UnixMillis::now().seconds(), Relaxed);
            self.saving.loads.active.store(true, Relaxed);
        }
    }

    /// It has come in, or will not.
    pub fn end_aside(&self) {
        self.replication.link.update(|report| report.loads_aside = false);
        self.saving.loads.active.store(false, Relaxed);
    }

    fn adopt(&self, loaded: &Loaded, position: Option<(ReplicationId, ReplOffset)>) -> DbIndex {
        let db = loaded.stream_db.unwrap_or(DbIndex(0));
        // A primary that was asked with SYNC tells nothing: its stream cannot be gone on with.
        let (id, offset) = position.unwrap_or((ReplicationId::random(), ReplOffset(0)));
        self.take_history(id, offset, db);
        db
    }

    /// Empties all databases and drops all functions. The caller holds the gate exclusively.
    fn drop_everything(&'static self, settings: &Settings) {
        let now = UnixMillis::now();
        for db in self.keyspace.indices().filter(|db| self.keyspace.is_built(*db)) {
            for (db, key) in self.watches.watched_in(&[db]) {
                self.watches.touch(db, &key);
            }
            let mut keys = Keys::exclusive(&self.keyspace, db, now, Self::freshness(settings));
            let (count, tables) = keys.clear();
            if settings.replication.replica_lazy_flush {
                self.reclaimer.drop_tables(tables, count);
            }
        }
        if let Err(error) = self.libraries.flush() {
            tracing::warn!("functions could not be dropped: {error}");
        }
        self.database_emptied(settings);
    }
}
