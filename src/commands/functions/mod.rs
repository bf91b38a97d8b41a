//! Functions: FCALL and its kin, and FUNCTION.

mod call;
mod dump;
mod load;
mod payload;
mod report;

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] = &[call::ROWS, dump::ROWS, load::ROWS, report::ROWS];
