//! Strings: GET, SET and their kin, counters, ranges; bitmaps stand in their own files.

pub mod basic;
pub mod counters;
pub mod lcs;
pub mod many;
pub mod options;
pub mod ranges;

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] = &[basic::ROWS, counters::ROWS, lcs::ROWS, many::ROWS, ranges::ROWS];
