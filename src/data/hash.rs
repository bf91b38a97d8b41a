//! A hash: a listpack of fields and values while it is small, else a table.
//!
//! The table is dense as that of a set, for O(1) random picks and the same SCAN guarantee. Fields may expire: the hash knows when,
//! but not what time it is, so they stay until someone who does calls [`Hash::remove_due`].

use indexmap::IndexMap;

use super::element::Element;
use super::field_expiry::FieldExpiries;
use super::form::{self, Form};
use super::limits::Limits;
use super::listpack::{self, Listpack};
use super::malformed::Malformed;
use super::mending::Mending;
use super::sample;
use crate::base::clock::UnixMillis;

type Fields = IndexMap<Box<[u8]>, Box<[u8]>, ahash::RandomState>;

#[derive(Clone, Debug)]
enum Repr {
    /// Field, value, field, value, …
    Packed(Listpack),
    Table(Fields),
}

/// A hash.
#[derive(Clone, Debug)]
pub struct Hash {
    repr: Repr,
    /// There once a field has had an expiry. Only fields that exist stand here.
    expiries: Option<Box<FieldExpiries>>,
}

impl Default for Hash {
    fn default() -> Self {
        Self::new()
    }
}

impl Hash {
    /// An empty hash.
    pub fn new() -> Self {
        Self { repr: Repr::Packed(Listpack::new()), expiries: None }
    }

    /// The hash of the fields and values of a listpack from outside; of a field that comes twice the first value counts.
    pub fn from_pack(pack: Listpack, limits: &Limits, mending: &mut Mending) -> Result<Self, Malformed> {
        const BROKEN: Malformed = Malformed("hash listpack");
        if !pack.len().is_multiple_of(2) {
            return Err(BROKEN);
        }
        if !form::all_distinct(pack.iter().step_by(2)) {
            mending.mend(BROKEN)?;
            return Ok(Self::of_first_values(&pack, limits));
        }
        let fields = pack.len() / 2;
        let mut hash = Self { repr: Repr::Packed(pack), expiries: None };
        if fields > limits.hash_max_listpack_entries {
            hash.become_table();
        }
        Ok(hash)
    }

    fn of_first_values(pack: &Listpack, limits: &Limits) -> Self {
        let mut hash = Self::new();
        let mut elements = pack.iter();
        while let (Some(field), Some(value)) = (elements.next(), elements.next()) {
            let field = field.to_vec();
            if !hash.contains(&field) {
                hash.set(&field, &value.to_vec(), limits);
            }
        }
        hash
    }

    /// How it is laid out.
    pub fn form(&self) -> Form<'_> {
        match &self.repr {
            Repr::Packed(pack) => Form::Packed(pack),
            Repr::Table(_) => Form::Table,
        }
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        match &self.repr {
            Repr::Packed(pack) => pack.len() / 2,
            Repr::Table(fields) => fields.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name OBJECT ENCODING answers.
    pub fn encoding(&self) -> &'static str {
        match (&self.repr, &self.expiries) {
            (Repr::Packed(_), None) => "listpack",
            (Repr::Packed(_), Some(_)) => "listpackex",
            (Repr::Table(_), _) => "hashtable",
        }
    }

    /// Bytes taken.
    pub fn memory_usage(&self) -> usize {
        let expiries = self.expiries.as_ref().map_or(0, |expiries| expiries.memory_usage());
        expiries + self.fields_memory()
    }

    fn fields_memory(&self) -> usize {
        match &self.repr {
            Repr::Packed(pack) => pack.capacity(),
            Repr::Table(fields) => {
                let slot = 2 * size_of::<Box<[u8]>>() + 2 * size_of::<usize>() + 1;
                fields.capacity() * slot + fields.iter().map(|(f, v)| f.len().max(8) + v.len().max(8)).sum::<usize>()
            }
        }
    }

