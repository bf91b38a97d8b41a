//! BITOP.

use crate::catalog::{Categories, Group, Spec, flags};
use crate::catalog::{KeyFlags, KeySpec};
use crate::engine::{Command, CommandResult, Context, EventClass};
use crate::keyspace::{KeepExpiry, NewValue, Object};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "bitop",
        arity: -4,
        flags: flags![WRITE, DENYOOM],
        categories: Categories::BITMAP,
        keys: &[KeySpec::index(2, KeyFlags::STORE), KeySpec::index(3, KeyFlags::READ).range(-1, 1, 0)],
        group: Group::Bitmap,
        since: "2.6.0",
        summary: "Combines strings bit by bit into another key.",
        complexity: "O(N)",
        args: "operation:(and=AND | or=OR | xor=XOR | not=NOT) destkey:key key*:key#1",
        ..Spec::BASE
    },
    run: bitop,
}];

pub(super) fn bitop(ctx: &mut Context<'_>) -> CommandResult {
    let operation: fn(u8, u8) -> u8 = match ctx.args.at(1).to_ascii_uppercase().as_slice() {
        b"AND" => |a, b| a & b,
        b"OR" => |a, b| a | b,
        b"XOR" => |a, b| a ^ b,
        b"NOT" if ctx.args.len() == 4 => |_, b| !b,
        b"NOT" => return Err(WireError::fixed("ERR BITOP NOT must be called with a single source key.")),
        _ => return ctx.syntax(),
    };
    let target = ctx.args.at(2);
    let mut sources = Vec::with_capacity(ctx.args.len() - 3);
    for key in ctx.args.from(3) {
        sources.push(ctx.keys.string(key)?.map(|string| string.to_cow()).unwrap_or_default());
    }
    let length = sources.iter().map(|source| source.len()).max().unwrap_or(0);
    let is_not = ctx.args.is(1, "NOT");
    let mut result: Vec<u8> = sources[0].to_vec();
    result.resize(length, 0);
    if is_not {
        result.iter_mut().for_each(|byte| *byte = operation(0, *byte));
    }
    for source in &sources[1..] {
        let padded = source.iter().copied().chain(std::iter::repeat(0));
        for (byte, other) in result.iter_mut().zip(padded) {
            *byte = operation(*byte, other);
        }
    }
    if length == 0 {
        if ctx.keys.remove(target).is_some() {
            ctx.change.dirty(1);
            ctx.changed(EventClass::GENERIC, "del", target);
        }
        return ctx.done_int(0);
    }
    ctx.keys.set(target, NewValue::Object(Object::Raw(result)), KeepExpiry::Set(None));
    ctx.change.dirty(1);
    ctx.changed(EventClass::STRING, "set", target);
    ctx.done_int(length as i64)
}
