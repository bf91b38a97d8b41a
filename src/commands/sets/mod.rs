//! Sets.

pub mod combine;
pub mod members;
pub mod pick;
pub mod scan;

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] = &[combine::ROWS, members::ROWS, pick::ROWS, scan::ROWS];
