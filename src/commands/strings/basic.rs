//! One key, one value: GET, SET and variants.

use super::options::{Accepts, Condition, ExpiryOption, Options};
use crate::base::clock::UnixMillis;
use crate::catalog::{Categories, Deprecated, Group, KeyFinder, Spec, flags, keys};
use crate::catalog::{KeyFlags, KeySpec};
use crate::commands::expire_time::{TimeUnit, positive_instant};
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome};
use crate::keyspace::{KeepExpiry, StrRef};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "get",
            arity: 2,
            flags: flags![READONLY, FAST],
            categories: Categories::STRING,
            keys: keys::FIRST_READ,
            group: Group::String,
            since: "1.0.0",
            summary: "Reads a string.",
            complexity: "O(1)",
            args: "key:key",
            ..Spec::BASE
        },
        run: get,
    },
    Command {
        spec: Spec {
            name: "set",
            arity: -3,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::STRING,
            keys: &[KeySpec::index(1, KeyFlags::EXCHANGE.union(KeyFlags::VARIABLE_FLAGS))
                .notes("RW and ACCESS due to the optional `GET` argument")],
            finder: KeyFinder::Set,
            group: Group::String,
            since: "1.0.0",
            summary: "Writes a string, on conditions and with an expiry where asked to.",
            complexity: "O(1)",
            history: &[
                ("2.6.12", "Added the `EX`, `PX`, `NX` and `XX` options."),
                ("6.0.0", "Added the `KEEPTTL` option."),
                ("6.2.0", "Added the `GET`, `EXAT` and `PXAT` option."),
                ("7.0.0", "Allowed the `NX` and `GET` options to be used together."),
            ],
            args: "key:key value:string condition?:(nx=NX | xx=XX)@2.6.12 get?=GET@6.2.0 \
                expiration?:(seconds=EX:integer@2.6.12 | milliseconds=PX:integer@2.6.12 | \
                unix-time-seconds=EXAT:unix-time@6.2.0 | unix-time-milliseconds=PXAT:unix-time@6.2.0 | \
                keepttl=KEEPTTL@6.0.0)",
            ..Spec::BASE
        },
        run: set,
    },
    Command {
        spec: Spec {
            name: "setnx",
            arity: 3,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::STRING,
            keys: &[KeySpec::index(1, KeyFlags::OW.union(KeyFlags::INSERT))],
            group: Group::String,
            since: "1.0.0",
            summary: "Writes a string unless the key is taken.",
            complexity: "O(1)",
            deprecated: Some(Deprecated { since: "2.6.12", replaced_by: "`SET` with the `NX` argument" }),
            args: "key:key value:string",
            ..Spec::BASE
        },
        run: setnx,
    },
    Command {
        spec: Spec {
            name: "setex",
            arity: 4,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::STRING,
            keys: keys::FIRST_STORE,
            group: Group::String,
            since: "2.0.0",
            summary: "Writes a string that lives for some seconds.",
            complexity: "O(1)",
            deprecated: Some(Deprecated { since: "2.6.12", replaced_by: "`SET` with the `EX` argument" }),
            args: "key:key seconds:integer value:string",
            ..Spec::BASE
        },
        run: setex,
    },
    Command {
        spec: Spec {
            name: "psetex",
            arity: 4,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::STRING,
            keys: keys::FIRST_STORE,
            group: Group::String,
            since: "2.6.0",
            summary: "Writes a string that lives for some milliseconds.",
            complexity: "O(1)",
            deprecated: Some(Deprecated { since: "2.6.12", replaced_by: "`SET` with the `PX` argument" }),
            args: "key:key milliseconds:integer value:string",
            ..Spec::BASE
        },
        run: psetex,
    },
    Command {
        spec: Spec {
            name: "getset",
            arity: 3,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::STRING,
            keys: keys::FIRST_EXCHANGE,
            group: Group::String,
            since: "1.0.0",
            summary: "Writes a string and hands back what was there before.",
            complexity: "O(1)",
            deprecated: Some(Deprecated { since: "6.2.0", replaced_by: "`SET` with the `!GET` argument" }),
            args: "key:key value:string",
            ..Spec::BASE
        },
        run: getset,
    },
    Command {
        spec: Spec {
            name: "getdel",
            arity: 2,
            flags: flags![WRITE, FAST],
            categories: Categories::STRING,
            keys: keys::FIRST_TAKE,
            group: Group::String,
            since: "6.2.0",
            summary: "Reads a string and removes its key.",
            complexity: "O(1)",
            args: "key:key",
            ..Spec::BASE
        },
        run: getdel,
    },
    Command {
        spec: Spec {
            name: "delifeq",
            arity: 3,
            flags: flags![WRITE, FAST],
            categories: Categories::STRING,
            keys: keys::FIRST_REMOVE,
            group: Group::String,
            since: "9.0.0",
            summary: "Removes a key if it holds the given string.",
            complexity: "O(1)",
            args: "key:key value:string",
            ..Spec::BASE
        },
        run: delifeq,
    },
    Command {
        spec: Spec {
            name: "getex",
            arity: -2,
            flags: flags![WRITE, FAST],
            categories: Categories::STRING,
            keys: &[KeySpec::index(1, KeyFlags::EXCHANGE).notes("RW and UPDATE because it changes the TTL")],
            group: Group::String,
            since: "6.2.0",
            summary: "Reads a string and sets, changes or removes its expiry.",
            complexity: "O(1)",
            args: "key:key expiration?:(seconds=EX:integer | milliseconds=PX:integer | \
                unix-time-seconds=EXAT:unix-time | unix-time-milliseconds=PXAT:unix-time | persist=PERSIST)",
            ..Spec::BASE
        },
        run: getex,
    },
];

