//! How a value is laid out, for those who write it down as it is, and what is checked where such bytes come in.

use std::collections::HashSet;

use super::element::Element;
use super::intset::Intset;
use super::listpack::Listpack;

/// The layout of a set, a hash or a sorted set.
#[derive(Clone, Copy, Debug)]
pub enum Form<'a> {
    /// Integers in an intset.
    Ints(&'a Intset),
    /// Everything in a listpack.
    Packed(&'a Listpack),
    /// A table.
    Table,
}

/// Whether no two elements are the same text.
pub(super) fn all_distinct<'a>(elements: impl Iterator<Item = Element<'a>>) -> bool {
    let mut seen: HashSet<Vec<u8>, ahash::RandomState> = HashSet::default();
    elements.into_iter().all(|element| seen.insert(element.to_vec()))
}
