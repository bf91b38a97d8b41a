//! Writing keys as the commands that make them, for a base that is no snapshot.
//!
//! A large value takes several commands. Fields of hashes that expire are given their time by HPEXPIREAT, which Redis 7.2 does not
//! know: only a base that holds such fields cannot be read by it.

use super::record;
use crate::base::number::format_f64;
use crate::data::hash::Hash;
use crate::data::stream::{Group, Stream, StreamId};
use crate::keyspace::{DbIndex, Entry, ShardEncoder, ValueRef};

/// The most elements that one command adds.
const ELEMENTS: usize = 64;

/// Appends the command that loads a library of functions.
pub fn function(out: &mut Vec<u8>, code: &[u8]) {
    record::command(out, [&b"FUNCTION"[..], b"LOAD", code].into_iter());
}

/// Writes entries down as commands.
pub struct CommandEncoder;

impl ShardEncoder for CommandEncoder {
    fn encode(&self, _db: DbIndex, entries: &mut dyn Iterator<Item = &Entry>, _writer_waits: bool, out: &mut Vec<u8>) {
        for entry in entries {
            encode(out, entry);
        }
    }
}

fn encode(out: &mut Vec<u8>, entry: &Entry) {
    let key = entry.key();
    let mut digits = itoa::Buffer::new();
    match entry.value() {
        ValueRef::Str(value) => {
            record::command(out, [b"SET", key, value.bytes(&mut digits)].into_iter());
        }
        ValueRef::List(list) => {
            let mut batch = Batch::new(b"RPUSH", key, list.len(), 1);
            for element in list.iter() {
                batch.add(out, &[element.as_bytes(&mut digits)]);
            }
        }
        ValueRef::Set(set) => {
            let mut batch = Batch::new(b"SADD", key, set.len(), 1);
            for member in set.iter() {
                batch.add(out, &[member.as_bytes(&mut digits)]);
            }
        }
        ValueRef::ZSet(set) => {
            let mut batch = Batch::new(b"ZADD", key, set.len(), 2);
            let mut text = Vec::new();
            for (member, score) in set.iter() {
                text.clear();
                format_f64(score, &mut text);
                batch.add(out, &[&text, member.as_bytes(&mut digits)]);
            }
        }
        ValueRef::Hash(hash) => encode_hash(out, key, hash),
        ValueRef::Stream(stream) => encode_stream(out, key, stream),
    }
    if let Some(when) = entry.expiry() {
        record::command(out, [b"PEXPIREAT", key, digits.format(when.0).as_bytes()].into_iter());
    }
}

fn encode_hash(out: &mut Vec<u8>, key: &[u8], hash: &Hash) {
    let (mut digits, mut more_digits) = (itoa::Buffer::new(), itoa::Buffer::new());
    let mut batch = Batch::new(b"HMSET", key, hash.len(), 2);
    for (field, value) in hash.iter() {
        batch.add(out, &[field.as_bytes(&mut digits), value.as_bytes(&mut more_digits)]);
    }
    if hash.next_expiry().is_none() {
        return;
    }
    for (field, _) in hash.iter() {
        let field = field.as_bytes(&mut digits);
        if let Some(when) = hash.expiry(field) {
            let when = more_digits.format(when.0).as_bytes();
            record::command(out, [b"HPEXPIREAT", key, when, b"FIELDS", b"1", field].into_iter());
        }
    }
}

fn encode_stream(out: &mut Vec<u8>, key: &[u8], stream: &Stream) {
    let log = &stream.log;
    let mut digits = itoa::Buffer::new();
    for entry in log.range(StreamId::MIN, StreamId::MAX) {
        record::head(out, 3 + 2 * entry.fields().count());
        for word in [b"XADD", key, &text(entry.id)] {
            record::argument(out, word);
        }
        for (field, value) in entry.fields() {
            record::argument(out, field.as_bytes(&mut digits));
            record::argument(out, value.as_bytes(&mut digits));
        }
    }
    if stream.is_empty() {
        // Added and trimmed at once, it leaves the stream.
        record::command(out, [b"XADD", key, b"MAXLEN", b"0", b"0-1", b"x", b"y"].into_iter());
    }
    let (last, deleted) = (text(log.last_id()), text(log.max_deleted_id()));
    let added = digits.format(log.entries_added()).as_bytes();
    record::command(out, [b"XSETID", key, &last[..], b"ENTRIESADDED", added, b"MAXDELETEDID", &deleted].into_iter());
    for (name, group) in stream.groups.iter() {
        encode_group(out, key, name, group);
    }
}

fn encode_group(out: &mut Vec<u8>, key: &[u8], name: &[u8], group: &Group) {
    let (mut digits, mut more_digits) = (itoa::Buffer::new(), itoa::Buffer::new());
    let read = group.entries_read.map_or(-1, |read| read as i64);
    let (last, read) = (text(group.last_id), digits.format(read).as_bytes());
    record::command(out, [b"XGROUP", b"CREATE", key, name, &last[..], b"ENTRIESREAD", read].into_iter());
    for consumer in group.consumers() {
        if consumer.pending_len() == 0 {
            record::command(out, [&b"XGROUP"[..], b"CREATECONSUMER", key, name, consumer.name()].into_iter());
        }
        for id in consumer.pending(StreamId::MIN, StreamId::MAX) {
            let Some(pending) = group.pending_at(id) else { continue };
            let at = digits.format(pending.delivered_at).as_bytes();
            let count = more_digits.format(pending.deliveries).as_bytes();
            let id = text(id);
            let words: [&[u8]; 12] = [
                b"XCLAIM",
                key,
                name,
                consumer.name(),
                b"0",
                &id,
                b"TIME",
                at,
                b"RETRYCOUNT",
                count,
                b"JUSTID",
                b"FORCE",
            ];
            record::command(out, words.into_iter());
        }
    }
}

