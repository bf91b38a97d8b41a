//! CLIENT PAUSE and CLIENT UNPAUSE.

use crate::base::clock::UnixMillis;
use crate::base::number::parse_i64;
use crate::catalog::{Categories, Group, Spec, flags};
use crate::engine::{Command, CommandResult, Context, PauseCause, PauseScope};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "client|pause",
            arity: -3,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, SENTINEL],
            categories: Categories::CONNECTION,
            group: Group::Connection,
            since: "3.0.0",
            summary: "Holds commands of clients back for a while.",
            complexity: "O(1)",
            history: &[("6.2.0", "`CLIENT PAUSE WRITE` mode added along with the `mode` option.")],
            args: "timeout:integer mode?:(write=WRITE | all=ALL)@6.2.0",
            ..Spec::BASE
        },
        run: client_pause,
    },
    Command {
        spec: Spec {
            name: "client|unpause",
            arity: 2,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, SENTINEL],
            categories: Categories::CONNECTION,
            group: Group::Connection,
            since: "6.2.0",
            summary: "Lets paused clients go on.",
            complexity: "O(N) Where N is the number of paused clients",
            ..Spec::BASE
        },
        run: client_unpause,
    },
];

pub(super) fn client_pause(ctx: &mut Context<'_>) -> CommandResult {
    let scope = match ctx.args.get(3) {
        None => PauseScope::All,
        Some(word) if word.eq_ignore_ascii_case(b"WRITE") => PauseScope::Writes,
        Some(word) if word.eq_ignore_ascii_case(b"ALL") => PauseScope::All,
        Some(_) => return Err(WireError::fixed("ERR CLIENT PAUSE mode must be WRITE or ALL")),
    };
    let millis = parse_i64(ctx.args.at(2)).ok_or(WireError::fixed("ERR timeout is not an integer or out of range"))?;
    if millis < 0 {
        return Err(WireError::NEGATIVE_TIMEOUT);
    }
    let until = millis.checked_add(ctx.now().0).ok_or(WireError::fixed("ERR timeout is out of range"))?;
    ctx.engine.pause.start(PauseCause::Command, scope, UnixMillis(until));
    ctx.done_ok()
}

pub(super) fn client_unpause(ctx: &mut Context<'_>) -> CommandResult {
    ctx.engine.pause.end(PauseCause::Command);
    ctx.done_ok()
}
