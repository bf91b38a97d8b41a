//! Keys that clients of a writable replica gave an expiry.
//!
//! What expires is the primary's to say, but the primary does not know of these keys: the replica removes them itself.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::super::execute::Run;
use super::super::{Command, Engine, encoding_limits};
use crate::catalog;
use crate::keyspace::{Access, DbIndex, Keys, LockRequest};
use crate::resp::Args;

/// The keys. Those that are gone or have no expiry any more are struck out when it is their turn to be looked at.
#[derive(Default)]
pub struct OwnKeys(Mutex<HashSet<(DbIndex, Box<[u8]>)>>);

impl OwnKeys {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all of them.
    pub(super) fn clear(&self) {
        self.0.lock().clear();
    }
}

impl Engine {
    /// A client other than the primary has run a command that writes; `keys` still locks what it names.
    pub(in crate::engine) fn note_own_keys(&self, keys: &Keys<'_>, command: &Command, args: Args<'_>) {
        catalog::for_each_key(
            &command.spec,
            args.len(),
            |index| args.at(index),
            |index, _| {
                let key = args.at(index);
                if keys.peek(key).is_some_and(|entry| entry.expiry().is_some()) {
                    self.replication.own_keys.0.lock().insert((keys.db(), key.into()));
                }
            },
        );
    }

    /// Removes those that are due, for as long as `budget`.
    pub(in crate::engine) fn expire_own_keys(&'static self, budget: Duration) {
        if self.replication.own_keys.is_empty() {
            return;
        }
        let (settings, started) = (self.config.snapshot(), Instant::now());
        let limits = encoding_limits(&settings);
        let known: Vec<_> = self.replication.own_keys.0.lock().iter().cloned().collect();
        for (db, key) in known {
            let run = Run::begin(self, &settings, &limits);
            if run.hold.is_nothing() || started.elapsed() > budget {
                return;
            }
            let request = LockRequest { db, hash: self.keyspace.hash(&key), access: Access::Read };
            let keys = Keys::lock(&self.keyspace, db, &[request], run.now, Self::freshness(&settings));
            let is_due = keys.holds_expired(&key);
            let stays = !is_due && keys.expiry(&key).flatten().is_some();
            drop(keys);
            if is_due {
                // Nobody waits on a replica for a key to go.
                let _ = self.expire_key(&run, self.background_worker(), db, &key);
            }
            if !stays {
                self.replication.own_keys.0.lock().remove(&(db, key));
            }
        }
    }
}
