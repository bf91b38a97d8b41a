//! Consumer groups: who has been given which entry and has not acknowledged it yet.
//!
//! What always holds: every pending entry has exactly one consumer of its group, and stands in that consumer's own list. An entry may
//! be pending after it was removed from the stream.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::StreamId;

/// The groups of a stream, by name.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    by_name: BTreeMap<Box<[u8]>, Group>,
}

impl Groups {
    /// Number of groups.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// The group of a name.
    pub fn get(&self, name: &[u8]) -> Option<&Group> {
        self.by_name.get(name)
    }

    /// The group of a name, to be changed.
    pub fn get_mut(&mut self, name: &[u8]) -> Option<&mut Group> {
        self.by_name.get_mut(name)
    }

    /// Adds a group; `false` when the name is taken.
    pub fn add(&mut self, name: &[u8], group: Group) -> bool {
        let free = !self.by_name.contains_key(name);
        if free {
            self.by_name.insert(name.into(), group);
        }
        free
    }

    /// Removes a group; `false` when there is none.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        self.by_name.remove(name).is_some()
    }

    /// The groups with their names, in the names' order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &Group)> {
        self.by_name.iter().map(|(name, group)| (&**name, group))
    }

    pub(super) fn weight(&self) -> usize {
        self.by_name.values().map(|group| 1 + group.names.len() + group.pending.len()).sum()
    }

    pub(super) fn memory_usage(&self) -> usize {
        let name = |name: &[u8], group: &Group| name.len() + size_of::<(Box<[u8]>, Group)>() + group.memory_usage();
        self.iter().map(|(n, group)| name(n, group)).sum()
    }
}

/// One group.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// The ID up to which entries have been given out.
    pub last_id: StreamId,
    /// How many entries that was since the stream began; `None` where it cannot be told.
    pub entries_read: Option<u64>,
    pending: BTreeMap<StreamId, Pending>,
    names: BTreeMap<Arc<[u8]>, ConsumerSlot>,
    /// By slot; the slots in `free` hold consumers that are gone.
    consumers: Vec<Consumer>,
    free: Vec<ConsumerSlot>,
}

/// Which consumer of its group; good as long as the consumer is not removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsumerSlot(usize);

/// A consumer.
#[derive(Clone, Debug)]
pub struct Consumer {
    name: Arc<[u8]>,
    /// Unix milliseconds of its last attempt.
    pub seen_at: i64,
    /// Unix milliseconds when it last was given something; `None` before the first time.
    pub active_at: Option<i64>,
    pending: BTreeSet<StreamId>,
}

impl Consumer {
    /// Its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Entries it has not acknowledged.
    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// The IDs from `start` to `end`, both included, that it has not acknowledged.
    pub fn pending(&self, start: StreamId, end: StreamId) -> impl Iterator<Item = StreamId> {
        // A crossed range is empty; the set would panic.
        let end = if start <= end { Some(end) } else { None };
        end.into_iter().flat_map(move |end| self.pending.range(start..=end).copied())
    }
}

/// An entry given to a consumer and not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Whom it was given to.
    pub consumer: ConsumerSlot,
    /// Unix milliseconds when it was given last.
    pub delivered_at: i64,
    /// How often it was given.
    pub deliveries: u64,
}

impl Group {
    /// A group that has read up to an ID.
    pub fn new(last_id: StreamId, entries_read: Option<u64>) -> Self {
        Self { last_id, entries_read, ..Self::default() }
    }

    // ---- consumers

    /// Number of consumers.
    pub fn consumer_count(&self) -> usize {
        self.names.len()
    }

    /// The consumers, in their names' order.
    pub fn consumers(&self) -> impl ExactSizeIterator<Item = &Consumer> {
        self.names.values().map(|slot| self.consumer(*slot))
    }

    /// The consumer in a slot.
    pub fn consumer(&self, slot: ConsumerSlot) -> &Consumer {
        &self.consumers[slot.0]
    }

    /// The consumer in a slot, to be changed.
    pub fn consumer_mut(&mut self, slot: ConsumerSlot) -> &mut Consumer {
        &mut self.consumers[slot.0]
    }

    /// The slot of the consumer of a name.
    pub fn find_consumer(&self, name: &[u8]) -> Option<ConsumerSlot> {
        self.names.get(name).copied()
    }

    /// Adds a consumer; `None` when the name is taken.
    pub fn add_consumer(&mut self, name: &[u8], now_ms: i64) -> Option<ConsumerSlot> {
        (!self.names.contains_key(name)).then(|| self.insert_consumer(name, now_ms))
    }

    fn insert_consumer(&mut self, name: &[u8], now_ms: i64) -> ConsumerSlot {
        let name: Arc<[u8]> = name.into();
        let consumer = Consumer { name: Arc::clone(&name), seen_at: now_ms, active_at: None, pending: BTreeSet::new() };
        let slot = self.free.pop().unwrap_or(ConsumerSlot(self.consumers.len()));
        if slot.0 == self.consumers.len() {
            self.consumers.push(consumer);
        } else {
            *self.consumer_mut(slot) = consumer;
        }
        self.names.insert(name, slot);
        slot
    }

    /// The consumer of a name, and whether it had to be added.
    pub fn find_or_add_consumer(&mut self, name: &[u8], now_ms: i64) -> (ConsumerSlot, bool) {
        match self.find_consumer(name) {
            Some(slot) => (slot, false),
            None => (self.insert_consumer(name, now_ms), true),
        }
    }

    /// Removes a consumer with what it has pending; how many entries that was, or `None` when there is no such consumer.
    pub fn remove_consumer(&mut self, name: &[u8]) -> Option<usize> {
        let slot = self.names.remove(name)?;
        let pending = std::mem::take(&mut self.consumer_mut(slot).pending);
        for id in &pending {
            self.pending.remove(id);
        }
        self.free.push(slot);
        Some(pending.len())
    }

    // ---- pending entries

    /// Number of pending entries.
    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// The pending entries from `start` to `end`, both included, oldest first.
    pub fn pending(&self, start: StreamId, end: StreamId) -> impl DoubleEndedIterator<Item = (StreamId, &Pending)> {
        // A crossed range is empty; the map would panic.
        let range = if start <= end { self.pending.range(start..=end) } else { Default::default() };
        range.map(|(id, pending)| (*id, pending))
    }

    /// What is pending at an ID.
    pub fn pending_at(&self, id: StreamId) -> Option<&Pending> {
        self.pending.get(&id)
    }

    /// Makes an entry pending with a consumer, whoever had it before.
    pub fn give(&mut self, id: StreamId, pending: Pending) {
        let before = self.pending.insert(id, pending);
        if let Some(before) = before.filter(|before| before.consumer != pending.consumer) {
            self.consumer_mut(before.consumer).pending.remove(&id);
        }
        self.consumer_mut(pending.consumer).pending.insert(id);
    }

    /// Takes an entry off the pending ones; `false` when it is not pending.
    pub fn acknowledge(&mut self, id: StreamId) -> bool {
        let Some(pending) = self.pending.remove(&id) else { return false };
        self.consumer_mut(pending.consumer).pending.remove(&id);
        true
    }

    fn memory_usage(&self) -> usize {
        const PER_PENDING: usize = size_of::<(StreamId, Pending)>() + size_of::<StreamId>();
        const PER_CONSUMER: usize = size_of::<Consumer>() + size_of::<(Arc<[u8]>, ConsumerSlot)>();
        let names: usize = self.names.keys().map(|name| name.len() + PER_CONSUMER).sum();
        names + self.pending.len() * PER_PENDING
    }
}
