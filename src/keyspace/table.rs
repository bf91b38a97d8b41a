//! One shard's hash table of entries: the few operations the keyspace needs on dashmap's raw shards.
//!
//! The table is `hashbrown`'s raw table; a slot is one pointer ([`Entry`]). Bits of the hash: the low bits choose the
//! slot, the top 7 are the slot's tag, the bits below those choose the shard.

use std::ops::Range;

use dashmap::SharedValue;
use hashbrown::raw::{InsertSlot, RawTable};

use super::entry::Entry;
use crate::base::prefetch::prefetch;

/// A slot: the entry is the key, and there is no separate value.
pub type Slot = (Entry, SharedValue<()>);
/// The raw table behind one shard.
pub type Table = RawTable<Slot>;
/// The entry of `key`.
pub fn find<'t>(table: &'t Table, hash: u64, key: &[u8]) -> Option<&'t Entry> {
    table.get(hash, |slot| slot.0.key() == key).map(|slot| &slot.0)
}

/// The entry of `key`, to be changed or replaced.
pub fn find_mut<'t>(table: &'t mut Table, hash: u64, key: &[u8]) -> Option<&'t mut Entry> {
    table.get_mut(hash, |slot| slot.0.key() == key).map(|slot| &mut slot.0)
}

/// Puts an entry in; the one it replaces comes back.
pub fn insert(table: &mut Table, hash: u64, entry: Entry, rehash: impl Fn(&[u8]) -> u64) -> Option<Entry> {
    let found = table.find_or_find_insert_slot(hash, |slot| slot.0.key() == entry.key(), |slot| rehash(slot.0.key()));
    match found {
        // SAFETY: the bucket was just found and the table has not changed since.
        Ok(bucket) => Some(std::mem::replace(unsafe { &mut bucket.as_mut().0 }, entry)),
        Err(slot) => {
            insert_at(table, hash, slot, entry);
            None
        }
    }
}

fn insert_at(table: &mut Table, hash: u64, slot: InsertSlot, entry: Entry) {
    // SAFETY: `slot` comes from this table, which has not changed since.
    unsafe { table.insert_in_slot(hash, slot, (entry, SharedValue::new(()))) };
}

/// Takes the entry of `key` out.
pub fn remove(table: &mut Table, hash: u64, key: &[u8]) -> Option<Entry> {
    table.remove_entry(hash, |slot| slot.0.key() == key).map(|slot| slot.0)
}

/// All entries.
pub fn iter(table: &Table) -> impl Iterator<Item = &Entry> {
    // SAFETY: the iterator borrows the table, so nothing changes while it is used.
    unsafe { table.iter() }.map(|bucket| unsafe {
        // SAFETY: a bucket the iterator yields is full.
        &bucket.as_ref().0
    })
}

/// The entries in slots of a range that ends where the table does or before.
pub fn range(table: &Table, slots: Range<usize>) -> impl Iterator<Item = &Entry> {
    slots.filter_map(|index| at(table, index))
}

/// Entries, each asked for some time before it comes: where they stand in memory is unrelated to their order.
pub fn ahead<'t>(entries: impl Iterator<Item = &'t Entry>) -> impl Iterator<Item = &'t Entry> {
    /// Entries that are asked for before the first of them is used.
    const AHEAD: usize = 16;
    let mut coming = entries.inspect(|entry| entry.prefetch());
    let mut window: [Option<&Entry>; AHEAD] = std::array::from_fn(|_| coming.next());
    let mut at = 0;
    std::iter::from_fn(move || {
        let next = std::mem::replace(&mut window[at], coming.next());
        at = (at + 1) % AHEAD;
        next
    })
}

/// The entry of `key`, and the slot it is in.
pub fn find_slot<'t>(table: &'t Table, hash: u64, key: &[u8]) -> Option<(usize, &'t Entry)> {
    let bucket = table.find(hash, |slot| slot.0.key() == key)?;
    // SAFETY: the bucket was just found in this table, which is borrowed as long as the entry.
    Some(unsafe { (table.bucket_index(&bucket), &bucket.as_ref().0) })
}

/// Whether the next new entry moves all others.
pub fn is_full(table: &Table) -> bool {
    table.len() == table.capacity()
}

/// Makes room for so many entries more.
pub fn reserve(table: &mut Table, entries: usize, rehash: impl Fn(&[u8]) -> u64) {
    table.reserve(entries, |slot| rehash(slot.0.key()));
}

/// The entry in slot `index`, where one is; `index` is taken modulo the table's size.
pub fn at(table: &Table, index: usize) -> Option<&Entry> {
    if table.is_empty() {
        return None;
    }
    let index = index & (table.buckets() - 1);
    // SAFETY: the index is below `buckets`, and a full bucket holds an initialised slot.
    unsafe { table.is_bucket_full(index).then(|| &table.bucket(index).as_ref().0) }
}

/// Entries whose tag and home slot fit `hash`: candidates, to be checked by the caller.
pub fn with_hash(table: &Table, hash: u64) -> impl Iterator<Item = &Entry> {
    // SAFETY: the iterator borrows the table; its buckets are full.
    unsafe { table.iter_hash(hash) }.map(|bucket| unsafe {
        // SAFETY: as above.
        &bucket.as_ref().0
    })
}

/// Asks for the tags and the slot that a lookup of `hash` begins with.
#[inline]
pub fn prefetch_slot(table: &Table, hash: u64) {
    // A table that never held anything has no allocation to ask for.
    if table.buckets() == 1 {
        return;
    }
    let index = hash as usize & (table.buckets() - 1);
    prefetch(table.data_end().as_ptr().cast::<u8>().wrapping_add(index));
    // SAFETY: the index is below `buckets`; only the address is used.
    prefetch(unsafe { table.bucket(index) }.as_ptr());
}

/// Asks for the entries that a lookup of `hash` will compare.
#[inline]
pub fn prefetch_entries(table: &Table, hash: u64) {
    for entry in with_hash(table, hash).take(2) {
        entry.prefetch();
    }
}

/// Gives memory back when a table has become much too large for what is in it.
pub fn shrink_if_sparse(table: &mut Table, rehash: impl Fn(&[u8]) -> u64) {
    if table.buckets() > 64 && table.len() < table.buckets() / 10 {
        table.shrink_to(table.len() * 2, |slot| rehash(slot.0.key()));
    }
}
