//! Hashes.

pub mod counters;
pub mod expire;
mod fields;
pub mod read;
pub mod scan;
pub mod set_ex;
pub mod take;
pub mod ttl;
pub mod write;

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] =
    &[counters::ROWS, expire::ROWS, read::ROWS, scan::ROWS, set_ex::ROWS, take::ROWS, ttl::ROWS, write::ROWS];
