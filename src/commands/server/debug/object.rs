//! DEBUG OBJECT and its kin: how values are represented.

use std::sync::atomic::Ordering::Relaxed;

use crate::commands::generic::object::encoding;
use crate::commands::server::memory::{entry_bytes, value_bytes};
use crate::engine::{CommandResult, Context, Outcome};
use crate::keyspace::{Entry, StrRef, ValueRef, lru_idle_ms};
use crate::resp::WireError;

/// The entry of the key that a subcommand names.
pub(super) fn entry<'c>(ctx: &'c Context<'_>) -> Result<&'c Entry, WireError> {
    ctx.keys.peek(ctx.args.at(2)).ok_or(WireError::NO_SUCH_KEY)
}

pub(super) fn object(ctx: &mut Context<'_>) -> CommandResult {
    ctx.keys.see_expired = true;
    let entry = entry(ctx)?;
    let lru = entry.lru().load(Relaxed);
    let mut text = format!(
        "Value at:{entry:p} refcount:1 encoding:{} serializedlength:{} lru:{lru} lru_seconds_idle:{}",
        encoding(entry),
        packed_length(entry),
        lru_idle_ms(lru, ctx.now()) / 1000,
    );
    if let ValueRef::List(list) = entry.value()
        && list.encoding() == "quicklist"
    {
        let nodes = list.node_count();
        text.push_str(&format!(
            " ql_nodes:{nodes} ql_avg_node:{:.2} ql_listpack_max:{} ql_compressed:0 ql_uncompressed_size:{}",
            list.len() as f64 / nodes.max(1) as f64,
            ctx.limits().list_max_listpack_size,
            list.memory_usage(),
        ));
    }
    ctx.reply.status(&text);
    Ok(Outcome::Done)
}

/// About as long as the value would be in a file, uncompressed.
fn packed_length(entry: &Entry) -> usize {
    match entry.value() {
        ValueRef::Str(string) => string.len() + 1,
        _ => value_bytes(entry),
    }
}

pub(super) fn string_length(ctx: &mut Context<'_>) -> CommandResult {
    let entry = entry(ctx)?;
    let ValueRef::Str(StrRef::Bytes(value)) = entry.value() else {
        return Err(WireError::fixed("ERR Not an sds encoded string."));
    };
    let text = format!(
        "key_sds_len:{}, key_sds_avail:0, key_zmalloc: {}, val_sds_len:{}, val_sds_avail:0, val_zmalloc: {}",
        entry.key().len(),
        entry.allocated(),
        value.len(),
        entry_bytes(entry),
    );
    ctx.reply.status(&text);
    Ok(Outcome::Done)
}

pub(super) fn listpack(ctx: &mut Context<'_>) -> CommandResult {
    let entry = entry(ctx)?;
    if encoding(entry) != "listpack" {
        return Err(WireError::fixed("ERR Not a listpack encoded object."));
    }
    tracing::warn!(key = %String::from_utf8_lossy(entry.key()), bytes = value_bytes(entry), "listpack");
    ctx.reply.status("Listpack structure printed on stdout");
    Ok(Outcome::Done)
}

pub(super) fn quicklist(ctx: &mut Context<'_>) -> CommandResult {
    let entry = entry(ctx)?;
    let ValueRef::List(list) = entry.value() else {
        return Err(WireError::fixed("ERR Not a quicklist encoded object."));
    };
    tracing::warn!(
        key = %String::from_utf8_lossy(entry.key()),
        nodes = list.node_count(),
        elements = list.len(),
        bytes = list.memory_usage(),
        "quicklist"
    );
    ctx.reply.status("Quicklist structure printed on stdout");
    Ok(Outcome::Done)
}

pub(super) fn struct_sizes(ctx: &mut Context<'_>) -> CommandResult {
    let text =
        format!("bits:{} entry:{} object:{} ", usize::BITS, size_of::<Entry>(), size_of::<crate::keyspace::Object>(),);
    ctx.reply.bulk(text.as_bytes());
    Ok(Outcome::Done)
}
