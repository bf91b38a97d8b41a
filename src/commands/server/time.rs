//! TIME.

use crate::base::clock::unix_micros;
use crate::catalog::{Group, Spec, flags};
use crate::engine::{Command, CommandResult, Context, Outcome};

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "time",
        arity: 1,
        flags: flags![LOADING, STALE, FAST],
        group: Group::Server,
        since: "2.6.0",
        summary: "Reads the server's clock.",
        complexity: "O(1)",
        tips: &["nondeterministic_output"],
        ..Spec::BASE
    },
    run: time,
}];

pub(super) fn time(ctx: &mut Context<'_>) -> CommandResult {
    // The engine's clock counts milliseconds; this is the one command that promises more.
    let micros = unix_micros();
    ctx.reply.array(2);
    ctx.reply.bulk_int(micros.div_euclid(1_000_000));
    ctx.reply.bulk_int(micros.rem_euclid(1_000_000));
    Ok(Outcome::Done)
}
