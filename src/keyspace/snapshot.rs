//! A picture of all keys at one instant, taken while the server goes on and without a second process.
//!
//! The instant is set under the exclusive gate, which takes microseconds. From then on each shard is written down once, as it was at
//! that instant: by the background thread that walks all shards, or by whoever is about to change a shard that the walk has not reached.
//! So a writer pays for at most one shard per change, and what waits for the walk is bounded by what there is, as it is with the
//! pages that a forked process makes the kernel copy.
//!
//! A shard is marked while it is locked: by the walk for reading, by a writer for writing. Under the exclusive gate nothing is locked, and
//! the walk stays out because it enters the gate for each shard.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;

use super::database::{DbIndex, Keyspace};
use super::entry::Entry;
use super::table::{self, Table};

/// Writes entries down. Called under the lock of the entries' shard.
pub trait ShardEncoder: Send + Sync {
    /// The bytes that stand for these entries; quickly rather than in few bytes where a writer waits for them.
    fn encode(&self, db: DbIndex, entries: &mut dyn Iterator<Item = &Entry>, writer_waits: bool) -> Vec<u8>;
}

/// Some keys of one database, written down.
pub struct Piece {
    /// Their database.
    pub db: DbIndex,
    /// How many they are.
    pub keys: usize,
    /// What the encoder made of them.
    pub bytes: Vec<u8>,
}

/// A database as it was at the instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Census {
    /// Its number.
    pub db: DbIndex,
    /// Keys in it.
    pub keys: usize,
    /// Those with an expiry.
    pub volatile: usize,
}

/// One of the databases to be written down.
struct Plan {
    census: Census,
    /// Which shards are written down.
    done: Box<[AtomicBool]>,
}

/// What those who change keys leave for the walk.
#[derive(Default)]
struct Left {
    pieces: VecDeque<Piece>,
    /// Whole tables of a database that was emptied.
    tables: VecDeque<(DbIndex, Table)>,
}

struct Taking {
    /// By slot of the databases; those that were empty have no plan.
    plans: Box<[Option<Plan>]>,
    encoder: Box<dyn ShardEncoder>,
    left: Mutex<Left>,
    /// Bytes written down by those who changed keys.
    copied: AtomicU64,
}

impl Taking {
    /// Whether the caller, who has the shard locked, is the first to reach it.
    fn claim(&self, slot: usize, shard: usize) -> Option<DbIndex> {
        let plan = self.plans.get(slot)?.as_ref()?;
        let first = !plan.done[shard].swap(true, Relaxed);
        first.then_some(plan.census.db)
    }

    fn piece(&self, db: DbIndex, table: &Table, writer_waits: bool) -> Piece {
        Piece { db, keys: table.len(), bytes: self.encoder.encode(db, &mut table::iter(table), writer_waits) }
    }
}

/// Where the keyspace says that a picture is being taken.
#[derive(Default)]
pub(super) struct SnapshotSwitch {
    /// Looked at before every change, hence apart. Set and cleared under the exclusive gate or when nothing is left to write down.
    active: AtomicBool,
    taking: ArcSwapOption<Taking>,
}

impl SnapshotSwitch {
    /// To be called before a shard is changed, by its lock's holder.
    #[inline]
    pub fn before_change(&self, slot: u32, shard: usize, table: &Table) {
        if self.active.load(Relaxed) {
            self.write_down(slot, shard, table);
        }
    }

    #[cold]
    fn write_down(&self, slot: u32, shard: usize, table: &Table) {
        let Some(taking) = self.taking.load_full() else { return };
        if let Some(db) = taking.claim(slot as usize, shard)
            && !table.is_empty()
        {
            let piece = taking.piece(db, table, true);
            taking.copied.fetch_add(piece.bytes.len() as u64, Relaxed);
            taking.left.lock().pieces.push_back(piece);
        }
    }

    /// Takes a table that is leaving its shard, where it has not been written down; else it comes back.
    pub fn take_over(&self, slot: u32, shard: usize, table: Table) -> Option<Table> {
        if !self.active.load(Relaxed) {
            return Some(table);
        }
        let Some(taking) = self.taking.load_full() else { return Some(table) };
        let Some(db) = taking.claim(slot as usize, shard) else { return Some(table) };
        taking.left.lock().tables.push_back((db, table));
        None
    }
}

