//! Taking entries out, and setting the counters: XDEL, XTRIM, XSETID.

use super::syntax;
use super::trim_options::TrimOptions;
use crate::base::release::RELEASE;
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::data::stream::{Stream, StreamId};
use crate::engine::{Command, CommandResult, Context, EventClass};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "xdel",
            arity: -3,
            flags: flags![WRITE, FAST],
            categories: Categories::STREAM,
            keys: keys::FIRST_REMOVE,
            group: Group::Stream,
            since: "5.0.0",
            summary: "Deletes entries of a stream by ID.",
            complexity: "O(1) for each single item to delete in the stream, regardless of the stream size.",
            args: "key:key id*:string",
            ..Spec::BASE
        },
        run: xdel,
    },
    Command {
        spec: Spec {
            name: "xtrim",
            arity: -4,
            flags: flags![WRITE],
            categories: Categories::STREAM,
            keys: keys::FIRST_REMOVE,
            group: Group::Stream,
            since: "5.0.0",
            summary: "Shortens a stream from its old end.",
            complexity: "O(N), with N being the number of evicted entries. Constant times are very small however, \
                since entries are organized in macro nodes containing multiple entries that can be released with a \
                single deallocation.",
            history: &[("6.2.0", "Added the `MINID` trimming strategy and the `LIMIT` option.")],
            tips: &["nondeterministic_output"],
            args: "key:key trim:(strategy:(maxlen=MAXLEN | minid=MINID@6.2.0) operator?:(equal='=' | approximately=~) \
                threshold:string count?=LIMIT:integer@6.2.0)",
            ..Spec::BASE
        },
        run: xtrim,
    },
    Command {
        spec: Spec {
            name: "xsetid",
            arity: -3,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::STREAM,
            keys: keys::FIRST_CHANGE,
            group: Group::Stream,
            since: "5.0.0",
            summary: "Sets a stream's last ID; used in replication.",
            complexity: "O(1)",
            history: &[("7.0.0", "Added the `entries_added` and `max_deleted_entry_id` arguments.")],
            args: "key:key last-id:string entries-added?=ENTRIESADDED:integer@7.0.0 \
                max-deleted-id?=MAXDELETEDID:string@7.0.0",
            ..Spec::BASE
        },
        run: xsetid,
    },
];

pub(super) fn xdel(ctx: &mut Context<'_>) -> CommandResult {
    let key = ctx.args.at(1);
    let Some(stream) = ctx.keys.write::<Stream>(key)? else { return ctx.done_int(0) };
    // All IDs are read before anything is removed.
    let ids = ctx.args.from(2).map(syntax::id).collect::<Result<Vec<_>, _>>()?;
    let removed = ids.into_iter().filter(|id| stream.log.remove(*id)).count();
    if removed > 0 {
        ctx.change.dirty(removed);
        ctx.changed(EventClass::STREAM, "xdel", key);
    }
    ctx.done_int(removed as i64)
}

pub(super) fn xtrim(ctx: &mut Context<'_>) -> CommandResult {
    let options = TrimOptions::parse(ctx, false)?;
    let key = ctx.args.at(1);
    let Some(stream) = ctx.keys.write::<Stream>(key)? else { return ctx.done_int(0) };
    let removed = options.trim.map_or(0, |trim| stream.log.trim(trim));
    let threshold = options.exact_threshold(&stream.log);
    if removed > 0 {
        ctx.change.dirty(removed);
        ctx.changed(EventClass::STREAM, "xtrim", key);
        if options.is_approximate() {
            options.replay(ctx, &threshold, None);
        }
    }
    ctx.done_int(removed as i64)
}

/// What XSETID sets besides the last ID.
#[derive(Default)]
struct Counters {
    entries_added: Option<u64>,
    max_deleted_id: StreamId,
}

pub(super) fn xsetid(ctx: &mut Context<'_>) -> CommandResult {
    let last_id = syntax::id(ctx.args.at(2))?;
    let counters = parse_counters(ctx, last_id)?;
    let key = ctx.args.at(1);
    let log = &mut ctx.keys.write::<Stream>(key)?.ok_or(WireError::NO_SUCH_KEY)?.log;
    if RELEASE.keeps_above_deleted() && last_id < log.max_deleted_id() {
        return Err(WireError::fixed("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"));
    }
    if log.last_entry_id().is_some_and(|top| last_id < top) {
        return Err(WireError::fixed("ERR The ID specified in XSETID is smaller than the target stream top item"));
    }
    if counters.entries_added.is_some_and(|added| added < log.len() as u64) {
        return Err(WireError::fixed(
            "ERR The entries_added specified in XSETID is smaller than the target stream length",
        ));
    }
    let max_deleted_id = Some(counters.max_deleted_id).filter(|id| !id.is_zero());
    log.set_counters(last_id, counters.entries_added, max_deleted_id);
    ctx.change.dirty(1);
    ctx.notify(EventClass::STREAM, "xsetid", key);
    ctx.done_ok()
}

fn parse_counters(ctx: &Context<'_>, last_id: StreamId) -> Result<Counters, WireError> {
    const NOT_POSITIVE: WireError = WireError::fixed("ERR entries_added must be positive");
    const TOO_HIGH: WireError =
        WireError::fixed("ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
    let mut counters = Counters::default();
    let mut index = 3;
    while index < ctx.args.len() {
        let has_value = index + 1 < ctx.args.len();
        if has_value && ctx.args.is(index, "ENTRIESADDED") {
            let added = u64::try_from(ctx.int(index + 1)?).map_err(|_| NOT_POSITIVE)?;
            counters.entries_added = Some(added);
        } else if has_value && ctx.args.is(index, "MAXDELETEDID") {
            counters.max_deleted_id = syntax::id(ctx.args.at(index + 1))?;
            if last_id < counters.max_deleted_id {
                return Err(TOO_HIGH);
            }
        } else {
            return ctx.syntax();
        }
        index += 2;
    }
    Ok(counters)
}
