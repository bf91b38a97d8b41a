//! A queue of small listpacks: the form of a list that outgrew a single one.
//!
//! Both ends are O(1), an access by position walks the nodes from the nearer end. An element too large for a listpack stands alone in
//! a plain node. Every node holds at least one element. A node is full where `list-max-listpack-size` says so.

use std::collections::{VecDeque, vec_deque};
use std::iter::Rev;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::element::Element;
use super::limits::Limits;
use super::listpack::{self, Listpack};

/// Bytes that a listpack may take where its limit counts entries.
const SAFE_BYTES: usize = 8192;
/// What an entry is taken to need beside its data; rather too much than too little.
const ENTRY_OVERHEAD: usize = 8;

const DEFAULT_THRESHOLD: usize = 1 << 30;
const MAX_THRESHOLD: u64 = (1 << 32) - (1 << 20);
/// Elements from this size in bytes on stand alone even where a listpack has room. A debugging switch for the whole process, beside the
/// parameters, so that tests reach plain nodes with small elements; it guards nothing, whence `Relaxed`.
static THRESHOLD: AtomicUsize = AtomicUsize::new(DEFAULT_THRESHOLD);

/// Sets the size in bytes from which elements of lists stand alone, 0 for the default; `false` where it is too large.
pub fn set_packed_threshold(bytes: u64) -> bool {
    let accepted = bytes <= MAX_THRESHOLD;
    if accepted {
        THRESHOLD.store(if bytes == 0 { DEFAULT_THRESHOLD } else { bytes as usize }, Ordering::Relaxed);
    }
    accepted
}

/// When a node is full.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NodeLimit {
    bytes: usize,
    entries: usize,
    /// Elements from this size on stand alone.
    plain_from: usize,
}

impl NodeLimit {
    pub fn of(limits: &Limits) -> Self {
        Self::new(limits.list_max_listpack_size, THRESHOLD.load(Ordering::Relaxed))
    }

    fn new(list_max_listpack_size: i32, threshold: usize) -> Self {
        let (bytes, entries) = match list_max_listpack_size {
            counted @ 0.. => (SAFE_BYTES, (counted as usize).max(1)),
            class => (4096 << (-1 - class.max(-5)), usize::MAX),
        };
        Self { bytes, entries, plain_from: threshold.min(bytes + 1) }
    }

    /// Whether `pack` may take in one more element.
    pub fn admits(&self, pack: &Listpack, value: &[u8]) -> bool {
        value.len() < self.plain_from
            && pack.byte_len() + value.len() + ENTRY_OVERHEAD <= self.bytes
            && (self.entries == usize::MAX || pack.len() < self.entries)
    }

    /// Whether the element at a position of `pack` may be replaced by `value`.
    fn admits_in_place(&self, pack: &Listpack, index: usize, value: &[u8]) -> bool {
        let old = super::list::get_from_nearer_end(pack, index).map_or(0, |element| element.len());
        pack.byte_len() + value.len() <= self.bytes + old
    }

    /// Whether `pack` is so small that half a node would hold it.
    fn is_half_empty(&self, pack: &Listpack) -> bool {
        let (bytes, entries) =
            if self.entries == usize::MAX { (self.bytes / 2, usize::MAX) } else { (self.bytes, self.entries / 2) };
        pack.byte_len() <= bytes && pack.len() <= entries
    }

    /// Whether `pack` could be a list of its own.
    pub fn holds(&self, pack: &Listpack) -> bool {
        pack.byte_len() <= self.bytes && pack.len() <= self.entries
    }

    fn admits_both(&self, a: &Listpack, b: &Listpack) -> bool {
        a.byte_len() + b.byte_len() <= self.bytes && a.len() + b.len() <= self.entries
    }
}

/// A node.
#[derive(Clone, Debug)]
pub enum Node {
    /// Elements in a listpack.
    Packed(Listpack),
    /// One element that stands alone.
    Plain(Box<[u8]>),
}

impl Node {
    fn single(value: &[u8], limit: NodeLimit) -> Self {
        if value.len() >= limit.plain_from {
            return Self::Plain(value.into());
        }
        let mut pack = Listpack::new();
        pack.push_back(value);
        Self::Packed(pack)
    }

    fn len(&self) -> usize {
        match self {
            Self::Packed(pack) => pack.len(),
            Self::Plain(_) => 1,
        }
    }

