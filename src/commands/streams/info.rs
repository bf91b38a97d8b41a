//! What is known of a stream: XINFO.

use super::{info_full, no_group_of_key, now_ms, write_entry, write_id};
use crate::base::release::RELEASE;
use crate::catalog::{Categories, Group as CommandGroup, Spec, flags, keys};
use crate::commands::subcommand::wrong_arguments;
use crate::data::stream::{Group, Log, Stream, StreamId};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::{Reply, WireError};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "xinfo",
            arity: -2,
            flags: flags![CONTAINER],
            group: CommandGroup::Stream,
            since: "5.0.0",
            summary: "Groups the commands that describe streams.",
            complexity: "Depends on subcommand.",
            ..Spec::BASE
        },
        run: crate::commands::container,
    },
    Command {
        spec: Spec {
            name: "xinfo|stream",
            arity: -3,
            flags: flags![READONLY],
            categories: Categories::STREAM,
            keys: keys::SECOND_READ,
            group: CommandGroup::Stream,
            since: "5.0.0",
            summary: "Describes a stream.",
            complexity: "O(1)",
            history: &[
                ("6.0.0", "Added the `FULL` modifier."),
                (
                    "7.0.0",
                    "Added the `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, \
                    `entries-read` and `lag` fields",
                ),
                ("7.2.0", "Added the `active-time` field, and changed the meaning of `seen-time`."),
            ],
            args: "key:key full-block?:(full=FULL count?=COUNT:integer)",
            ..Spec::BASE
        },
        run: xinfo_stream,
    },
    Command {
        spec: Spec {
            name: "xinfo|groups",
            arity: 3,
            flags: flags![READONLY],
            categories: Categories::STREAM,
            keys: keys::SECOND_READ,
            group: CommandGroup::Stream,
            since: "5.0.0",
            summary: "Describes the groups of a stream.",
            complexity: "O(1)",
            history: &[("7.0.0", "Added the `entries-read` and `lag` fields")],
            args: "key:key",
            ..Spec::BASE
        },
        run: xinfo_groups,
    },
    Command {
        spec: Spec {
            name: "xinfo|consumers",
            arity: 4,
            flags: flags![READONLY],
            categories: Categories::STREAM,
            keys: keys::SECOND_READ,
            group: CommandGroup::Stream,
            since: "5.0.0",
            summary: "Describes the consumers of a group.",
            complexity: "O(1)",
            history: &[("7.2.0", "Added the `inactive` field.")],
            tips: &["nondeterministic_output"],
            args: "key:key group:string",
            ..Spec::BASE
        },
        run: xinfo_consumers,
    },
    Command {
        spec: Spec {
            name: "xinfo|help",
            arity: 2,
            flags: flags![LOADING, STALE],
            categories: Categories::STREAM,
            group: CommandGroup::Stream,
            since: "5.0.0",
            summary: "Lists what XINFO can do.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: xinfo_help,
    },
];

pub(super) fn xinfo_stream(ctx: &mut Context<'_>) -> CommandResult {
    let stream = ctx.keys.read::<Stream>(ctx.args.at(2))?.ok_or(WireError::NO_SUCH_KEY)?;
    let full = match ctx.args.len() {
        3 => None,
        4 | 6 if ctx.args.is(3, "FULL") => Some(full_count(ctx)?),
        _ => return Err(wrong_arguments(ctx)),
    };
    let reply = &mut ctx.reply;
    match full {
        None => {
            reply.map(10);
            write_counters(reply, &stream.log);
            reply.bulk(b"groups");
            reply.count(stream.groups.len());
            let all = || stream.log.range(StreamId::MIN, StreamId::MAX);
            for (name, entry) in [("first-entry", all().next()), ("last-entry", all().next_back())] {
                reply.bulk(name.as_bytes());
                match entry {
                    Some(entry) => write_entry(reply, &entry),
                    None => reply.null(),
                }
            }
        }
        Some(count) => {
            reply.map(9);
            write_counters(reply, &stream.log);
            info_full::write(reply, stream, count);
        }
    }
    Ok(Outcome::Done)
}

