//! What subcommands have in common.

use crate::data::stream::c_text;
use crate::engine::Context;
use crate::resp::WireError;

/// Bytes of a subcommand's name that errors show.
const SHOWN_BYTES: usize = 128;

/// The error for arguments that a subcommand does not take though its row allows their number; the name is shown as it was given, up to
/// a NUL.
pub fn wrong_arguments(ctx: &Context<'_>) -> WireError {
    let container = ctx.command.spec.name.split('|').next().unwrap_or_default().to_ascii_uppercase();
    let name = c_text(ctx.args.at(1));
    WireError::quoting(&[
        b"ERR unknown subcommand or wrong number of arguments for '",
        &name[..name.len().min(SHOWN_BYTES)],
        b"'. Try ",
        container.as_bytes(),
        b" HELP.",
    ])
}