    fn iter(&self) -> NodeIter<'_> {
        match self {
            Self::Packed(pack) => NodeIter::Packed(pack.iter()),
            Self::Plain(bytes) => NodeIter::Plain(Some(bytes)),
        }
    }

    fn iter_rev(&self) -> NodeIter<'_> {
        match self {
            Self::Packed(pack) => NodeIter::PackedRev(pack.iter_rev()),
            Self::Plain(bytes) => NodeIter::Plain(Some(bytes)),
        }
    }

    /// The pack of the node, if it has room for one more element.
    fn open_pack(&mut self, value: &[u8], limit: NodeLimit) -> Option<&mut Listpack> {
        match self {
            Self::Packed(pack) if limit.admits(pack, value) => Some(pack),
            _ => None,
        }
    }
}

/// Iterator over the elements of a node.
#[derive(Clone)]
pub(super) enum NodeIter<'a> {
    Packed(listpack::Iter<'a>),
    PackedRev(listpack::IterRev<'a>),
    Plain(Option<&'a [u8]>),
}

impl<'a> Iterator for NodeIter<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        match self {
            Self::Packed(iter) => iter.next(),
            Self::PackedRev(iter) => iter.next(),
            Self::Plain(bytes) => bytes.take().map(Element::Bytes),
        }
    }
}