/// `FULL [COUNT n]`: how many entries of each list are shown, `None` for all.
fn full_count(ctx: &Context<'_>) -> Result<Option<usize>, WireError> {
    const DEFAULT: usize = 10;
    if ctx.args.len() == 4 {
        return Ok(Some(DEFAULT));
    }
    if !ctx.args.is(4, "COUNT") {
        return Err(wrong_arguments(ctx));
    }
    Ok(match ctx.int(5)? {
        ..0 => Some(DEFAULT),
        0 => None,
        count => Some(count as usize),
    })
}

/// The seven figures that come first.
fn write_counters(reply: &mut Reply<'_>, log: &Log) {
    reply.bulk(b"length");
    reply.count(log.len());
    reply.bulk(b"radix-tree-keys");
    reply.count(log.node_count());
    // There is no radix tree here; one with so many keys would have at least so many nodes.
    reply.bulk(b"radix-tree-nodes");
    reply.count(log.node_count() + 1);
    for (name, id) in [("last-generated-id", log.last_id()), ("max-deleted-entry-id", log.max_deleted_id())] {
        reply.bulk(name.as_bytes());
        write_id(reply, id);
    }
    reply.bulk(b"entries-added");
    reply.int(log.entries_added() as i64);
    reply.bulk(b"recorded-first-entry-id");
    write_id(reply, log.first_id());
}

pub(super) fn xinfo_groups(ctx: &mut Context<'_>) -> CommandResult {
    let Stream { log, groups } = ctx.keys.read::<Stream>(ctx.args.at(2))?.ok_or(WireError::NO_SUCH_KEY)?;
    let reply = &mut ctx.reply;
    reply.array(groups.len());
    for (name, group) in groups.iter() {
        reply.map(6);
        reply.bulk(b"name");
        reply.bulk(name);
        reply.bulk(b"consumers");
        reply.count(group.consumer_count());
        reply.bulk(b"pending");
        reply.count(group.pending_len());
        write_progress(reply, log, group);
    }
    Ok(Outcome::Done)
}

/// How far a group has read: three pairs.
pub(super) fn write_progress(reply: &mut Reply<'_>, log: &Log, group: &Group) {
    reply.bulk(b"last-delivered-id");
    write_id(reply, group.last_id);
    for (name, figure) in [("entries-read", group.entries_read.map(|read| read as i64)), ("lag", group.lag(log))] {
        reply.bulk(name.as_bytes());
        match figure {
            Some(figure) => reply.int(figure),
            None => reply.null(),
        }
    }
}

pub(super) fn xinfo_consumers(ctx: &mut Context<'_>) -> CommandResult {
    let (key, name, now) = (ctx.args.at(2), ctx.args.at(3), now_ms(ctx));
    let stream = ctx.keys.read::<Stream>(key)?.ok_or(WireError::NO_SUCH_KEY)?;
    let group = stream.groups.get(name).ok_or_else(|| no_group_of_key(name, key))?;
    let reply = &mut ctx.reply;
    reply.array(group.consumer_count());
    for consumer in group.consumers() {
        reply.map(if RELEASE.tells_activity() { 4 } else { 3 });
        reply.bulk(b"name");
        reply.bulk(consumer.name());
        reply.bulk(b"pending");
        reply.count(consumer.pending_len());
        reply.bulk(b"idle");
        reply.int(now.saturating_sub(consumer.seen_at).max(0));
        if RELEASE.tells_activity() {
            reply.bulk(b"inactive");
            reply.int(consumer.active_at.map_or(-1, |at| now.saturating_sub(at)));
        }
    }
    Ok(Outcome::Done)
}

pub(super) fn xinfo_help(ctx: &mut Context<'_>) -> CommandResult {
    ctx.reply.help(
        "XINFO",
        &[
            "CONSUMERS <key> <groupname>",
            "    Show consumers of <groupname>.",
            "GROUPS <key>",
            "    Show the stream consumer groups.",
            "STREAM <key> [FULL [COUNT <count>]",
            "    Show information about the stream.",
        ],
    );
    Ok(Outcome::Done)
}
