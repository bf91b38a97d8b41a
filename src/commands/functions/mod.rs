//! Functions: FCALL and its kin, and FUNCTION.

mod call;
mod dump;
mod load;
mod payload;
mod report;

use crate::resp::WireError;

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] = &[call::ROWS, dump::ROWS, load::ROWS, report::ROWS];

/// The error for arguments that a subcommand does not take, as Redis words it where its own row allows them.
fn wrong_arguments(subcommand: &str) -> WireError {
    WireError::new(format!(
        "ERR unknown subcommand or wrong number of arguments for '{subcommand}'. Try FUNCTION HELP."
    ))
}
