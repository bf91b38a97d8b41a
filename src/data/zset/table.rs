//! A large sorted set: members in a dense array of slots, an index from member to slot, and a tree of slot numbers in order.
//!
//! A member's bytes are stored once, in its slot; index and tree hold slot numbers of four bytes, which is what a sorted set of many small
//! members is made of. A removal moves the last slot into the gap, so the array stays dense: a random pick is O(1), memory follows the
//! number of members, and a scan from the end down misses nobody who stays. There are fewer than 2^32 members.

use hashbrown::raw::RawTable;

use super::super::order_tree::OrderTree;
use super::{Inserted, order};

#[derive(Clone, Debug)]
struct Slot {
    member: Box<[u8]>,
    score: f64,
}

/// The table.
#[derive(Clone, Default)]
pub struct Table {
    slots: Vec<Slot>,
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
        self.slots.len()
    }

    pub fn memory_usage(&self) -> usize {
        size_of::<Self>()
            + self.slots.capacity() * size_of::<Slot>()
            + self.slots.iter().map(|slot| slot.member.len().max(8)).sum::<usize>()
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
        let id = u32::try_from(self.slots.len()).expect("fewer than 2^32 members");
        self.slots.push(Slot { member: member.into(), score });
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.index.insert(hasher.hash_one(member), id, |id| hasher.hash_one(&*slots[*id as usize].member));
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
        self.index.remove_entry(self.hash(id), |other| *other == id);
        let last = (self.slots.len() - 1) as u32;
        if id != last {
            let position = self.position(last);
            self.tree.set(position, id);
            let hash = self.hash(last);
            if let Some(moved) = self.index.get_mut(hash, |other| *other == last) {
                *moved = id;
            }
        }
        self.slots.swap_remove(id as usize);
        self.shrink();
    }

    /// Gives memory back when most of it is empty.
    fn shrink(&mut self) {
        let len = self.slots.len();
        if self.slots.capacity() > 64 && len < self.slots.capacity() / 8 {
            self.slots.shrink_to(len * 2);
            let (slots, hasher) = (&self.slots, &self.hasher);
            self.index.shrink_to(len * 2, |id| hasher.hash_one(&*slots[*id as usize].member));
        }
    }

    pub fn score(&self, member: &[u8]) -> Option<f64> {
        self.find(member).map(|id| self.slots[id as usize].score)
    }

    pub fn rank(&self, member: &[u8]) -> Option<usize> {
        self.find(member).map(|id| self.position(id))
    }

    /// The pair at a place of an order that only changes when the set does, and is not that of scores.
    pub fn at(&self, index: usize) -> Option<(&[u8], f64)> {
        self.slots.get(index).map(|slot| (&*slot.member, slot.score))
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

    pub fn scan(&self, cursor: u64, count: usize, mut emit: impl FnMut(&[u8], f64)) -> u64 {
        let (range, next) = super::super::scan_window(self.slots.len(), cursor, count);
        for slot in self.slots[range].iter().rev() {
            emit(&slot.member, slot.score);
        }
        next
    }

    fn find(&self, member: &[u8]) -> Option<u32> {
        let hash = self.hasher.hash_one(member);
        self.index.get(hash, |id| *self.slots[*id as usize].member == *member).copied()
    }

    fn hash(&self, id: u32) -> u64 {
        self.hasher.hash_one(&*self.slots[id as usize].member)
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
        let slot = &self.slots[id as usize];
        (&slot.member, slot.score)
    }
}