const STRING: EventClass = EventClass::STRING;

/// Writes a string, or null.
fn reply_string(ctx: &mut Context<'_>, key: &[u8]) -> Result<bool, WireError> {
    match ctx.keys.string(key)? {
        Some(StrRef::Bytes(bytes)) => ctx.reply.bulk(bytes),
        Some(StrRef::Int(value)) => ctx.reply.bulk_int(value),
        None => {
            ctx.reply.null();
            return Ok(false);
        }
    }
    Ok(true)
}

pub(super) fn get(ctx: &mut Context<'_>) -> CommandResult {
    reply_string(ctx, ctx.args.at(1))?;
    Ok(Outcome::Done)
}

pub(super) fn set(ctx: &mut Context<'_>) -> CommandResult {
    let (key, value) = (ctx.args.at(1), ctx.args.at(2));
    check_length(ctx, value.len() as u64)?;
    if ctx.args.len() == 3 {
        ctx.keys.set_string(key, value, KeepExpiry::Set(None));
        ctx.change.dirty(1);
        ctx.changed(STRING, "set", key);
        return ctx.done_ok();
    }
    let options = Options::parse(ctx, 3, Accepts::Set)?;
    if options.get {
        reply_string(ctx, key)?;
    }
    let refused = match options.condition {
        Condition::Always => false,
        Condition::Missing => ctx.keys.exists(key),
        Condition::Present => !ctx.keys.exists(key),
        Condition::Equals(wanted) => !holds(ctx, key, wanted)?,
    };
    if refused {
        if !options.get {
            ctx.reply.null();
        }
        return Ok(Outcome::Done);
    }
    write(ctx, key, value, options.expiry);
    if let ExpiryOption::At(when) = options.expiry {
        replay_set(ctx, key, value, when);
    } else if options.get || matches!(options.condition, Condition::Equals(_)) {
        // GET would make a replica write a reply, and the condition has held: what is left is to write the value.
        let keep: &[&[u8]] = if options.expiry == ExpiryOption::Keep { &[b"KEEPTTL"] } else { &[] };
        ctx.change.replay_as(&[&[b"SET", key, value], keep].concat());
    }
    if !options.get {
        ctx.reply.ok();
    }
    Ok(Outcome::Done)
}

/// Whether a key holds this very string.
fn holds(ctx: &Context<'_>, key: &[u8], wanted: &[u8]) -> Result<bool, WireError> {
    let mut digits = itoa::Buffer::new();
    Ok(ctx.keys.string(key)?.is_some_and(|string| string.bytes(&mut digits) == wanted))
}

/// Writes the value with its expiry, and says so.
pub(super) fn write(ctx: &mut Context<'_>, key: &[u8], value: &[u8], expiry: ExpiryOption) {
    let keep = match expiry {
        ExpiryOption::Keep => KeepExpiry::Yes,
        ExpiryOption::At(when) => KeepExpiry::Set(Some(when)),
        ExpiryOption::Unnamed | ExpiryOption::Persist => KeepExpiry::Set(None),
    };
    ctx.keys.set_string(key, value, keep);
    ctx.change.dirty(1);
    ctx.changed(STRING, "set", key);
    if matches!(expiry, ExpiryOption::At(_)) {
        ctx.notify(EventClass::GENERIC, "expire", key);
    }
}

