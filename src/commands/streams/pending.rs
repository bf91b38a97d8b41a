//! What a group has given out and not had acknowledged: XPENDING.

use super::{no_group, now_ms, syntax, write_id};
use crate::catalog::{Categories, Group as CommandGroup, Spec, flags, keys};
use crate::data::stream::{Group, Stream, StreamId};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::{Reply, WireError};

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "xpending",
        arity: -3,
        flags: flags![READONLY],
        categories: Categories::STREAM,
        keys: keys::FIRST_READ,
        group: CommandGroup::Stream,
        since: "5.0.0",
        summary: "Shows which entries of a group are still unacknowledged.",
        complexity: "O(N) with N being the number of elements returned, so asking for a small fixed number of \
                entries per call is O(1). O(M), where M is the total number of entries scanned when used with the \
                IDLE filter. When the command returns just the summary and the list of consumers is small, it runs in \
                O(1) time; otherwise, an additional O(N) time for iterating every consumer.",
        history: &[("6.2.0", "Added the `IDLE` option and exclusive range intervals.")],
        tips: &["nondeterministic_output"],
        args: "key:key group:string filters?:(min-idle-time?=IDLE:integer@6.2.0 start:string end:string \
                count:integer consumer?:string)",
        ..Spec::BASE
    },
    run: xpending,
}];

/// Which pending entries are asked for.
struct Filter<'a> {
    min_idle_ms: i64,
    start: StreamId,
    end: StreamId,
    count: usize,
    consumer: Option<&'a [u8]>,
}

impl<'a> Filter<'a> {
    /// Reads `[IDLE ms] start end count [consumer]`; `None` when only a summary is asked for.
    fn parse(ctx: &Context<'a>) -> Result<Option<Self>, WireError> {
        let first = match ctx.args.len() {
            3 => return Ok(None),
            6..=9 => 3,
            _ => return ctx.syntax(),
        };
        let (mut min_idle_ms, mut first) = (0, first);
        if ctx.args.is(3, "IDLE") {
            min_idle_ms = ctx.int(4)?;
            if ctx.args.len() < 8 {
                return ctx.syntax();
            }
            first += 2;
        }
        let count = ctx.int(first + 2)?.max(0) as usize;
        let start = syntax::interval_start(ctx.args.at(first))?;
        let end = syntax::interval_end(ctx.args.at(first + 1))?;
        Ok(Some(Self { min_idle_ms, start, end, count, consumer: ctx.args.get(first + 3) }))
    }
}

pub(super) fn xpending(ctx: &mut Context<'_>) -> CommandResult {
    let filter = Filter::parse(ctx)?;
    let (key, name, now) = (ctx.args.at(1), ctx.args.at(2), now_ms(ctx));
    let group = ctx.keys.read::<Stream>(key)?.and_then(|stream| stream.groups.get(name));
    let group = group.ok_or_else(|| no_group(key, name))?;
    match filter {
        None => summary(&mut ctx.reply, group),
        Some(filter) => list(&mut ctx.reply, group, &filter, now),
    }
    Ok(Outcome::Done)
}

fn summary(reply: &mut Reply<'_>, group: &Group) {
    reply.array(4);
    reply.count(group.pending_len());
    let mut ids = group.pending(StreamId::MIN, StreamId::MAX).map(|(id, _)| id);
    let Some(first) = ids.next() else {
        reply.null();
        reply.null();
        reply.null_array();
        return;
    };
    write_id(reply, first);
    write_id(reply, ids.next_back().unwrap_or(first));
    let busy = || group.consumers().filter(|consumer| consumer.pending_len() > 0);
    reply.array(busy().count());
    for consumer in busy() {
        reply.array(2);
        reply.bulk(consumer.name());
        reply.bulk_int(consumer.pending_len() as i64);
    }
}

fn list(reply: &mut Reply<'_>, group: &Group, filter: &Filter<'_>, now: i64) {
    let (mut all, mut own);
    let ids: &mut dyn Iterator<Item = StreamId> = match filter.consumer {
        None => {
            all = group.pending(filter.start, filter.end).map(|(id, _)| id);
            &mut all
        }
        Some(name) => {
            let consumer = group.find_consumer(name).map(|slot| group.consumer(slot));
            own = consumer.into_iter().flat_map(|consumer| consumer.pending(filter.start, filter.end));
            &mut own
        }
    };
    let mark = reply.deferred();
    let mut written = 0;
    while written < filter.count
        && let Some(id) = ids.next()
    {
        let Some(pending) = group.pending_at(id) else { continue };
        let idle_ms = now.saturating_sub(pending.delivered_at);
        if filter.min_idle_ms != 0 && idle_ms < filter.min_idle_ms {
            continue;
        }
        written += 1;
        reply.array(4);
        write_id(reply, id);
        reply.bulk(group.consumer(pending.consumer).name());
        reply.int(idle_ms.max(0));
        reply.int(pending.deliveries as i64);
    }
    reply.end_array(mark, written);
}
