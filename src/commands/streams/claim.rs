//! Taking over pending entries by ID: XCLAIM.

use super::member::Member;
use super::replay::GroupName;
use super::{no_group, now_ms, shown, syntax, write_entry, write_id};
use crate::base::number::parse_i64;
use crate::catalog::{Categories, Group as CommandGroup, Spec, flags, keys};
use crate::data::stream::{Pending, Stream, StreamId};
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "xclaim",
        arity: -6,
        flags: flags![WRITE, FAST],
        categories: Categories::STREAM,
        keys: keys::FIRST_CHANGE,
        group: CommandGroup::Stream,
        since: "5.0.0",
        summary: "Takes over given pending entries for a consumer.",
        complexity: "O(log N) with N being the number of messages in the PEL of the consumer group.",
        tips: &["nondeterministic_output"],
        args: "key:key group:string consumer:string min-idle-time:string id*:string ms?=IDLE:integer \
                unix-time-milliseconds?=TIME:unix-time count?=RETRYCOUNT:integer force?=FORCE justid?=JUSTID \
                lastid?=LASTID:string",
        ..Spec::BASE
    },
    run: xclaim,
}];

/// What XCLAIM is asked to do.
struct Claim {
    min_idle_ms: i64,
    ids: Vec<StreamId>,
    /// IDLE or TIME, as an instant that is not in the future; now without.
    delivered_at: i64,
    /// RETRYCOUNT.
    deliveries: Option<u64>,
    force: bool,
    just_id: bool,
    last_id: StreamId,
}

impl Claim {
    fn parse(ctx: &Context<'_>, now: i64) -> Result<Self, WireError> {
        const MIN_IDLE: WireError = WireError::fixed("ERR Invalid min-idle-time argument for XCLAIM");
        const IDLE: WireError = WireError::fixed("ERR Invalid IDLE option argument for XCLAIM");
        const TIME: WireError = WireError::fixed("ERR Invalid TIME option argument for XCLAIM");
        const RETRY_COUNT: WireError = WireError::fixed("ERR Invalid RETRYCOUNT option argument for XCLAIM");
        let int = |index: usize, error: WireError| parse_i64(ctx.args.at(index)).ok_or(error);
        let min_idle_ms = int(4, MIN_IDLE)?.max(0);
        // Options begin where an argument is no ID.
        let ids: Vec<StreamId> = ctx.args.from(5).map_while(|text| syntax::id(text).ok()).collect();
        let mut claim = Self {
            min_idle_ms,
            delivered_at: now,
            deliveries: None,
            force: false,
            just_id: false,
            last_id: StreamId::MIN,
            ids,
        };
        let mut delivered_at = None;
        let mut index = 5 + claim.ids.len();
        while index < ctx.args.len() {
            let has_value = index + 1 < ctx.args.len();
            if ctx.args.is(index, "FORCE") {
                claim.force = true;
            } else if ctx.args.is(index, "JUSTID") {
                claim.just_id = true;
            } else if has_value && ctx.args.is(index, "IDLE") {
                index += 1;
                delivered_at = Some(now.wrapping_sub(int(index, IDLE)?));
            } else if has_value && ctx.args.is(index, "TIME") {
                index += 1;
                delivered_at = Some(int(index, TIME)?);
            } else if has_value && ctx.args.is(index, "RETRYCOUNT") {
                index += 1;
                claim.deliveries = u64::try_from(int(index, RETRY_COUNT)?).ok();
            } else if has_value && ctx.args.is(index, "LASTID") {
                index += 1;
                claim.last_id = syntax::id(ctx.args.at(index))?;
            } else {
                let option = shown(ctx.args.at(index));
                return Err(WireError::quoting(&[b"ERR Unrecognized XCLAIM option '", option, b"'"]));
            }
            index += 1;
        }
        // Clients may reckon with a clock that is ahead of ours: that is no error.
        claim.delivered_at = delivered_at.filter(|at| (0..=now).contains(at)).unwrap_or(now);
        Ok(claim)
    }
}

pub(super) fn xclaim(ctx: &mut Context<'_>) -> CommandResult {
    let (key, group_name, consumer_name, now) = (ctx.args.at(1), ctx.args.at(2), ctx.args.at(3), now_ms(ctx));
    let group = ctx.keys.read::<Stream>(key)?.and_then(|stream| stream.groups.get(group_name));
    group.ok_or_else(|| no_group(key, group_name))?;
    let claim = Claim::parse(ctx, now)?;
    ctx.change.replay_nothing();
    let name = GroupName { key, group: group_name };
    let Some(Stream { log, groups }) = ctx.keys.write::<Stream>(key)? else { return ctx.syntax() };
    let Some(group) = groups.get_mut(group_name) else { return ctx.syntax() };
    // Told by what is replayed for an entry; by itself where there is none.
    let mut last_id_untold = claim.last_id > group.last_id;
    group.last_id = group.last_id.max(claim.last_id);
    let mut member = Member::new(group, consumer_name, now);

    let mark = ctx.reply.deferred();
    let mut claimed = 0;
    for id in claim.ids {
        let before = group.pending_at(id).copied();
        let Some(entry) = log.get(id) else {
            if let Some(before) = before {
                name.given(&mut ctx.change, group, id, &before);
                group.acknowledge(id);
                ctx.change.dirty(1);
                last_id_untold = false;
            }
            continue;
        };
        let deliveries = match before {
            Some(before) if claim.min_idle_ms > 0 && now.saturating_sub(before.delivered_at) < claim.min_idle_ms => {
                continue;
            }
            Some(before) => before.deliveries,
            None if claim.force => 1,
            None => continue,
        };
        let deliveries = claim.deliveries.unwrap_or(deliveries.wrapping_add(u64::from(!claim.just_id)));
        let consumer = member.join(group);
        let pending = Pending { consumer, delivered_at: claim.delivered_at, deliveries };
        group.give(id, pending);
        group.consumer_mut(consumer).active_at = Some(now);
        match claim.just_id {
            true => write_id(&mut ctx.reply, id),
            false => write_entry(&mut ctx.reply, &entry),
        }
        claimed += 1;
        name.given(&mut ctx.change, group, id, &pending);
        ctx.change.dirty(1);
        last_id_untold = false;
    }
    if last_id_untold {
        name.advanced(&mut ctx.change, group);
        ctx.change.dirty(1);
    }
    ctx.reply.end_array(mark, claimed);
    if member.is_new {
        ctx.change.dirty(1);
        ctx.notify(EventClass::STREAM, "xgroup-createconsumer", key);
    }
    Ok(Outcome::Done)
}
