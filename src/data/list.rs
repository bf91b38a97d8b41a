//! A list: one listpack while it is small, else a queue of them.
//!
//! It turns into a queue when `list-max-listpack-size` is exceeded, and back when removals leave a single node less than half full, so
//! that a list at the limit does not change form with every command.

use std::collections::VecDeque;
use std::ops::Range;

use super::element::Element;
use super::limits::Limits;
use super::listpack::Listpack;
pub use super::quicklist::{Node, set_packed_threshold};
use super::quicklist::{NodeLimit, Quicklist};
use crate::base::release::{RELEASE, Release};

#[derive(Clone, Debug)]
enum Repr {
    Packed(Listpack),
    Queue(Box<Quicklist>),
}

/// A look at a node.
pub enum NodeRef<'a> {
    /// Elements in a listpack.
    Packed(&'a Listpack),
    /// One element that stands alone.
    Plain(&'a [u8]),
}

/// A list.
#[derive(Clone, Debug)]
pub struct List {
    repr: Repr,
}

impl Default for List {
    fn default() -> Self {
        Self::new()
    }
}

impl List {
    /// An empty list.
    pub fn new() -> Self {
        Self { repr: Repr::Packed(Listpack::new()) }
    }

    /// A list of nodes from outside; empty ones are left out.
    pub fn from_nodes(nodes: impl IntoIterator<Item = Node>, limits: &Limits) -> Self {
        let limit = NodeLimit::of(limits);
        let filled = |node: &Node| !matches!(node, Node::Packed(pack) if pack.is_empty());
        let mut nodes: VecDeque<Node> = nodes.into_iter().filter(filled).collect();
        let repr = match nodes.pop_front() {
            None => Repr::Packed(Listpack::new()),
            Some(Node::Packed(pack)) if nodes.is_empty() && limit.holds(&pack) => Repr::Packed(pack),
            Some(first) => {
                nodes.push_front(first);
                Repr::Queue(Box::new(Quicklist::from_nodes(nodes, limit)))
            }
        };
        Self { repr }
    }

    /// Visits the nodes in order: the listpack, or the one element of each.
    pub fn for_each_node(&self, mut visit: impl FnMut(NodeRef<'_>)) {
        match &self.repr {
            Repr::Packed(pack) => visit(NodeRef::Packed(pack)),
            Repr::Queue(queue) => queue.nodes().for_each(|node| match node {
                Node::Packed(pack) => visit(NodeRef::Packed(pack)),
                Node::Plain(bytes) => visit(NodeRef::Plain(bytes)),
            }),
        }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        match &self.repr {
            Repr::Packed(pack) => pack.len(),
            Repr::Queue(queue) => queue.len(),
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
            Repr::Packed(_) => names.packed_list(),
            Repr::Queue(_) => "quicklist",
        }
    }

    /// Number of nodes.
    pub fn node_count(&self) -> usize {
        match &self.repr {
            Repr::Packed(_) => 1,
            Repr::Queue(queue) => queue.node_count(),
        }
    }

    /// Bytes taken.
    pub fn memory_usage(&self) -> usize {
        match &self.repr {
            Repr::Packed(pack) => pack.capacity(),
            Repr::Queue(queue) => queue.memory_usage(),
        }
    }

    /// Puts an element in front.
    pub fn push_front(&mut self, value: &[u8], limits: &Limits) {
        match self.grow(value, limits) {
            Repr::Packed(pack) => pack.push_front(value),
            Repr::Queue(queue) => queue.push_front(value, NodeLimit::of(limits)),
        }
    }

    /// Puts an element at the end.
    pub fn push_back(&mut self, value: &[u8], limits: &Limits) {
        match self.grow(value, limits) {
            Repr::Packed(pack) => pack.push_back(value),
            Repr::Queue(queue) => queue.push_back(value, NodeLimit::of(limits)),
        }
    }

    /// Takes the first element.
    pub fn pop_front(&mut self) -> Option<Vec<u8>> {
        let value = match &mut self.repr {
            Repr::Packed(pack) => pack.pop_front(),
            Repr::Queue(queue) => queue.pop_front(),
        };
        self.shrink();
        value
    }

    /// Takes the last element.
    pub fn pop_back(&mut self) -> Option<Vec<u8>> {
        let value = match &mut self.repr {
            Repr::Packed(pack) => pack.pop_back(),
            Repr::Queue(queue) => queue.pop_back(),
        };
        self.shrink();
        value
    }

    /// The element at a position.
    pub fn get(&self, index: usize) -> Option<Element<'_>> {
        match &self.repr {
            Repr::Packed(pack) => get_from_nearer_end(pack, index),
            Repr::Queue(queue) => queue.get(index),
        }
    }

    /// Replaces the element at a position; `false` past the end.
    pub fn set(&mut self, index: usize, value: &[u8], limits: &Limits) -> bool {
        if index >= self.len() {
            return false;
        }
        match self.grow(value, limits) {
            Repr::Packed(pack) => pack.replace(index, value),
            Repr::Queue(queue) => {
                queue.set(index, value, NodeLimit::of(limits));
            }
        }
        self.shrink();
        true
    }

    /// Inserts an element in front of a position (at the end if it is the length).
    pub fn insert(&mut self, index: usize, value: &[u8], limits: &Limits) {
        match self.grow(value, limits) {
            Repr::Packed(pack) => pack.insert(index, &[value]),
            Repr::Queue(queue) => queue.insert(index, value, NodeLimit::of(limits)),
        }
    }

    /// Inserts an element in front of the first one equal to `pivot`; `false` where there is none.
    pub fn insert_before(&mut self, pivot: &[u8], value: &[u8], limits: &Limits) -> bool {
        let found = self.iter().position(|element| element.eq_bytes(pivot));
        found.inspect(|index| self.insert(*index, value, limits)).is_some()
    }

    /// Inserts an element behind the first one equal to `pivot`; `false` where there is none.
    pub fn insert_after(&mut self, pivot: &[u8], value: &[u8], limits: &Limits) -> bool {
        let found = self.iter().position(|element| element.eq_bytes(pivot));
        found.inspect(|index| self.insert(*index + 1, value, limits)).is_some()
    }

    /// Removes elements equal to `value`: the first `count`, or, negative, the last, or, zero, all. How many went.
    pub fn remove(&mut self, count: i64, value: &[u8]) -> usize {
        let limit = if count == 0 { usize::MAX } else { usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX) };
        let removed = match &mut self.repr {
            Repr::Packed(pack) => remove_equal_in(pack, value, limit, count < 0),
            Repr::Queue(queue) => queue.remove_equal(value, limit, count < 0),
        };
        self.shrink();
        removed
    }

    /// Removes `count` elements from a position on.
    pub fn remove_range(&mut self, start: usize, count: usize) {
        match &mut self.repr {
            Repr::Packed(pack) => {
                let start = start.min(pack.len());
                pack.remove(start, count);
            }
            Repr::Queue(queue) => queue.remove_range(start, count),
        }
        self.shrink();
    }

    /// Keeps only a range of positions.
    pub fn trim(&mut self, range: Range<usize>) {
        self.remove_range(range.end, usize::MAX);
        self.remove_range(0, range.start);
    }

    /// The positions of elements equal to `value`, as LPOS finds them: from the `rank`-th match on (1 is the first; negative ranks search
    /// from the end), among the `max_len` elements compared at most (0: all), at most `count` (0: all).
    pub fn positions(&self, value: &[u8], rank: i64, count: usize, max_len: usize) -> Vec<usize> {
        let all_if_zero = |n: usize| if n == 0 { usize::MAX } else { n };
        let skipped = usize::try_from(rank.unsigned_abs().saturating_sub(1)).unwrap_or(usize::MAX);
        let found = |elements: &mut dyn Iterator<Item = Element<'_>>| -> Vec<usize> {
            let compared = elements.take(all_if_zero(max_len)).enumerate();
            let matches = compared.filter(|(_, element)| element.eq_bytes(value)).map(|(index, _)| index);
            matches.skip(skipped).take(all_if_zero(count)).collect()
        };
        if rank >= 0 {
            return found(&mut self.iter());
        }
        let last = self.len().saturating_sub(1);
        found(&mut self.iter_rev()).into_iter().map(|from_end| last - from_end).collect()
    }

    /// The elements, first to last.
    pub fn iter(&self) -> impl Iterator<Item = Element<'_>> + Clone {
        let (pack, queue) = self.forms();
        pack.into_iter().flat_map(Listpack::iter).chain(queue.into_iter().flat_map(Quicklist::iter))
    }

    /// The elements, last to first.
    pub fn iter_rev(&self) -> impl Iterator<Item = Element<'_>> + Clone {
        let (pack, queue) = self.forms();
        pack.into_iter().flat_map(Listpack::iter_rev).chain(queue.into_iter().flat_map(Quicklist::iter_rev))
    }

    /// The elements from a position on.
    pub fn iter_from(&self, start: usize) -> impl Iterator<Item = Element<'_>> {
        let (pack, queue) = self.forms();
        let packed = pack.into_iter().flat_map(move |pack| pack.iter().skip(start));
        packed.chain(queue.into_iter().flat_map(move |queue| queue.iter_from(start)))
    }

    /// The elements from a position on, backwards; none past the end.
    pub fn iter_rev_from(&self, start: usize) -> impl Iterator<Item = Element<'_>> {
        let (pack, queue) = self.forms();
        let skipped = self.len().checked_sub(start.saturating_add(1)).unwrap_or(usize::MAX);
        let packed = pack.into_iter().flat_map(move |pack| pack.iter_rev().skip(skipped));
        packed.chain(queue.into_iter().flat_map(move |queue| queue.iter_rev_from(start)))
    }

    /// `len` elements from a position on.
    pub fn range(&self, start: usize, len: usize) -> impl Iterator<Item = Element<'_>> {
        self.iter_from(start).take(len)
    }

    /// `len` elements from a position on, backwards.
    pub fn range_rev(&self, start: usize, len: usize) -> impl Iterator<Item = Element<'_>> {
        self.iter_rev_from(start).take(len)
    }

    fn forms(&self) -> (Option<&Listpack>, Option<&Quicklist>) {
        match &self.repr {
            Repr::Packed(pack) => (Some(pack), None),
            Repr::Queue(queue) => (None, Some(queue)),
        }
    }

    /// The form that can take in `value`.
    fn grow(&mut self, value: &[u8], limits: &Limits) -> &mut Repr {
        if let Repr::Packed(pack) = &mut self.repr {
            let limit = NodeLimit::of(limits);
            if !limit.admits(pack, value) {
                self.repr = Repr::Queue(Box::new(Quicklist::from_pack(std::mem::take(pack), limit)));
            }
        }
        &mut self.repr
    }

    fn shrink(&mut self) {
        if let Repr::Queue(queue) = &mut self.repr
            && let Some(pack) = queue.take_half_empty()
        {
            self.repr = Repr::Packed(pack);
        }
    }
}

/// The element at a position, walked to from the nearer end.
pub(super) fn get_from_nearer_end(pack: &Listpack, index: usize) -> Option<Element<'_>> {
    let len = pack.len();
    if index >= len {
        return None;
    }
    let (forwards, backwards) = (index as isize, index as isize - len as isize);
    pack.get(if index <= len / 2 { forwards } else { backwards })
}

/// Removes at most `limit` elements equal to `value`, from the front or from the back; how many went.
pub(super) fn remove_equal_in(pack: &mut Listpack, value: &[u8], limit: usize, from_back: bool) -> usize {
    let matches = pack.iter().filter(|element| element.eq_bytes(value)).count();
    let removed = matches.min(limit);
    if removed > 0 {
        let mut spared = if from_back { matches - removed } else { 0 };
        let mut left = removed;
        pack.retain(|element| {
            if left == 0 || !element.eq_bytes(value) {
                return true;
            }
            if spared > 0 {
                spared -= 1;
                return true;
            }
            left -= 1;
            false
        });
    }
    removed
}

#[cfg(test)]
mod tests;
