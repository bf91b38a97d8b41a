//! Value types: lists, sets, hashes, sorted sets, streams, with the encodings and the complexity that Redis documents.
//!
//! Knows nothing of keys, clients or replies. Small values are packed into one allocation (a listpack or an intset), large
//! ones become tables; [`Limits`] says where the change happens.

mod element;
mod encoding;
mod field_expiry;
mod form;
pub mod geo;
pub mod hash;
pub mod hyperloglog;
pub mod intset;
pub mod limits;
pub mod list;
pub mod listpack;
mod malformed;
mod mending;
mod order_tree;
mod quicklist;
mod sample;
pub mod set;
pub mod stream;
pub mod zset;

pub use element::Element;
pub use form::Form;
pub use malformed::Malformed;
pub use mending::Mending;

/// The positions of a dense array of `len` items that a scan visits next, and the cursor after it.
///
/// A scan goes from the end down: cursor `n` says that positions below `n` remain, 0 starts and ends.
fn scan_window(len: usize, cursor: u64, count: usize) -> (std::ops::Range<usize>, u64) {
    let end = if cursor == 0 { len } else { len.min(usize::try_from(cursor).unwrap_or(usize::MAX)) };
    let start = end.saturating_sub(count.max(1));
    (start..end, start as u64)
}
