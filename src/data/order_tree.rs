//! A sequence with positions: a B+ tree whose inner nodes know how many items stand below each child.
//!
//! The order is the caller's: items go in and out by position, and [`OrderTree::partition_point`] finds a position by a predicate that is true for a
//! prefix of the sequence. So one structure answers rank, select, and ranges by score or by name, each in O(log n). Items are ids
//! of four bytes; what they stand for lives elsewhere.

/// Items of a leaf, and children of an inner node, at most.
const CAPACITY: usize = 64;
/// A node smaller than this is merged with a neighbour if that fits.
const SPARSE: usize = CAPACITY / 4;

#[derive(Clone, Debug)]
enum Node {
    Leaf(Vec<u32>),
    Inner(Vec<Child>),
}

#[derive(Clone, Debug)]
struct Child {
    /// Items below.
    count: usize,
    /// The first item below.
    first: u32,
    node: Box<Node>,
}

impl Child {
    fn of(node: Node) -> Self {
        let (count, first) = match &node {
            Node::Leaf(items) => (items.len(), items.first().copied().unwrap_or_default()),
            Node::Inner(children) => {
                (children.iter().map(|c| c.count).sum(), children.first().map_or(0, |child| child.first))
            }
        };
        Self { count, first, node: Box::new(node) }
    }
}

/// The tree.
#[derive(Clone, Debug)]
pub struct OrderTree {
    root: Node,
    len: usize,
}

impl Default for OrderTree {
    fn default() -> Self {
        Self { root: Node::Leaf(Vec::new()), len: 0 }
    }
}

impl OrderTree {
    /// Puts an item at a position.
    pub fn insert(&mut self, position: usize, item: u32) {
        debug_assert!(position <= self.len);
        if let Some(right) = insert(&mut self.root, position, item) {
            let left = std::mem::replace(&mut self.root, Node::Inner(Vec::new()));
            self.root = Node::Inner(vec![Child::of(left), right]);
        }
        self.len += 1;
    }

    /// Takes the item at a position out.
    pub fn remove(&mut self, position: usize) -> u32 {
        debug_assert!(position < self.len);
        let item = remove(&mut self.root, position);
        self.len -= 1;
        // A root with a single child is one level too many.
        while let Node::Inner(children) = &mut self.root {
            if children.len() != 1 {
                break;
            }
            let Some(only) = children.pop() else { break };
            self.root = *only.node;
        }
        item
    }

    /// Replaces the item at a position.
    pub fn set(&mut self, position: usize, item: u32) {
        debug_assert!(position < self.len);
        let (mut node, mut left) = (&mut self.root, position);
        loop {
            match node {
                Node::Leaf(items) => {
                    items[left] = item;
                    return;
                }
                Node::Inner(children) => {
                    let mut index = 0;
                    while left >= children[index].count {
                        left -= children[index].count;
                        index += 1;
                    }
                    if left == 0 {
                        children[index].first = item;
                    }
                    node = &mut children[index].node;
                }
            }
        }
    }

    /// How many items, from the first on, `before` is true for.
    pub fn partition_point(&self, before: impl Fn(u32) -> bool) -> usize {
        let (mut node, mut passed) = (&self.root, 0);
        loop {
            match node {
                Node::Leaf(items) => return passed + items.partition_point(|item| before(*item)),
                Node::Inner(children) => {
                    // The last child whose first item is still before: the point is in it.
                    let index = children.partition_point(|child| before(child.first)).saturating_sub(1);
                    passed += children[..index].iter().map(|child| child.count).sum::<usize>();
                    node = &children[index].node;
                }
            }
        }
    }

    /// The items from a position on.
    pub fn iter_from(&self, position: usize) -> impl Iterator<Item = u32> + '_ {
        let mut next = position;
        let mut chunk: &[u32] = &[];
        std::iter::from_fn(move || {
            if chunk.is_empty() {
                if next >= self.len {
                    return None;
                }
                let (items, offset) = self.chunk(next);
                chunk = &items[offset..];
            }
            next += 1;
            let (first, rest) = chunk.split_first()?;
            chunk = rest;
            Some(*first)
        })
    }

    /// The items in front of a position, backwards.
    pub fn iter_back_from(&self, position: usize) -> impl Iterator<Item = u32> + '_ {
        let mut left = position.min(self.len);
        let mut chunk: &[u32] = &[];
        std::iter::from_fn(move || {
            if chunk.is_empty() {
                if left == 0 {
                    return None;
                }
                let (items, offset) = self.chunk(left - 1);
                chunk = &items[..=offset];
            }
            left -= 1;
            let (last, rest) = chunk.split_last()?;
            chunk = rest;
            Some(*last)
        })
    }

    /// The leaf that holds a position, and where in it.
    fn chunk(&self, position: usize) -> (&[u32], usize) {
        let (mut node, mut left) = (&self.root, position);
        loop {
            match node {
                Node::Leaf(items) => return (items, left),
                Node::Inner(children) => {
                    let mut index = 0;
                    while left >= children[index].count {
                        left -= children[index].count;
                        index += 1;
                    }
                    node = &children[index].node;
                }
            }
        }
    }

    /// Bytes taken, roughly.
    pub fn memory_usage(&self) -> usize {
        fn of(node: &Node) -> usize {
            match node {
                Node::Leaf(items) => items.capacity() * size_of::<u32>(),
                Node::Inner(children) => {
                    children.capacity() * size_of::<Child>()
                        + children.iter().map(|c| size_of::<Node>() + of(&c.node)).sum::<usize>()
                }
            }
        }
        of(&self.root)
    }
}

