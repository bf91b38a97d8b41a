//! A picture of all keys at one instant, taken while the server goes on and without a second process.
//!
//! The instant is set under the exclusive gate, which takes microseconds. From then on each key is written down once, as it was at
//! that instant: by the background thread that walks all shards a few slots at a time, or by whoever is about to change a key that the
//! walk has not reached. So a change costs its writer one key more, once, and what waits for the walk is bounded by what changes, as it is
//! with the pages that a forked process makes the kernel copy.
//!
//! Every key that is changed in a shard before its walk has ended is remembered, so that the walk does not write it down as it is then.
//! What the walk has passed is known by its slot, so entries must not move in the middle: tables do not shrink meanwhile, and where one
//! is about to grow, whoever makes it grow writes the rest of the shard down first.
//!
//! What is known of a shard changes while the shard is locked: by the walk for reading, by a writer for writing. Under the exclusive gate
//! nothing is locked, and the walk stays out because it enters the gate for each visit.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use ahash::RandomState;
use arc_swap::ArcSwapOption;
use parking_lot::Mutex;

use super::database::{DbIndex, Keyspace};
use super::entry::Entry;
use super::table::{self, Table};

/// Slots that the walk looks at under one lock: writers of the shard wait so long. Few in tests, so that walks are in the middle often.
const SLOTS_PER_VISIT: usize = if cfg!(test) { 8 } else { 512 };
/// Keys written down by those who change them share pieces of about so many bytes.
const PIECE_BYTES: usize = 64 << 10;

/// Writes entries down. Called under the lock of the entries' shard.
pub trait ShardEncoder: Send + Sync {
    /// Appends the bytes that stand for these entries; quickly rather than in few bytes where a writer waits for them.
    fn encode(&self, db: DbIndex, entries: &mut dyn Iterator<Item = &Entry>, writer_waits: bool, out: &mut Vec<u8>);
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

/// How far a shard is written down.
#[derive(Default)]
struct Progress {
    /// Slots below this one have been passed.
    next: usize,
    /// Keys that were changed since the instant: those not passed yet have been written down, or were not there.
    changed: HashSet<Box<[u8]>, RandomState>,
}

impl Progress {
    /// The entries of a range of slots that are as they were.
    fn unchanged<'t>(&'t self, table: &'t Table, slots: std::ops::Range<usize>) -> impl Iterator<Item = &'t Entry> {
        let all = table::ahead(table::range(table, slots));
        all.filter(|entry| self.changed.is_empty() || !self.changed.contains(entry.key()))
    }
}

struct Shard {
    /// Whether all of it is written down. Looked at before the lock is taken.
    done: AtomicBool,
    progress: Mutex<Progress>,
}

impl Shard {
    fn new(hasher: &RandomState) -> Self {
        let progress = Progress { next: 0, changed: HashSet::with_hasher(hasher.clone()) };
        Self { done: AtomicBool::new(false), progress: Mutex::new(progress) }
    }
}

/// One of the databases to be written down.
struct Plan {
    census: Census,
    shards: Box<[Shard]>,
}

/// What those who change keys leave for the walk.
#[derive(Default)]
struct Left {
    pieces: VecDeque<Piece>,
    /// Whole tables of a database that was emptied, and how far they were written down.
    tables: VecDeque<(DbIndex, Table, Progress)>,
}

struct Taking {
    /// By slot of the databases; those that were empty have no plan.
    plans: Box<[Option<Plan>]>,
    encoder: Box<dyn ShardEncoder>,
    // Taken under everything else.
    left: Mutex<Left>,
    /// Bytes written down by those who changed keys.
    copied: AtomicU64,
}

impl Taking {
    /// Bytes of a piece that `entries` become; `None` if there are none.
    fn piece<'e>(&self, db: DbIndex, entries: impl Iterator<Item = &'e Entry>) -> Option<Piece> {
        let mut piece = Piece { db, keys: 0, bytes: Vec::with_capacity(PIECE_BYTES) };
        let mut counted = entries.inspect(|_| piece.keys += 1);
        self.encoder.encode(db, &mut counted, false, &mut piece.bytes);
        drop(counted);
        (piece.keys > 0).then_some(piece)
    }

