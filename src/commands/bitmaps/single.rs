//! One bit: SETBIT, GETBIT.

use super::{arithmetic, grown, offset};
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::engine::{Command, CommandResult, Context, EventClass};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "setbit",
            arity: 4,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::BITMAP,
            keys: keys::FIRST_EXCHANGE,
            group: Group::Bitmap,
            since: "2.2.0",
            summary: "Writes one bit of a string and hands back the old one.",
            complexity: "O(1)",
            args: "key:key offset:integer value:integer",
            ..Spec::BASE
        },
        run: setbit,
    },
    Command {
        spec: Spec {
            name: "getbit",
            arity: 3,
            flags: flags![READONLY, FAST],
            categories: Categories::BITMAP,
            keys: keys::FIRST_READ,
            group: Group::Bitmap,
            since: "2.2.0",
            summary: "Reads one bit of a string.",
            complexity: "O(1)",
            args: "key:key offset:integer",
            ..Spec::BASE
        },
        run: getbit,
    },
];

pub(super) fn setbit(ctx: &mut Context<'_>) -> CommandResult {
    let key = ctx.args.at(1);
    let offset = offset(ctx, 2, None)?;
    let on = ctx.int_in(3, 0..=1, WireError::fixed("ERR bit is not an integer or out of range"))? == 1;
    let before = ctx.keys.string_for_write(key)?.map(|string| string.len());
    let bytes = grown(ctx, key, offset + 1)?;
    let old = arithmetic::set(bytes, offset, on);
    if old != on || before != Some(bytes.len()) {
        ctx.change.dirty(1);
        ctx.changed(EventClass::STRING, "setbit", key);
    }
    ctx.done_int(i64::from(old))
}

pub(super) fn getbit(ctx: &mut Context<'_>) -> CommandResult {
    let offset = offset(ctx, 2, None)?;
    let mut digits = itoa::Buffer::new();
    let on = ctx.keys.string(ctx.args.at(1))?.is_some_and(|string| arithmetic::get(string.bytes(&mut digits), offset));
    ctx.done_int(i64::from(on))
}