/// Inserts below `node`; the right half comes back when it had to be split.
fn insert(node: &mut Node, position: usize, item: u32) -> Option<Child> {
    match node {
        Node::Leaf(items) => {
            items.insert(position, item);
            (items.len() > CAPACITY).then(|| {
                // Appending at the end is the common case of a growing set: leave the left leaf nearly full.
                let at = if position + 1 == items.len() { CAPACITY } else { CAPACITY / 2 };
                Child::of(Node::Leaf(items.split_off(at)))
            })
        }
        Node::Inner(children) => {
            let mut left = position;
            let mut index = 0;
            while index + 1 < children.len() && left > children[index].count {
                left -= children[index].count;
                index += 1;
            }
            let child = &mut children[index];
            let split = insert(&mut child.node, left, item);
            child.count += 1;
            if left == 0 {
                child.first = item;
            }
            if let Some(right) = split {
                child.count -= right.count;
                children.insert(index + 1, right);
            }
            (children.len() > CAPACITY).then(|| Child::of(Node::Inner(children.split_off(CAPACITY / 2))))
        }
    }
}

fn remove(node: &mut Node, position: usize) -> u32 {
    match node {
        Node::Leaf(items) => items.remove(position),
        Node::Inner(children) => {
            let mut left = position;
            let mut index = 0;
            while left >= children[index].count {
                left -= children[index].count;
                index += 1;
            }
            let child = &mut children[index];
            let item = remove(&mut child.node, left);
            child.count -= 1;
            if child.count == 0 {
                children.remove(index);
            } else {
                if left == 0 {
                    child.first = first(&child.node);
                }
                merge_if_sparse(children, index);
            }
            item
        }
    }
}

fn first(node: &Node) -> u32 {
    match node {
        Node::Leaf(items) => items[0],
        Node::Inner(children) => children[0].first,
    }
}

fn size(node: &Node) -> usize {
    match node {
        Node::Leaf(items) => items.len(),
        Node::Inner(children) => children.len(),
    }
}

/// Merges a sparse child with its right (or left) neighbour if both fit into one node.
fn merge_if_sparse(children: &mut Vec<Child>, index: usize) {
    if size(&children[index].node) >= SPARSE || children.len() < 2 {
        return;
    }
    let left = if index + 1 < children.len() { index } else { index - 1 };
    if size(&children[left].node) + size(&children[left + 1].node) > CAPACITY {
        return;
    }
    let right = children.remove(left + 1);
    let into = &mut children[left];
    into.count += right.count;
    match (&mut *into.node, *right.node) {
        (Node::Leaf(items), Node::Leaf(more)) => items.extend(more),
        (Node::Inner(inner), Node::Inner(more)) => inner.extend(more),
        // All leaves stand on one level.
        _ => unreachable!("siblings are of one kind"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn behaves_as_a_vector(operations in proptest::collection::vec((0u8..10, any::<u32>()), 1..1500), grow in any::<bool>()) {
            let (mut tree, mut model) = (OrderTree::default(), Vec::new());
            for (kind, value) in operations {
                let insert = if grow { kind < 8 } else { kind < 5 };
                if kind == 9 && !model.is_empty() {
                    let at = value as usize % model.len();
                    tree.set(at, value);
                    model[at] = value;
                } else if insert || model.is_empty() {
                    let at = value as usize % (model.len() + 1);
                    tree.insert(at, value);
                    model.insert(at, value);
                } else {
                    let at = value as usize % model.len();
                    prop_assert_eq!(tree.remove(at), model.remove(at));
                }
                prop_assert_eq!(tree.len, model.len());
            }
            prop_assert_eq!(&tree.iter_from(0).collect::<Vec<_>>(), &model);
            let middle = model.len() / 2;
            prop_assert_eq!(tree.iter_back_from(middle).collect::<Vec<_>>(), model[..middle].iter().rev().copied().collect::<Vec<_>>());
            prop_assert_eq!(tree.iter_from(middle).next(), model.get(middle).copied());
        }

        #[test]
        fn first_items_stay_true(operations in proptest::collection::vec((0u8..3, any::<u32>()), 1..3000)) {
            // The first items of inner nodes guide a search: keep the sequence sorted, and let searches do the placing.
            let (mut tree, mut model) = (OrderTree::default(), Vec::new());
            for (kind, value) in operations {
                let at = tree.partition_point(|item| item < value);
                prop_assert_eq!(at, model.partition_point(|item| *item < value));
                match kind {
                    0 if at < model.len() => {
                        tree.remove(at);
                        model.remove(at);
                    }
                    1 if at < model.len() => {
                        tree.set(at, value);
                        model[at] = value;
                    }
                    _ => {
                        tree.insert(at, value);
                        model.insert(at, value);
                    }
                }
            }
        }

        #[test]
        fn partition_point_finds_the_border(mut values in proptest::collection::vec(any::<u32>(), 0..1000), border in any::<u32>()) {
            values.sort_unstable();
            let mut tree = OrderTree::default();
            for (position, value) in values.iter().enumerate() {
                tree.insert(position, *value);
            }
            prop_assert_eq!(tree.partition_point(|v| v < border), values.partition_point(|v| *v < border));
        }
    }
}
