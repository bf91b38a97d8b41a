//! Reading by ID: XRANGE, XREVRANGE, XLEN.

use super::{syntax, write_entry};
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::data::stream::{Entry, Stream};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::{Reply, WireError};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "xlen",
            arity: 2,
            flags: flags![READONLY, FAST],
            categories: Categories::STREAM,
            keys: keys::FIRST_RO,
            group: Group::Stream,
            since: "5.0.0",
            summary: "Counts the entries of a stream.",
            complexity: "O(1)",
            args: "key:key",
            ..Spec::BASE
        },
        run: xlen,
    },
    Command {
        spec: Spec {
            name: "xrange",
            arity: -4,
            flags: flags![READONLY],
            categories: Categories::STREAM,
            keys: keys::FIRST_READ,
            group: Group::Stream,
            since: "5.0.0",
            summary: "Reads the entries between two IDs.",
            complexity: "O(N) with N being the number of elements being returned. If N is constant (e.g. always \
                asking for the first 10 elements with COUNT), you can consider it O(1).",
            history: &[("6.2.0", "Added exclusive ranges.")],
            args: "key:key start:string end:string count?=COUNT:integer",
            ..Spec::BASE
        },
        run: xrange,
    },
    Command {
        spec: Spec {
            name: "xrevrange",
            arity: -4,
            flags: flags![READONLY],
            categories: Categories::STREAM,
            keys: keys::FIRST_READ,
            group: Group::Stream,
            since: "5.0.0",
            summary: "Reads the entries between two IDs, newest first.",
            complexity: "O(N) with N being the number of elements returned. If N is constant (e.g. always asking for \
                the first 10 elements with COUNT), you can consider it O(1).",
            history: &[("6.2.0", "Added exclusive ranges.")],
            args: "key:key end:string start:string count?=COUNT:integer",
            ..Spec::BASE
        },
        run: xrevrange,
    },
];

pub(super) fn xlen(ctx: &mut Context<'_>) -> CommandResult {
    let length = ctx.keys.read::<Stream>(ctx.args.at(1))?.map_or(0, Stream::len);
    ctx.done_int(length as i64)
}

pub(super) fn xrange(ctx: &mut Context<'_>) -> CommandResult {
    range(ctx, false)
}

pub(super) fn xrevrange(ctx: &mut Context<'_>) -> CommandResult {
    range(ctx, true)
}

fn range(ctx: &mut Context<'_>, reverse: bool) -> CommandResult {
    let (start_at, end_at) = if reverse { (3, 2) } else { (2, 3) };
    let start = syntax::interval_start(ctx.args.at(start_at))?;
    let end = syntax::interval_end(ctx.args.at(end_at))?;
    let count = parse_count(ctx)?;
    let Some(stream) = ctx.keys.read::<Stream>(ctx.args.at(1))? else {
        ctx.reply.array(0);
        return Ok(Outcome::Done);
    };
    let entries = stream.log.range(start, end);
    match (count, reverse) {
        (Some(0), _) => ctx.reply.null_array(),
        (_, false) => write_entries(&mut ctx.reply, entries, count),
        (_, true) => write_entries(&mut ctx.reply, entries.backwards(), count),
    }
    Ok(Outcome::Done)
}

/// COUNT: `None` without, 0 for a negative one.
fn parse_count(ctx: &Context<'_>) -> Result<Option<usize>, WireError> {
    let (mut count, mut index) = (None, 4);
    while index < ctx.args.len() {
        if index + 1 == ctx.args.len() || !ctx.args.is(index, "COUNT") {
            return ctx.syntax();
        }
        count = Some(ctx.int(index + 1)?.max(0) as usize);
        index += 2;
    }
    Ok(count)
}

/// Writes an array of up to `count` entries.
pub(super) fn write_entries<'a>(reply: &mut Reply<'_>, entries: impl Iterator<Item = Entry<'a>>, count: Option<usize>) {
    let mark = reply.deferred();
    let mut written = 0;
    for entry in entries.take(count.unwrap_or(usize::MAX)) {
        write_entry(reply, &entry);
        written += 1;
    }
    reply.end_array(mark, written);
}