    /// Writes entries down for a writer that waits.
    fn leave<'e>(&self, db: DbIndex, entries: impl Iterator<Item = &'e Entry>) {
        let (mut keys, mut bytes) = (0, Vec::new());
        self.encoder.encode(db, &mut entries.inspect(|_| keys += 1), true, &mut bytes);
        self.copied.fetch_add(bytes.len() as u64, Relaxed);
        let mut left = self.left.lock();
        match left.pieces.back_mut().filter(|last| last.db == db && last.bytes.len() < PIECE_BYTES) {
            Some(last) => {
                last.keys += keys;
                last.bytes.append(&mut bytes);
            }
            None => left.pieces.push_back(Piece { db, keys, bytes }),
        }
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
    /// To be called before a key is changed, put in or taken out, by the holder of its shard's lock.
    #[inline]
    pub fn before_change(&self, slot: u32, shard: usize, table: &Table, hash: u64, key: &[u8]) {
        if self.active.load(Relaxed) {
            self.write_down(slot, shard, table, hash, key);
        }
    }

    #[cold]
    fn write_down(&self, slot: u32, shard: usize, table: &Table, hash: u64, key: &[u8]) {
        let taking = self.taking.load();
        let Some(taking) = taking.as_ref() else { return };
        let Some(Some(plan)) = taking.plans.get(slot as usize) else { return };
        let shard = &plan.shards[shard];
        if shard.done.load(Relaxed) {
            return;
        }
        let mut progress = shard.progress.lock();
        if progress.next > 0 && table::is_full(table) {
            taking.leave(plan.census.db, progress.unchanged(table, progress.next..table.buckets()));
            shard.done.store(true, Relaxed);
            *progress = Progress::default();
        } else if progress.changed.insert(key.into())
            && let Some((at, entry)) = table::find_slot(table, hash, key)
            && at >= progress.next
        {
            taking.leave(plan.census.db, std::iter::once(entry));
        }
    }

    /// Takes a table that is leaving its shard, where it has not been written down; else it comes back.
    pub fn take_over(&self, slot: u32, shard: usize, table: Table) -> Option<Table> {
        if !self.active.load(Relaxed) {
            return Some(table);
        }
        let taking = self.taking.load();
        let Some(taking) = taking.as_ref() else { return Some(table) };
        let Some(Some(plan)) = taking.plans.get(slot as usize) else { return Some(table) };
        let shard = &plan.shards[shard];
        if shard.done.swap(true, Relaxed) {
            return Some(table);
        }
        let progress = std::mem::take(&mut *shard.progress.lock());
        taking.left.lock().tables.push_back((plan.census.db, table, progress));
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
        let hasher = RandomState::new();
        let mut plans: Vec<Option<Plan>> = (0..self.count()).map(|_| None).collect();
        for census in self.census() {
            let shards = (0..self.database(census.db).shard_count()).map(|_| Shard::new(&hasher)).collect();
            plans[self.slot(census.db) as usize] = Some(Plan { census, shards });
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
            let mut bytes = Vec::with_capacity(PIECE_BYTES);
            encoder.encode(db, &mut table::ahead(table::iter(&table)), false, &mut bytes);
            (!table.is_empty()).then(|| Piece { db, keys: table.len(), bytes })
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
            if let Some((db, table, progress)) = table {
                let piece = self.taking.piece(db, progress.unchanged(&table, progress.next..table.buckets()));
                if piece.is_some() {
                    return piece;
                }
            } else if self.slot >= self.taking.plans.len() {
                return None;
            } else if let Some(piece) = self.visit_next(&enter) {
                return Some(piece);
            }
        }
    }

    /// Goes a few slots further; a piece if there were keys to be written down.
    fn visit_next<Hold>(&mut self, enter: impl Fn() -> Hold) -> Option<Piece> {
        let plan = self.taking.plans[self.slot].as_ref();
        let Some((plan, shard)) = plan.and_then(|plan| Some((plan, plan.shards.get(self.shard)?))) else {
            (self.slot, self.shard) = (self.slot + 1, 0);
            return None;
        };
        let _hold = enter();
        let table = self.keyspace.database_at(self.slot as u32).shard(self.shard).read();
        if shard.done.load(Relaxed) {
            self.shard += 1;
            return None;
        }
        let mut progress = shard.progress.lock();
        let from = progress.next;
        let to = if table.is_empty() { table.buckets() } else { table.buckets().min(from + SLOTS_PER_VISIT) };
        let piece = self.taking.piece(plan.census.db, progress.unchanged(&table, from..to));
        progress.next = to;
        if to == table.buckets() {
            shard.done.store(true, Relaxed);
            *progress = Progress::default();
            self.shard += 1;
        }
        piece
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
        fn encode(
            &self,
            _db: DbIndex,
            entries: &mut dyn Iterator<Item = &Entry>,
            _writer_waits: bool,
            out: &mut Vec<u8>,
        ) {
            for entry in entries {
                let super::super::ValueRef::Str(value) = entry.value() else { continue };
                out.extend_from_slice(entry.key());
                out.push(b'=');
                out.extend_from_slice(&value.to_cow());
                out.push(b'\n');
            }
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
    fn changes_in_the_middle_of_a_shard_are_neither_missed_nor_seen() {
        use rand::rngs::SmallRng;
        use rand::{Rng, SeedableRng};
        // Enough that the tables of shards take several visits, grow and, later, could shrink.
        const KEYS: u32 = 40_000;
        for seed in 0..4 {
            let mut random = SmallRng::seed_from_u64(seed);
            let keyspace = Keyspace::new(1);
            for i in 0..KEYS {
                set(&mut keys(&keyspace, 0), &format!("k{i:05}"), "old");
            }
            let mut snapshot = keyspace.begin_snapshot(Box::new(Lines)).unwrap();
            let mut taken = Vec::new();
            let mut fresh = 0;
            while let Some(piece) = snapshot.next_piece(|| ()) {
                taken.extend(String::from_utf8(piece.bytes).unwrap().lines().map(str::to_owned));
                let mut keys = keys(&keyspace, 0);
                for _ in 0..random.random_range(0..4) {
                    let key = format!("k{:05}", random.random_range(0..KEYS));
                    // Taken out and put in again, it may stand where the walk has not been.
                    match random.random_range(0..4) {
                        0 => set(&mut keys, &key, "new"),
                        1 => drop(keys.remove(key.as_bytes())),
                        2 => {
                            keys.remove(key.as_bytes());
                            set(&mut keys, &key, "new");
                        }
                        _ => (0..8).for_each(|_| {
                            fresh += 1;
                            set(&mut keys, &format!("n{fresh}"), "new");
                        }),
                    }
                }
            }
            taken.sort();
            let expected: Vec<String> = (0..KEYS).map(|i| format!("k{i:05}=old")).collect();
            assert!(taken == expected, "seed {seed}: {} of {KEYS}", taken.len());
            assert!(fresh > 10_000, "{fresh}");
        }
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
