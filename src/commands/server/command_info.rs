//! COMMAND, COMMAND COUNT, COMMAND INFO: what commands are, as clients and proxies read it.

use crate::catalog::{BeginSearch, FindKeys, KeySpec};
use crate::catalog::{Categories, Group, Spec, flags};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::Reply;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "command",
            arity: -1,
            flags: flags![LOADING, STALE, SENTINEL, CONTAINER],
            categories: Categories::CONNECTION,
            group: Group::Server,
            since: "2.8.13",
            summary: "Describes all commands; groups the commands about commands.",
            complexity: "O(N) where N is the total number of Redis commands",
            tips: &["nondeterministic_output_order"],
            ..Spec::BASE
        },
        run: command,
    },
    Command {
        spec: Spec {
            name: "command|count",
            arity: 2,
            flags: flags![LOADING, STALE, SENTINEL],
            categories: Categories::CONNECTION,
            group: Group::Server,
            since: "2.8.13",
            summary: "Tells how many commands there are.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: command_count,
    },
    Command {
        spec: Spec {
            name: "command|info",
            arity: -2,
            flags: flags![LOADING, STALE, SENTINEL],
            categories: Categories::CONNECTION,
            group: Group::Server,
            since: "2.8.13",
            summary: "Describes some or all commands for clients.",
            complexity: "O(N) where N is the number of commands to look up",
            history: &[("7.0.0", "Allowed to be called with no argument to get info on all commands.")],
            tips: &["nondeterministic_output_order"],
            args: "command-name?*:string",
            ..Spec::BASE
        },
        run: command_info,
    },
    Command {
        spec: Spec {
            name: "command|help",
            arity: 2,
            flags: flags![LOADING, STALE, SENTINEL],
            categories: Categories::CONNECTION,
            group: Group::Server,
            since: "5.0.0",
            summary: "Lists what COMMAND can do.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: command_help,
    },
];

/// Each command that is no subcommand.
pub(super) fn top_level<'c>(ctx: &Context<'c>) -> impl Iterator<Item = &'static Command> + Clone + use<'c> {
    ctx.engine.table.offered().filter(|command| command.spec.container().is_none())
}

/// Each subcommand of a container.
pub(super) fn subcommands(
    rows: &'static [&'static Command],
    container: &'static str,
) -> impl Iterator<Item = &'static Command> + Clone {
    rows.iter().copied().filter(move |command| command.spec.container() == Some(container))
}

/// The command with a name (`config|get` for a subcommand).
pub(super) fn named(ctx: &Context<'_>, name: &[u8]) -> Option<&'static Command> {
    ctx.engine.table.position(name).map(|position| ctx.engine.table.row(position))
}

/// Names as a set of simple strings.
pub(super) fn reply_names<'n>(reply: &mut Reply<'_>, names: impl Iterator<Item = &'n str>) {
    let mark = reply.deferred();
    let mut count = 0;
    for name in names {
        reply.status(name);
        count += 1;
    }
    reply.end_set(mark, count);
}

pub(super) fn command(ctx: &mut Context<'_>) -> CommandResult {
    let commands = top_level(ctx);
    ctx.reply.array(commands.clone().count());
    for command in commands {
        reply_info(&mut ctx.reply, ctx.engine.table.rows(), command);
    }
    Ok(Outcome::Done)
}

pub(super) fn command_count(ctx: &mut Context<'_>) -> CommandResult {
    let count = top_level(ctx).count();
    ctx.done_int(count as i64)
}

pub(super) fn command_info(ctx: &mut Context<'_>) -> CommandResult {
    if ctx.args.len() == 2 {
        return command(ctx);
    }
    ctx.reply.array(ctx.args.len() - 2);
    for name in ctx.args.from(2) {
        match named(ctx, name) {
            Some(command) => reply_info(&mut ctx.reply, ctx.engine.table.rows(), command),
            None => ctx.reply.null(),
        }
    }
    Ok(Outcome::Done)
}

