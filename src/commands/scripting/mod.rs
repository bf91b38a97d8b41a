//! Scripts: EVAL and its kin, and SCRIPT.

mod cache;
mod debugging;
mod eval;

pub(in crate::commands) use eval::{key_count, rules, show_to_monitors};

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] = &[cache::ROWS, eval::ROWS];
