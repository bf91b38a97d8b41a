//! Commands about a cluster. This server is none's member, and says so as a server whose cluster support is disabled does.

mod nodes;
mod slots;

use crate::engine::{Command, CommandResult, Context};
use crate::resp::WireError;

/// The commands of this group, by file.
pub const GROUP: &[&[Command]] = &[nodes::ROWS, slots::ROWS];

fn disabled(_: &mut Context<'_>) -> CommandResult {
    Err(WireError::fixed("ERR This instance has cluster support disabled"))
}