/// A picture is being taken already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotBusy;

/// A picture being taken: what it consists of comes out piece by piece. Dropping it ends the taking.
pub struct Snapshot<'k> {
    keyspace: &'k Keyspace,
    taking: Arc<Taking>,
    slot: usize,
    shard: usize,
}

impl Keyspace {
    /// Begins to take a picture of this instant. The caller holds the gate exclusively.
    pub fn begin_snapshot(&self, encoder: Box<dyn ShardEncoder>) -> Result<Snapshot<'_>, SnapshotBusy> {
        let switch = &self.snapshot;
        if switch.active.load(Relaxed) {
            return Err(SnapshotBusy);
        }
        let mut plans: Vec<Option<Plan>> = (0..self.count()).map(|_| None).collect();
        for census in self.census() {
            let shards = self.database(census.db).shard_count();
            let done = (0..shards).map(|_| AtomicBool::new(false)).collect();
            plans[self.slot(census.db) as usize] = Some(Plan { census, done });
        }
        let taking =
            Arc::new(Taking { plans: plans.into(), encoder, left: Mutex::default(), copied: AtomicU64::new(0) });
        switch.taking.store(Some(Arc::clone(&taking)));
        switch.active.store(true, Relaxed);
        Ok(Snapshot { keyspace: self, taking, slot: 0, shard: 0 })
    }

    /// The databases that have keys, by number.
    pub fn census(&self) -> Vec<Census> {
        let built = self.indices().filter(|db| self.is_built(*db)).map(|db| (db, self.database(db)));
        let counted = built.map(|(db, base)| Census { db, keys: base.len(), volatile: base.volatile_len() });
        counted.filter(|census| census.keys > 0).collect()
    }

    /// All keys as they are, written down piece by piece. The caller holds the gate exclusively until the last one.
    pub fn pieces<'k>(&'k self, encoder: &'k dyn ShardEncoder) -> impl Iterator<Item = Piece> + 'k {
        let shards = self.indices().filter(|db| self.is_built(*db)).flat_map(|db| {
            let database = self.database(db);
            (0..database.shard_count()).map(move |shard| (db, database, shard))
        });
        shards.filter_map(|(db, database, shard)| {
            let table = database.shard(shard).read();
            let piece = || Piece { db, keys: table.len(), bytes: encoder.encode(db, &mut table::iter(&table), false) };
            (!table.is_empty()).then(piece)
        })
    }

    /// Bytes that had to be written down by those who changed keys, for the picture that is being taken.
    pub fn snapshot_copied(&self) -> u64 {
        self.snapshot.taking.load().as_ref().map_or(0, |taking| taking.copied.load(Relaxed))
    }

    /// Whether a picture is being taken.
    pub fn is_snapshotting(&self) -> bool {
        self.snapshot.active.load(Relaxed)
    }
}

