//! A set: an intset while it is small and all integers, a listpack while it is small, else a table.
//!
//! The table keeps members in a dense array beside its index, so a random pick is O(1). SCAN walks that array from its end to its
//! start: a removal moves only the last member, and only to a lower position, so no member that stays is missed.

use std::ops::Range;

use indexmap::IndexSet;

use super::element::Element;
use super::form::{self, Form};
use super::intset::Intset;
use super::limits::Limits;
use super::listpack::{self, Listpack};
use super::malformed::Malformed;
use super::mending::Mending;
use super::sample;
use crate::base::number::parse_i64;
use crate::base::release::{RELEASE, Release};

type Table = IndexSet<Box<[u8]>, ahash::RandomState>;

/// An intset must stay below this number of members, whatever the limit says.
const MAX_INTS: usize = 1 << 30;

#[derive(Clone, Debug)]
enum Repr {
    Ints(Intset),
    Packed(Listpack),
    Table(Table),
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

    /// The set of the members of an intset from outside.
    pub fn from_ints(ints: Intset, limits: &Limits) -> Self {
        let many = ints.len() > limits.set_max_intset_entries.min(MAX_INTS);
        let mut set = Self { repr: Repr::Ints(ints) };
        if many {
            set.become_table();
        }
        set
    }

    /// The set of the members of a listpack from outside, in which a member should not come twice.
    pub fn from_pack(pack: Listpack, limits: &Limits, mending: &mut Mending) -> Result<Self, Malformed> {
        if !form::all_distinct(pack.iter()) {
            mending.mend(Malformed("set listpack"))?;
            let mut set = Self::new();
            for member in pack.iter() {
                set.insert(&member.to_vec(), limits);
            }
            return Ok(set);
        }
        let many = pack.len() > limits.set_max_listpack_entries;
        let mut set = Self { repr: Repr::Packed(pack) };
        if many {
            set.become_table();
        }
        Ok(set)
    }

    /// How it is laid out.
    pub fn form(&self) -> Form<'_> {
        match &self.repr {
            Repr::Ints(ints) => Form::Ints(ints),
            Repr::Packed(pack) => Form::Packed(pack),
            Repr::Table(_) => Form::Table,
        }
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        match &self.repr {
            Repr::Ints(ints) => ints.len(),
            Repr::Packed(pack) => pack.len(),
            Repr::Table(table) => table.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name OBJECT ENCODING answers.
    pub fn encoding(&self) -> &'static str {
        self.encoding_in(RELEASE)
    }

