//! Frees memory in the background: what UNLINK, FLUSHALL ASYNC and lazy deletion leave behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Sender, channel};

use crate::keyspace::{Entry, Table};

enum Waste {
    Entry(#[allow(dead_code, reason = "held for its drop")] Entry),
    Tables(#[allow(dead_code, reason = "held for its drop")] Vec<Table>),
}

/// The way to the background thread.
pub struct Reclaimer {
    sender: Sender<(Waste, usize)>,
    pending: Arc<AtomicUsize>,
    freed: Arc<AtomicUsize>,
}

impl Default for Reclaimer {
    fn default() -> Self {
        let (sender, receiver) = channel::<(Waste, usize)>();
        let (pending, freed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (left, done) = (Arc::clone(&pending), Arc::clone(&freed));
        let work = move || {
            for (waste, objects) in receiver {
                drop(waste);
                left.fetch_sub(objects, Relaxed);
                done.fetch_add(objects, Relaxed);
            }
        };
        // Without the thread, sending fails and everything is freed at once instead.
        if let Err(error) = std::thread::Builder::new().name("reclaimer".into()).spawn(work) {
            tracing::warn!(%error, "no thread for freeing memory in the background");
        }
        Self { sender, pending, freed }
    }
}

impl Reclaimer {
    /// Frees a value, in the background if that may take long.
    pub fn drop_entry(&self, entry: Entry) {
        if entry.is_heavy() {
            self.send(Waste::Entry(entry), 1);
        }
    }

    /// Frees the tables of a database that held `objects` keys.
    pub fn drop_tables(&self, tables: Vec<Table>, objects: usize) {
        self.send(Waste::Tables(tables), objects);
    }

    fn send(&self, waste: Waste, objects: usize) {
        self.pending.fetch_add(objects, Relaxed);
        if self.sender.send((waste, objects)).is_err() {
            self.pending.fetch_sub(objects, Relaxed);
        }
    }

    /// Objects waiting to be freed.
    pub fn pending(&self) -> usize {
        self.pending.load(Relaxed)
    }

    /// Objects freed so far.
    pub fn freed(&self) -> usize {
        self.freed.load(Relaxed)
    }

    /// Forgets how many were freed.
    pub fn reset(&self) {
        self.freed.store(0, Relaxed);
    }
}