impl Snapshot<'_> {
    /// The databases that had keys at the instant, by number.
    pub fn census(&self) -> Vec<Census> {
        let mut census: Vec<Census> = self.taking.plans.iter().flatten().map(|plan| plan.census).collect();
        census.sort_unstable_by_key(|census| census.db);
        census
    }

    /// Bytes that were written down so far by those who changed keys.
    pub fn copied(&self) -> u64 {
        self.taking.copied.load(Relaxed)
    }

    /// The next piece; `None` at the end. `enter` enters the gate: held while a shard is looked at.
    pub fn next_piece<Hold>(&mut self, enter: impl Fn() -> Hold) -> Option<Piece> {
        loop {
            // What others left comes first: it takes memory.
            let mut left = self.taking.left.lock();
            if let Some(piece) = left.pieces.pop_front() {
                return Some(piece);
            }
            let table = left.tables.pop_front();
            drop(left);
            if let Some((db, table)) = table {
                if !table.is_empty() {
                    return Some(self.taking.piece(db, &table, false));
                }
            } else if self.slot >= self.taking.plans.len() {
                return None;
            } else if let Some(piece) = self.visit_next(&enter) {
                return Some(piece);
            }
        }
    }

    /// Goes one shard further; a piece if it was there to be written down.
    fn visit_next<Hold>(&mut self, enter: impl Fn() -> Hold) -> Option<Piece> {
        let (slot, shard) = (self.slot, self.shard);
        let shards = self.taking.plans[slot].as_ref().map_or(0, |plan| plan.done.len());
        if shard >= shards {
            (self.slot, self.shard) = (slot + 1, 0);
            return None;
        }
        self.shard += 1;
        let _hold = enter();
        let table = self.keyspace.database_at(slot as u32).shard(shard).read();
        let db = self.taking.claim(slot, shard)?;
        (!table.is_empty()).then(|| self.taking.piece(db, &table, false))
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        self.keyspace.snapshot.active.store(false, Relaxed);
        self.keyspace.snapshot.taking.store(None);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Freshness, Keys};
    use super::*;
    use crate::base::clock::UnixMillis;

    /// Writes names and values down as lines.
    struct Lines;

    impl ShardEncoder for Lines {
        fn encode(&self, _db: DbIndex, entries: &mut dyn Iterator<Item = &Entry>, _writer_waits: bool) -> Vec<u8> {
            let mut out = Vec::new();
            for entry in entries {
                let super::super::ValueRef::Str(value) = entry.value() else { continue };
                out.extend_from_slice(entry.key());
                out.push(b'=');
                out.extend_from_slice(&value.to_cow());
                out.push(b'\n');
            }
            out
        }
    }

    fn keys(keyspace: &Keyspace, db: u32) -> Keys<'_> {
        Keys::exclusive(keyspace, DbIndex(db), UnixMillis(0), Freshness::Lru)
    }

    fn finish(mut snapshot: Snapshot<'_>) -> BTreeMap<u32, Vec<String>> {
        let mut all: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        while let Some(piece) = snapshot.next_piece(|| ()) {
            let text = String::from_utf8(piece.bytes).unwrap();
            assert_eq!(text.lines().count(), piece.keys);
            all.entry(piece.db.0).or_default().extend(text.lines().map(str::to_owned));
        }
        all.values_mut().for_each(|lines| lines.sort());
        all
    }

    fn set(keys: &mut Keys<'_>, key: &str, value: &str) {
        keys.set_string(key.as_bytes(), value.as_bytes(), super::super::KeepExpiry::Set(None));
    }

    #[test]
    fn shows_the_instant_whatever_happens_after_it() {
        let keyspace = Keyspace::new(4);
        for i in 0..3000 {
            set(&mut keys(&keyspace, i % 3), &format!("k{i:04}"), "old");
        }
        let snapshot = keyspace.begin_snapshot(Box::new(Lines)).unwrap();
        assert_eq!(keyspace.begin_snapshot(Box::new(Lines)).err(), Some(SnapshotBusy));
        let census: Vec<_> = snapshot.census().iter().map(|c| (c.db.0, c.keys)).collect();
        assert_eq!(census, [(0, 1000), (1, 1000), (2, 1000)]);
        for i in 0..600 {
            let mut keys = keys(&keyspace, i % 3);
            set(&mut keys, &format!("k{i:04}"), "new");
            set(&mut keys, &format!("n{i:04}"), "new");
            keys.remove(format!("k{:04}", i + 900).as_bytes());
        }
        set(&mut keys(&keyspace, 3), "late", "new");
        keyspace.swap(DbIndex(0), DbIndex(3));
        let (_, dropped) = keys(&keyspace, 1).clear();
        drop(dropped);
        set(&mut keys(&keyspace, 1), "later", "new");
        let expected = |db: u32| (0..3000).filter(|i| i % 3 == db).map(|i| format!("k{i:04}=old")).collect::<Vec<_>>();
        let taken = finish(snapshot);
        assert_eq!(taken.keys().copied().collect::<Vec<_>>(), [0, 1, 2]);
        for db in 0..3 {
            assert_eq!(taken[&db], expected(db), "database {db}");
        }
        assert!(!keyspace.is_snapshotting());
    }

    #[test]
    fn given_up_it_leaves_nothing_behind() {
        let keyspace = Keyspace::new(1);
        set(&mut keys(&keyspace, 0), "k", "v");
        drop(keyspace.begin_snapshot(Box::new(Lines)).unwrap());
        let again = keyspace.begin_snapshot(Box::new(Lines)).unwrap();
        assert_eq!(finish(again)[&0], ["k=v"]);
    }
}