fn text(id: StreamId) -> Vec<u8> {
    format!("{}-{}", id.ms, id.seq).into_bytes()
}

/// Adds the elements of one value, several with each command.
struct Batch<'a> {
    command: &'a [u8],
    key: &'a [u8],
    /// Elements still to come.
    left: usize,
    /// Words for each.
    words: usize,
    /// Elements that the command that was begun still takes.
    open: usize,
}

impl<'a> Batch<'a> {
    fn new(command: &'a [u8], key: &'a [u8], elements: usize, words: usize) -> Self {
        Self { command, key, left: elements, words, open: 0 }
    }

    fn add(&mut self, out: &mut Vec<u8>, words: &[&[u8]]) {
        if self.open == 0 {
            self.open = self.left.min(ELEMENTS);
            record::head(out, 2 + self.open * self.words);
            record::argument(out, self.command);
            record::argument(out, self.key);
        }
        words.iter().for_each(|word| record::argument(out, word));
        self.open -= 1;
        self.left -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::reader::{Item, RecordReader};
    use super::*;
    use crate::base::clock::UnixMillis;
    use crate::data::limits::Limits;
    use crate::data::list::List;
    use crate::data::set::Set;
    use crate::data::zset::ZSet;
    use crate::keyspace::{Container, NewValue};

    fn commands(value: NewValue<'_>, expiry: Option<UnixMillis>) -> Vec<String> {
        let entry = Entry::new(b"key", value, expiry, 0);
        let mut bytes = Vec::new();
        CommandEncoder.encode(DbIndex(0), &mut std::iter::once(&entry), false, &mut bytes);
        let mut reader = RecordReader::new(&bytes[..], 0);
        let mut commands = Vec::new();
        while let Some(Item::Command(args)) = reader.next_item().unwrap() {
            let words: Vec<_> = args.as_args().from(0).map(|word| word.escape_ascii().to_string()).collect();
            commands.push(words.join(" "));
        }
        commands
    }

    #[test]
    fn strings_and_their_expiry() {
        assert_eq!(commands(NewValue::string(b"a b"), None), ["SET key a b"]);
        assert_eq!(commands(NewValue::Int(-7), Some(UnixMillis(99))), ["SET key -7", "PEXPIREAT key 99"]);
    }

    #[test]
    fn containers_take_as_many_commands_as_they_need() {
        let limits = Limits::default();
        let (mut list, mut set, mut hash, mut zset) = (List::new(), Set::new(), Hash::new(), ZSet::new());
        for i in 0..150 {
            list.push_back(format!("{i}").as_bytes(), &limits);
        }
        set.insert(b"m", &limits);
        hash.set(b"f", b"v", &limits);
        hash.set_expiry(b"f", UnixMillis(5));
        zset.insert(b"m", 1.5, &limits);
        zset.insert(b"n", f64::INFINITY, &limits);
        let lists = commands(NewValue::Object(list.into_object()), None);
        let lengths: Vec<_> = lists.iter().map(|command| command.split(' ').count() - 2).collect();
        assert_eq!(lengths, [64, 64, 22]);
        assert!(lists[1].starts_with("RPUSH key 64 65 "));
        assert_eq!(commands(NewValue::Object(set.into_object()), None), ["SADD key m"]);
        assert_eq!(commands(NewValue::Object(zset.into_object()), None), ["ZADD key 1.5 m inf n"]);
        assert_eq!(
            commands(NewValue::Object(hash.into_object()), None),
            ["HMSET key f v", "HPEXPIREAT key 5 FIELDS 1 f"]
        );
    }

    #[test]
    fn streams_with_groups_and_what_is_pending() {
        use crate::data::stream::{NewId, Pending};
        let mut stream = Stream::new();
        let empty = commands(NewValue::Object(stream.clone().into_object()), None);
        assert_eq!(empty, ["XADD key MAXLEN 0 0-1 x y", "XSETID key 0-0 ENTRIESADDED 0 MAXDELETEDID 0-0"]);
        let id = StreamId::new(1, 2);
        assert!(stream.log.append(NewId::Full(id), &[b"f", b"v"], &Limits::default()).is_ok());
        let mut group = Group::new(id, None);
        let slot = group.add_consumer(b"c", 3).unwrap();
        group.add_consumer(b"idle", 3).unwrap();
        group.give(id, Pending { consumer: slot, delivered_at: 4, deliveries: 5 });
        stream.groups.add(b"g", group);
        assert_eq!(
            commands(NewValue::Object(stream.into_object()), None),
            [
                "XADD key 1-2 f v",
                "XSETID key 1-2 ENTRIESADDED 1 MAXDELETEDID 0-0",
                "XGROUP CREATE key g 1-2 ENTRIESREAD -1",
                "XCLAIM key g c 0 1-2 TIME 4 RETRYCOUNT 5 JUSTID FORCE",
                "XGROUP CREATECONSUMER key g idle",
            ]
        );
    }
}
