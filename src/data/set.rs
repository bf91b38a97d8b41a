//! A set: an intset while it is small and all integers, else a table.
//!
//! The table keeps members in a dense array beside its index, so a random pick is O(1). SCAN walks that array from its end to its
//! start: a removal moves only the last member, and only to a lower position, so no member that stays is missed.

use indexmap::IndexSet;
use rand::Rng;

use super::element::Element;
use super::intset::Intset;
use super::limits::Limits;
use crate::base::number::parse_i64;

type Members = IndexSet<Box<[u8]>, ahash::RandomState>;

#[derive(Clone, Debug)]
enum Repr {
    Ints(Intset),
    Table(Members),
}

/// A set.
#[derive(Clone, Debug)]
pub struct Set {
    repr: Repr,
}

impl Default for Set {
    fn default() -> Self {
        Self::new()
    }
}

impl Set {
    /// An empty set.
    pub fn new() -> Self {
        Self { repr: Repr::Ints(Intset::default()) }
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        match &self.repr {
            Repr::Ints(ints) => ints.len(),
            Repr::Table(members) => members.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name OBJECT ENCODING answers.
    pub fn encoding(&self) -> &'static str {
        match &self.repr {
            Repr::Ints(_) => "intset",
            Repr::Table(_) => "hashtable",
        }
    }

    /// Bytes taken.
    pub fn memory_usage(&self) -> usize {
        match &self.repr {
            Repr::Ints(ints) => ints.as_bytes().len(),
            Repr::Table(members) => {
                let slot = size_of::<Box<[u8]>>() + 2 * size_of::<usize>() + 1;
                members.capacity() * slot + members.iter().map(|m| m.len().max(8)).sum::<usize>()
            }
        }
    }

    /// Adds a member; whether it is new.
    pub fn insert(&mut self, member: &[u8], limits: &Limits) -> bool {
        match &mut self.repr {
            Repr::Ints(ints) => match parse_i64(member) {
                Some(value) => {
                    let new = ints.insert(value);
                    if new && ints.len() > limits.set_max_intset_entries {
                        self.become_table();
                    }
                    new
                }
                None => {
                    self.become_table();
                    self.insert(member, limits)
                }
            },
            Repr::Table(members) => {
                let new = !members.contains(member);
                if new {
                    members.insert(member.into());
                }
                new
            }
        }
    }

    fn become_table(&mut self) {
        if let Repr::Ints(ints) = &self.repr {
            let mut digits = itoa::Buffer::new();
            let members = ints.iter().map(|value| Box::from(digits.format(value).as_bytes())).collect();
            self.repr = Repr::Table(members);
        }
    }

    /// Removes a member; whether it was one.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match &mut self.repr {
            Repr::Ints(ints) => parse_i64(member).is_some_and(|value| ints.remove(value)),
            Repr::Table(members) => {
                let removed = members.swap_remove(member);
                if removed && members.capacity() > 64 && members.len() < members.capacity() / 8 {
                    members.shrink_to(members.len() * 2);
                }
                removed
            }
        }
    }

    /// Whether `member` is one.
    pub fn contains(&self, member: &[u8]) -> bool {
        match &self.repr {
            Repr::Ints(ints) => parse_i64(member).is_some_and(|value| ints.contains(value)),
            Repr::Table(members) => members.contains(member),
        }
    }

    /// The member at a position of an order that only changes when the set does.
    pub fn at(&self, index: usize) -> Option<Element<'_>> {
        match &self.repr {
            Repr::Ints(ints) => (index < ints.len()).then(|| Element::Int(ints.get(index))),
            Repr::Table(members) => members.get_index(index).map(|member| Element::Bytes(member)),
        }
    }

    /// All members.
    pub fn iter(&self) -> impl Iterator<Item = Element<'_>> {
        (0..self.len()).filter_map(|index| self.at(index))
    }

    /// A random member.
    pub fn random(&self) -> Option<Element<'_>> {
        (!self.is_empty()).then(|| self.at(rand::rng().random_range(0..self.len()))).flatten()
    }

    /// Takes a random member out.
    pub fn pop_random(&mut self) -> Option<Vec<u8>> {
        let member = self.random()?.to_vec();
        self.remove(&member);
        Some(member)
    }

    /// SCAN: emits about `count` members from `cursor` on; the next cursor, 0 at the end.
    pub fn scan(&self, cursor: u64, count: usize, mut emit: impl FnMut(Element<'_>)) -> u64 {
        match &self.repr {
            Repr::Ints(_) => {
                self.iter().for_each(emit);
                0
            }
            Repr::Table(members) => {
                let (range, next) = super::scan_window(members.len(), cursor, count);
                range.rev().filter_map(|index| self.at(index)).for_each(&mut emit);
                next
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    proptest! {
        #[test]
        fn behaves_as_a_set(operations in proptest::collection::vec((0u8..5, prop_oneof![(0i64..60).prop_map(|v| v.to_string()), "[a-e]{1,2}"]), 1..150)) {
            let limits = Limits { set_max_intset_entries: 20, ..Limits::default() };
            let (mut set, mut model) = (Set::new(), HashSet::new());
            for (operation, member) in operations {
                let member = member.into_bytes();
                match operation {
                    0..=2 => prop_assert_eq!(set.insert(&member, &limits), model.insert(member)),
                    3 => prop_assert_eq!(set.remove(&member), model.remove(&member)),
                    _ => {
                        let popped = set.pop_random();
                        prop_assert_eq!(popped.is_some(), !model.is_empty());
                        if let Some(popped) = popped { prop_assert!(model.remove(&popped)); }
                    }
                }
                prop_assert_eq!(set.iter().map(|e| e.to_vec()).collect::<HashSet<_>>(), model.clone());
            }
        }

        #[test]
        fn scanning_misses_nobody_who_stays(moves in proptest::collection::vec((any::<bool>(), 0u16..400), 0..200), count in 1usize..20) {
            let limits = Limits::default();
            let mut set = Set::new();
            for i in 0..100 {
                set.insert(format!("stay{i}").as_bytes(), &limits);
                set.insert(format!("move{i}").as_bytes(), &limits);
            }
            let (mut cursor, mut seen) = (0, HashSet::new());
            let mut moves = moves.into_iter();
            loop {
                cursor = set.scan(cursor, count, |e| { seen.insert(e.to_vec()); });
                if cursor == 0 { break; }
                for (insert, i) in moves.by_ref().take(7) {
                    let name = format!("move{i}");
                    if insert { set.insert(name.as_bytes(), &limits); } else { set.remove(name.as_bytes()); }
                }
            }
            for i in 0..100 {
                prop_assert!(seen.contains(format!("stay{i}").as_bytes()), "stay{}", i);
            }
        }
    }
}
