//! Streams, written and read: nodes as they stand in memory, then counters, groups, and who has not acknowledged what.
//!
//! Three types follow each other: the first has no counters, the second adds them, the third adds when a consumer was
//! last given something. IDs are two big-endian integers inside strings and PELs, and two lengths everywhere else.

use std::io::Read;

use super::code::{Version, kind};
use super::error::RdbError;
use super::read::Reader;
use super::write::Writer;
use crate::data::stream::{ConsumerParts, Group, GroupParts, PendingParts, Stream, StreamId, StreamParts};

/// The type under which a stream is written.
pub fn kind_of(version: Version) -> u8 {
    if version >= Version::V11 { kind::STREAM_3 } else { kind::STREAM_2 }
}

/// Writes a stream, without its type.
pub fn write(writer: &mut Writer, stream: &Stream, version: Version) {
    let log = &stream.log;
    writer.length(log.node_count() as u64);
    for (id, bytes) in log.nodes() {
        writer.string(&raw(id));
        writer.string(bytes);
    }
    writer.length(log.len() as u64);
    for id in [log.last_id(), log.first_id(), log.max_deleted_id()] {
        writer.length(id.ms);
        writer.length(id.seq);
    }
    writer.length(log.entries_added());
    writer.length(stream.groups.len() as u64);
    for (name, group) in stream.groups.iter() {
        writer.string(name);
        write_group(writer, group, version);
    }
}

fn write_group(writer: &mut Writer, group: &Group, version: Version) {
    writer.length(group.last_id.ms);
    writer.length(group.last_id.seq);
    writer.length(group.entries_read.unwrap_or(u64::MAX));
    writer.length(group.pending_len() as u64);
    for (id, pending) in group.pending(StreamId::MIN, StreamId::MAX) {
        writer.out.extend_from_slice(&raw(id));
        writer.millis(pending.delivered_at);
        writer.length(pending.deliveries);
    }
    writer.length(group.consumer_count() as u64);
    for consumer in group.consumers() {
        writer.string(consumer.name());
        writer.millis(consumer.seen_at);
        if version >= Version::V11 {
            writer.millis(consumer.active_at.unwrap_or(-1));
        }
        writer.length(consumer.pending_len() as u64);
        for id in consumer.pending(StreamId::MIN, StreamId::MAX) {
            writer.out.extend_from_slice(&raw(id));
        }
    }
}

/// Reads a stream of type `code`.
pub fn read<R: Read>(reader: &mut Reader<R>, code: u8) -> Result<Stream, RdbError> {
    let mut parts = StreamParts::default();
    for _ in 0..reader.length()? {
        let id = reader.string()?;
        let id =
            id.as_slice().try_into().map_err(|_| RdbError::Corrupt("a stream node whose ID is not 16 bytes long"))?;
        parts.log.nodes.push((from_raw(id), reader.string()?));
    }
    parts.log.length = reader.length()?;
    parts.log.last_id = id(reader)?;
    if code != kind::STREAM {
        // The first entry's ID, which the nodes tell themselves.
        id(reader)?;
        parts.log.max_deleted_id = id(reader)?;
        parts.log.entries_added = Some(reader.length()?);
    }
    for _ in 0..reader.length()? {
        parts.groups.push(read_group(reader, code)?);
    }
    Ok(Stream::from_parts(parts, &mut reader.mending)?)
}

fn read_group<R: Read>(reader: &mut Reader<R>, code: u8) -> Result<GroupParts, RdbError> {
    let mut group = GroupParts { name: reader.string()?, last_id: id(reader)?, ..GroupParts::default() };
    if code != kind::STREAM {
        group.entries_read = Some(reader.length()? as i64);
    }
    for _ in 0..reader.length()? {
        let id = from_raw(reader.array()?);
        group.pending.push(PendingParts { id, delivered_at: reader.millis()?, deliveries: reader.length()? });
    }
    for _ in 0..reader.length()? {
        let (name, seen_at) = (reader.string()?, reader.millis()?);
        let active_at = if code == kind::STREAM_3 { reader.millis()? } else { seen_at };
        let mut consumer =
            ConsumerParts { name, seen_at, active_at: (active_at >= 0).then_some(active_at), pending: Vec::new() };
        for _ in 0..reader.length()? {
            consumer.pending.push(from_raw(reader.array()?));
        }
        group.consumers.push(consumer);
    }
    Ok(group)
}

fn id<R: Read>(reader: &mut Reader<R>) -> Result<StreamId, RdbError> {
    Ok(StreamId::new(reader.length()?, reader.length()?))
}

fn raw(id: StreamId) -> [u8; 16] {
    (u128::from(id.ms) << 64 | u128::from(id.seq)).to_be_bytes()
}

fn from_raw(bytes: [u8; 16]) -> StreamId {
    let id = u128::from_be_bytes(bytes);
    StreamId::new((id >> 64) as u64, id as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::limits::Limits;
    use crate::data::stream::{NewId, Pending};

    fn specimen() -> Stream {
        let limits = Limits { stream_node_max_entries: 3, ..Limits::default() };
        let mut stream = Stream::new();
        for n in 1..=10 {
            let id = NewId::Full(StreamId::new(n, n));
            assert!(stream.log.append(id, &[b"field", b"value", b"n", n.to_string().as_bytes()], &limits).is_ok());
        }
        stream.log.remove(StreamId::new(5, 5));
        let mut group = Group::new(StreamId::new(7, 7), None);
        let slot = group.add_consumer(b"alice", 1000).unwrap();
        group.add_consumer(b"bob", 2000).unwrap();
        group.consumer_mut(slot).active_at = Some(1500);
        group.give(StreamId::new(6, 6), Pending { consumer: slot, delivered_at: 1400, deliveries: 3 });
        stream.groups.add(b"group", group);
        stream
    }

    #[test]
    fn a_stream_comes_back_as_it_was() {
        for version in [Version::V10, Version::V11] {
            let mut writer = Writer::new(true);
            write(&mut writer, &specimen(), version);
            let code = kind_of(version);
            let back = read(&mut Reader::new(&writer.out[..], false), code).unwrap();
            let mut again = Writer::new(true);
            write(&mut again, &back, version);
            assert_eq!(writer.out, again.out);
            assert_eq!(back.log.max_deleted_id(), StreamId::new(5, 5));
            let group = back.groups.get(b"group").unwrap();
            assert_eq!((group.pending_len(), group.consumer_count(), group.entries_read), (1, 2, None));
        }
    }

    #[test]
    fn a_stream_cut_short_is_an_error() {
        let mut writer = Writer::new(false);
        write(&mut writer, &specimen(), Version::V11);
        for end in 0..writer.out.len() {
            assert!(read(&mut Reader::new(&writer.out[..end], false), kind::STREAM_3).is_err(), "cut at {end}");
        }
    }
}
