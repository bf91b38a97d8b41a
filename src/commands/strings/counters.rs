//! Counters: INCR and its kin, INCRBYFLOAT.

use crate::base::long_double::LongDouble;
use crate::base::number::parse_i64;
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome};
use crate::keyspace::{KeepExpiry, NewValue, StrRef};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "incr",
            arity: 2,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::STRING,
            keys: keys::FIRST_EXCHANGE,
            group: Group::String,
            since: "1.0.0",
            summary: "Raises a counter by one.",
            complexity: "O(1)",
            args: "key:key",
            ..Spec::BASE
        },
        run: incr,
    },
    Command {
        spec: Spec {
            name: "decr",
            arity: 2,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::STRING,
            keys: keys::FIRST_EXCHANGE,
            group: Group::String,
            since: "1.0.0",
            summary: "Lowers a counter by one.",
            complexity: "O(1)",
            args: "key:key",
            ..Spec::BASE
        },
        run: decr,
    },
    Command {
        spec: Spec {
            name: "incrby",
            arity: 3,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::STRING,
            keys: keys::FIRST_EXCHANGE,
            group: Group::String,
            since: "1.0.0",
            summary: "Raises a counter by a given amount.",
            complexity: "O(1)",
            args: "key:key increment:integer",
            ..Spec::BASE
        },
        run: incrby,
    },
    Command {
        spec: Spec {
            name: "decrby",
            arity: 3,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::STRING,
            keys: keys::FIRST_EXCHANGE,
            group: Group::String,
            since: "1.0.0",
            summary: "Lowers a counter by a given amount.",
            complexity: "O(1)",
            args: "key:key decrement:integer",
            ..Spec::BASE
        },
        run: decrby,
    },
    Command {
        spec: Spec {
            name: "incrbyfloat",
            arity: 3,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::STRING,
            keys: keys::FIRST_EXCHANGE,
            group: Group::String,
            since: "2.6.0",
            summary: "Adds a decimal number to a counter.",
            complexity: "O(1)",
            args: "key:key increment:double",
            ..Spec::BASE
        },
        run: incrbyfloat,
    },
];

pub(super) fn incr(ctx: &mut Context<'_>) -> CommandResult {
    add(ctx, 1)
}

pub(super) fn decr(ctx: &mut Context<'_>) -> CommandResult {
    add(ctx, -1)
}

pub(super) fn incrby(ctx: &mut Context<'_>) -> CommandResult {
    add(ctx, ctx.int(2)?)
}

pub(super) fn decrby(ctx: &mut Context<'_>) -> CommandResult {
    let by = ctx.int(2)?.checked_neg().ok_or(WireError::fixed("ERR decrement would overflow"))?;
    add(ctx, by)
}

fn add(ctx: &mut Context<'_>, by: i64) -> CommandResult {
    let key = ctx.args.at(1);
    let old = match ctx.keys.string_for_write(key)? {
        None => 0,
        Some(StrRef::Int(value)) => value,
        Some(StrRef::Bytes(bytes)) => parse_i64(bytes).ok_or(WireError::NOT_INTEGER)?,
    };
    let new = old.checked_add(by).ok_or(WireError::fixed("ERR increment or decrement would overflow"))?;
    if let Some(value) = ctx.keys.int_mut(key) {
        *value = new;
    } else {
        ctx.keys.set_string(key, itoa::Buffer::new().format(new).as_bytes(), KeepExpiry::Yes);
    }
    ctx.change.dirty(1);
    ctx.changed(EventClass::STRING, "incrby", key);
    ctx.done_int(new)
}

pub(super) fn incrbyfloat(ctx: &mut Context<'_>) -> CommandResult {
    let key = ctx.args.at(1);
    let old = match ctx.keys.string_for_write(key)? {
        None => LongDouble::from_f64(0.0),
        Some(string) => LongDouble::parse_stored(string.bytes(&mut itoa::Buffer::new()), WireError::NOT_FLOAT)?,
    };
    let new = old + LongDouble::parse_stored(ctx.args.at(2), WireError::NOT_FLOAT)?;
    if !new.to_f64().is_finite() {
        return Err(WireError::fixed("ERR increment would produce NaN or Infinity"));
    }
    let text = new.to_text();
    // Kept as text even where the sum is an integer, as its encoding shows.
    ctx.keys.set(key, NewValue::Inline(text.as_bytes()), KeepExpiry::Yes);
    ctx.change.dirty(1);
    ctx.changed(EventClass::STRING, "incrbyfloat", key);
    // Floating point may come out otherwise elsewhere: the result is replayed, not the sum.
    ctx.change.replay_as(&[b"SET", key, text.as_bytes(), b"KEEPTTL"]);
    ctx.reply.bulk(text.as_bytes());
    Ok(Outcome::Done)
}

impl LongDouble {
    /// A number that takes part in a sum; `not_a_number` is the error for what is none, and an infinity has its own.
    pub(in crate::commands) fn parse_stored(text: &[u8], not_a_number: WireError) -> Result<Self, WireError> {
        const NOT_FINITE: WireError = WireError::fixed("ERR increment would produce NaN or Infinity");
        match Self::parse(text) {
            Some(value) => Ok(value),
            None if crate::base::number::parse_f64(text).is_some() => Err(NOT_FINITE),
            None => Err(not_a_number),
        }
    }
}
