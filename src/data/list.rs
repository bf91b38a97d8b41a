//! A list: a queue of small listpacks, so that both ends are O(1) and memory stays tight.
//!
//! An element too large for a listpack stands alone in a plain node. An access by position walks nodes from the nearer end,
//! O(nodes). Every node holds at least one element. OBJECT ENCODING calls this `quicklist` whatever its size, as Redis 7.0 does.

use std::collections::VecDeque;

use super::element::Element;
use super::limits::Limits;
use super::listpack::{self, Listpack};

/// Bytes beside the entries that a listpack may take before a node is full where its limit counts entries.
const SAFE_BYTES: usize = 8192;

#[derive(Clone, Debug)]
enum Node {
    Packed { pack: Listpack, count: usize },
    Plain(Vec<u8>),
}

/// A list.
#[derive(Clone, Debug, Default)]
pub struct List {
    nodes: VecDeque<Node>,
    len: usize,
}

impl Node {
    fn single(value: &[u8], limits: &Limits) -> Self {
        if value.len() > max_entry(limits) {
            return Self::Plain(value.to_vec());
        }
        let mut pack = Listpack::new();
        pack.push_back(value);
        Self::Packed { pack, count: 1 }
    }

    fn len(&self) -> usize {
        match self {
            Self::Packed { count, .. } => *count,
            Self::Plain(_) => 1,
        }
    }

    /// Whether one more element of this size may go in.
    fn has_room(&self, value: &[u8], limits: &Limits) -> bool {
        let Self::Packed { pack, count } = self else { return false };
        let bytes = pack.byte_len() + Listpack::entry_bytes(value);
        match limits.list_max_listpack_size {
            max @ 1.. => *count < max as usize && bytes <= SAFE_BYTES.max(max_entry(limits)),
            _ => bytes <= max_entry(limits),
        }
    }

    fn get(&self, index: usize) -> Option<Element<'_>> {
        match self {
            Self::Packed { pack, count } => {
                let index = if index <= count / 2 { index as isize } else { index as isize - *count as isize };
                pack.get(index)
            }
            Self::Plain(bytes) => (index == 0).then_some(Element::Bytes(bytes)),
        }
    }

    fn iter(&self) -> NodeIter<'_> {
        match self {
            Self::Packed { pack, .. } => NodeIter::Packed(pack.iter()),
            Self::Plain(bytes) => NodeIter::Plain(Some(bytes)),
        }
    }

    fn iter_rev(&self) -> NodeIter<'_> {
        match self {
            Self::Packed { pack, .. } => NodeIter::PackedRev(pack.iter_rev()),
            Self::Plain(bytes) => NodeIter::Plain(Some(bytes)),
        }
    }

    /// Removes `count` elements from `index` on.
    fn remove(&mut self, index: usize, removed: usize) {
        match self {
            Self::Packed { pack, count } => {
                pack.remove(index, removed);
                *count -= removed;
            }
            Self::Plain(bytes) => bytes.clear(),
        }
    }
}

/// The largest size of a node in bytes.
fn max_entry(limits: &Limits) -> usize {
    let size = match limits.list_max_listpack_size {
        -1 => 4 << 10,
        -2 => 8 << 10,
        -3 => 16 << 10,
        -4 => 32 << 10,
        -5 => 64 << 10,
        _ => SAFE_BYTES,
    };
    size.min(listpack::MAX_BYTES)
}

#[derive(Clone)]
enum NodeIter<'a> {
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

