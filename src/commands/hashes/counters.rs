//! Counters in fields: HINCRBY, HINCRBYFLOAT.

use crate::base::long_double::LongDouble;
use crate::base::number::parse_i64;
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::data::hash::Hash;
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "hincrby",
            arity: 4,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::HASH,
            keys: keys::FIRST_EXCHANGE,
            group: Group::Hash,
            since: "2.0.0",
            summary: "Adds to the integer in a field.",
            complexity: "O(1)",
            args: "key:key field:string increment:integer",
            ..Spec::BASE
        },
        run: hincrby,
    },
    Command {
        spec: Spec {
            name: "hincrbyfloat",
            arity: 4,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::HASH,
            keys: keys::FIRST_EXCHANGE,
            group: Group::Hash,
            since: "2.6.0",
            summary: "Adds to the decimal number in a field.",
            complexity: "O(1)",
            args: "key:key field:string increment:double",
            ..Spec::BASE
        },
        run: hincrbyfloat,
    },
];

pub(super) fn hincrby(ctx: &mut Context<'_>) -> CommandResult {
    let (key, field, by, limits) = (ctx.args.at(1), ctx.args.at(2), ctx.int(3)?, ctx.limits());
    let old = match ctx.keys.write::<Hash>(key)?.and_then(|hash| hash.get(field)) {
        None => 0,
        Some(value) => parse_i64(&value.to_vec()).ok_or(WireError::fixed("ERR hash value is not an integer"))?,
    };
    let new = old.checked_add(by).ok_or(WireError::fixed("ERR increment or decrement would overflow"))?;
    let hash = ctx.keys.write_or_create::<Hash>(key)?;
    hash.set_keeping_expiry(field, itoa::Buffer::new().format(new).as_bytes(), limits);
    ctx.change.dirty(1);
    ctx.changed(EventClass::HASH, "hincrby", key);
    ctx.done_int(new)
}

pub(super) fn hincrbyfloat(ctx: &mut Context<'_>) -> CommandResult {
    const NOT_FINITE: WireError = WireError::fixed("ERR increment would produce NaN or Infinity");
    let (key, field, limits) = (ctx.args.at(1), ctx.args.at(2), ctx.limits());
    let given = ctx.float(3)?;
    if !given.is_finite() {
        return Err(WireError::fixed("ERR value is NaN or Infinity"));
    }
    let by = LongDouble::parse(ctx.args.at(3)).ok_or(WireError::NOT_FLOAT)?;
    let old = match ctx.keys.write::<Hash>(key)?.and_then(|hash| hash.get(field)) {
        None => LongDouble::from_f64(0.0),
        Some(value) => LongDouble::parse_stored(&value.to_vec(), WireError::fixed("ERR hash value is not a float"))?,
    };
    let new = old + by;
    if !new.to_f64().is_finite() {
        return Err(NOT_FINITE);
    }
    let text = new.to_text();
    let hash = ctx.keys.write_or_create::<Hash>(key)?;
    hash.set_keeping_expiry(field, text.as_bytes(), limits);
    let expires = hash.expiry(field).is_some();
    ctx.change.dirty(1);
    ctx.changed(EventClass::HASH, "hincrbyfloat", key);
    // Floating point may come out otherwise elsewhere: the result is replayed, not the sum.
    if expires {
        ctx.change.replay_as(&[b"HSETEX", key, b"KEEPTTL", b"FIELDS", b"1", field, text.as_bytes()]);
    } else {
        ctx.change.replay_as(&[b"HSET", key, field, text.as_bytes()]);
    }
    ctx.reply.bulk(text.as_bytes());
    Ok(Outcome::Done)
}
