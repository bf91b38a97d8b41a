//! The bytes of a message, the same for all its listeners.

use crate::resp::{Protocol, Reply};

/// A push of bulk strings. A client that speaks RESP2 gets it as an array: only the first byte differs.
pub(super) fn encode(parts: &[&[u8]]) -> Vec<u8> {
    const PART_OVERHEAD: usize = 16;
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + PART_OVERHEAD).sum());
    let mut reply = Reply::new(&mut bytes, Protocol::Resp3);
    reply.push(parts.len());
    for part in parts {
        reply.bulk(part);
    }
    bytes
}
