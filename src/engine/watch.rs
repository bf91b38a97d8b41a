//! WATCH: which transactions must not run because a key they watched has changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use dashmap::DashMap;

use crate::keyspace::DbIndex;
use crate::session::{Session, WatchedKey};

type Watchers = Vec<Arc<AtomicBool>>;

/// All watched keys with the flags of who watches them.
#[derive(Default)]
pub struct Watches {
    keys: DashMap<(DbIndex, Box<[u8]>), Watchers>,
    /// Number of registrations: lets the request path skip the map while nobody watches.
    count: AtomicUsize,
}

impl Watches {
    /// `session` watches a key from now on.
    pub fn add(&self, session: &mut Session, watched: WatchedKey) {
        if session.watched.iter().any(|w| w.db == watched.db && w.key == watched.key) {
            return;
        }
        let place = (watched.db, watched.key.clone());
        self.keys.entry(place).or_default().push(Arc::clone(&session.watch_broken));
        self.count.fetch_add(1, Relaxed);
        session.watched.push(watched);
        session.client.watched.store(session.watched.len() as u32, Relaxed);
    }

    /// `session` watches nothing any more, and nothing it watched counts as changed.
    pub fn clear(&self, session: &mut Session) {
        for watched in session.watched.drain(..) {
            let place = (watched.db, watched.key);
            if let Some(mut watchers) = self.keys.get_mut(&place) {
                watchers.retain(|flag| !Arc::ptr_eq(flag, &session.watch_broken));
            }
            self.keys.remove_if(&place, |_, watchers| watchers.is_empty());
            self.count.fetch_sub(1, Relaxed);
        }
        session.watch_broken.store(false, Relaxed);
        session.client.watched.store(0, Relaxed);
    }

    /// A key changed.
    pub fn touch(&self, db: DbIndex, key: &[u8]) {
        if self.count.load(Relaxed) == 0 {
            return;
        }
        if let Some(watchers) = self.keys.get(&(db, Box::from(key))) {
            for flag in watchers.iter() {
                flag.store(true, Relaxed);
            }
        }
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
}
