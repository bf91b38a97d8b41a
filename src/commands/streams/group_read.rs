//! XREADGROUP, and XACK, which takes off what it gave.

use super::member::Member;
use super::read_options::ReadOptions;
use super::replay::GroupName;
use super::{now_ms, shown, syntax, write_entry, write_id};
use crate::catalog::{Categories, Group as CommandGroup, KeyFinder, KeyFlags, KeySpec, Spec, flags, keys};
use crate::data::stream::{ConsumerSlot, Group, Log, Pending, Stream, StreamId, c_text};
use crate::engine::{Change, Command, CommandResult, Context, EventClass, Outcome};
use crate::resp::{Protocol, Reply, WireError};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "xack",
            arity: -4,
            flags: flags![WRITE, FAST],
            categories: Categories::STREAM,
            keys: keys::FIRST_CHANGE,
            group: CommandGroup::Stream,
            since: "5.0.0",
            summary: "Marks entries of a consumer group as handled.",
            complexity: "O(1) for each message ID processed.",
            args: "key:key group:string id*:string",
            ..Spec::BASE
        },
        run: xack,
    },
    Command {
        spec: Spec {
            name: "xreadgroup",
            arity: -7,
            flags: flags![WRITE, BLOCKING],
            categories: Categories::STREAM,
            keys: &[KeySpec::keyword("STREAMS", 4, KeyFlags::READ).range(-1, 1, 2)],
            finder: KeyFinder::Streams,
            group: CommandGroup::Stream,
            since: "5.0.0",
            summary: "Reads new or pending entries as a consumer, waiting if asked.",
            complexity: "For each stream mentioned: O(M) with M being the number of elements returned. If M is \
                constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1). On the \
                other side when XREADGROUP blocks, XADD will pay the O(N) time in order to serve the N clients \
                blocked on the stream getting new data.",
            args: "group-block=GROUP:(group:string consumer:string) count?=COUNT:integer milliseconds?=BLOCK:integer \
                noack?=NOACK streams=STREAMS:(key*:key id*:string)",
            ..Spec::BASE
        },
        run: xreadgroup,
    },
];

/// Which entries of a stream are asked for.
#[derive(Clone, Copy)]
enum Wanted {
    /// `>`: those that nobody of the group has been given.
    New,
    /// Those the consumer was given and has not acknowledged, behind an ID.
    History(StreamId),
}

pub(super) fn xreadgroup(ctx: &mut Context<'_>) -> CommandResult {
    const NO_GROUP_OPTION: WireError = WireError::fixed("ERR Missing GROUP option for XREADGROUP");
    let options = ReadOptions::parse(ctx, true)?;
    let (group_name, consumer_name) = options.group.ok_or(NO_GROUP_OPTION)?;
    let mut wanted = Vec::with_capacity(options.len());
    for (key, id) in options.streams(ctx) {
        let stream = ctx.keys.read::<Stream>(key)?;
        if stream.is_none_or(|stream| stream.groups.get(group_name).is_none()) {
            return Err(no_group_to_read(key, group_name));
        }
        wanted.push(parse_wanted(id)?);
    }
    ctx.change.replay_nothing();
    let (now, protocol) = (now_ms(ctx), ctx.reply.protocol);
    let mark = ctx.reply.deferred();
    let mut found = 0;
    for ((key, _), wanted) in options.streams(ctx).zip(wanted) {
        let Some(Stream { log, groups }) = ctx.keys.write::<Stream>(key)? else { continue };
        let Some(group) = groups.get_mut(group_name) else { continue };
        let name = GroupName { key, group: group_name };
        let mut member = Member::new(group, consumer_name, now);
        let has_new = log.last_entry_id().is_some_and(|last| last > group.last_id);
        let serves = has_new || matches!(wanted, Wanted::History(_));
        if serves {
            member.join(group);
        }
        if member.is_new {
            ctx.change.dirty(1);
            if options.no_ack {
                name.consumer_added(&mut ctx.change, consumer_name);
            }
        }
        if serves {
            found += 1;
            ctx.change.dirty(1);
            if protocol == Protocol::Resp2 {
                ctx.reply.array(2);
            }
            ctx.reply.bulk(key);
            let consumer = member.join(group);
            let mut reading = Reading { reply: &mut ctx.reply, change: &mut ctx.change, log, group, consumer, now };
            match wanted {
                Wanted::New => reading.new_entries(&name, &options),
                Wanted::History(behind) => reading.history(behind, options.count),
            }
        }
        if member.is_new {
            ctx.notify(EventClass::STREAM, "xgroup-createconsumer", key);
        }
    }
    match (found, protocol) {
        (0, _) => return options.wait(ctx, None),
        (_, Protocol::Resp2) => ctx.reply.end_array(mark, found),
        (_, Protocol::Resp3) => ctx.reply.end_map(mark, found),
    }
    Ok(Outcome::Done)
}

