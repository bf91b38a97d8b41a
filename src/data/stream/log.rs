//! The entries of a stream, in nodes ordered by their first ID, and the counters about them.
//!
//! What always holds: every node's key is its master ID, every node has a live entry, IDs ascend over all nodes and none is above the
//! last ID, `length` is the sum of the nodes' live entries, and `first_id` is the ID of the first live entry (0-0 without one).

use std::collections::BTreeMap;

use super::node::{self, Node};
use super::{Entry, Range, StreamId};
use crate::data::limits::Limits;

/// The entries of a stream.
#[derive(Clone, Debug, Default)]
pub struct Log {
    pub(super) nodes: BTreeMap<StreamId, Node>,
    pub(super) length: usize,
    pub(super) first_id: StreamId,
    pub(super) last_id: StreamId,
    pub(super) max_deleted_id: StreamId,
    pub(super) entries_added: u64,
}

/// The ID a new entry is to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewId {
    /// From the clock (Unix milliseconds), but above the last one.
    Auto(u64),
    /// This millisecond, with the next free sequence number.
    Milliseconds(u64),
    /// This one.
    Full(StreamId),
}

/// Why an entry was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendError {
    /// Its ID would not be above the last one.
    NotAscending,
    /// Its fields and values are too large for a node.
    TooLarge,
}

impl Log {
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The ID of the first entry; 0-0 without one.
    pub fn first_id(&self) -> StreamId {
        self.first_id
    }

    /// The highest ID ever given out.
    pub fn last_id(&self) -> StreamId {
        self.last_id
    }

    /// The highest ID of an entry that was removed one by one.
    pub fn max_deleted_id(&self) -> StreamId {
        self.max_deleted_id
    }

    /// Entries ever added.
    pub fn entries_added(&self) -> u64 {
        self.entries_added
    }

    /// Number of nodes.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// The nodes: master ID and listpack bytes, in order.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (StreamId, &[u8])> {
        self.nodes.iter().map(|(id, node)| (*id, node.as_bytes()))
    }

    /// The ID of the last entry that is there.
    pub fn last_entry_id(&self) -> Option<StreamId> {
        self.range(StreamId::MIN, StreamId::MAX).next_back().map(|entry| entry.id)
    }

    /// The ID of the oldest entry whose place is still taken, removed or not.
    pub fn oldest_place(&self) -> Option<StreamId> {
        let (id, node) = self.nodes.first_key_value()?;
        node.entries(*id).next().map(|entry| entry.id)
    }

    /// The entries from `start` to `end`, both included.
    pub fn range(&self, start: StreamId, end: StreamId) -> Range<'_> {
        Range::new(&self.nodes, start, end)
    }

    /// The entry with an ID.
    pub fn get(&self, id: StreamId) -> Option<Entry<'_>> {
        self.range(id, id).next()
    }

    /// Sets the last ID, and the counters that are given. The caller has checked them against the entries.
    pub fn set_counters(&mut self, last_id: StreamId, entries_added: Option<u64>, max_deleted_id: Option<StreamId>) {
        self.last_id = last_id;
        self.entries_added = entries_added.unwrap_or(self.entries_added);
        self.max_deleted_id = max_deleted_id.unwrap_or(self.max_deleted_id);
        // The IDs of removed entries may be given out again: their places must not stand in the way of the order.
        if let Some(mut last) = self.nodes.last_entry() {
            let master = *last.key();
            last.get_mut().forget_behind(master, last_id);
        }
    }

    /// Adds an entry; `fields` are fields and values in turn.
    pub fn append(&mut self, id: NewId, fields: &[&[u8]], limits: &Limits) -> Result<StreamId, AppendError> {
        let id = self.resolve(id).filter(|id| *id > self.last_id).ok_or(AppendError::NotAscending)?;
        let bytes = checked_size(fields).ok_or(AppendError::TooLarge)?;
        let (max_bytes, max_entries) = (limits.stream_node_max_bytes, limits.stream_node_max_entries);
        match self.nodes.last_entry() {
            Some(mut last) if last.get().has_room(bytes, max_bytes, max_entries) => {
                let master = *last.key();
                let delta = StreamId::new(id.ms.wrapping_sub(master.ms), id.seq.wrapping_sub(master.seq));
                last.get_mut().append(delta, fields);
            }
            full => {
                if let Some(mut full) = full {
                    full.get_mut().close();
                }
                self.nodes.insert(id, Node::new(fields));
            }
        }
        self.length += 1;
        self.entries_added = self.entries_added.wrapping_add(1);
        self.last_id = id;
        if self.length == 1 {
            self.first_id = id;
        }
        Ok(id)
    }

    /// The ID meant; `None` where there is none left.
    fn resolve(&self, id: NewId) -> Option<StreamId> {
        match id {
            NewId::Full(id) => Some(id),
            NewId::Milliseconds(ms) if ms == self.last_id.ms => {
                Some(StreamId::new(ms, self.last_id.seq.checked_add(1)?))
            }
            NewId::Milliseconds(ms) => Some(StreamId::new(ms, 0)),
            NewId::Auto(now_ms) if now_ms > self.last_id.ms => Some(StreamId::new(now_ms, 0)),
            NewId::Auto(_) => self.last_id.next(),
        }
    }

    /// Removes the entry with an ID; `false` when there is none.
    pub fn remove(&mut self, id: StreamId) -> bool {
        let Some((master, node)) = self.nodes.range_mut(..=id).next_back() else { return false };
        let master = *master;
        if !node.remove(master, id) {
            return false;
        }
        if node.live() == 0 {
            self.nodes.remove(&master);
        }
        self.length -= 1;
        self.max_deleted_id = self.max_deleted_id.max(id);
        if self.first_id == id {
            self.find_first();
        }
        true
    }

    /// Finds the first entry again after removals.
    pub(super) fn find_first(&mut self) {
        let first = self.range(StreamId::MIN, StreamId::MAX).next().map(|entry| entry.id);
        self.first_id = first.unwrap_or_default();
    }

    /// Bytes it takes.
    pub fn memory_usage(&self) -> usize {
        const PER_NODE: usize = size_of::<(StreamId, Node)>();
        self.nodes.values().map(|node| node.capacity() + PER_NODE).sum()
    }
}

/// Bytes of fields and values; `None` where a node could not hold them.
fn checked_size(fields: &[&[u8]]) -> Option<usize> {
    /// The most an element takes besides its bytes.
    const OVERHEAD: usize = 11;
    /// Together with a node that is about to be full it still is a listpack.
    const LARGEST: usize = 3 << 30;
    let bytes = fields.iter().try_fold(0usize, |sum, bytes| sum.checked_add(bytes.len()))?;
    let encoded = fields.len().checked_mul(OVERHEAD)?.checked_add(bytes)?;
    (bytes <= node::MAX_BYTES && encoded <= LARGEST).then_some(bytes)
}