    /// Becomes a table if arguments of these lengths are too long for a listpack.
    pub fn prepare<'v>(&mut self, mut values: impl Iterator<Item = &'v [u8]>, limits: &Limits) {
        if let Repr::Packed(pack) = &self.repr {
            let mut sum = pack.byte_len();
            let too_long = values.any(|value| {
                sum += value.len();
                value.len() > limits.hash_max_listpack_value || sum > listpack::MAX_BYTES
            });
            if too_long {
                self.become_table();
            }
        }
    }

    /// Sets a field, which loses its expiry; whether it is new.
    pub fn set(&mut self, field: &[u8], value: &[u8], limits: &Limits) -> bool {
        self.persist(field);
        self.set_keeping_expiry(field, value, limits)
    }

    /// Sets a field, which keeps its expiry; whether it is new.
    pub fn set_keeping_expiry(&mut self, field: &[u8], value: &[u8], limits: &Limits) -> bool {
        self.prepare([field, value].into_iter(), limits);
        match &mut self.repr {
            Repr::Packed(pack) => {
                if let Some(position) = pack.find(field, 2) {
                    pack.replace(position + 1, value);
                    return false;
                }
                pack.push_back(field);
                pack.push_back(value);
                if pack.len() / 2 > limits.hash_max_listpack_entries {
                    self.become_table();
                }
                true
            }
            Repr::Table(fields) => {
                if let Some(old) = fields.get_mut(field) {
                    *old = value.into();
                    return false;
                }
                fields.insert(field.into(), value.into());
                true
            }
        }
    }

    fn become_table(&mut self) {
        let fields = self.iter().map(|(f, v)| (f.to_vec().into_boxed_slice(), v.to_vec().into_boxed_slice())).collect();
        self.repr = Repr::Table(fields);
    }

    /// The value of a field.
    pub fn get(&self, field: &[u8]) -> Option<Element<'_>> {
        match &self.repr {
            Repr::Packed(pack) => pack.get(pack.find(field, 2)? as isize + 1),
            Repr::Table(fields) => fields.get(field).map(|value| Element::Bytes(value)),
        }
    }

    /// Length of the value of a field.
    pub fn value_len(&self, field: &[u8]) -> Option<usize> {
        self.get(field).map(|value| value.len())
    }

    /// Whether a field exists.
    pub fn contains(&self, field: &[u8]) -> bool {
        match &self.repr {
            Repr::Packed(pack) => pack.find(field, 2).is_some(),
            Repr::Table(fields) => fields.contains_key(field),
        }
    }

    /// When a field expires.
    pub fn expiry(&self, field: &[u8]) -> Option<UnixMillis> {
        self.expiries.as_ref()?.get(field)
    }

    /// Gives a field an expiry, if there is such a field.
    pub fn set_expiry(&mut self, field: &[u8], when: UnixMillis) {
        if self.contains(field) {
            self.expiries.get_or_insert_default().set(field, when);
        }
    }

    /// Takes a field's expiry away; whether it had one.
    pub fn persist(&mut self, field: &[u8]) -> bool {
        self.expiries.as_mut().is_some_and(|expiries| expiries.remove(field))
    }

    /// When the first field expires.
    pub fn next_expiry(&self) -> Option<UnixMillis> {
        self.expiries.as_ref()?.earliest()
    }

    /// Gives each field that expires another instant.
    pub fn move_expiries(&mut self, to: impl Fn(UnixMillis) -> UnixMillis) {
        if let Some(expiries) = &mut self.expiries {
            expiries.move_all(to);
        }
    }

    /// Removes fields that are due, at most `limit`: their names. Nobody has promised to look at the hash again afterwards.
    pub fn remove_due(&mut self, now: UnixMillis, limit: usize) -> Vec<Box<[u8]>> {
        let mut removed = Vec::new();
        while removed.len() < limit
            && let Some(field) = self.expiries.as_mut().and_then(|expiries| expiries.pop_due(now))
        {
            self.remove(&field);
            removed.push(Box::from(&*field));
        }
        if let Some(expiries) = &mut self.expiries {
            expiries.marked = None;
        }
        removed
    }

    /// When to look at the hash, if that is earlier than was promised; from then on it is promised.
    pub fn mark(&mut self) -> Option<UnixMillis> {
        let expiries = self.expiries.as_mut()?;
        let when = expiries.earliest()?;
        if expiries.marked.is_some_and(|marked| marked <= when) {
            return None;
        }
        expiries.marked = Some(when);
        Some(when)
    }

    /// As [`Hash::mark`], for a hash that has come to another place, where no promise counts.
    pub fn mark_anew(&mut self) -> Option<UnixMillis> {
        self.expiries.as_mut()?.marked = None;
        self.mark()
    }

    /// Whether this is when the hash was promised to be looked at.
    pub fn is_marked(&self, when: UnixMillis) -> bool {
        self.expiries.as_ref().is_some_and(|expiries| expiries.marked == Some(when))
    }

    /// Removes a field; whether it existed.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        self.persist(field);
        match &mut self.repr {
            Repr::Packed(pack) => {
                let found = pack.find(field, 2);
                if let Some(position) = found {
                    pack.remove(position, 2);
                }
                found.is_some()
            }
            Repr::Table(fields) => {
                let removed = fields.swap_remove(field).is_some();
                if removed && fields.capacity() > 64 && fields.len() < fields.capacity() / 8 {
                    fields.shrink_to(fields.len() * 2);
                }
                removed
            }
        }
    }

    /// The field and value at a position of an order that only changes when the hash does.
    pub fn at(&self, index: usize) -> Option<(Element<'_>, Element<'_>)> {
        match &self.repr {
            Repr::Packed(pack) => {
                let mut rest = pack.iter().skip(index.checked_mul(2)?);
                Some((rest.next()?, rest.next()?))
            }
            Repr::Table(fields) => fields.get_index(index).map(|(f, v)| (Element::Bytes(f), Element::Bytes(v))),
        }
    }

    /// All fields and values.
    pub fn iter(&self) -> Pairs<'_> {
        match &self.repr {
            Repr::Packed(pack) => Pairs::Packed(pack.iter()),
            Repr::Table(fields) => Pairs::Table(fields.iter()),
        }
    }

    /// A random field and its value; O(1) unless it is a (small) listpack.
    pub fn random(&self) -> Option<(Element<'_>, Element<'_>)> {
        (!self.is_empty()).then(|| self.at(rand::random_range(0..self.len()))).flatten()
    }

    /// `count` distinct random fields with values, in random order; all of them where there are no more.
    pub fn sample(&self, count: usize) -> Vec<(Element<'_>, Element<'_>)> {
        let positions = sample::distinct_positions(self.len(), count);
        match &self.repr {
            Repr::Packed(_) => sample::pick(self.iter(), &positions),
            Repr::Table(_) => positions.into_iter().filter_map(|position| self.at(position)).collect(),
        }
    }

    /// SCAN: emits about `count` fields from `cursor` on; the next cursor, 0 at the end.
    pub fn scan(&self, cursor: u64, count: usize, mut emit: impl FnMut(Element<'_>, Element<'_>)) -> u64 {
        match &self.repr {
            Repr::Packed(_) => {
                self.iter().for_each(|(field, value)| emit(field, value));
                0
            }
            Repr::Table(fields) => {
                let (range, next) = super::scan_window(fields.len(), cursor, count);
                for (field, value) in range.rev().filter_map(|index| self.at(index)) {
                    emit(field, value);
                }
                next
            }
        }
    }
}

