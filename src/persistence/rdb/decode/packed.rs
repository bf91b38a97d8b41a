//! Values that are one string of packed bytes.

use super::super::code::kind;
use super::super::error::RdbError;
use super::{filled, ziplist, zipmap};
use crate::data::hash::Hash;
use crate::data::intset::Intset;
use crate::data::limits::Limits;
use crate::data::list::List;
use crate::data::listpack::Listpack;
use crate::data::set::Set;
use crate::data::zset::ZSet;
use crate::data::{Malformed, Mending};
use crate::keyspace::Object;

/// The value of type `code` that `bytes` are. Ziplists are never put right: Redis does not take one that is off either.
pub fn value(bytes: Vec<u8>, code: u8, limits: &Limits, mending: &mut Mending) -> Result<Object, RdbError> {
    let strict = &mut Mending::default();
    match code {
        kind::SET_INTSET => {
            let ints = Intset::from_bytes(bytes, mending)?;
            if ints.is_empty() { Err(Malformed("intset").into()) } else { filled(Set::from_ints(ints, limits)) }
        }
        kind::SET_LISTPACK => filled(Set::from_pack(Listpack::from_bytes(bytes, mending)?, limits, mending)?),
        kind::HASH_LISTPACK => filled(Hash::from_pack(Listpack::from_bytes(bytes, mending)?, limits, mending)?),
        kind::ZSET_LISTPACK => filled(ZSet::from_pack(Listpack::from_bytes(bytes, mending)?, limits, mending)?),
        kind::HASH_ZIPLIST => {
            let hash = ziplist::to_listpack(&bytes).and_then(|pack| Hash::from_pack(pack, limits, strict));
            filled(hash.map_err(|_| Malformed("hash ziplist"))?)
        }
        kind::ZSET_ZIPLIST => {
            let set = ziplist::to_listpack(&bytes).and_then(|pack| ZSet::from_pack(pack, limits, strict));
            filled(set.map_err(|_| Malformed("zset ziplist"))?)
        }
        kind::HASH_ZIPMAP => {
            let mut hash = Hash::new();
            for (field, value) in zipmap::pairs(&bytes).ok_or(Malformed("zipmap"))? {
                if !hash.set(field, value, limits) {
                    return Err(RdbError::Corrupt("a field of a hash comes twice"));
                }
            }
            filled(hash)
        }
        _ => {
            let mut list = List::new();
            ziplist::for_each(&bytes, |element| list.push_back(&element.to_vec(), limits))?;
            filled(list)
        }
    }
}