fn reply_info(reply: &mut Reply<'_>, rows: &'static [&'static Command], command: &'static Command) {
    let spec = &command.spec;
    let range = spec.legacy_range();
    reply.array(10);
    reply.bulk(spec.name.as_bytes());
    reply.int(i64::from(spec.arity));
    reply_names(reply, spec.shown_flags());
    reply.int(i64::from(range.first));
    reply.int(i64::from(range.last));
    reply.int(i64::from(range.step));
    let categories: Vec<String> = spec.all_categories().names().map(|name| format!("@{name}")).collect();
    reply_names(reply, categories.iter().map(String::as_str));
    reply.set(spec.tips.len());
    for tip in spec.tips {
        reply.bulk(tip.as_bytes());
    }
    reply.set(spec.keys.len());
    for place in spec.keys {
        reply_key_spec(reply, place);
    }
    if !spec.is_container() {
        reply.set(0);
        return;
    }
    let subcommands = subcommands(rows, spec.name);
    reply.array(subcommands.clone().count());
    for subcommand in subcommands {
        reply_info(reply, rows, subcommand);
    }
}

fn reply_key_spec(reply: &mut Reply<'_>, place: &KeySpec) {
    reply.map(if place.notes.is_empty() { 3 } else { 4 });
    if !place.notes.is_empty() {
        reply.bulk(b"notes");
        reply.bulk(place.notes.as_bytes());
    }
    reply.bulk(b"flags");
    reply_names(reply, place.flags.names());
    reply.bulk(b"begin_search");
    match place.begin {
        BeginSearch::Index(position) => reply_rule(reply, "index", &[("index", position)]),
        BeginSearch::Keyword { word, from } => {
            reply_kind(reply, "keyword");
            reply.map(2);
            reply.bulk(b"keyword");
            reply.bulk(word.as_bytes());
            reply_number(reply, "startfrom", from);
        }
        BeginSearch::Unknown => reply_rule(reply, "unknown", &[]),
    }
    reply.bulk(b"find_keys");
    match place.find {
        FindKeys::Range { last, step, limit } => {
            reply_rule(reply, "range", &[("lastkey", last), ("keystep", step), ("limit", limit)]);
        }
        FindKeys::Keynum { count, first, step } => {
            reply_rule(reply, "keynum", &[("keynumidx", count), ("firstkey", first), ("keystep", step)]);
        }
        FindKeys::Unknown => reply_rule(reply, "unknown", &[]),
    }
}

/// A rule of which all parts are numbers.
fn reply_rule(reply: &mut Reply<'_>, kind: &str, parts: &[(&str, i32)]) {
    reply_kind(reply, kind);
    reply.map(parts.len());
    for (name, value) in parts {
        reply_number(reply, name, *value);
    }
}

/// The beginning of a rule; the map of its parts follows.
fn reply_kind(reply: &mut Reply<'_>, kind: &str) {
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(kind.as_bytes());
    reply.bulk(b"spec");
}

fn reply_number(reply: &mut Reply<'_>, name: &str, value: i32) {
    reply.bulk(name.as_bytes());
    reply.int(i64::from(value));
}

pub(super) fn command_help(ctx: &mut Context<'_>) -> CommandResult {
    ctx.reply.help(
        "COMMAND",
        &[
            "(no subcommand)",
            "    Return details about all Redis commands.",
            "COUNT",
            "    Return the total number of commands in this Redis server.",
            "LIST",
            "    Return a list of all commands in this Redis server.",
            "INFO [<command-name> ...]",
            "    Return details about multiple Redis commands.",
            "    If no command names are given, documentation details for all",
            "    commands are returned.",
            "DOCS [<command-name> ...]",
            "    Return documentation details about multiple Redis commands.",
            "    If no command names are given, documentation details for all",
            "    commands are returned.",
            "GETKEYS <full-command>",
            "    Return the keys from a full Redis command.",
            "GETKEYSANDFLAGS <full-command>",
            "    Return the keys and the access flags from a full Redis command.",
        ],
    );
    Ok(Outcome::Done)
}
