//! The connection itself.

pub mod auth;
pub mod basic;
pub mod client;
pub mod filter;
pub mod kill;
pub mod list;
pub mod modes;
pub mod pause;
pub mod tracking;

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] =
    &[auth::ROWS, basic::ROWS, client::ROWS, kill::ROWS, list::ROWS, modes::ROWS, pause::ROWS, tracking::ROWS];
