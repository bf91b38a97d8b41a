//! Several keys at once: MGET, MSET, MSETNX, MSETEX.

use super::basic::{replay_set, write};
use super::options::{Accepts, Condition, ExpiryOption, Options};
use crate::base::number::parse_i64;
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::catalog::{KeyFlags, KeySpec};
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome};
use crate::keyspace::{KeepExpiry, StrRef, ValueRef};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "mget",
            arity: -2,
            flags: flags![READONLY, FAST],
            categories: Categories::STRING,
            keys: keys::ALL_READ,
            group: Group::String,
            since: "1.0.0",
            summary: "Reads the strings at many keys together.",
            complexity: "O(N) where N is the number of keys to retrieve.",
            tips: &["request_policy:multi_shard"],
            args: "key*:key",
            ..Spec::BASE
        },
        run: mget,
    },
    Command {
        spec: Spec {
            name: "mset",
            arity: -3,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::STRING,
            keys: &[KeySpec::index(1, KeyFlags::STORE).range(-1, 2, 0)],
            group: Group::String,
            since: "1.0.1",
            summary: "Writes many strings together.",
            complexity: "O(N) where N is the number of keys to set.",
            tips: &["request_policy:multi_shard", "response_policy:all_succeeded"],
            args: "data*:(key:key value:string)",
            ..Spec::BASE
        },
        run: mset,
    },
    Command {
        spec: Spec {
            name: "msetnx",
            arity: -3,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::STRING,
            keys: &[KeySpec::index(1, KeyFlags::OW.union(KeyFlags::INSERT)).range(-1, 2, 0)],
            group: Group::String,
            since: "1.0.1",
            summary: "Writes many strings together, or none where any key is taken.",
            complexity: "O(N) where N is the number of keys to set.",
            args: "data*:(key:key value:string)",
            ..Spec::BASE
        },
        run: msetnx,
    },
    Command {
        spec: Spec {
            name: "msetex",
            arity: -4,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::STRING,
            keys: &[KeySpec::index(1, KeyFlags::STORE).counted(0, 1, 2)],
            group: Group::String,
            since: "8.4.0",
            summary: "Writes many strings together, on a condition and with an expiry where asked to.",
            complexity: "O(N) where N is the number of keys to set.",
            tips: &["request_policy:multi_shard", "response_policy:all_succeeded"],
            args: "numkeys:integer data*:(key:key value:string) condition?:(nx=NX | xx=XX) \
                expiration?:(seconds=EX:integer | milliseconds=PX:integer | unix-time-seconds=EXAT:unix-time | \
                unix-time-milliseconds=PXAT:unix-time | keepttl=KEEPTTL)",
            ..Spec::BASE
        },
        run: msetex,
    },
];

pub(super) fn mget(ctx: &mut Context<'_>) -> CommandResult {
    ctx.reply.array(ctx.args.len() - 1);
    for key in ctx.args.from(1) {
        match ctx.keys.get(key) {
            Some(ValueRef::Str(StrRef::Bytes(bytes))) => ctx.reply.bulk(bytes),
            Some(ValueRef::Str(StrRef::Int(value))) => ctx.reply.bulk_int(value),
            _ => ctx.reply.null(),
        }
    }
    Ok(Outcome::Done)
}

pub(super) fn mset(ctx: &mut Context<'_>) -> CommandResult {
    check_pairs(ctx)?;
    write_pairs(ctx);
    ctx.done_ok()
}

pub(super) fn msetnx(ctx: &mut Context<'_>) -> CommandResult {
    check_pairs(ctx)?;
    if ctx.args.from(1).step_by(2).any(|key| ctx.keys.exists(key)) {
        return ctx.done_int(0);
    }
    write_pairs(ctx);
    ctx.done_int(1)
}

pub(super) fn msetex(ctx: &mut Context<'_>) -> CommandResult {
    const NO_COUNT: WireError = WireError::fixed("ERR invalid numkeys value");
    let args = ctx.args;
    let count =
        parse_i64(args.at(1)).filter(|count| (1..=i64::from(i32::MAX)).contains(count)).ok_or(NO_COUNT)? as usize;
    if args.len() - 2 < count * 2 {
        return Err(WireError::fixed("ERR wrong number of key-value pairs"));
    }
    let options = Options::parse(ctx, 2 + count * 2, Accepts::MSetEx)?;
    let mut keys = args.from(2).step_by(2).take(count);
    let allowed = match options.condition {
        Condition::Missing => !keys.any(|key| ctx.keys.exists(key)),
        Condition::Present => keys.all(|key| ctx.keys.exists(key)),
        Condition::Always | Condition::Equals(_) => true,
    };
    if !allowed {
        return ctx.done_int(0);
    }
    for (key, value) in args.from(2).step_by(2).zip(args.from(3).step_by(2)).take(count) {
        write(ctx, key, value, options.expiry);
        // As what every server understands.
        match options.expiry {
            ExpiryOption::At(when) => replay_set(ctx, key, value, when),
            ExpiryOption::Keep => ctx.change.replay_as(&[b"SET", key, value, b"KEEPTTL"]),
            ExpiryOption::Unnamed | ExpiryOption::Persist => ctx.change.replay_as(&[b"SET", key, value]),
        }
    }
    ctx.done_int(1)
}

fn check_pairs(ctx: &Context<'_>) -> Result<(), WireError> {
    if ctx.args.len().is_multiple_of(2) { ctx.wrong_arity() } else { Ok(()) }
}

fn write_pairs(ctx: &mut Context<'_>) {
    let args = ctx.args;
    for (key, value) in args.from(1).step_by(2).zip(args.from(2).step_by(2)) {
        ctx.keys.set_string(key, value, KeepExpiry::Set(None));
        ctx.changed(EventClass::STRING, "set", key);
    }
    ctx.change.dirty((args.len() - 1) / 2);
}
