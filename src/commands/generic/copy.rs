//! COPY.

use super::databases::parse_db;
use crate::catalog::{Categories, Spec, flags};
use crate::catalog::{KeyFlags, KeySpec};
use crate::engine::{Command, CommandResult, Context, EventClass};
use crate::keyspace::{Entry, Object, OwnedValue, StrRef, ValueRef};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "copy",
        arity: -3,
        flags: flags![WRITE, DENYOOM, OTHER_DB],
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::index(1, KeyFlags::READ), KeySpec::index(2, KeyFlags::STORE)],
        since: "6.2.0",
        summary: "Duplicates a value under another key.",
        complexity: "O(N) worst case for collections, where N is the number of nested items. O(1) for string \
                values.",
        args: "source:key destination:key#1 destination-db?=DB:integer replace?=REPLACE",
        ..Spec::BASE
    },
    run: copy,
}];

pub(super) fn copy(ctx: &mut Context<'_>) -> CommandResult {
    let (from, to) = (ctx.args.at(1), ctx.args.at(2));
    let source = ctx.keys.db();
    let (mut target, mut replace) = (source, false);
    let mut index = 3;
    while index < ctx.args.len() {
        if ctx.args.is(index, "REPLACE") {
            replace = true;
        } else if ctx.args.is(index, "DB") && index + 1 < ctx.args.len() {
            target = parse_db(ctx, index + 1)?;
            index += 1;
        } else {
            return ctx.syntax();
        }
        index += 1;
    }
    if source == target && from == to {
        return Err(WireError::SAME_OBJECT);
    }
    let Some((value, expiry)) = ctx.keys.look(from).map(|entry| (duplicate(entry), entry.expiry())) else {
        return ctx.done_int(0);
    };
    ctx.keys.select(target);
    if ctx.keys.entry_mut(to).is_some() {
        if !replace {
            ctx.keys.select(source);
            return ctx.done_int(0);
        }
        ctx.keys.remove(to);
    }
    ctx.keys.set_owned(to, value, expiry);
    ctx.changed(EventClass::GENERIC, "copy_to", to);
    ctx.keys.select(source);
    ctx.change.dirty(1);
    ctx.done_int(1)
}

/// A copy of a value that owns its memory.
fn duplicate(entry: &Entry) -> OwnedValue {
    match entry.value() {
        ValueRef::Str(StrRef::Int(value)) => OwnedValue::Int(value),
        ValueRef::Str(StrRef::Bytes(bytes)) if entry.is_inline() => OwnedValue::Inline(bytes.into()),
        ValueRef::Str(StrRef::Bytes(bytes)) => OwnedValue::Object(Object::Raw(bytes.to_vec())),
        ValueRef::List(list) => OwnedValue::Object(Object::List(Box::new(list.clone()))),
        ValueRef::Set(set) => OwnedValue::Object(Object::Set(Box::new(set.clone()))),
        ValueRef::Hash(hash) => OwnedValue::Object(Object::Hash(Box::new(hash.clone()))),
        ValueRef::ZSet(set) => OwnedValue::Object(Object::ZSet(Box::new(set.clone()))),
        ValueRef::Stream(stream) => OwnedValue::Object(Object::Stream(Box::new(stream.clone()))),
    }
}
