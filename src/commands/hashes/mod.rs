//! Hashes.

pub mod counters;
pub mod read;
pub mod scan;
pub mod write;

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] = &[counters::ROWS, read::ROWS, scan::ROWS, write::ROWS];
