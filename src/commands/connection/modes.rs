//! CLIENT REPLY.

use crate::catalog::{Categories, Group, Spec, flags};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::session::ReplyMode;

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "client|reply",
        arity: 3,
        flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL],
        categories: Categories::CONNECTION,
        group: Group::Connection,
        since: "3.2.0",
        summary: "Switches replies to this connection on, off, or off once.",
        complexity: "O(1)",
        args: "action:(on=ON | off=OFF | skip=SKIP)",
        ..Spec::BASE
    },
    run: client_reply,
}];

pub(super) fn client_reply(ctx: &mut Context<'_>) -> CommandResult {
    if ctx.args.is(2, "ON") {
        ctx.session.reply_mode = ReplyMode::On;
        ctx.reply.ok();
    } else if ctx.args.is(2, "OFF") {
        ctx.session.reply_mode = ReplyMode::Off;
    } else if ctx.args.is(2, "SKIP") {
        if ctx.session.reply_mode != ReplyMode::Off {
            ctx.session.reply_mode = ReplyMode::SkipNext;
        }
    } else {
        return ctx.syntax();
    }
    Ok(Outcome::Done)
}