impl List {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The name OBJECT ENCODING answers.
    pub fn encoding(&self) -> &'static str {
        "quicklist"
    }

    /// Number of nodes.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Bytes taken.
    pub fn memory_usage(&self) -> usize {
        let node = |node: &Node| match node {
            Node::Packed { pack, .. } => pack.capacity(),
            Node::Plain(bytes) => bytes.capacity(),
        };
        self.nodes.capacity() * size_of::<Node>() + self.nodes.iter().map(node).sum::<usize>()
    }

    /// Puts an element in front.
    pub fn push_front(&mut self, value: &[u8], limits: &Limits) {
        match self.nodes.front_mut() {
            Some(node) if node.has_room(value, limits) => {
                if let Node::Packed { pack, count } = node {
                    pack.push_front(value);
                    *count += 1;
                }
            }
            _ => self.nodes.push_front(Node::single(value, limits)),
        }
        self.len += 1;
    }

    /// Puts an element at the end.
    pub fn push_back(&mut self, value: &[u8], limits: &Limits) {
        match self.nodes.back_mut() {
            Some(node) if node.has_room(value, limits) => {
                if let Node::Packed { pack, count } = node {
                    pack.push_back(value);
                    *count += 1;
                }
            }
            _ => self.nodes.push_back(Node::single(value, limits)),
        }
        self.len += 1;
    }

    /// Takes the first element.
    pub fn pop_front(&mut self) -> Option<Vec<u8>> {
        let value = match self.nodes.front_mut()? {
            Node::Packed { pack, count } => {
                *count -= 1;
                pack.pop_front()
            }
            Node::Plain(bytes) => Some(std::mem::take(bytes)),
        };
        self.len -= 1;
        self.drop_if_empty(0);
        value
    }

    /// Takes the last element.
    pub fn pop_back(&mut self) -> Option<Vec<u8>> {
        let value = match self.nodes.back_mut()? {
            Node::Packed { pack, count } => {
                *count -= 1;
                pack.pop_back()
            }
            Node::Plain(bytes) => Some(std::mem::take(bytes)),
        };
        self.len -= 1;
        self.drop_if_empty(self.nodes.len() - 1);
        value
    }

    /// Drops a node that lost its last element. (A plain node whose bytes were taken counts as such.)
    fn drop_if_empty(&mut self, node: usize) {
        let empty = match &self.nodes[node] {
            Node::Packed { count, .. } => *count == 0,
            Node::Plain(_) => true,
        };
        if empty {
            self.nodes.remove(node);
        }
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

    /// The element at a position.
    pub fn get(&self, index: usize) -> Option<Element<'_>> {
        let (node, offset) = self.locate(index)?;
        self.nodes[node].get(offset)
    }

    /// Replaces the element at a position; `false` past the end.
    pub fn set(&mut self, index: usize, value: &[u8], limits: &Limits) -> bool {
        let Some((number, offset)) = self.locate(index) else { return false };
        match &mut self.nodes[number] {
            Node::Packed { pack, .. } if value.len() <= max_entry(limits) => pack.replace(offset, value),
            Node::Plain(bytes) if value.len() > max_entry(limits) => *bytes = value.to_vec(),
            _ => {
                self.remove_at(number, offset, 1);
                self.insert(index, value, limits);
            }
        }
        true
    }

    /// Inserts an element in front of a position (at the end if it is the length).
    pub fn insert(&mut self, index: usize, value: &[u8], limits: &Limits) {
        if index == 0 {
            return self.push_front(value, limits);
        }
        let Some((number, offset)) = self.locate(index) else { return self.push_back(value, limits) };
        self.len += 1;
        if self.nodes[number].has_room(value, limits) {
            if let Node::Packed { pack, count } = &mut self.nodes[number] {
                pack.insert(offset, &[value]);
                *count += 1;
            }
            return;
        }
        // No room: the node is split at the position, and the element joins a half or stands between them.
        if offset > 0 {
            let tail = self.split(number, offset);
            self.nodes.insert(number + 1, tail);
        }
        let at = if offset > 0 { number + 1 } else { number };
        if let Some(Node::Packed { pack, count }) = at.checked_sub(1).and_then(|left| self.nodes.get_mut(left))
            && offset > 0
            && pack.byte_len() + Listpack::entry_bytes(value) <= max_entry(limits)
        {
            pack.push_back(value);
            *count += 1;
            return;
        }
        self.nodes.insert(at, Node::single(value, limits));
    }

    /// Cuts a node at a position inside it; the second half comes back.
    fn split(&mut self, number: usize, offset: usize) -> Node {
        let Node::Packed { pack, count } = &mut self.nodes[number] else { return Node::Plain(Vec::new()) };
        let mut tail = Listpack::new();
        let mut digits = itoa::Buffer::new();
        for element in pack.iter().skip(offset) {
            tail.push_back(element.as_bytes(&mut digits));
        }
        let moved = *count - offset;
        pack.remove(offset, moved);
        *count = offset;
        Node::Packed { pack: tail, count: moved }
    }

    fn remove_at(&mut self, number: usize, offset: usize, count: usize) {
        self.nodes[number].remove(offset, count);
        self.len -= count;
        let empty = match &self.nodes[number] {
            Node::Packed { count, .. } => *count == 0,
            Node::Plain(bytes) => bytes.is_empty(),
        };
        if empty {
            self.nodes.remove(number);
        }
    }

    /// Removes elements equal to `value`: the first `count`, or, negative, the last, or, zero, all. How many went.
    pub fn remove(&mut self, count: i64, value: &[u8]) -> usize {
        let limit = if count == 0 { usize::MAX } else { count.unsigned_abs() as usize };
        let mut positions: Vec<usize> = if count >= 0 {
            self.iter().enumerate().filter(|(_, e)| e.eq_bytes(value)).map(|(i, _)| i).take(limit).collect()
        } else {
            let last = self.len.saturating_sub(1);
            self.iter_rev().enumerate().filter(|(_, e)| e.eq_bytes(value)).map(|(i, _)| last - i).take(limit).collect()
        };
        positions.sort_unstable();
        // From the end, so that positions in front stay as they are.
        for position in positions.iter().rev() {
            self.remove_range(*position, 1);
        }
        positions.len()
    }

    /// Removes `count` elements from a position on.
    pub fn remove_range(&mut self, start: usize, count: usize) {
        let mut left = count.min(self.len.saturating_sub(start));
        while left > 0 {
            let Some((number, offset)) = self.locate(start) else { return };
            let here = (self.nodes[number].len() - offset).min(left);
            self.remove_at(number, offset, here);
            left -= here;
        }
    }

    /// Keeps only a range of positions.
    pub fn trim(&mut self, range: std::ops::Range<usize>) {
        self.remove_range(range.end, usize::MAX);
        self.remove_range(0, range.start);
    }

    /// The elements, first to last.
    pub fn iter(&self) -> impl Iterator<Item = Element<'_>> + Clone {
        self.nodes.iter().flat_map(Node::iter)
    }

    /// The elements, last to first.
    pub fn iter_rev(&self) -> impl Iterator<Item = Element<'_>> + Clone {
        self.nodes.iter().rev().flat_map(Node::iter_rev)
    }

    /// The elements from a position on.
    pub fn iter_from(&self, start: usize) -> impl Iterator<Item = Element<'_>> {
        let (number, offset) = self.locate(start).unwrap_or((self.nodes.len(), 0));
        self.nodes.iter().skip(number).flat_map(Node::iter).skip(offset)
    }

    /// The elements from a position on, backwards.
    pub fn iter_rev_from(&self, start: usize) -> impl Iterator<Item = Element<'_>> {
        let (nodes, skipped) = match self.locate(start) {
            Some((number, offset)) => (number + 1, self.nodes[number].len() - 1 - offset),
            None => (0, 0),
        };
        self.nodes.range(..nodes).rev().flat_map(Node::iter_rev).skip(skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(list: &List) -> Vec<Vec<u8>> {
        list.iter().map(|e| e.to_vec()).collect()
    }

    fn value() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            (0i64..30).prop_map(|v| v.to_string().into_bytes()),
            (0usize..40).prop_map(|n| vec![b'x'; n]),
            Just(vec![b'L'; 9000]),
            Just(vec![b'm'; 3000]),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn behaves_as_a_deque(size in prop_oneof![Just(-2), Just(-1), Just(3), Just(128)], operations in proptest::collection::vec((0u8..10, any::<u16>(), value()), 1..120)) {
            let limits = Limits { list_max_listpack_size: size, ..Limits::default() };
            let (mut list, mut model) = (List::new(), VecDeque::<Vec<u8>>::new());
            for (operation, at, value) in operations {
                let at = at as usize % (model.len() + 1);
                match operation {
                    0 | 1 => { list.push_back(&value, &limits); model.push_back(value); }
                    2 => { list.push_front(&value, &limits); model.push_front(value); }
                    3 | 4 => { list.insert(at, &value, &limits); model.insert(at, value); }
                    5 => prop_assert_eq!(list.pop_back(), model.pop_back()),
                    6 => prop_assert_eq!(list.pop_front(), model.pop_front()),
                    7 => {
                        let set = list.set(at, &value, &limits);
                        prop_assert_eq!(set, at < model.len());
                        if set { model[at] = value; }
                    }
                    8 => {
                        let removed = list.remove(0, &value);
                        let before = model.len();
                        model.retain(|v| *v != value);
                        prop_assert_eq!(removed, before - model.len());
                    }
                    _ => {
                        let end = (at + 20).min(model.len());
                        list.trim(at..end);
                        model = model.drain(at.min(end)..end).collect();
                    }
                }
                prop_assert_eq!(list.len(), model.len());
                prop_assert_eq!(&all(&list), &Vec::from(model.clone()));
                let start = at.min(model.len().saturating_sub(1));
                prop_assert_eq!(list.get(start).map(|e| e.to_vec()), model.get(start).cloned());
                prop_assert_eq!(list.iter_from(start).map(|e| e.to_vec()).collect::<Vec<_>>(), model.iter().skip(start).cloned().collect::<Vec<_>>());
                prop_assert_eq!(list.iter_rev_from(start).map(|e| e.to_vec()).collect::<Vec<_>>(), model.iter().take(start + 1).rev().cloned().collect::<Vec<_>>());
            }
        }
    }
}