/// Iterator over the elements, first to last.
pub(super) type Iter<'a> = std::iter::FlatMap<vec_deque::Iter<'a, Node>, NodeIter<'a>, fn(&'a Node) -> NodeIter<'a>>;
/// Iterator over the elements, last to first.
pub(super) type IterRev<'a> =
    std::iter::FlatMap<Rev<vec_deque::Iter<'a, Node>>, NodeIter<'a>, fn(&'a Node) -> NodeIter<'a>>;

/// The queue.
#[derive(Clone, Debug, Default)]
pub(super) struct Quicklist {
    nodes: VecDeque<Node>,
    len: usize,
    /// As of the last element that came in.
    limit: NodeLimit,
}

impl Quicklist {
    /// A queue of one node, or of none where `pack` is empty.
    pub fn from_pack(pack: Listpack, limit: NodeLimit) -> Self {
        let len = pack.len();
        let nodes = if len == 0 { VecDeque::new() } else { VecDeque::from([Node::Packed(pack)]) };
        Self { nodes, len, limit }
    }

    /// A queue of nodes from outside, none of which is empty.
    pub fn from_nodes(nodes: VecDeque<Node>, limit: NodeLimit) -> Self {
        let len = nodes.iter().map(Node::len).sum();
        Self { nodes, len, limit }
    }

    pub fn nodes(&self) -> impl ExactSizeIterator<Item = &Node> {
        self.nodes.iter()
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    pub fn memory_usage(&self) -> usize {
        let node = |node: &Node| match node {
            Node::Packed(pack) => pack.capacity(),
            Node::Plain(bytes) => bytes.len(),
        };
        size_of::<Self>() + self.nodes.capacity() * size_of::<Node>() + self.nodes.iter().map(node).sum::<usize>()
    }

    /// The only pack, taken out, if there is but one node and it is less than half full. An empty pack where nothing is left.
    pub fn take_half_empty(&mut self) -> Option<Listpack> {
        match self.nodes.len() {
            0 => Some(Listpack::new()),
            1 => match &mut self.nodes[0] {
                Node::Packed(pack) if self.limit.is_half_empty(pack) => Some(std::mem::take(pack)),
                _ => None,
            },
            _ => None,
        }
    }

    pub fn push_front(&mut self, value: &[u8], limit: NodeLimit) {
        self.limit = limit;
        self.len += 1;
        match self.nodes.front_mut().and_then(|node| node.open_pack(value, limit)) {
            Some(pack) => pack.push_front(value),
            None => self.nodes.push_front(Node::single(value, limit)),
        }
    }

    pub fn push_back(&mut self, value: &[u8], limit: NodeLimit) {
        self.limit = limit;
        self.len += 1;
        match self.nodes.back_mut().and_then(|node| node.open_pack(value, limit)) {
            Some(pack) => pack.push_back(value),
            None => self.nodes.push_back(Node::single(value, limit)),
        }
    }

    pub fn pop_front(&mut self) -> Option<Vec<u8>> {
        self.len = self.len.checked_sub(1)?;
        if let Some(Node::Packed(pack)) = self.nodes.front_mut()
            && pack.len() > 1
        {
            return pack.pop_front();
        }
        self.nodes.pop_front().and_then(last_of)
    }

    pub fn pop_back(&mut self) -> Option<Vec<u8>> {
        self.len = self.len.checked_sub(1)?;
        if let Some(Node::Packed(pack)) = self.nodes.back_mut()
            && pack.len() > 1
        {
            return pack.pop_back();
        }
        self.nodes.pop_back().and_then(last_of)
    }

    /// The node that holds a position, and where in it.
    fn locate(&self, index: usize) -> Option<(usize, usize)> {
        if index >= self.len {
            return None;
        }
        if index <= self.len / 2 {
            let mut left = index;
            for (number, node) in self.nodes.iter().enumerate() {
                if left < node.len() {
                    return Some((number, left));
                }
                left -= node.len();
            }
        } else {
            let mut left = self.len - index;
            for (number, node) in self.nodes.iter().enumerate().rev() {
                if left <= node.len() {
                    return Some((number, node.len() - left));
                }
                left -= node.len();
            }
        }
        None
    }

    pub fn get(&self, index: usize) -> Option<Element<'_>> {
        let (number, offset) = self.locate(index)?;
        match &self.nodes[number] {
            Node::Packed(pack) => super::list::get_from_nearer_end(pack, offset),
            Node::Plain(bytes) => Some(Element::Bytes(bytes)),
        }
    }

    /// Replaces the element at a position; `false` past the end.
    pub fn set(&mut self, index: usize, value: &[u8], limit: NodeLimit) -> bool {
        let Some((number, offset)) = self.locate(index) else { return false };
        self.limit = limit;
        match &mut self.nodes[number] {
            Node::Packed(pack) if value.len() < limit.plain_from && limit.admits_in_place(pack, offset, value) => {
                pack.replace(offset, value);
            }
            node if node.len() == 1 => *node = Node::single(value, limit),
            _ => {
                self.remove_in_node(number, offset, 1);
                self.insert(index, value, limit);
            }
        }
        true
    }

    /// Inserts an element in front of a position (at the end if it is the length).
    pub fn insert(&mut self, index: usize, value: &[u8], limit: NodeLimit) {
        let Some((number, offset)) = self.locate(index) else { return self.push_back(value, limit) };
        self.limit = limit;
        self.len += 1;
        if let Some(pack) = self.nodes[number].open_pack(value, limit) {
            return pack.insert(offset, &[value]);
        }
        if offset > 0
            && let Node::Packed(pack) = &mut self.nodes[number]
        {
            // No room: the node is cut at the position, and the element goes between the halves.
            let tail = pack.split_off(offset);
            self.nodes.insert(number + 1, Node::Packed(tail));
            self.insert_between(number + 1, value, limit);
            // The halves join their neighbours, or insertions at one place would leave a trail of small nodes.
            for joint in [Some(number + 1), Some(number), number.checked_sub(1)].into_iter().flatten() {
                self.merge_with_next(joint);
            }
            return;
        }
        self.insert_between(number, value, limit);
    }

    /// Inserts an element in front of all those of a node: at the end of the node before it, where that has room.
    fn insert_between(&mut self, number: usize, value: &[u8], limit: NodeLimit) {
        let before = number.checked_sub(1).and_then(|left| self.nodes[left].open_pack(value, limit));
        match before {
            Some(pack) => pack.push_back(value),
            None => self.nodes.insert(number, Node::single(value, limit)),
        }
    }

    /// Joins a node to the one behind it where one node holds both.
    fn merge_with_next(&mut self, number: usize) {
        let limit = self.limit;
        if let (Some(Node::Packed(a)), Some(Node::Packed(b))) = (self.nodes.get(number), self.nodes.get(number + 1))
            && limit.admits_both(a, b)
            && let Some(Node::Packed(next)) = self.nodes.remove(number + 1)
            && let Node::Packed(pack) = &mut self.nodes[number]
        {
            pack.append(&next);
        }
    }

    fn remove_in_node(&mut self, number: usize, offset: usize, count: usize) {
        self.len -= count;
        match &mut self.nodes[number] {
            Node::Packed(pack) if count < pack.len() => pack.remove(offset, count),
            _ => drop(self.nodes.remove(number)),
        }
    }

    /// Removes `count` elements from a position on.
    pub fn remove_range(&mut self, start: usize, count: usize) {
        let mut left = count.min(self.len.saturating_sub(start));
        while left > 0 {
            let Some((number, offset)) = self.locate(start) else { return };
            let here = (self.nodes[number].len() - offset).min(left);
            self.remove_in_node(number, offset, here);
            left -= here;
        }
    }

    /// Removes at most `limit` elements equal to `value`, from the front or from the back; how many went.
    pub fn remove_equal(&mut self, value: &[u8], limit: usize, from_back: bool) -> usize {
        let mut left = limit;
        let mut visit = |node: &mut Node| {
            if left == 0 {
                return;
            }
            match node {
                Node::Packed(pack) => left -= super::list::remove_equal_in(pack, value, left, from_back),
                Node::Plain(bytes) => {
                    if **bytes == *value {
                        *node = Node::Packed(Listpack::new());
                        left -= 1;
                    }
                }
            }
        };
        if from_back {
            self.nodes.iter_mut().rev().for_each(&mut visit);
        } else {
            self.nodes.iter_mut().for_each(&mut visit);
        }
        let removed = limit - left;
        if removed > 0 {
            self.nodes.retain(|node| !matches!(node, Node::Packed(pack) if pack.is_empty()));
            self.len -= removed;
        }
        removed
    }

    pub fn iter(&self) -> Iter<'_> {
        self.nodes.iter().flat_map(Node::iter)
    }

    pub fn iter_rev(&self) -> IterRev<'_> {
        self.nodes.iter().rev().flat_map(Node::iter_rev)
    }

    /// The elements from a position on.
    pub fn iter_from(&self, start: usize) -> std::iter::Skip<Iter<'_>> {
        let (number, offset) = self.locate(start).unwrap_or((self.nodes.len(), 0));
        let iter: Iter<'_> = self.nodes.range(number..).flat_map(Node::iter);
        iter.skip(offset)
    }

    /// The elements from a position on, backwards; none past the end.
    pub fn iter_rev_from(&self, start: usize) -> std::iter::Skip<IterRev<'_>> {
        let (nodes, skipped) = match self.locate(start) {
            Some((number, offset)) => (number + 1, self.nodes[number].len() - 1 - offset),
            None => (0, 0),
        };
        let iter: IterRev<'_> = self.nodes.range(..nodes).rev().flat_map(Node::iter_rev);
        iter.skip(skipped)
    }
}