    /// The name of the encoding in a release.
    pub fn encoding_in(&self, names: Release) -> &'static str {
        match &self.repr {
            Repr::Ints(_) => "intset",
            Repr::Packed(_) => names.packed_set(),
            Repr::Table(_) => "hashtable",
        }
    }

    /// Bytes taken.
    pub fn memory_usage(&self) -> usize {
        match &self.repr {
            Repr::Ints(ints) => ints.capacity(),
            Repr::Packed(pack) => pack.capacity(),
            Repr::Table(table) => {
                let slot = size_of::<Box<[u8]>>() + 2 * size_of::<usize>() + 1;
                table.capacity() * slot + table.iter().map(|m| m.len().max(8)).sum::<usize>()
            }
        }
    }

    /// Adds a member; whether it is new.
    pub fn insert(&mut self, member: &[u8], limits: &Limits) -> bool {
        match &mut self.repr {
            Repr::Ints(ints) => {
                let Some(value) = parse_i64(member) else {
                    self.leave_ints(member, limits);
                    return self.insert(member, limits);
                };
                let new = ints.insert(value);
                if new && ints.len() > limits.set_max_intset_entries.min(MAX_INTS) {
                    self.become_table();
                }
                new
            }
            Repr::Packed(pack) => {
                if pack.find(member, 1).is_some() {
                    return false;
                }
                let fits = pack.len() < limits.set_max_listpack_entries
                    && member.len() <= limits.set_max_listpack_value
                    && pack.byte_len() + member.len() < listpack::MAX_BYTES;
                if fits {
                    pack.push_back(member);
                    return true;
                }
                self.become_table();
                self.insert(member, limits)
            }
            Repr::Table(table) => {
                let new = !table.contains(member);
                if new {
                    table.insert(member.into());
                }
                new
            }
        }
    }

    /// An intset that has to take in `member`, which is no integer, becomes a listpack where that holds all, else a table.
    fn leave_ints(&mut self, member: &[u8], limits: &Limits) {
        let Repr::Ints(ints) = &self.repr else { return };
        let digits = |value: i64| itoa::Buffer::new().format(value).len();
        let ends = [0, ints.len().saturating_sub(1)];
        let longest =
            if ints.is_empty() { 0 } else { ends.map(|end| digits(ints.get(end))).into_iter().max().unwrap_or(0) };
        let fits =
            ints.len() < limits.set_max_listpack_entries && member.len().max(longest) <= limits.set_max_listpack_value;
        if !fits {
            return self.become_table();
        }
        let mut pack = Listpack::new();
        let mut digits = itoa::Buffer::new();
        for value in ints.iter() {
            pack.push_back(digits.format(value).as_bytes());
        }
        self.repr = Repr::Packed(pack);
    }

    fn become_table(&mut self) {
        let mut table = Table::with_capacity_and_hasher(self.len() + 1, ahash::RandomState::new());
        let mut digits = itoa::Buffer::new();
        for member in self.iter() {
            table.insert(member.as_bytes(&mut digits).into());
        }
        self.repr = Repr::Table(table);
    }

    /// Removes a member; whether it was one.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match &mut self.repr {
            Repr::Ints(ints) => parse_i64(member).is_some_and(|value| ints.remove(value)),
            Repr::Packed(pack) => pack.find(member, 1).inspect(|position| pack.remove(*position, 1)).is_some(),
            Repr::Table(table) => {
                let removed = table.swap_remove(member);
                shrink(table);
                removed
            }
        }
    }

    /// Whether `member` is one.
    pub fn contains(&self, member: &[u8]) -> bool {
        match &self.repr {
            Repr::Ints(ints) => parse_i64(member).is_some_and(|value| ints.contains(value)),
            Repr::Packed(pack) => pack.find(member, 1).is_some(),
            Repr::Table(table) => table.contains(member),
        }
    }

    /// The member at a position of an order that only changes when the set does; O(1) unless it is a (small) listpack.
    pub fn at(&self, index: usize) -> Option<Element<'_>> {
        match &self.repr {
            Repr::Ints(ints) => (index < ints.len()).then(|| Element::Int(ints.get(index))),
            Repr::Packed(pack) => pack.iter().nth(index),
            Repr::Table(table) => table.get_index(index).map(|member| Element::Bytes(member)),
        }
    }

    /// All members.
    pub fn iter(&self) -> Members<'_> {
        match &self.repr {
            Repr::Ints(ints) => Members::Ints(ints, 0..ints.len()),
            Repr::Packed(pack) => Members::Packed(pack.iter()),
            Repr::Table(table) => Members::Table(table.iter()),
        }
    }

    /// A random member.
    pub fn random(&self) -> Option<Element<'_>> {
        (!self.is_empty()).then(|| self.at(rand::random_range(0..self.len()))).flatten()
    }

    /// `count` distinct random members in random order; all of them where there are no more.
    pub fn sample(&self, count: usize) -> Vec<Element<'_>> {
        let positions = sample::distinct_positions(self.len(), count);
        match &self.repr {
            Repr::Packed(pack) => sample::pick(pack.iter(), &positions),
            _ => positions.into_iter().filter_map(|position| self.at(position)).collect(),
        }
    }

    /// Takes a random member out.
    pub fn pop_random(&mut self) -> Option<Vec<u8>> {
        if self.is_empty() {
            return None;
        }
        let position = rand::random_range(0..self.len());
        match &mut self.repr {
            Repr::Ints(ints) => {
                let value = ints.get(position);
                ints.remove(value);
                Some(itoa::Buffer::new().format(value).as_bytes().to_vec())
            }
            Repr::Packed(pack) => {
                let member = pack.iter().nth(position)?.to_vec();
                pack.remove(position, 1);
                Some(member)
            }
            Repr::Table(table) => {
                let member = table.swap_remove_index(position)?;
                shrink(table);
                Some(member.into_vec())
            }
        }
    }

    /// SCAN: emits about `count` members from `cursor` on; the next cursor, 0 at the end.
    pub fn scan(&self, cursor: u64, count: usize, mut emit: impl FnMut(Element<'_>)) -> u64 {
        match &self.repr {
            Repr::Ints(_) | Repr::Packed(_) => {
                self.iter().for_each(emit);
                0
            }
            Repr::Table(table) => {
                let (range, next) = super::scan_window(table.len(), cursor, count);
                range.rev().filter_map(|index| self.at(index)).for_each(&mut emit);
                next
            }
        }
    }
}

