//! Looking ahead in a batch of pipelined requests: while one request runs, the memory that the next ones need is on its way.
//!
//! A lookup follows three pointers (shard, slot, entry), each likely outside the caches in a large keyspace. The two
//! stages below ask for them a few requests early, so that the waits overlap with work. Nothing here decides anything: a
//! wrong guess costs a cache line. The hash computed on the way is kept, and used again when the request runs.

use super::Engine;
use crate::keyspace::{DbIndex, HashedKey};
use crate::resp::skim;

/// How many requests ahead the slot is asked for: all of a usual pipeline, so that even the first slots arrive while others are asked for.
const DEPTH: usize = 16;
/// How many requests' entries are asked for, the one that is about to run included: their slots have arrived by then.
const NEAR: usize = 6;

#[derive(Clone, Copy, Default)]
struct Ahead {
    /// Where the request begins.
    start: usize,
    key: HashedKey,
}

/// The requests behind the one that runs.
#[derive(Default)]
pub struct Lookahead {
    ring: [Ahead; DEPTH],
    /// The oldest element, and how many there are.
    head: usize,
    count: usize,
    /// How many of them have passed the first stage, and the second.
    far: usize,
    near: usize,
    /// Where the next request to skim begins.
    end: usize,
}

impl Lookahead {
    /// The hashed key of the request that begins at `start`, which runs now.
    #[inline]
    pub fn take(&mut self, start: usize) -> HashedKey {
        if self.count == 0 {
            return HashedKey::default();
        }
        let first = self.ring[self.head];
        if first.start != start {
            *self = Self::default();
            return HashedKey::default();
        }
        self.head = (self.head + 1) % DEPTH;
        self.count -= 1;
        self.far = self.far.saturating_sub(1);
        self.near = self.near.saturating_sub(1);
        first.key
    }

    /// Skims what begins at `next` in the buffer. Touches no table, so it may be called outside the gate.
    #[inline]
    pub fn skim(&mut self, engine: &Engine, buffer: &[u8], next: usize) {
        if self.count == 0 {
            self.end = next;
        }
        while self.count < DEPTH
            && let Some(request) = skim(buffer, self.end)
        {
            let key = engine.keyspace.hash_key(&buffer[request.key.start..request.key.end]);
            self.ring[(self.head + self.count) % DEPTH] = Ahead { start: self.end, key };
            self.count += 1;
            self.end = request.end;
        }
    }

    /// The first stage: asks for the slots of what was skimmed. Inside the gate, since it looks at tables.
    #[inline]
    pub fn fetch_slots(&mut self, engine: &Engine, db: DbIndex) {
        while self.far < self.count {
            let ahead = &self.ring[(self.head + self.far) % DEPTH];
            engine.keyspace.prefetch_slot(db, ahead.key.hash());
            self.far += 1;
        }
    }

    /// The second stage: asks for the entries of the requests that come next. Inside the gate, too.
    #[inline]
    pub fn fetch_entries(&mut self, engine: &Engine, db: DbIndex) {
        while self.near < self.far.min(NEAR) {
            let ahead = &self.ring[(self.head + self.near) % DEPTH];
            engine.keyspace.prefetch_entry(db, ahead.key.hash());
            self.near += 1;
        }
    }
}
