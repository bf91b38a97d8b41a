//! Changing fields: HSET, HMSET, HSETNX, HDEL.

use crate::catalog::{Categories, Deprecated, Group, Spec, flags, keys};
use crate::data::hash::Hash;
use crate::engine::{Command, CommandResult, Context, EventClass};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "hset",
            arity: -4,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::HASH,
            keys: keys::FIRST_CHANGE,
            group: Group::Hash,
            since: "2.0.0",
            summary: "Writes fields of a hash, creating or replacing them.",
            complexity: "O(1) for each field/value pair added, so O(N) to add N field/value pairs when the command is \
                called with multiple field/value pairs.",
            history: &[("4.0.0", "Accepts multiple `field` and `value` arguments.")],
            args: "key:key data*:(field:string value:string)",
            ..Spec::BASE
        },
        run: hset,
    },
    Command {
        spec: Spec {
            name: "hmset",
            arity: -4,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::HASH,
            keys: keys::FIRST_CHANGE,
            group: Group::Hash,
            since: "2.0.0",
            summary: "Writes several fields.",
            complexity: "O(N) where N is the number of fields being set.",
            deprecated: Some(Deprecated { since: "4.0.0", replaced_by: "`HSET` with multiple field-value pairs" }),
            args: "key:key data*:(field:string value:string)",
            ..Spec::BASE
        },
        run: hmset,
    },
    Command {
        spec: Spec {
            name: "hsetnx",
            arity: 4,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::HASH,
            keys: keys::FIRST_ADD,
            group: Group::Hash,
            since: "2.0.0",
            summary: "Writes one field unless it is there already.",
            complexity: "O(1)",
            args: "key:key field:string value:string",
            ..Spec::BASE
        },
        run: hsetnx,
    },
    Command {
        spec: Spec {
            name: "hdel",
            arity: -3,
            flags: flags![WRITE, FAST],
            categories: Categories::HASH,
            keys: keys::FIRST_REMOVE,
            group: Group::Hash,
            since: "2.0.0",
            summary: "Takes fields out of a hash.",
            complexity: "O(N) where N is the number of fields to be removed.",
            history: &[("2.4.0", "Accepts multiple `field` arguments.")],
            args: "key:key field*:string",
            ..Spec::BASE
        },
        run: hdel,
    },
];

/// Sets the pairs from argument 2 on; how many fields are new.
fn set_pairs(ctx: &mut Context<'_>) -> Result<usize, WireError> {
    if !ctx.args.len().is_multiple_of(2) {
        return ctx.wrong_arity();
    }
    let (key, limits, args) = (ctx.args.at(1), ctx.limits(), ctx.args);
    let hash = ctx.keys.write_or_create::<Hash>(key)?;
    hash.prepare(args.from(2), limits);
    let pairs = args.from(2).step_by(2).zip(args.from(3).step_by(2));
    let added = pairs.filter(|(field, value)| hash.set(field, value, limits)).count();
    ctx.change.dirty((args.len() - 2) / 2);
    ctx.changed(EventClass::HASH, "hset", key);
    Ok(added)
}

pub(super) fn hset(ctx: &mut Context<'_>) -> CommandResult {
    let added = set_pairs(ctx)?;
    ctx.done_int(added as i64)
}

pub(super) fn hmset(ctx: &mut Context<'_>) -> CommandResult {
    set_pairs(ctx)?;
    ctx.done_ok()
}

pub(super) fn hsetnx(ctx: &mut Context<'_>) -> CommandResult {
    let (key, field, value, limits) = (ctx.args.at(1), ctx.args.at(2), ctx.args.at(3), ctx.limits());
    let hash = ctx.keys.write_or_create::<Hash>(key)?;
    if hash.contains(field) {
        return ctx.done_int(0);
    }
    hash.set(field, value, limits);
    ctx.change.dirty(1);
    ctx.changed(EventClass::HASH, "hset", key);
    ctx.done_int(1)
}

pub(super) fn hdel(ctx: &mut Context<'_>) -> CommandResult {
    let key = ctx.args.at(1);
    let fields = ctx.args.from(2);
    let Some(hash) = ctx.keys.write::<Hash>(key)? else { return ctx.done_int(0) };
    let removed = fields.filter(|field| hash.remove(field)).count();
    if removed > 0 {
        ctx.change.dirty(removed);
        ctx.changed(EventClass::HASH, "hdel", key);
        ctx.remove_if_empty::<Hash>(key);
    }
    ctx.done_int(removed as i64)
}