/// Gives memory back when most of a table is empty; positions stay as they are.
fn shrink(table: &mut Table) {
    if table.capacity() > 64 && table.len() < table.capacity() / 8 {
        table.shrink_to(table.len() * 2);
    }
}

/// Iterator over members.
#[derive(Clone)]
pub enum Members<'a> {
    /// Of an intset, at a range of positions.
    Ints(&'a Intset, Range<usize>),
    /// Of a listpack.
    Packed(listpack::Iter<'a>),
    /// Of a table.
    Table(indexmap::set::Iter<'a, Box<[u8]>>),
}

impl<'a> Iterator for Members<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        match self {
            Self::Ints(ints, range) => range.next().map(|index| Element::Int(ints.get(index))),
            Self::Packed(iter) => iter.next(),
            Self::Table(iter) => iter.next().map(|member| Element::Bytes(member)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn form_follows_the_limits() {
        let limits = Limits {
            set_max_intset_entries: 4,
            set_max_listpack_entries: 3,
            set_max_listpack_value: 5,
            ..Limits::default()
        };
        for (members, names) in [
            (&["1", "2", "3", "4"][..], ["intset", "intset"]),
            (&["1", "2", "3", "4", "5"], ["hashtable", "hashtable"]),
            (&["1", "2", "a"], ["listpack", "hashtable"]),
            (&["1", "2", "3", "a"], ["hashtable", "hashtable"]),
            (&["a", "1", "2"], ["listpack", "hashtable"]),
            (&["a", "1", "2", "3"], ["hashtable", "hashtable"]),
            (&["a", "long12"], ["hashtable", "hashtable"]),
            (&["long12"], ["hashtable", "hashtable"]),
            (&["123456", "a"], ["hashtable", "hashtable"]),
            (&["-12345", "1", "a"], ["hashtable", "hashtable"]),
        ] {
            let mut set = Set::new();
            for member in members {
                assert!(set.insert(member.as_bytes(), &limits));
            }
            assert_eq!([set.encoding_in(Release::Redis72), set.encoding()], names, "{members:?}");
        }
    }

    #[test]
    fn random_picks_reach_every_member() {
        for packed in [0, 128] {
            let limits = Limits { set_max_listpack_entries: packed, ..Limits::default() };
            let mut set = Set::new();
            for i in 0..50 {
                set.insert(format!("m{i}").as_bytes(), &limits);
            }
            let picked: HashSet<_> = (0..5000).filter_map(|_| set.random()).map(|e| e.to_vec()).collect();
            assert_eq!(picked.len(), 50);
            let first: HashSet<_> = (0..5000).map(|_| set.sample(2)[0].to_vec()).collect();
            assert_eq!(first.len(), 50);
        }
    }

    proptest! {
        #[test]
        fn behaves_as_a_set(
            packed in prop_oneof![Just(0usize), Just(10), Just(128)],
            operations in proptest::collection::vec((0u8..5, prop_oneof![(0i64..60).prop_map(|v| v.to_string()), "[a-e]{1,4}"]), 1..150),
        ) {
            let limits = Limits { set_max_intset_entries: 20, set_max_listpack_entries: packed, set_max_listpack_value: 3, ..Limits::default() };
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
                prop_assert_eq!(set.len(), model.len());
                prop_assert!(model.iter().all(|member| set.contains(member)));
                prop_assert_eq!(set.iter().map(|e| e.to_vec()).collect::<HashSet<_>>(), model.clone());
                let by_position = (0..set.len()).filter_map(|index| set.at(index)).map(|e| e.to_vec());
                prop_assert_eq!(by_position.collect::<HashSet<_>>(), model.clone());
                let sample = set.sample(7);
                let distinct: HashSet<_> = sample.iter().map(|e| e.to_vec()).collect();
                prop_assert_eq!(distinct.len(), model.len().min(7));
                prop_assert_eq!(distinct.len(), sample.len());
                prop_assert!(distinct.is_subset(&model));
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
