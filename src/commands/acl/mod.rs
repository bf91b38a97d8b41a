//! ACL: users, what they may do, and what they were refused.

pub mod ask;
pub mod edit;
pub mod log;
pub mod show;
pub mod storage;

use crate::resp::WireError;

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] = &[ask::ROWS, edit::ROWS, log::ROWS, show::ROWS, storage::ROWS];

/// The error for too many arguments of a subcommand whose arity allows them.
fn wrong_arguments(given: &[u8]) -> WireError {
    let given = String::from_utf8_lossy(&given[..given.len().min(128)]).into_owned();
    WireError::new(format!("ERR unknown subcommand or wrong number of arguments for '{given}'. Try ACL HELP."))
}
