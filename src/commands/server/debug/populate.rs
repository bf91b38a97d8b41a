//! DEBUG POPULATE: many strings at once.

use crate::engine::{CommandResult, Context};
use crate::keyspace::KeepExpiry;
use crate::resp::WireError;

pub(super) fn populate(ctx: &mut Context<'_>) -> CommandResult {
    let count = ctx.positive(2)?;
    let size = if ctx.args.len() == 5 { ctx.positive(4)? } else { 0 };
    if size as u64 > ctx.settings.limits.proto_max_bulk_len {
        return Err(WireError::STRING_TOO_LONG);
    }
    let prefix = ctx.args.get(3).unwrap_or(b"key");
    for number in 0..count {
        let key = [prefix, format!(":{number}").as_bytes()].concat();
        if ctx.keys.exists(&key) {
            continue;
        }
        let mut value = format!("value:{number}").into_bytes();
        if size > 0 {
            value.resize(size, 0);
        }
        ctx.keys.set_string(&key, &value, KeepExpiry::Set(None));
        ctx.touched(&key);
    }
    ctx.done_ok()
}