pub(super) fn replay_set(ctx: &mut Context<'_>, key: &[u8], value: &[u8], when: UnixMillis) {
    let mut digits = itoa::Buffer::new();
    ctx.change.replay_as(&[b"SET", key, value, b"PXAT", digits.format(when.0).as_bytes()]);
}

pub(super) fn setnx(ctx: &mut Context<'_>) -> CommandResult {
    let (key, value) = (ctx.args.at(1), ctx.args.at(2));
    if ctx.keys.exists(key) {
        return ctx.done_int(0);
    }
    write(ctx, key, value, ExpiryOption::Unnamed);
    ctx.done_int(1)
}

pub(super) fn setex(ctx: &mut Context<'_>) -> CommandResult {
    set_for(ctx, TimeUnit { seconds: true, absolute: false })
}

pub(super) fn psetex(ctx: &mut Context<'_>) -> CommandResult {
    set_for(ctx, TimeUnit { seconds: false, absolute: false })
}

fn set_for(ctx: &mut Context<'_>, unit: TimeUnit) -> CommandResult {
    let (key, value) = (ctx.args.at(1), ctx.args.at(3));
    let when = positive_instant(ctx.args.at(2), unit, ctx.now(), ctx.command.spec.name)?;
    write(ctx, key, value, ExpiryOption::At(when));
    replay_set(ctx, key, value, when);
    ctx.done_ok()
}

pub(super) fn getset(ctx: &mut Context<'_>) -> CommandResult {
    let (key, value) = (ctx.args.at(1), ctx.args.at(2));
    reply_string(ctx, key)?;
    write(ctx, key, value, ExpiryOption::Unnamed);
    ctx.change.replay_as(&[b"SET", key, value]);
    Ok(Outcome::Done)
}

pub(super) fn getdel(ctx: &mut Context<'_>) -> CommandResult {
    let key = ctx.args.at(1);
    if reply_string(ctx, key)? {
        ctx.keys.remove(key);
        ctx.change.dirty(1);
        ctx.changed(EventClass::GENERIC, "del", key);
        ctx.change.replay_as(&[b"DEL", key]);
    }
    Ok(Outcome::Done)
}

pub(super) fn delifeq(ctx: &mut Context<'_>) -> CommandResult {
    let key = ctx.args.at(1);
    if !holds(ctx, key, ctx.args.at(2))? {
        return ctx.done_int(0);
    }
    ctx.keys.remove(key);
    ctx.change.dirty(1);
    ctx.changed(EventClass::GENERIC, "del", key);
    ctx.change.replay_as(&[b"DEL", key]);
    ctx.done_int(1)
}

pub(super) fn getex(ctx: &mut Context<'_>) -> CommandResult {
    let key = ctx.args.at(1);
    let (mut options, named) = Options::parse_syntax(ctx, 2, Accepts::GetEx)?;
    if !reply_string(ctx, key)? {
        return Ok(Outcome::Done);
    }
    // A missing key is answered before the expiry is looked at.
    options.settle(ctx, named)?;
    match options.expiry {
        ExpiryOption::At(when) if ctx.is_past(when) => {
            ctx.keys.remove(key);
            ctx.change.dirty(1);
            ctx.changed(EventClass::GENERIC, "del", key);
            ctx.change.replay_as(&[b"DEL", key]);
        }
        ExpiryOption::At(when) => {
            ctx.keys.set_expiry(key, Some(when));
            ctx.change.dirty(1);
            ctx.changed(EventClass::GENERIC, "expire", key);
            let mut digits = itoa::Buffer::new();
            ctx.change.replay_as(&[b"PEXPIREAT", key, digits.format(when.0).as_bytes()]);
        }
        ExpiryOption::Persist if ctx.keys.expiry(key).flatten().is_some() => {
            ctx.keys.set_expiry(key, None);
            ctx.change.dirty(1);
            ctx.changed(EventClass::GENERIC, "persist", key);
            ctx.change.replay_as(&[b"PERSIST", key]);
        }
        _ => {}
    }
    Ok(Outcome::Done)
}

/// Refuses a string that would pass proto-max-bulk-len.
pub(super) fn check_length(ctx: &Context<'_>, length: u64) -> Result<(), WireError> {
    if length > ctx.settings.limits.proto_max_bulk_len { Err(WireError::STRING_TOO_LONG) } else { Ok(()) }
}
