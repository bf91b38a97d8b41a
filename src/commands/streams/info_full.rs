//! The part of XINFO STREAM … FULL that shows entries, groups and consumers.

use super::info::write_progress;
use super::range::write_entries;
use super::write_id;
use crate::base::release::RELEASE;
use crate::data::stream::{Consumer, Group, Stream, StreamId};
use crate::resp::Reply;

/// Writes two pairs, entries and groups; up to `count` items of each list.
pub(super) fn write(reply: &mut Reply<'_>, stream: &Stream, count: Option<usize>) {
    reply.bulk(b"entries");
    write_entries(reply, stream.log.range(StreamId::MIN, StreamId::MAX), count);
    let count = count.unwrap_or(usize::MAX);
    reply.bulk(b"groups");
    reply.array(stream.groups.len());
    for (name, group) in stream.groups.iter() {
        reply.map(7);
        reply.bulk(b"name");
        reply.bulk(name);
        write_progress(reply, &stream.log, group);
        write_pending(reply, group, count);
        reply.bulk(b"consumers");
        reply.array(group.consumer_count());
        for consumer in group.consumers() {
            write_consumer(reply, group, consumer, count);
        }
    }
}

fn write_pending(reply: &mut Reply<'_>, group: &Group, count: usize) {
    reply.bulk(b"pel-count");
    reply.count(group.pending_len());
    reply.bulk(b"pending");
    reply.array(group.pending_len().min(count));
    for (id, pending) in group.pending(StreamId::MIN, StreamId::MAX).take(count) {
        reply.array(4);
        write_id(reply, id);
        reply.bulk(group.consumer(pending.consumer).name());
        reply.int(pending.delivered_at);
        reply.int(pending.deliveries as i64);
    }
}

fn write_consumer(reply: &mut Reply<'_>, group: &Group, consumer: &Consumer, count: usize) {
    reply.map(if RELEASE.tells_activity() { 5 } else { 4 });
    reply.bulk(b"name");
    reply.bulk(consumer.name());
    reply.bulk(b"seen-time");
    reply.int(consumer.seen_at);
    if RELEASE.tells_activity() {
        reply.bulk(b"active-time");
        reply.int(consumer.active_at.unwrap_or(-1));
    }
    reply.bulk(b"pel-count");
    reply.count(consumer.pending_len());
    reply.bulk(b"pending");
    reply.array(consumer.pending_len().min(count));
    for id in consumer.pending(StreamId::MIN, StreamId::MAX).take(count) {
        let pending = group.pending_at(id);
        reply.array(3);
        write_id(reply, id);
        reply.int(pending.map_or(0, |pending| pending.delivered_at));
        reply.int(pending.map_or(0, |pending| pending.deliveries as i64));
    }
}
