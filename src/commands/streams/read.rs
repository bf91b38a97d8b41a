//! XREAD.

use super::range::write_entries;
use super::read_options::ReadOptions;
use super::syntax;
use crate::catalog::{Categories, Group, KeyFinder, KeyFlags, KeySpec, Spec, flags};
use crate::data::stream::{Stream, StreamId, c_text};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::{Protocol, WireError};

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "xread",
        arity: -4,
        flags: flags![READONLY, BLOCKING],
        categories: Categories::STREAM,
        keys: &[KeySpec::keyword("STREAMS", 1, KeyFlags::READ).range(-1, 1, 2)],
        finder: KeyFinder::Streams,
        group: Group::Stream,
        since: "5.0.0",
        summary: "Reads new entries of streams, waiting for some if asked.",
        args: "count?=COUNT:integer milliseconds?=BLOCK:integer streams=STREAMS:(key*:key id*:string)",
        ..Spec::BASE
    },
    run: xread,
}];

pub(super) fn xread(ctx: &mut Context<'_>) -> CommandResult {
    let options = ReadOptions::parse(ctx, false)?;
    let mut from_now = false;
    let mut behind = Vec::with_capacity(options.len());
    for (key, id) in options.streams(ctx) {
        let last_id = ctx.keys.read::<Stream>(key)?.map(|stream| stream.log.last_id());
        behind.push(match c_text(id) {
            b"$" => {
                from_now = true;
                last_id.unwrap_or_default()
            }
            b">" => return Err(ONLY_GROUP),
            _ => syntax::id(id)?,
        });
    }
    let found = write_streams(ctx, &options, &behind)?;
    if found > 0 {
        return Ok(Outcome::Done);
    }
    // `$` is an instant: waiting goes on from the IDs it stands for.
    let ids: Option<Vec<Vec<u8>>> = from_now.then(|| behind.iter().map(|id| id.to_string().into_bytes()).collect());
    options.wait(ctx, ids.as_deref())
}

/// A `>` outside a group.
const ONLY_GROUP: WireError = WireError::fixed(
    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
);

/// Writes the streams that have entries behind the IDs; how many they are.
fn write_streams(ctx: &mut Context<'_>, options: &ReadOptions<'_>, behind: &[StreamId]) -> Result<usize, WireError> {
    let mark = ctx.reply.deferred();
    let start = ctx.reply.position();
    let mut found = 0;
    for ((key, _), behind) in options.streams(ctx).zip(behind) {
        let Some(stream) = ctx.keys.read::<Stream>(key)? else { continue };
        let Some(first) = behind.next() else { continue };
        if stream.log.last_entry_id().is_none_or(|last| last < first) {
            continue;
        }
        found += 1;
        if ctx.reply.protocol == Protocol::Resp2 {
            ctx.reply.array(2);
        }
        ctx.reply.bulk(key);
        write_entries(&mut ctx.reply, stream.log.range(first, StreamId::MAX), options.count);
    }
    match (found, ctx.reply.protocol) {
        (0, _) => ctx.reply.rewind(start),
        (_, Protocol::Resp2) => ctx.reply.end_array(mark, found),
        (_, Protocol::Resp3) => ctx.reply.end_map(mark, found),
    }
    Ok(found)
}
