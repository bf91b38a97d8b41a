//! DEBUG DIGEST and DEBUG DIGEST-VALUE: hashes that are equal for equal data, on Redis and here.
//!
//! Things without order (keys, members, fields) are combined by exclusive or, things with order by hashing the hash so far:
//! a digest does not depend on how a table happens to be arranged.

use sha1::{Digest as _, Sha1};

use crate::base::number::format_f64;
use crate::data::Element;
use crate::data::stream::StreamId;
use crate::engine::{CommandResult, Context, Outcome};
use crate::keyspace::{Entry, ValueRef};

/// A hash in the making.
#[derive(Clone, Copy, Default)]
struct Digest([u8; 20]);

impl Digest {
    /// Adds something whose place does not matter.
    fn add(&mut self, bytes: &[u8]) {
        self.0.iter_mut().zip(Sha1::digest(bytes)).for_each(|(own, new)| *own ^= new);
    }

    /// Adds something that comes after what was added before.
    fn append(&mut self, bytes: &[u8]) {
        self.add(bytes);
        self.0 = Sha1::digest(self.0).into();
    }

    fn add_element(&mut self, element: Element<'_>) {
        self.add(element.as_bytes(&mut itoa::Buffer::new()));
    }

    fn append_element(&mut self, element: Element<'_>) {
        self.append(element.as_bytes(&mut itoa::Buffer::new()));
    }

    /// Adds a value and whether it expires.
    fn append_value(&mut self, entry: &Entry) {
        let value = entry.value();
        self.append(&type_number(value).to_be_bytes());
        match value {
            ValueRef::Str(string) => self.append(string.bytes(&mut itoa::Buffer::new())),
            ValueRef::List(list) => list.iter().for_each(|element| self.append_element(element)),
            ValueRef::Set(set) => set.iter().for_each(|member| self.add_element(member)),
            ValueRef::ZSet(zset) => {
                for (member, score) in zset.iter() {
                    let mut text = Vec::new();
                    format_f64(score, &mut text);
                    let mut pair = Self::default();
                    pair.append_element(member);
                    pair.append(&text);
                    self.add(&pair.0);
                }
            }
            ValueRef::Stream(stream) => {
                for entry in stream.log.range(StreamId::MIN, StreamId::MAX) {
                    self.append(format!("{}.{}", entry.id.ms, entry.id.seq).as_bytes());
                    for (field, value) in entry.fields() {
                        self.append_element(field);
                        self.append_element(value);
                    }
                }
            }
            ValueRef::Hash(hash) => {
                for (field, value) in hash.iter() {
                    let mut pair = Self::default();
                    pair.append_element(field);
                    pair.append_element(value);
                    self.add(&pair.0);
                }
            }
        }
        if entry.expiry().is_some() {
            self.add(b"!!expire!!");
        }
    }

    fn text(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The numbers Redis gives types.
fn type_number(value: ValueRef<'_>) -> u32 {
    match value {
        ValueRef::Str(_) => 0,
        ValueRef::List(_) => 1,
        ValueRef::Set(_) => 2,
        ValueRef::ZSet(_) => 3,
        ValueRef::Hash(_) => 4,
        ValueRef::Stream(_) => 6,
    }
}

pub(super) fn dataset(ctx: &mut Context<'_>) -> CommandResult {
    let mut all = Digest::default();
    let keyspace = ctx.keys.keyspace();
    let current = ctx.keys.db();
    for db in keyspace.indices() {
        if !keyspace.is_built(db) || keyspace.database(db).is_empty() {
            continue;
        }
        all.append(&db.0.to_be_bytes());
        ctx.keys.select(db);
        ctx.keys.for_each(|entry| {
            let mut one = Digest::default();
            one.append(entry.key());
            one.append_value(entry);
            all.add(&one.0);
        });
    }
    ctx.keys.select(current);
    ctx.reply.status(&all.text());
    Ok(Outcome::Done)
}

pub(super) fn values(ctx: &mut Context<'_>) -> CommandResult {
    ctx.reply.array(ctx.args.len() - 2);
    for key in ctx.args.from(2) {
        let mut digest = Digest::default();
        if let Some(entry) = ctx.keys.peek(key) {
            digest.append_value(entry);
        }
        ctx.reply.status(&digest.text());
    }
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyspace::NewValue;

    /// What Redis 7.0.15 answers to `DEBUG DIGEST-VALUE` and `DEBUG DIGEST` with one string, `a` = `b`, in database 0.
    #[test]
    fn digests_equal_those_of_redis() {
        let entry = Entry::new(b"a", NewValue::Inline(b"b"), None, 0);
        let mut value = Digest::default();
        value.append_value(&entry);
        assert_eq!(value.text(), "b78559cd22bce6e6df712eb99ce7f3b08e8f8f1f");
    }
}
