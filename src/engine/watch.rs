//! WATCH: which transactions must not run because a key they watched has changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use dashmap::DashMap;

use crate::keyspace::DbIndex;
use crate::session::{Session, WatchedKey};

/// One client's watch on one key.
struct Watcher {
    /// Set when the key changes.
    broken: Arc<AtomicBool>,
    /// Whether the key counts as expired already, so that its removal is no change.
    stale: Arc<AtomicBool>,
}

/// What is at a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Nothing.
    Missing,
    /// A key past its expiry that nobody has removed yet.
    Stale,
    /// A key.
    Live,
}

/// All watched keys with who watches them.
#[derive(Default)]
pub struct Watches {
    keys: DashMap<(DbIndex, Box<[u8]>), Vec<Watcher>>,
    /// Number of registrations: lets the request path skip the map while nobody watches.
    count: AtomicUsize,
}

impl Watches {
    /// `session` watches a key from now on.
    pub fn add(&self, session: &mut Session, watched: WatchedKey) {
        let watcher = Watcher { broken: Arc::clone(&session.watch_broken), stale: Arc::clone(&watched.stale) };
        let mut watchers = self.keys.entry((watched.db, watched.key.clone())).or_default();
        // Asked of the key, not of the session: a client may watch many.
        if watchers.iter().any(|other| Arc::ptr_eq(&other.broken, &watcher.broken)) {
            return;
        }
        watchers.push(watcher);
        drop(watchers);
        self.count.fetch_add(1, Relaxed);
        session.watched.push(watched);
        session.client.watched.store(session.watched.len() as u32, Relaxed);
    }

    /// `session` watches nothing any more, and nothing it watched counts as changed.
    pub fn clear(&self, session: &mut Session) {
        for watched in session.watched.drain(..) {
            let place = (watched.db, watched.key);
            if let Some(mut watchers) = self.keys.get_mut(&place) {
                watchers.retain(|watcher| !Arc::ptr_eq(&watcher.broken, &session.watch_broken));
            }
            self.keys.remove_if(&place, |_, watchers| watchers.is_empty());
            self.count.fetch_sub(1, Relaxed);
        }
        session.watch_broken.store(false, Relaxed);
        session.client.watched.store(0, Relaxed);
    }

    /// A key changed.
    pub fn touch(&self, db: DbIndex, key: &[u8]) {
        self.for_each(db, key, |watcher| watcher.broken.store(true, Relaxed));
    }

    /// A key was removed because it had expired: no change for who knew that when the watch began.
    pub fn expired(&self, db: DbIndex, key: &[u8]) {
        self.for_each(db, key, |watcher| {
            if !watcher.stale.swap(false, Relaxed) {
                watcher.broken.store(true, Relaxed);
            }
        });
    }

    /// What is at a key was exchanged as a whole (SWAPDB, FLUSHDB).
    pub fn replaced(&self, db: DbIndex, key: &[u8], before: Presence, after: Presence) {
        self.for_each(db, key, |watcher| {
            let was_missing = before == Presence::Missing || watcher.stale.load(Relaxed);
            if was_missing && after != Presence::Live {
                watcher.stale.store(after == Presence::Stale, Relaxed);
            } else {
                watcher.broken.store(true, Relaxed);
            }
        });
    }

    /// The keys under watch in some databases.
    pub fn watched_in(&self, dbs: &[DbIndex]) -> Vec<(DbIndex, Box<[u8]>)> {
        if self.count.load(Relaxed) == 0 {
            return Vec::new();
        }
        self.keys.iter().map(|entry| entry.key().clone()).filter(|(db, _)| dbs.contains(db)).collect()
    }

    /// Keys watched by anybody, counted once per watcher.
    pub fn len(&self) -> usize {
        self.count.load(Relaxed)
    }

    /// Whether nobody watches anything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn for_each(&self, db: DbIndex, key: &[u8], visit: impl Fn(&Watcher)) {
        if self.is_empty() {
            return;
        }
        if let Some(watchers) = self.keys.get(&(db, Box::from(key))) {
            watchers.iter().for_each(visit);
        }
    }
}
