//! Giving fields an expiry: HEXPIRE, HPEXPIRE, HEXPIREAT, HPEXPIREAT; taking it away: HPERSIST.

use super::fields::{Expired, NOT_POSITIVE, first_field, instant};
use crate::base::clock::UnixMillis;
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::commands::expire_time::TimeUnit;
use crate::data::hash::Hash;
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "hexpire",
            arity: -6,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::HASH,
            keys: keys::FIRST_CHANGE,
            group: Group::Hash,
            since: "7.4.0",
            summary: "Lets fields of a hash live for some seconds.",
            complexity: "O(N) where N is the number of specified fields",
            args: "key:key seconds:integer condition?:(nx=NX | xx=XX | gt=GT | lt=LT) \
                fields=FIELDS:(numfields:integer field*:string)",
            ..Spec::BASE
        },
        run: hexpire,
    },
    Command {
        spec: Spec {
            name: "hpexpire",
            arity: -6,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::HASH,
            keys: keys::FIRST_CHANGE,
            group: Group::Hash,
            since: "7.4.0",
            summary: "Lets fields of a hash live for some milliseconds.",
            complexity: "O(N) where N is the number of specified fields",
            args: "key:key milliseconds:integer condition?:(nx=NX | xx=XX | gt=GT | lt=LT) \
                fields=FIELDS:(numfields:integer field*:string)",
            ..Spec::BASE
        },
        run: hpexpire,
    },
    Command {
        spec: Spec {
            name: "hexpireat",
            arity: -6,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::HASH,
            keys: keys::FIRST_CHANGE,
            group: Group::Hash,
            since: "7.4.0",
            summary: "Lets fields of a hash live until a Unix time in seconds.",
            complexity: "O(N) where N is the number of specified fields",
            args: "key:key unix-time-seconds:unix-time condition?:(nx=NX | xx=XX | gt=GT | lt=LT) \
                fields=FIELDS:(numfields:integer field*:string)",
            ..Spec::BASE
        },
        run: hexpireat,
    },
    Command {
        spec: Spec {
            name: "hpexpireat",
            arity: -6,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::HASH,
            keys: keys::FIRST_CHANGE,
            group: Group::Hash,
            since: "7.4.0",
            summary: "Lets fields of a hash live until a Unix time in milliseconds.",
            complexity: "O(N) where N is the number of specified fields",
            args: "key:key unix-time-milliseconds:unix-time condition?:(nx=NX | xx=XX | gt=GT | lt=LT) \
                fields=FIELDS:(numfields:integer field*:string)",
            ..Spec::BASE
        },
        run: hpexpireat,
    },
    Command {
        spec: Spec {
            name: "hpersist",
            arity: -5,
            flags: flags![WRITE, FAST],
            categories: Categories::HASH,
            keys: keys::FIRST_CHANGE,
            group: Group::Hash,
            since: "7.4.0",
            summary: "Lets fields of a hash live on without an expiry.",
            complexity: "O(N) where N is the number of specified fields",
            args: "key:key fields=FIELDS:(numfields:integer field*:string)",
            ..Spec::BASE
        },
        run: hpersist,
    },
];

/// What the reply says of a field.
const NO_FIELD: i64 = -2;
const NO_EXPIRY: i64 = -1;
const REFUSED: i64 = 0;
const SET: i64 = 1;
const DELETED: i64 = 2;

/// On which condition a field gets its expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    /// NX: it has none.
    Without,
    /// XX: it has one.
    With,
    /// GT: it has an earlier one.
    Later,
    /// LT: it has a later one, or none.
    Earlier,
}

impl Condition {
    fn parse(word: &[u8]) -> Option<Self> {
        match word.to_ascii_uppercase().as_slice() {
            b"NX" => Some(Self::Without),
            b"XX" => Some(Self::With),
            b"GT" => Some(Self::Later),
            b"LT" => Some(Self::Earlier),
            _ => None,
        }
    }

    fn allows(self, old: Option<UnixMillis>, new: UnixMillis) -> bool {
        match self {
            Self::Without => old.is_none(),
            Self::With => old.is_some(),
            Self::Later => old.is_some_and(|old| new > old),
            Self::Earlier => old.is_none_or(|old| new < old),
        }
    }
}

pub(super) fn hexpire(ctx: &mut Context<'_>) -> CommandResult {
    expire(ctx, TimeUnit { seconds: true, absolute: false })
}

pub(super) fn hpexpire(ctx: &mut Context<'_>) -> CommandResult {
    expire(ctx, TimeUnit { seconds: false, absolute: false })
}

pub(super) fn hexpireat(ctx: &mut Context<'_>) -> CommandResult {
    expire(ctx, TimeUnit { seconds: true, absolute: true })
}

pub(super) fn hpexpireat(ctx: &mut Context<'_>) -> CommandResult {
    expire(ctx, TimeUnit { seconds: false, absolute: true })
}

fn expire(ctx: &mut Context<'_>, unit: TimeUnit) -> CommandResult {
    const NO_COUNT: WireError = WireError::fixed("ERR Parameter `numFields` should be greater than 0");
    let (key, now) = (ctx.args.at(1), ctx.past());
    let _ = ctx.keys.write::<Hash>(key)?;
    let when = instant(ctx, 2, unit)?;
    let condition = Condition::parse(ctx.args.at(3));
    let fields = ctx.args.from(first_field(ctx.args, if condition.is_some() { 4 } else { 3 }, NO_COUNT)?);
    ctx.reply.array(fields.len());
    let Some(hash) = ctx.keys.write::<Hash>(key)? else {
        fields.for_each(|_| ctx.reply.int(NO_FIELD));
        return Ok(Outcome::Done);
    };
    let mut expired = Expired::default();
    for field in fields {
        let outcome = if !hash.contains(field) {
            NO_FIELD
        } else if condition.is_some_and(|condition| !condition.allows(hash.expiry(field), when)) {
            REFUSED
        } else if expired.expire(hash, field, when, now) {
            SET
        } else {
            DELETED
        };
        ctx.reply.int(outcome);
    }
    expired.record(ctx, key, when);
    Ok(Outcome::Done)
}

pub(super) fn hpersist(ctx: &mut Context<'_>) -> CommandResult {
    let key = ctx.args.at(1);
    let hash = ctx.keys.write::<Hash>(key)?;
    let fields = ctx.args.from(first_field(ctx.args, 2, NOT_POSITIVE)?);
    ctx.reply.array(fields.len());
    let Some(hash) = hash else {
        fields.for_each(|_| ctx.reply.int(NO_FIELD));
        return Ok(Outcome::Done);
    };
    let mut changed = false;
    for field in fields {
        let outcome = match (hash.contains(field), hash.persist(field)) {
            (false, _) => NO_FIELD,
            (true, false) => NO_EXPIRY,
            (true, true) => SET,
        };
        changed |= outcome == SET;
        ctx.reply.int(outcome);
    }
    if changed {
        ctx.change.dirty(1);
        ctx.changed(EventClass::HASH, "hpersist", key);
    }
    Ok(Outcome::Done)
}