/// Iterator over fields and values.
#[derive(Clone)]
pub enum Pairs<'a> {
    /// Of a listpack.
    Packed(listpack::Iter<'a>),
    /// Of a table.
    Table(indexmap::map::Iter<'a, Box<[u8]>, Box<[u8]>>),
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (Element<'a>, Element<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Packed(iter) => Some((iter.next()?, iter.next()?)),
            Self::Table(iter) => iter.next().map(|(f, v)| (Element::Bytes(f), Element::Bytes(v))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn behaves_as_a_map(operations in proptest::collection::vec((0u8..5, 0u8..40, 0usize..80), 1..150), longest in prop_oneof![Just(5usize), Just(64), Just(100)]) {
            let limits = Limits { hash_max_listpack_entries: 20, hash_max_listpack_value: longest, ..Limits::default() };
            let (mut hash, mut model) = (Hash::new(), HashMap::new());
            for (operation, field, size) in operations {
                let (field, value) = (format!("f{field}").into_bytes(), vec![b'v'; size]);
                match operation {
                    0..=3 => prop_assert_eq!(hash.set(&field, &value, &limits), model.insert(field, value).is_none()),
                    _ => prop_assert_eq!(hash.remove(&field), model.remove(&field).is_some()),
                }
                prop_assert_eq!(hash.len(), model.len());
                let found: HashMap<_, _> = hash.iter().map(|(f, v)| (f.to_vec(), v.to_vec())).collect();
                prop_assert_eq!(&found, &model);
                for (field, value) in &model {
                    prop_assert!(hash.get(field).is_some_and(|own| own.eq_bytes(value)));
                    prop_assert_eq!(hash.value_len(field), Some(value.len()));
                }
                let sample: HashMap<_, _> = hash.sample(5).into_iter().map(|(f, v)| (f.to_vec(), v.to_vec())).collect();
                prop_assert_eq!(sample.len(), model.len().min(5));
                prop_assert!(sample.iter().all(|(field, value)| model.get(field) == Some(value)));
            }
        }

        #[test]
        fn scanning_misses_nobody_who_stays(moves in proptest::collection::vec((any::<bool>(), 0u16..400), 0..200), count in 1usize..20) {
            let limits = Limits { hash_max_listpack_entries: 0, ..Limits::default() };
            let mut hash = Hash::new();
            for i in 0..100 {
                hash.set(format!("stay{i}").as_bytes(), b"v", &limits);
                hash.set(format!("move{i}").as_bytes(), b"v", &limits);
            }
            let (mut cursor, mut seen) = (0, HashMap::new());
            let mut moves = moves.into_iter();
            loop {
                cursor = hash.scan(cursor, count, |f, v| { seen.insert(f.to_vec(), v.to_vec()); });
                if cursor == 0 { break; }
                for (insert, i) in moves.by_ref().take(7) {
                    let name = format!("move{i}");
                    if insert { hash.set(name.as_bytes(), b"w", &limits); } else { hash.remove(name.as_bytes()); }
                }
            }
            for i in 0..100 {
                prop_assert!(seen.contains_key(format!("stay{i}").as_bytes()), "stay{}", i);
            }
        }
    }

    #[test]
    fn fields_expire_unless_they_are_set_again() {
        let limits = Limits::default();
        let mut hash = Hash::new();
        for field in ["a", "b", "c", "d"] {
            hash.set(field.as_bytes(), b"1", &limits);
            hash.set_expiry(field.as_bytes(), UnixMillis(10));
        }
        hash.set_expiry(b"none", UnixMillis(1));
        hash.set(b"a", b"2", &limits);
        hash.set_keeping_expiry(b"b", b"2", &limits);
        hash.remove(b"c");
        assert_eq!((hash.expiry(b"a"), hash.expiry(b"b"), hash.encoding()), (None, Some(UnixMillis(10)), "listpackex"));
        assert_eq!((hash.mark(), hash.mark(), hash.is_marked(UnixMillis(10))), (Some(UnixMillis(10)), None, true));
        assert!(hash.remove_due(UnixMillis(9), 9).is_empty());
        assert_eq!(hash.mark(), Some(UnixMillis(10)));
        assert_eq!(hash.remove_due(UnixMillis(10), 1).len(), 1);
        assert_eq!(hash.remove_due(UnixMillis(10), 9).len(), 1);
        assert_eq!((hash.len(), hash.next_expiry(), hash.mark()), (1, None, None));
    }

    #[test]
    fn form_follows_the_limits() {
        let limits = Limits { hash_max_listpack_entries: 2, hash_max_listpack_value: 4, ..Limits::default() };
        for (pairs, name) in [
            (&[("a", "1"), ("b", "1234")][..], "listpack"),
            (&[("a", "1"), ("b", "1"), ("c", "1")], "hashtable"),
            (&[("a", "12345")], "hashtable"),
            (&[("abcde", "1")], "hashtable"),
            (&[("a", "1"), ("a", "2"), ("a", "3")], "listpack"),
        ] {
            let mut hash = Hash::new();
            for (field, value) in pairs {
                hash.set(field.as_bytes(), value.as_bytes(), &limits);
            }
            assert_eq!(hash.encoding(), name, "{pairs:?}");
        }
    }
}
