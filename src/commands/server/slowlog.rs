//! SLOWLOG: the last commands that took longer than a threshold.

use crate::base::number::parse_i64;
use crate::catalog::{Group, Spec, flags};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::metrics::LogEntry;
use crate::resp::{Reply, WireError};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "slowlog",
            arity: -2,
            flags: flags![CONTAINER],
            group: Group::Server,
            since: "2.2.12",
            summary: "Groups the commands about the log of slow commands.",
            complexity: "Depends on subcommand.",
            ..Spec::BASE
        },
        run: crate::commands::container,
    },
    Command {
        spec: Spec {
            name: "slowlog|get",
            arity: -2,
            flags: flags![ADMIN, LOADING, STALE],
            group: Group::Server,
            since: "2.2.12",
            summary: "Shows recent slow commands.",
            complexity: "O(N) where N is the number of entries returned",
            history: &[("4.0.0", "Added client IP address, port and name to the reply.")],
            tips: &["request_policy:all_nodes", "nondeterministic_output"],
            args: "count?:integer",
            ..Spec::BASE
        },
        run: slowlog_get,
    },
    Command {
        spec: Spec {
            name: "slowlog|len",
            arity: 2,
            flags: flags![ADMIN, LOADING, STALE],
            group: Group::Server,
            since: "2.2.12",
            summary: "Counts the entries of the slow log.",
            complexity: "O(1)",
            tips: &["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"],
            ..Spec::BASE
        },
        run: slowlog_len,
    },
    Command {
        spec: Spec {
            name: "slowlog|reset",
            arity: 2,
            flags: flags![ADMIN, LOADING, STALE],
            group: Group::Server,
            since: "2.2.12",
            summary: "Clears the slow log.",
            complexity: "O(N) where N is the number of entries in the slowlog",
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            ..Spec::BASE
        },
        run: slowlog_reset,
    },
    Command {
        spec: Spec {
            name: "slowlog|help",
            arity: 2,
            flags: flags![LOADING, STALE],
            group: Group::Server,
            since: "6.2.0",
            summary: "Lists what SLOWLOG can do.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: slowlog_help,
    },
];

/// Entries that GET answers when no number is given.
const DEFAULT_COUNT: usize = 10;

pub(super) fn slowlog_get(ctx: &mut Context<'_>) -> CommandResult {
    let count = if ctx.args.len() > 2 { count(ctx, 2)? } else { DEFAULT_COUNT };
    let entries = ctx.engine.slowlog.newest(count);
    reply_entries(&mut ctx.reply, &entries);
    Ok(Outcome::Done)
}

/// Argument `index` as a number of entries; -1 means all.
pub(super) fn count(ctx: &Context<'_>, index: usize) -> Result<usize, WireError> {
    const BAD_COUNT: WireError = WireError::fixed("ERR count should be greater than or equal to -1");
    match parse_i64(ctx.args.at(index)) {
        Some(-1) => Ok(usize::MAX),
        Some(count @ 0..) => Ok(count as usize),
        _ => Err(BAD_COUNT),
    }
}

/// Shows entries of a command log.
pub(super) fn reply_entries(reply: &mut Reply<'_>, entries: &[LogEntry]) {
    reply.array(entries.len());
    for entry in entries {
        reply.array(6);
        reply.int(entry.id as i64);
        reply.int(entry.at);
        reply.int(entry.value as i64);
        reply.array(entry.args.len());
        for argument in &entry.args {
            reply.bulk(argument);
        }
        reply.bulk(entry.peer.as_bytes());
        reply.bulk(&entry.name);
    }
}

pub(super) fn slowlog_len(ctx: &mut Context<'_>) -> CommandResult {
    ctx.done_int(ctx.engine.slowlog.len() as i64)
}

pub(super) fn slowlog_reset(ctx: &mut Context<'_>) -> CommandResult {
    ctx.engine.slowlog.clear();
    ctx.done_ok()
}

pub(super) fn slowlog_help(ctx: &mut Context<'_>) -> CommandResult {
    ctx.reply.help(
        "SLOWLOG",
        &[
            "GET [<count>]",
            "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
            "    Entries are made of:",
            "    id, timestamp, time in microseconds, arguments array, client IP and port,",
            "    client name",
            "LEN",
            "    Return the length of the slowlog.",
            "RESET",
            "    Reset the slowlog.",
        ],
    );
    Ok(Outcome::Done)
}
