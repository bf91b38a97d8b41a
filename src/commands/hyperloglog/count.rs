//! Counting: PFADD, PFCOUNT, PFMERGE.

use super::{CORRUPT, changeable, checked, sparse_max};
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::catalog::{KeyFlags, KeySpec};
use crate::data::hyperloglog::{self, Encoding, Registers};
use crate::engine::{Command, CommandResult, Context, EventClass};
use crate::keyspace::{KeepExpiry, NewValue, Object};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "pfadd",
            arity: -2,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::HYPERLOGLOG,
            keys: keys::FIRST_ADD,
            group: Group::HyperLogLog,
            since: "2.8.9",
            summary: "Counts elements into a HyperLogLog.",
            complexity: "O(1) to add every element.",
            args: "key:key element?*:string",
            ..Spec::BASE
        },
        run: pfadd,
    },
    Command {
        spec: Spec {
            name: "pfcount",
            arity: -2,
            flags: flags![READONLY, MAY_REPLICATE],
            categories: Categories::HYPERLOGLOG,
            keys: &[KeySpec::index(1, KeyFlags::RW.union(KeyFlags::ACCESS))
                .range(-1, 1, 0)
                .notes("RW because it may change the internal representation of the key, and propagate to replicas")],
            group: Group::HyperLogLog,
            since: "2.8.9",
            summary: "Estimates how many distinct elements were counted.",
            complexity: "O(1) with a very small average constant time when called with a single key. O(N) with N \
                being the number of keys, and much bigger constant times, when called with multiple keys.",
            args: "key*:key",
            ..Spec::BASE
        },
        run: pfcount,
    },
    Command {
        spec: Spec {
            name: "pfmerge",
            arity: -2,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::HYPERLOGLOG,
            keys: &[
                KeySpec::index(1, KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::INSERT)),
                KeySpec::index(2, KeyFlags::READ).range(-1, 1, 0),
            ],
            group: Group::HyperLogLog,
            since: "2.8.9",
            summary: "Unites HyperLogLogs into one.",
            complexity: "O(N) to merge N HyperLogLogs, but with high constant times.",
            args: "destkey:key sourcekey?*:key#1",
            ..Spec::BASE
        },
        run: pfmerge,
    },
];

/// Puts an empty HyperLogLog at a key.
fn create(ctx: &mut Context<'_>, key: &[u8]) {
    ctx.keys.set(key, NewValue::Object(Object::Raw(hyperloglog::empty())), KeepExpiry::Set(None));
}

pub(super) fn pfadd(ctx: &mut Context<'_>) -> CommandResult {
    let (key, elements, max) = (ctx.args.at(1), ctx.args.from(2), sparse_max(ctx));
    let mut changes = 0;
    if changeable(ctx, key)?.is_none() {
        create(ctx, key);
        changes = 1;
    }
    let bytes = ctx.keys.string_mut(key)?.ok_or(WireError::NO_SUCH_KEY)?;
    for element in elements {
        changes += usize::from(hyperloglog::add(bytes, element, max).map_err(|_| CORRUPT)?);
    }
    if changes > 0 {
        hyperloglog::invalidate(bytes);
        ctx.change.dirty(changes);
        ctx.changed(EventClass::STRING, "pfadd", key);
    }
    ctx.done_int(i64::from(changes > 0))
}

pub(super) fn pfcount(ctx: &mut Context<'_>) -> CommandResult {
    if ctx.args.len() > 2 {
        let (registers, _) = union(ctx)?;
        return ctx.done_int(registers.estimate() as i64);
    }
    let key = ctx.args.at(1);
    let Some(bytes) = checked(ctx.keys.string(key)?)? else { return ctx.done_int(0) };
    if let Some(estimate) = hyperloglog::cached_estimate(bytes) {
        return ctx.done_int(estimate as i64);
    }
    let estimate = hyperloglog::estimate(bytes).map_err(|_| CORRUPT)?;
    // The estimate is kept in the value, which is a change like any other.
    if let Some(bytes) = ctx.keys.string_mut(key)? {
        hyperloglog::cache_estimate(bytes, estimate);
    }
    ctx.touched(key);
    ctx.change.dirty(1);
    ctx.done_int(estimate as i64)
}

pub(super) fn pfmerge(ctx: &mut Context<'_>) -> CommandResult {
    let (key, max) = (ctx.args.at(1), sparse_max(ctx));
    let (registers, any_dense) = union(ctx)?;
    if changeable(ctx, key)?.is_none() {
        create(ctx, key);
    }
    let bytes = ctx.keys.string_mut(key)?.ok_or(WireError::NO_SUCH_KEY)?;
    if any_dense {
        hyperloglog::make_dense(bytes).map_err(|_| CORRUPT)?;
    }
    for (register, value) in registers.iter() {
        hyperloglog::raise(bytes, register, value, max).map_err(|_| CORRUPT)?;
    }
    hyperloglog::invalidate(bytes);
    ctx.change.dirty(1);
    ctx.changed(EventClass::STRING, "pfadd", key);
    ctx.done_ok()
}

/// The union of the HyperLogLogs at all keys, and whether any of them is dense.
fn union(ctx: &Context<'_>) -> Result<(Registers, bool), WireError> {
    let (mut registers, mut any_dense) = (Registers::default(), false);
    for key in ctx.args.from(1) {
        let Some(bytes) = checked(ctx.keys.string(key)?)? else { continue };
        any_dense |= hyperloglog::encoding(bytes) == Encoding::Dense;
        registers.merge(bytes).map_err(|_| CORRUPT)?;
    }
    Ok((registers, any_dense))
}