fn parse_wanted(id: &[u8]) -> Result<Wanted, WireError> {
    const MEANINGLESS: WireError = WireError::fixed(
        "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by \
         specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.",
    );
    match c_text(id) {
        b"$" => Err(MEANINGLESS),
        b">" => Ok(Wanted::New),
        // The highest ID stands for `>` inside Redis, and therefore outside, too.
        _ => Ok(syntax::id(id)?).map(|id| if id == StreamId::MAX { Wanted::New } else { Wanted::History(id) }),
    }
}

fn no_group_to_read(key: &[u8], group: &[u8]) -> WireError {
    WireError::quoting(&[
        b"NOGROUP No such key '",
        shown(key),
        b"' or consumer group '",
        shown(group),
        b"' in XREADGROUP with GROUP option",
    ])
}

/// A consumer reading one stream.
struct Reading<'r, 'o> {
    reply: &'r mut Reply<'o>,
    change: &'r mut Change,
    log: &'r Log,
    group: &'r mut Group,
    consumer: ConsumerSlot,
    /// Unix milliseconds.
    now: i64,
}

impl Reading<'_, '_> {
    /// Gives out entries behind the last one, and makes them pending unless they count as acknowledged at once.
    fn new_entries(&mut self, name: &GroupName<'_>, options: &ReadOptions<'_>) {
        let mark = self.reply.deferred();
        let mut written = 0;
        let start = self.group.last_id.next().unwrap_or(StreamId::MAX);
        for entry in self.log.range(start, StreamId::MAX).take(options.count.unwrap_or(usize::MAX)) {
            self.group.advance(self.log, entry.id);
            write_entry(self.reply, &entry);
            written += 1;
            if !options.no_ack {
                let pending = Pending { consumer: self.consumer, delivered_at: self.now, deliveries: 1 };
                self.group.give(entry.id, pending);
                self.group.consumer_mut(self.consumer).active_at = Some(self.now);
                name.given(self.change, self.group, entry.id, &pending);
            }
        }
        if options.no_ack && written > 0 {
            name.advanced(self.change, self.group);
        }
        self.reply.end_array(mark, written);
    }

    /// Gives out again what is pending with the consumer. Of an entry that is no longer there only the ID is left.
    fn history(&mut self, behind: StreamId, count: Option<usize>) {
        let start = behind.next().unwrap_or(StreamId::MAX);
        let pending = self.group.consumer(self.consumer).pending(start, StreamId::MAX);
        let ids: Vec<StreamId> = pending.take(count.unwrap_or(usize::MAX)).collect();
        self.reply.array(ids.len());
        for id in ids {
            let Some(entry) = self.log.get(id) else {
                self.reply.array(2);
                write_id(self.reply, id);
                self.reply.null_array();
                continue;
            };
            write_entry(self.reply, &entry);
            if let Some(pending) = self.group.pending_at(id).copied() {
                let deliveries = pending.deliveries.wrapping_add(1);
                self.group.give(id, Pending { delivered_at: self.now, deliveries, ..pending });
            }
        }
    }
}

pub(super) fn xack(ctx: &mut Context<'_>) -> CommandResult {
    let (key, group_name) = (ctx.args.at(1), ctx.args.at(2));
    let Some(stream) = ctx.keys.write::<Stream>(key)? else { return ctx.done_int(0) };
    let Some(group) = stream.groups.get_mut(group_name) else { return ctx.done_int(0) };
    // All IDs are read before anything is acknowledged.
    let ids = ctx.args.from(3).map(syntax::id).collect::<Result<Vec<_>, _>>()?;
    let acknowledged = ids.into_iter().filter(|id| group.acknowledge(*id)).count();
    ctx.change.dirty(acknowledged);
    ctx.done_int(acknowledged as i64)
}
