//! A large sorted set: members in numbered slots, an index from member to slot, and a tree of slot numbers in order.
//!
//! A member's bytes are stored once, in its slot; index and tree hold slot numbers of four bytes. Slots never move, so a scan that walks
//! them misses nobody who stays. Freed slots are used again.

use hashbrown::raw::RawTable;

use super::super::order_tree::OrderTree;
use super::{Inserted, order};

#[derive(Clone, Debug)]
struct Slot {
    /// `None` where the slot is free.
    member: Option<Box<[u8]>>,
    score: f64,
}

/// The table.
#[derive(Clone, Default)]
pub struct Table {
    slots: Vec<Slot>,
    free: Vec<u32>,
    index: RawTable<u32>,
    tree: OrderTree,
    hasher: ahash::RandomState,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter_from(0)).finish()
    }
}

impl Table {
    pub fn len(&self) -> usize {
        self.tree.len()
    }

    pub fn memory_usage(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
            + self.slots.iter().map(|slot| slot.member.as_ref().map_or(0, |m| m.len().max(8))).sum::<usize>()
            + self.free.capacity() * size_of::<u32>()
            + self.index.buckets() * (size_of::<u32>() + 1)
            + self.tree.memory_usage()
    }

    pub fn insert(&mut self, member: &[u8], score: f64) -> Inserted {
        if let Some(id) = self.find(member) {
            if self.slots[id as usize].score == score {
                return Inserted::Same;
            }
            let position = self.position(id);
            self.tree.remove(position);
            self.slots[id as usize].score = score;
            let position = self.position(id);
            self.tree.insert(position, id);
            return Inserted::Updated;
        }
        let slot = Slot { member: Some(member.into()), score };
        let id = match self.free.pop() {
            Some(id) => {
                self.slots[id as usize] = slot;
                id
            }
            None => {
                self.slots.push(slot);
                (self.slots.len() - 1) as u32
            }
        };
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.index.insert(hasher.hash_one(member), id, |id| hasher.hash_one(bytes(slots, *id)));
        let position = self.position(id);
        self.tree.insert(position, id);
        Inserted::Added
    }

    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let id = self.find(member)?;
        let score = self.slots[id as usize].score;
        self.remove_at(self.position(id));
        Some(score)
    }

    /// Removes the member at a position.
    pub fn remove_at(&mut self, position: usize) {
        let id = self.tree.remove(position);
        let hash = self.hasher.hash_one(bytes(&self.slots, id));
        self.index.remove_entry(hash, |other| *other == id);
        self.slots[id as usize].member = None;
        self.free.push(id);
    }

    pub fn score(&self, member: &[u8]) -> Option<f64> {
        self.find(member).map(|id| self.slots[id as usize].score)
    }

    pub fn rank(&self, member: &[u8]) -> Option<usize> {
        self.find(member).map(|id| self.position(id))
    }

    pub fn iter_from(&self, position: usize) -> impl Iterator<Item = (&[u8], f64)> {
        self.tree.iter_from(position).map(|id| self.pair(id))
    }

    pub fn iter_back_from(&self, position: usize) -> impl Iterator<Item = (&[u8], f64)> {
        self.tree.iter_back_from(position).map(|id| self.pair(id))
    }

    pub fn partition_point(&self, before: impl Fn(&[u8], f64) -> bool) -> usize {
        self.tree.partition_point(|id| {
            let (member, score) = self.pair(id);
            before(member, score)
        })
    }

    /// A random member: a random slot until one is taken, or, where most are free, a random position.
    pub fn at_random(&self) -> Option<(&[u8], f64)> {
        if self.len() == 0 {
            return None;
        }
        if self.free.len() > self.slots.len() / 2 {
            return self.tree.get(rand::random_range(0..self.len())).map(|id| self.pair(id));
        }
        loop {
            let id = rand::random_range(0..self.slots.len()) as u32;
            if self.slots[id as usize].member.is_some() {
                return Some(self.pair(id));
            }
        }
    }

    pub fn scan(&self, cursor: u64, count: usize, mut emit: impl FnMut(&[u8], f64)) -> u64 {
        let (range, next) = super::super::scan_window(self.slots.len(), cursor, count);
        for slot in &self.slots[range] {
            if let Some(member) = &slot.member {
                emit(member, slot.score);
            }
        }
        next
    }

    fn find(&self, member: &[u8]) -> Option<u32> {
        self.index.get(self.hasher.hash_one(member), |id| bytes(&self.slots, *id) == member).copied()
    }

    /// Where a slot stands, or would stand, in the order.
    fn position(&self, id: u32) -> usize {
        let (member, score) = self.pair(id);
        self.tree.partition_point(|other| {
            let (m, s) = self.pair(other);
            order((s, m), (score, member)).is_lt()
        })
    }

    fn pair(&self, id: u32) -> (&[u8], f64) {
        (bytes(&self.slots, id), self.slots[id as usize].score)
    }
}

fn bytes(slots: &[Slot], id: u32) -> &[u8] {
    slots[id as usize].member.as_deref().unwrap_or_default()
}
