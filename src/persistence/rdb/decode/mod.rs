//! Reading a value of any type that Redis up to 7.4 writes.
//!
//! A type that stands in memory as it stands in the file is adopted after all of it has been checked; every other is built element by
//! element. An element that comes twice where it may not is an error, or where Redis takes it too, and the reader may mend, dropped: a
//! container whose count and contents disagree must not exist.

mod packed;
mod ziplist;
mod zipmap;

use std::io::Read;

use super::code::{container, kind};
use super::error::RdbError;
use super::hash_expiry;
use super::read::Reader;
use crate::data::hash::Hash;
use crate::data::limits::Limits;
use crate::data::list::{List, Node};
use crate::data::listpack::Listpack;
use crate::data::set::Set;
use crate::data::zset::{Inserted, ZSet};
use crate::keyspace::{Container, Object, OwnedValue};

/// Reads a value of type `code`.
pub fn value<R: Read>(reader: &mut Reader<R>, code: u8, limits: &Limits) -> Result<OwnedValue, RdbError> {
    let object = match code {
        kind::STRING => return reader.string().map(OwnedValue::string),
        kind::LIST => filled(list(reader, limits)?),
        kind::SET => filled(set(reader, limits)?),
        kind::ZSET | kind::ZSET_2 => filled(zset(reader, code, limits)?),
        kind::HASH => filled(hash(reader, limits)?),
        kind::HASH_EXPIRING => filled(hash_expiry::read(reader, limits)?),
        kind::HASH_LISTPACK_EXPIRING => filled(hash_expiry::read_packed(reader, limits)?),
        kind::LIST_QUICKLIST | kind::LIST_QUICKLIST_2 => filled(quicklist(reader, code, limits)?),
        kind::HASH_ZIPMAP
        | kind::LIST_ZIPLIST
        | kind::SET_INTSET
        | kind::ZSET_ZIPLIST
        | kind::HASH_ZIPLIST
        | kind::HASH_LISTPACK
        | kind::ZSET_LISTPACK
        | kind::SET_LISTPACK => packed::value(reader.string()?, code, limits, &mut reader.mending),
        // A stream may be empty.
        kind::STREAM | kind::STREAM_2 | kind::STREAM_3 => Ok(super::stream::read(reader, code)?.into_object()),
        kind::MODULE | kind::MODULE_OLD => Err(RdbError::Module(super::module::type_name(reader.length()?))),
        _ => Err(RdbError::Corrupt("unknown type of value")),
    };
    object.map(OwnedValue::Object)
}

/// The object around a container; an empty one is no value.
fn filled<T: Container>(container: T) -> Result<Object, RdbError> {
    if container.has_none() { Err(RdbError::EmptyKey) } else { Ok(container.into_object()) }
}

fn list<R: Read>(reader: &mut Reader<R>, limits: &Limits) -> Result<List, RdbError> {
    let mut list = List::new();
    for _ in 0..reader.length()? {
        list.push_back(&reader.string()?, limits);
    }
    Ok(list)
}

fn set<R: Read>(reader: &mut Reader<R>, limits: &Limits) -> Result<Set, RdbError> {
    let mut set = Set::new();
    for _ in 0..reader.length()? {
        if !set.insert(&reader.string()?, limits) {
            return Err(RdbError::Corrupt("a member of a set comes twice"));
        }
    }
    Ok(set)
}

fn zset<R: Read>(reader: &mut Reader<R>, code: u8, limits: &Limits) -> Result<ZSet, RdbError> {
    let mut set = ZSet::new();
    for _ in 0..reader.length()? {
        let member = reader.string()?;
        let score = if code == kind::ZSET_2 { reader.double()? } else { reader.double_text()? };
        if score.is_nan() {
            return Err(RdbError::Corrupt("a score that is not a number"));
        }
        if set.insert(&member, score, limits) != Inserted::Added {
            return Err(RdbError::Corrupt("a member of a sorted set comes twice"));
        }
    }
    Ok(set)
}

fn hash<R: Read>(reader: &mut Reader<R>, limits: &Limits) -> Result<Hash, RdbError> {
    let mut hash = Hash::new();
    for _ in 0..reader.length()? {
        let (field, value) = (reader.string()?, reader.string()?);
        if !hash.set(&field, &value, limits) {
            return Err(RdbError::Corrupt("a field of a hash comes twice"));
        }
    }
    Ok(hash)
}

fn quicklist<R: Read>(reader: &mut Reader<R>, code: u8, limits: &Limits) -> Result<List, RdbError> {
    let mut nodes = Vec::new();
    for _ in 0..reader.length()? {
        let form = if code == kind::LIST_QUICKLIST_2 { reader.length()? } else { container::PACKED };
        if form != container::PACKED && form != container::PLAIN {
            return Err(RdbError::Corrupt("unknown node of a list"));
        }
        let bytes = reader.string()?;
        if bytes.is_empty() {
            return Err(RdbError::Corrupt("empty node of a list"));
        }
        if form == container::PLAIN {
            nodes.push(Node::Plain(bytes.into_boxed_slice()));
            continue;
        }
        let pack = if code == kind::LIST_QUICKLIST_2 {
            Listpack::from_bytes(bytes, &mut reader.mending)?
        } else {
            ziplist::to_listpack(&bytes)?
        };
        if !pack.is_empty() {
            nodes.push(Node::Packed(pack));
        }
    }
    Ok(List::from_nodes(nodes, limits))
}