/// The element of a node that holds one.
fn last_of(node: Node) -> Option<Vec<u8>> {
    match node {
        Node::Packed(mut pack) => pack.pop_front(),
        Node::Plain(bytes) => Some(bytes.into_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_elements_stand_alone() {
        let limit = NodeLimit::new(-2, 5);
        let mut queue = Quicklist::default();
        for value in ["1234", "12345", "12", "3", "123456"] {
            queue.push_back(value.as_bytes(), limit);
        }
        let text = |queue: &Quicklist| {
            queue.iter().map(|e| String::from_utf8(e.to_vec()).unwrap()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!((queue.node_count(), text(&queue).as_str()), (4, "1234 12345 12 3 123456"));
        assert!(queue.set(2, b"abcdef", limit));
        assert_eq!((queue.node_count(), text(&queue).as_str()), (5, "1234 12345 abcdef 3 123456"));
        assert!(queue.set(1, b"x", limit));
        assert_eq!((queue.node_count(), text(&queue).as_str()), (5, "1234 x abcdef 3 123456"));
        queue.insert(4, b"middle", limit);
        queue.insert(1, b"y", limit);
        assert_eq!((queue.node_count(), text(&queue).as_str()), (6, "1234 y x abcdef 3 middle 123456"));
        assert_eq!(queue.remove_equal(b"middle", 9, true), 1);
        assert_eq!(queue.remove_equal(b"3", 9, false), 1);
        assert_eq!(
            (queue.pop_back().as_deref(), queue.pop_front().as_deref()),
            (Some(&b"123456"[..]), Some(&b"1234"[..]))
        );
        assert_eq!((queue.node_count(), queue.len(), text(&queue).as_str()), (2, 3, "y x abcdef"));
    }

    #[test]
    fn a_threshold_too_large_is_refused() {
        assert!(!set_packed_threshold(1 << 32));
        assert!(set_packed_threshold(0));
    }
}
