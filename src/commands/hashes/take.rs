//! Reading fields and doing something to them: HGETEX, HGETDEL.

use super::fields::{Expired, NOT_POSITIVE, first_field, instant};
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::commands::expire_time::TimeUnit;
use crate::data::hash::Hash;
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome};
use crate::resp::Reply;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "hgetex",
            arity: -5,
            flags: flags![WRITE, FAST],
            categories: Categories::HASH,
            keys: keys::FIRST_CHANGE,
            group: Group::Hash,
            since: "8.0.0",
            summary: "Reads fields of a hash and sets, changes or removes their expiry.",
            complexity: "O(N) where N is the number of specified fields",
            args: "key:key expiration?:(seconds=EX:integer | milliseconds=PX:integer | \
                unix-time-seconds=EXAT:unix-time | unix-time-milliseconds=PXAT:unix-time | persist=PERSIST) \
                fields=FIELDS:(numfields:integer field*:string)",
            ..Spec::BASE
        },
        run: hgetex,
    },
    Command {
        spec: Spec {
            name: "hgetdel",
            arity: -5,
            flags: flags![WRITE, FAST],
            categories: Categories::HASH,
            keys: keys::FIRST_TAKE,
            group: Group::Hash,
            since: "8.0.0",
            summary: "Reads fields of a hash and takes them out.",
            complexity: "O(N) where N is the number of specified fields",
            args: "key:key fields=FIELDS:(numfields:integer field*:string)",
            ..Spec::BASE
        },
        run: hgetdel,
    },
];

fn reply_field(reply: &mut Reply<'_>, hash: Option<&Hash>, field: &[u8]) {
    match hash.and_then(|hash| hash.get(field)) {
        Some(value) => reply.element(value),
        None => reply.null(),
    }
}

pub(super) fn hgetex(ctx: &mut Context<'_>) -> CommandResult {
    let (key, now) = (ctx.args.at(1), ctx.past());
    let _ = ctx.keys.write::<Hash>(key)?;
    let unit = TimeUnit::of_option(ctx.args.at(2));
    let when = unit.map(|unit| instant(ctx, 3, unit)).transpose()?;
    let persist = ctx.args.is(2, "PERSIST");
    let options = if when.is_some() { 2 } else { usize::from(persist) };
    let fields = ctx.args.from(first_field(ctx.args, 2 + options, NOT_POSITIVE)?);
    ctx.reply.array(fields.len());
    let (mut expired, mut persisted) = (Expired::default(), 0);
    let mut hash = ctx.keys.write::<Hash>(key)?;
    for field in fields {
        reply_field(&mut ctx.reply, hash.as_deref(), field);
        let Some(hash) = hash.as_deref_mut().filter(|hash| hash.contains(field)) else { continue };
        if let Some(when) = when {
            expired.expire(hash, field, when, now);
        } else if persist {
            persisted += usize::from(hash.persist(field));
        }
    }
    if let Some(when) = when {
        expired.record(ctx, key, when);
    }
    if persisted > 0 {
        ctx.change.dirty(persisted);
        ctx.changed(EventClass::HASH, "hpersist", key);
        let words: Vec<&[u8]> = [&b"HPERSIST"[..], key].into_iter().chain(ctx.args.from(3)).collect();
        ctx.change.replay_as(&words);
    }
    Ok(Outcome::Done)
}

pub(super) fn hgetdel(ctx: &mut Context<'_>) -> CommandResult {
    let key = ctx.args.at(1);
    let mut hash = ctx.keys.write::<Hash>(key)?;
    let fields = ctx.args.from(first_field(ctx.args, 2, NOT_POSITIVE)?);
    ctx.reply.array(fields.len());
    let mut replay: Vec<&[u8]> = vec![b"HDEL", key];
    for field in fields {
        reply_field(&mut ctx.reply, hash.as_deref(), field);
        if hash.as_deref_mut().is_some_and(|hash| hash.remove(field)) {
            replay.push(field);
        }
    }
    let removed = replay.len() - 2;
    if removed > 0 {
        ctx.change.dirty(removed);
        ctx.changed(EventClass::HASH, "hdel", key);
        ctx.change.replay_as(&replay);
        ctx.remove_if_empty::<Hash>(key);
    }
    Ok(Outcome::Done)
}
