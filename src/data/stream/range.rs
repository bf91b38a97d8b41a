//! Walking the entries between two IDs, from either end.

use std::collections::{BTreeMap, btree_map};

use super::StreamId;
use super::node::{Entries, EntriesBack, Entry, Node};

/// The entries between two IDs, both included. Walked from one end only: entries taken from one end are not skipped at the other.
pub struct Range<'a> {
    nodes: btree_map::Range<'a, StreamId, Node>,
    start: StreamId,
    end: StreamId,
    front: Option<Entries<'a>>,
    back: Option<EntriesBack<'a>>,
}

impl<'a> Range<'a> {
    pub(super) fn new(nodes: &'a BTreeMap<StreamId, Node>, start: StreamId, end: StreamId) -> Self {
        // The node in front may reach into the range.
        let first = nodes.range(..=start).next_back().map_or(StreamId::MIN, |(id, _)| *id);
        let nodes = if first <= end { nodes.range(first..=end) } else { btree_map::Range::default() };
        Self { nodes, start, end, front: None, back: None }
    }

    /// From the last entry to the first.
    pub fn backwards(mut self) -> impl Iterator<Item = Entry<'a>> {
        std::iter::from_fn(move || self.next_back())
    }

    /// The last entry not taken yet.
    pub fn next_back(&mut self) -> Option<Entry<'a>> {
        loop {
            let Some(entries) = &mut self.back else {
                let (id, node) = self.nodes.next_back()?;
                self.back = Some(node.entries_back(*id));
                continue;
            };
            match entries.next() {
                Some(entry) if entry.id < self.start => return None,
                Some(entry) if entry.deleted || entry.id > self.end => {}
                Some(entry) => return Some(entry),
                None => self.back = None,
            }
        }
    }
}

impl<'a> Iterator for Range<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let Some(entries) = &mut self.front else {
                let (id, node) = self.nodes.next()?;
                self.front = Some(node.entries(*id));
                continue;
            };
            match entries.next() {
                Some(entry) if entry.id > self.end => return None,
                Some(entry) if entry.deleted || entry.id < self.start => {}
                Some(entry) => return Some(entry),
                None => self.front = None,
            }
        }
    }
}
