//! Streams: the log itself, and consumer groups.

pub mod add;
pub mod claim;
pub mod claim_auto;
pub mod edit;
pub mod group;
pub mod group_read;
pub mod info;
mod info_full;
mod member;
pub mod pending;
pub mod range;
pub mod read;
mod read_options;
pub mod release;
mod replay;
mod syntax;
mod trim_options;

use crate::data::stream::{Entry, IdText, StreamId};
use crate::engine::Context;
use crate::resp::{Reply, WireError};

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] = &[
    add::ROWS,
    claim::ROWS,
    claim_auto::ROWS,
    edit::ROWS,
    group::ROWS,
    group_read::ROWS,
    info::ROWS,
    pending::ROWS,
    range::ROWS,
    read::ROWS,
];

/// Writes an ID.
fn write_id(reply: &mut Reply<'_>, id: StreamId) {
    reply.bulk(id.text(&mut IdText::new()));
}

/// Writes an entry: its ID, then fields and values in turn.
fn write_entry(reply: &mut Reply<'_>, entry: &Entry<'_>) {
    reply.array(2);
    write_id(reply, entry.id);
    let fields = entry.fields();
    reply.array(fields.len() * 2);
    for (field, value) in fields {
        reply.element(field);
        reply.element(value);
    }
}

/// Unix milliseconds as the groups keep them.
fn now_ms(ctx: &Context<'_>) -> i64 {
    ctx.now().0
}

/// A group that must be there, named together with its key.
fn no_group(key: &[u8], group: &[u8]) -> WireError {
    WireError::quoting(&[b"NOGROUP No such key '", shown(key), b"' or consumer group '", shown(group), b"'"])
}

/// A group that must be there, of a key that is.
fn no_group_of_key(group: &[u8], key: &[u8]) -> WireError {
    WireError::quoting(&[b"NOGROUP No such consumer group '", shown(group), b"' for key name '", shown(key), b"'"])
}

/// A name as errors show it: up to a NUL.
fn shown(name: &[u8]) -> &[u8] {
    crate::data::stream::c_text(name)
}

#[cfg(test)]
mod tests;
