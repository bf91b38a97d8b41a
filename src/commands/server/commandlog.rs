//! COMMANDLOG: the last commands that were slow, had a large request or a large reply. The slow ones are those of SLOWLOG.

use super::slowlog::{count, reply_entries};
use crate::catalog::{Group, Spec, flags};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::metrics::CommandLog;
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "commandlog",
            arity: -2,
            flags: flags![CONTAINER],
            group: Group::Server,
            since: "8.1.0",
            summary: "Groups the commands about the logs of slow and large commands.",
            complexity: "Depends on subcommand.",
            ..Spec::BASE
        },
        run: crate::commands::container,
    },
    Command {
        spec: Spec {
            name: "commandlog|get",
            arity: 4,
            flags: flags![ADMIN, LOADING, STALE],
            group: Group::Server,
            since: "8.1.0",
            summary: "Shows recent slow or large commands.",
            complexity: "O(N) where N is the number of entries returned",
            tips: &["nondeterministic_output", "request_policy:all_nodes"],
            args: "count:integer type:(slow=SLOW | large-request=LARGE-REQUEST | large-reply=LARGE-REPLY)",
            ..Spec::BASE
        },
        run: commandlog_get,
    },
    Command {
        spec: Spec {
            name: "commandlog|len",
            arity: 3,
            flags: flags![ADMIN, LOADING, STALE],
            group: Group::Server,
            since: "8.1.0",
            summary: "Counts the entries of a log of commands.",
            complexity: "O(1)",
            tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:agg_sum"],
            args: "type:(slow=SLOW | large-request=LARGE-REQUEST | large-reply=LARGE-REPLY)",
            ..Spec::BASE
        },
        run: commandlog_len,
    },
    Command {
        spec: Spec {
            name: "commandlog|reset",
            arity: 3,
            flags: flags![ADMIN, LOADING, STALE],
            group: Group::Server,
            since: "8.1.0",
            summary: "Clears a log of commands.",
            complexity: "O(N) where N is the number of entries in the commandlog",
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            args: "type:(slow=SLOW | large-request=LARGE-REQUEST | large-reply=LARGE-REPLY)",
            ..Spec::BASE
        },
        run: commandlog_reset,
    },
    Command {
        spec: Spec {
            name: "commandlog|help",
            arity: 2,
            flags: flags![LOADING, STALE],
            group: Group::Server,
            since: "8.1.0",
            summary: "Lists what COMMANDLOG can do.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: commandlog_help,
    },
];

/// The log that argument `index` names.
fn log(ctx: &Context<'_>, index: usize) -> Result<&'static CommandLog, WireError> {
    match ctx.args.at(index).to_ascii_lowercase().as_slice() {
        b"slow" => Ok(&ctx.engine.slowlog),
        b"large-request" => Ok(&ctx.engine.large_requests),
        b"large-reply" => Ok(&ctx.engine.large_replies),
        _ => Err(WireError::fixed("ERR type should be one of the following: slow, large-request, large-reply")),
    }
}

pub(super) fn commandlog_get(ctx: &mut Context<'_>) -> CommandResult {
    let count = count(ctx, 2)?;
    let entries = log(ctx, 3)?.newest(count);
    reply_entries(&mut ctx.reply, &entries);
    Ok(Outcome::Done)
}

pub(super) fn commandlog_len(ctx: &mut Context<'_>) -> CommandResult {
    let len = log(ctx, 2)?.len();
    ctx.done_int(len as i64)
}

pub(super) fn commandlog_reset(ctx: &mut Context<'_>) -> CommandResult {
    log(ctx, 2)?.clear();
    ctx.done_ok()
}

pub(super) fn commandlog_help(ctx: &mut Context<'_>) -> CommandResult {
    ctx.reply.help(
        "COMMANDLOG",
        &[
            "GET <count> <type>",
            "    Show the newest <count> entries of a log, all with -1. Of each: number, Unix time,",
            "    microseconds (type slow) or bytes (large-request, large-reply), arguments,",
            "    address and name of the client.",
            "LEN <type>",
            "    How many entries a log has.",
            "RESET <type>",
            "    Clear a log.",
        ],
    );
    Ok(Outcome::Done)
}
