//! Taking over pending entries that have been idle: XAUTOCLAIM.

use super::member::Member;
use super::replay::GroupName;
use super::{no_group, now_ms, syntax, write_entry, write_id};
use crate::base::number::parse_i64;
use crate::catalog::{Categories, Group as CommandGroup, Spec, flags, keys};
use crate::data::stream::{Pending, Stream, StreamId};
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "xautoclaim",
        arity: -6,
        flags: flags![WRITE, FAST],
        categories: Categories::STREAM,
        keys: keys::FIRST_REMOVE,
        group: CommandGroup::Stream,
        since: "6.2.0",
        summary: "Takes over pending entries that were idle for too long.",
        complexity: "O(1) if COUNT is small.",
        history: &[(
            "7.0.0",
            "Added an element to the reply array, containing deleted entries the command cleared from \
                    the PEL",
        )],
        tips: &["nondeterministic_output"],
        args: "key:key group:string consumer:string min-idle-time:string start:string count?=COUNT:integer \
                justid?=JUSTID",
        ..Spec::BASE
    },
    run: xautoclaim,
}];

/// Pending entries looked at for each one that may be claimed.
const ATTEMPTS: i64 = 10;

/// What XAUTOCLAIM is asked to do.
struct Claim {
    min_idle_ms: i64,
    start: StreamId,
    /// The most entries to claim or to clear.
    count: i64,
    just_id: bool,
}

impl Claim {
    fn parse(ctx: &Context<'_>) -> Result<Self, WireError> {
        const MIN_IDLE: WireError = WireError::fixed("ERR Invalid min-idle-time argument for XAUTOCLAIM");
        const COUNT: WireError = WireError::fixed("ERR COUNT must be > 0");
        const MAX_COUNT: i64 = i64::MAX / size_of::<StreamId>() as i64;
        let min_idle_ms = parse_i64(ctx.args.at(4)).ok_or(MIN_IDLE)?.max(0);
        let start = syntax::interval_start(ctx.args.at(5))?;
        let mut claim = Self { min_idle_ms, start, count: 100, just_id: false };
        let mut index = 6;
        while index < ctx.args.len() {
            if index + 1 < ctx.args.len() && ctx.args.is(index, "COUNT") {
                index += 1;
                claim.count = ctx.int_in(index, 1..=MAX_COUNT, COUNT)?;
            } else if ctx.args.is(index, "JUSTID") {
                claim.just_id = true;
            } else {
                return ctx.syntax();
            }
            index += 1;
        }
        Ok(claim)
    }
}

pub(super) fn xautoclaim(ctx: &mut Context<'_>) -> CommandResult {
    let (key, group_name, consumer_name, now) = (ctx.args.at(1), ctx.args.at(2), ctx.args.at(3), now_ms(ctx));
    let claim = Claim::parse(ctx)?;
    let missing = || no_group(key, group_name);
    let Stream { log, groups } = ctx.keys.write::<Stream>(key)?.ok_or_else(missing)?;
    let group = groups.get_mut(group_name).ok_or_else(missing)?;
    ctx.change.replay_nothing();
    let name = GroupName { key, group: group_name };
    let mut member = Member::new(group, consumer_name, now);

    // The cursor comes first in the reply, but is known last.
    let start_of_entries = ctx.reply.position();
    let mark = ctx.reply.deferred();
    let (mut claimed, mut gone) = (0, Vec::new());
    let (mut next, mut count, mut attempts) = (Some(claim.start), claim.count, claim.count.saturating_mul(ATTEMPTS));
    while let Some(from) = next.filter(|_| attempts > 0 && count > 0) {
        attempts -= 1;
        let Some((id, before)) = group.pending(from, StreamId::MAX).next().map(|(id, pending)| (id, *pending)) else {
            next = None;
            break;
        };
        next = id.next();
        let Some(entry) = log.get(id) else {
            name.given(&mut ctx.change, group, id, &before);
            group.acknowledge(id);
            ctx.change.dirty(1);
            gone.push(id);
            count -= 1;
            continue;
        };
        if claim.min_idle_ms > 0 && now.saturating_sub(before.delivered_at) < claim.min_idle_ms {
            continue;
        }
        let deliveries = before.deliveries.wrapping_add(u64::from(!claim.just_id));
        let consumer = member.join(group);
        let pending = Pending { consumer, delivered_at: now, deliveries };
        group.give(id, pending);
        group.consumer_mut(consumer).active_at = Some(now);
        match claim.just_id {
            true => write_id(&mut ctx.reply, id),
            false => write_entry(&mut ctx.reply, &entry),
        }
        claimed += 1;
        count -= 1;
        name.given(&mut ctx.change, group, id, &pending);
        ctx.change.dirty(1);
    }
    let cursor = next.and_then(|from| group.pending(from, StreamId::MAX).next()).map_or(StreamId::MIN, |(id, _)| id);
    ctx.reply.end_array(mark, claimed);
    put_in_front(ctx, start_of_entries, cursor);
    ctx.reply.array(gone.len());
    for id in gone {
        write_id(&mut ctx.reply, id);
    }
    if member.is_new {
        ctx.change.dirty(1);
        ctx.notify(EventClass::STREAM, "xgroup-createconsumer", key);
    }
    Ok(Outcome::Done)
}

/// Puts the head of the reply, an array of three that begins with the cursor, in front of the entries.
fn put_in_front(ctx: &mut Context<'_>, start: usize, cursor: StreamId) {
    let entries = ctx.reply.since(start).to_vec();
    ctx.reply.rewind(start);
    ctx.reply.array(3);
    write_id(&mut ctx.reply, cursor);
    ctx.reply.raw(&entries);
}
