//! Setting expiries: EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT, PERSIST.

use crate::catalog::{Categories, Spec, flags, keys};
use crate::commands::expire_time::TimeUnit;
use crate::engine::{Command, CommandResult, Context, EventClass};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "expire",
            arity: -3,
            flags: flags![WRITE, FAST],
            categories: Categories::KEYSPACE,
            keys: keys::FIRST_CHANGE,
            since: "1.0.0",
            summary: "Lets a key live for some more seconds.",
            complexity: "O(1)",
            history: &[("7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`.")],
            args: "key:key seconds:integer condition?:(nx=NX | xx=XX | gt=GT | lt=LT)@7.0.0",
            ..Spec::BASE
        },
        run: expire,
    },
    Command {
        spec: Spec {
            name: "pexpire",
            arity: -3,
            flags: flags![WRITE, FAST],
            categories: Categories::KEYSPACE,
            keys: keys::FIRST_CHANGE,
            since: "2.6.0",
            summary: "Lets a key live for some more milliseconds.",
            complexity: "O(1)",
            history: &[("7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`.")],
            args: "key:key milliseconds:integer condition?:(nx=NX | xx=XX | gt=GT | lt=LT)@7.0.0",
            ..Spec::BASE
        },
        run: pexpire,
    },
    Command {
        spec: Spec {
            name: "expireat",
            arity: -3,
            flags: flags![WRITE, FAST],
            categories: Categories::KEYSPACE,
            keys: keys::FIRST_CHANGE,
            since: "1.2.0",
            summary: "Lets a key live until a Unix time in seconds.",
            complexity: "O(1)",
            history: &[("7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`.")],
            args: "key:key unix-time-seconds:unix-time condition?:(nx=NX | xx=XX | gt=GT | lt=LT)@7.0.0",
            ..Spec::BASE
        },
        run: expireat,
    },
    Command {
        spec: Spec {
            name: "pexpireat",
            arity: -3,
            flags: flags![WRITE, FAST],
            categories: Categories::KEYSPACE,
            keys: keys::FIRST_CHANGE,
            since: "2.6.0",
            summary: "Lets a key live until a Unix time in milliseconds.",
            complexity: "O(1)",
            history: &[("7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`.")],
            args: "key:key unix-time-milliseconds:unix-time condition?:(nx=NX | xx=XX | gt=GT | lt=LT)@7.0.0",
            ..Spec::BASE
        },
        run: pexpireat,
    },
    Command {
        spec: Spec {
            name: "persist",
            arity: 2,
            flags: flags![WRITE, FAST],
            categories: Categories::KEYSPACE,
            keys: keys::FIRST_CHANGE,
            since: "2.2.0",
            summary: "Takes the expiry off a key, so that it stays.",
            complexity: "O(1)",
            args: "key:key",
            ..Spec::BASE
        },
        run: persist,
    },
];

pub(super) fn expire(ctx: &mut Context<'_>) -> CommandResult {
    set(ctx, TimeUnit { seconds: true, absolute: false })
}

pub(super) fn pexpire(ctx: &mut Context<'_>) -> CommandResult {
    set(ctx, TimeUnit { seconds: false, absolute: false })
}

pub(super) fn expireat(ctx: &mut Context<'_>) -> CommandResult {
    set(ctx, TimeUnit { seconds: true, absolute: true })
}

pub(super) fn pexpireat(ctx: &mut Context<'_>) -> CommandResult {
    set(ctx, TimeUnit { seconds: false, absolute: true })
}

/// On which condition the expiry is set.
#[derive(Default)]
struct Conditions {
    no_expiry: bool,
    has_expiry: bool,
    later: bool,
    earlier: bool,
}

impl Conditions {
    fn parse(ctx: &Context<'_>) -> Result<Self, WireError> {
        let mut conditions = Self::default();
        for option in ctx.args.from(3) {
            *match option.to_ascii_uppercase().as_slice() {
                b"NX" => &mut conditions.no_expiry,
                b"XX" => &mut conditions.has_expiry,
                b"GT" => &mut conditions.later,
                b"LT" => &mut conditions.earlier,
                _ => {
                    return Err(WireError::quoting(&[b"ERR Unsupported option ", option]));
                }
            } = true;
        }
        if conditions.no_expiry && (conditions.has_expiry || conditions.later || conditions.earlier) {
            return Err(WireError::fixed("ERR NX and XX, GT or LT options at the same time are not compatible"));
        }
        if conditions.later && conditions.earlier {
            return Err(WireError::fixed("ERR GT and LT options at the same time are not compatible"));
        }
        Ok(conditions)
    }

    /// Whether an expiry may change; a key without one counts as living for ever.
    fn allow(&self, old: Option<i64>, new: i64) -> bool {
        !(self.no_expiry && old.is_some()
            || self.has_expiry && old.is_none()
            || self.later && old.is_none_or(|old| new <= old)
            || self.earlier && old.is_some_and(|old| new >= old))
    }
}

fn set(ctx: &mut Context<'_>, unit: TimeUnit) -> CommandResult {
    let key = ctx.args.at(1);
    let conditions = Conditions::parse(ctx)?;
    let when = unit.instant(ctx.int(2)?, ctx.now()).ok_or_else(|| WireError::invalid_expire(ctx.command.spec.name))?;
    let Some(old) = ctx.keys.entry_mut(key).map(|entry| entry.expiry()) else { return ctx.done_int(0) };
    if !conditions.allow(old.map(|old| old.0), when.0) {
        return ctx.done_int(0);
    }
    ctx.change.dirty(1);
    if ctx.is_past(when) {
        ctx.keys.remove(key);
        ctx.changed(EventClass::GENERIC, "del", key);
        ctx.change.replay_as(&[b"DEL", key]);
        return ctx.done_int(1);
    }
    ctx.keys.set_expiry(key, Some(when));
    ctx.changed(EventClass::GENERIC, "expire", key);
    ctx.change.replay_as(&[b"PEXPIREAT", key, itoa::Buffer::new().format(when.0).as_bytes()]);
    ctx.done_int(1)
}

pub(super) fn persist(ctx: &mut Context<'_>) -> CommandResult {
    let key = ctx.args.at(1);
    if ctx.keys.entry_mut(key).and_then(|entry| entry.expiry()).is_none() {
        return ctx.done_int(0);
    }
    ctx.keys.set_expiry(key, None);
    ctx.change.dirty(1);
    ctx.changed(EventClass::GENERIC, "persist", key);
    ctx.done_int(1)
}
