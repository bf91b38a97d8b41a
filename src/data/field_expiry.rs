//! When the fields of a hash expire.
//!
//! Stands beside the fields, and only in hashes that have a field with an expiry, so that others pay nothing for it. A name is held
//! once, however many orders it stands in. [`FieldExpiries::marked`] belongs to whoever watches over many hashes: it is the
//! instant at which this one was promised to be looked at.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::base::clock::UnixMillis;

/// The expiries of fields.
#[derive(Clone, Debug, Default)]
pub struct FieldExpiries {
    by_field: HashMap<Arc<[u8]>, UnixMillis, ahash::RandomState>,
    by_time: BTreeSet<(UnixMillis, Arc<[u8]>)>,
    /// When the hash will be looked at; `None`: nobody has promised that.
    pub(super) marked: Option<UnixMillis>,
}

impl FieldExpiries {
    /// When a field expires.
    pub fn get(&self, field: &[u8]) -> Option<UnixMillis> {
        self.by_field.get(field).copied()
    }

    /// Gives a field an expiry.
    pub fn set(&mut self, field: &[u8], when: UnixMillis) {
        self.remove(field);
        let field: Arc<[u8]> = field.into();
        self.by_field.insert(Arc::clone(&field), when);
        self.by_time.insert((when, field));
    }

    /// Takes a field's expiry away; whether it had one.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        let Some((field, when)) = self.by_field.remove_entry(field) else { return false };
        self.by_time.remove(&(when, field))
    }

    /// Gives each field another expiry. Nobody has promised to look at the hash again afterwards.
    pub fn move_all(&mut self, to: impl Fn(UnixMillis) -> UnixMillis) {
        for when in self.by_field.values_mut() {
            *when = to(*when);
        }
        self.by_time = self.by_field.iter().map(|(field, when)| (*when, Arc::clone(field))).collect();
        self.marked = None;
    }

    /// The earliest expiry.
    pub fn earliest(&self) -> Option<UnixMillis> {
        self.by_time.first().map(|(when, _)| *when)
    }

    /// The field that expires first, if it is due; it has no expiry any more.
    pub fn pop_due(&mut self, now: UnixMillis) -> Option<Arc<[u8]>> {
        if self.earliest()? > now {
            return None;
        }
        let (_, field) = self.by_time.pop_first()?;
        self.by_field.remove(&field);
        Some(field)
    }

    /// Bytes taken, roughly.
    pub fn memory_usage(&self) -> usize {
        let (counts, pointer) = (2 * size_of::<usize>(), size_of::<Arc<[u8]>>());
        let each = counts + 2 * (pointer + size_of::<UnixMillis>()) + 1;
        size_of::<Self>() + self.by_field.keys().map(|field| field.len() + each).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_agree() {
        let mut expiries = FieldExpiries::default();
        for (field, when) in [("a", 30), ("b", 10), ("c", 20), ("a", 5), ("b", 40)] {
            expiries.set(field.as_bytes(), UnixMillis(when));
        }
        assert_eq!(expiries.get(b"b"), Some(UnixMillis(40)));
        assert_eq!(expiries.earliest(), Some(UnixMillis(5)));
        assert!(expiries.remove(b"c") && !expiries.remove(b"c"));
        assert_eq!(expiries.pop_due(UnixMillis(4)), None);
        assert_eq!(expiries.pop_due(UnixMillis(5)).as_deref(), Some(&b"a"[..]));
        assert_eq!((expiries.get(b"a"), expiries.earliest()), (None, Some(UnixMillis(40))));
        expiries.set(b"d", UnixMillis(50));
        expiries.move_all(|when| UnixMillis(100 - when.0));
        assert_eq!(
            (expiries.get(b"b"), expiries.pop_due(UnixMillis(50)).as_deref()),
            (Some(UnixMillis(60)), Some(&b"d"[..]))
        );
    }
}
