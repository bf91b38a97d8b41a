//! Writing a value: each in the form it has in memory, where the version has that form.

use super::code::{Version, container, kind};
use super::write::Writer;
use super::{hash_expiry, stream};
use crate::data::Form;
use crate::data::hash::Hash;
use crate::data::list::{List, NodeRef};
use crate::data::set::Set;
use crate::data::zset::ZSet;
use crate::keyspace::{StrRef, ValueRef};

/// The type under which a value is written.
pub fn kind_of(value: ValueRef<'_>, version: Version) -> u8 {
    match value {
        ValueRef::Str(_) => kind::STRING,
        ValueRef::List(_) => kind::LIST_QUICKLIST_2,
        ValueRef::Set(set) => match set.form() {
            Form::Ints(_) => kind::SET_INTSET,
            Form::Packed(_) if version >= Version::V11 => kind::SET_LISTPACK,
            _ => kind::SET,
        },
        ValueRef::Hash(hash) if hash.next_expiry().is_some() => kind::HASH_EXPIRING,
        ValueRef::Hash(hash) => match hash.form() {
            Form::Packed(_) => kind::HASH_LISTPACK,
            _ => kind::HASH,
        },
        ValueRef::ZSet(set) => match set.form() {
            Form::Packed(_) => kind::ZSET_LISTPACK,
            _ => kind::ZSET_2,
        },
        ValueRef::Stream(_) => stream::kind_of(version),
    }
}

/// Writes a value, without its type.
pub fn value(writer: &mut Writer, value: ValueRef<'_>, version: Version) {
    match value {
        ValueRef::Str(StrRef::Int(value)) => writer.int_string(value),
        ValueRef::Str(StrRef::Bytes(bytes)) => writer.string(bytes),
        ValueRef::List(value) => list(writer, value),
        ValueRef::Set(value) => set(writer, value, version),
        ValueRef::Hash(value) => match value.next_expiry() {
            Some(earliest) => hash_expiry::write(writer, value, earliest),
            None => hash(writer, value),
        },
        ValueRef::ZSet(value) => zset(writer, value),
        ValueRef::Stream(value) => stream::write(writer, value, version),
    }
}

fn list(writer: &mut Writer, list: &List) {
    writer.length(list.node_count() as u64);
    list.for_each_node(|node| match node {
        NodeRef::Packed(pack) => {
            writer.length(container::PACKED);
            writer.string(pack.as_bytes());
        }
        NodeRef::Plain(element) => {
            writer.length(container::PLAIN);
            writer.string(element);
        }
    });
}

fn set(writer: &mut Writer, set: &Set, version: Version) {
    match set.form() {
        Form::Ints(ints) => writer.string(ints.as_bytes()),
        Form::Packed(pack) if version >= Version::V11 => writer.string(pack.as_bytes()),
        _ => {
            writer.length(set.len() as u64);
            let mut digits = itoa::Buffer::new();
            for member in set.iter() {
                writer.string(member.as_bytes(&mut digits));
            }
        }
    }
}

fn hash(writer: &mut Writer, hash: &Hash) {
    if let Form::Packed(pack) = hash.form() {
        return writer.string(pack.as_bytes());
    }
    writer.length(hash.len() as u64);
    let mut digits = itoa::Buffer::new();
    for (field, value) in hash.iter() {
        writer.string(field.as_bytes(&mut digits));
        writer.string(value.as_bytes(&mut digits));
    }
}

fn zset(writer: &mut Writer, set: &ZSet) {
    if let Form::Packed(pack) = set.form() {
        return writer.string(pack.as_bytes());
    }
    writer.length(set.len() as u64);
    let mut digits = itoa::Buffer::new();
    // Greatest first: Redis then inserts each at the head of its list.
    for (member, score) in set.iter_back_from(set.len()) {
        writer.string(member.as_bytes(&mut digits));
        writer.double(score);
    }
}
