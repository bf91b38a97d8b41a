//! Asking for expiries: TTL, PTTL, EXPIRETIME, PEXPIRETIME.

use crate::catalog::{Categories, Spec, flags, keys};
use crate::engine::{Command, CommandResult, Context};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "ttl",
            arity: 2,
            flags: flags![READONLY, FAST],
            categories: Categories::KEYSPACE,
            keys: keys::FIRST_READ,
            since: "1.0.0",
            summary: "Tells how many seconds a key has to live.",
            complexity: "O(1)",
            history: &[("2.8.0", "Added the -2 reply.")],
            tips: &["nondeterministic_output"],
            args: "key:key",
            ..Spec::BASE
        },
        run: ttl,
    },
    Command {
        spec: Spec {
            name: "pttl",
            arity: 2,
            flags: flags![READONLY, FAST],
            categories: Categories::KEYSPACE,
            keys: keys::FIRST_READ,
            since: "2.6.0",
            summary: "Tells how many milliseconds a key has to live.",
            complexity: "O(1)",
            history: &[("2.8.0", "Added the -2 reply.")],
            tips: &["nondeterministic_output"],
            args: "key:key",
            ..Spec::BASE
        },
        run: pttl,
    },
    Command {
        spec: Spec {
            name: "expiretime",
            arity: 2,
            flags: flags![READONLY, FAST],
            categories: Categories::KEYSPACE,
            keys: keys::FIRST_READ,
            since: "7.0.0",
            summary: "Tells at which Unix time, in seconds, a key will expire.",
            complexity: "O(1)",
            args: "key:key",
            ..Spec::BASE
        },
        run: expiretime,
    },
    Command {
        spec: Spec {
            name: "pexpiretime",
            arity: 2,
            flags: flags![READONLY, FAST],
            categories: Categories::KEYSPACE,
            keys: keys::FIRST_READ,
            since: "7.0.0",
            summary: "Tells at which Unix time, in milliseconds, a key will expire.",
            complexity: "O(1)",
            args: "key:key",
            ..Spec::BASE
        },
        run: pexpiretime,
    },
];

/// Answers -2 without the key, -1 without an expiry, else what `of` makes of the expiry and now, in milliseconds.
fn answer(ctx: &mut Context<'_>, of: impl Fn(i64, i64) -> i64) -> CommandResult {
    let reply = match ctx.keys.look(ctx.args.at(1)).map(crate::keyspace::Entry::expiry) {
        None => -2,
        Some(None) => -1,
        Some(Some(when)) => of(when.0, ctx.now().0),
    };
    ctx.done_int(reply)
}

pub(super) fn ttl(ctx: &mut Context<'_>) -> CommandResult {
    answer(ctx, |when, now| rounded_seconds(when.saturating_sub(now).max(0)))
}

pub(super) fn pttl(ctx: &mut Context<'_>) -> CommandResult {
    answer(ctx, |when, now| when.saturating_sub(now).max(0))
}

pub(super) fn expiretime(ctx: &mut Context<'_>) -> CommandResult {
    answer(ctx, |when, _| rounded_seconds(when))
}

pub(super) fn pexpiretime(ctx: &mut Context<'_>) -> CommandResult {
    answer(ctx, |when, _| when)
}

/// Milliseconds as the nearest number of seconds; any value fits.
fn rounded_seconds(millis: i64) -> i64 {
    millis.div_euclid(1000) + i64::from(millis.rem_euclid(1000) >= 500)
}
