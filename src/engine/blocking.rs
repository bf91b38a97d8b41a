//! Clients that wait for a key: who waits for what, in which order they are served, and how a wait ends.
//!
//! A blocking command that finds nothing is parked as a [`Waiter`] while its keys are still locked, so no push can slip in
//! between. Whoever creates a key serves its waiters, oldest first, right after its own command: it runs the parked
//! command in the waiter's place and posts the reply to the waiter's connection.
//!
//! A wait ends exactly once: served, timed out, unblocked by CLIENT UNBLOCK, or given up with its connection. The waiter's
//! mutex decides. It is taken outside all shard locks.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use parking_lot::{Mutex, MutexGuard};

use super::command::{Lost, NullReply, Wait};
use crate::base::clock::UnixMillis;
use crate::keyspace::DbIndex;
use crate::resp::{OwnedArgs, Protocol};
use crate::session::{Client, ClientId};

/// A parked blocking command.
pub struct Waiter {
    /// Whose it is.
    pub client: Arc<Client>,
    /// Position of the command in the table.
    pub command: usize,
    /// Its arguments.
    pub args: OwnedArgs,
    /// The client's database.
    pub db: DbIndex,
    /// The client's protocol.
    pub protocol: Protocol,
    /// What it waits for.
    pub wait: Wait,
    /// Whether the wait is over.
    over: Mutex<bool>,
}

impl Waiter {
    /// A new waiter.
    pub fn new(
        client: Arc<Client>,
        command: usize,
        args: OwnedArgs,
        db: DbIndex,
        protocol: Protocol,
        wait: Wait,
    ) -> Self {
        Self { client, command, args, db, protocol, wait, over: Mutex::new(false) }
    }

    /// Claims the end of the wait; `None` when it is over already. Whoever holds the claim sets it to true when it ends the wait.
    pub fn claim(&self) -> Option<MutexGuard<'_, bool>> {
        let over = self.over.lock();
        (!*over).then_some(over)
    }

    /// Waits until nobody is about to end the wait; nobody does while the guard lives.
    pub fn settle(&self) -> MutexGuard<'_, bool> {
        self.over.lock()
    }

    /// The reply when the time is up.
    pub fn timeout_reply(&self) -> &'static [u8] {
        match (self.protocol, self.wait.on_timeout) {
            (Protocol::Resp3, _) => b"_\r\n",
            (Protocol::Resp2, NullReply::Bulk) => b"$-1\r\n",
            (Protocol::Resp2, NullReply::Array) => b"*-1\r\n",
        }
    }

    /// When the time is up.
    pub fn deadline(&self) -> Option<UnixMillis> {
        self.wait.deadline
    }
}

type Queue = VecDeque<Arc<Waiter>>;
type Place = (DbIndex, Box<[u8]>);

/// All waiters.
#[derive(Default)]
pub struct Waiters {
    by_key: Mutex<HashMap<Place, Queue>>,
    by_client: Mutex<HashMap<ClientId, Arc<Waiter>>>,
    count: AtomicUsize,
}

impl Waiters {
    /// Parks a waiter. The caller still holds the locks of its keys.
    pub fn park(&self, waiter: &Arc<Waiter>) {
        let mut by_key = self.by_key.lock();
        for key in &waiter.wait.keys {
            let queue = by_key.entry((waiter.db, key.clone())).or_default();
            // The same key may be named twice.
            if !queue.back().is_some_and(|last| Arc::ptr_eq(last, waiter)) {
                queue.push_back(Arc::clone(waiter));
            }
        }
        drop(by_key);
        self.by_client.lock().insert(waiter.client.id, Arc::clone(waiter));
        self.count.fetch_add(1, Relaxed);
    }

    /// Strikes a waiter out of all queues.
    pub fn forget(&self, waiter: &Arc<Waiter>) {
        let mut by_key = self.by_key.lock();
        for key in &waiter.wait.keys {
            let place = (waiter.db, key.clone());
            if let Some(queue) = by_key.get_mut(&place) {
                queue.retain(|other| !Arc::ptr_eq(other, waiter));
                if queue.is_empty() {
                    by_key.remove(&place);
                }
            }
        }
        drop(by_key);
        if self.by_client.lock().remove(&waiter.client.id).is_some() {
            self.count.fetch_sub(1, Relaxed);
        }
    }

    /// Whether anybody waits for anything.
    pub fn any(&self) -> bool {
        self.count.load(Relaxed) > 0
    }

    /// The waiters of a key, oldest first.
    pub fn of_key(&self, db: DbIndex, key: &[u8]) -> Vec<Arc<Waiter>> {
        let by_key = self.by_key.lock();
        by_key.get(&(db, Box::from(key))).map(|queue| queue.iter().cloned().collect()).unwrap_or_default()
    }

    /// Keys somebody waits for, of one database.
    pub fn keys_of(&self, db: DbIndex) -> Vec<Box<[u8]>> {
        self.by_key.lock().keys().filter(|(d, _)| *d == db).map(|(_, key)| key.clone()).collect()
    }

    /// Distinct keys somebody waits for.
    pub fn key_count(&self) -> usize {
        self.by_key.lock().len()
    }

    /// Distinct keys whose loss somebody waits for.
    pub fn key_count_until_lost(&self) -> usize {
        let by_key = self.by_key.lock();
        by_key.values().filter(|queue| queue.iter().any(|waiter| !matches!(waiter.wait.lost, Lost::Ignore))).count()
    }

    /// The waiter of a client.
    pub fn of_client(&self, id: ClientId) -> Option<Arc<Waiter>> {
        self.by_client.lock().get(&id).cloned()
    }
}
