//! MULTI, DISCARD, WATCH, UNWATCH. (EXEC is run by the engine, as its row says.)

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::WireError;
use crate::session::WatchedKey;

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] = &[ROWS];

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "multi",
            arity: 1,
            flags: flags![NOSCRIPT, LOADING, STALE, FAST, ALLOW_BUSY, NOT_QUEUED],
            categories: Categories::TRANSACTION,
            group: Group::Transactions,
            since: "1.2.0",
            summary: "Starts queueing commands for a transaction.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: multi,
    },
    Command {
        spec: Spec {
            name: "exec",
            arity: 1,
            flags: flags![NOSCRIPT, LOADING, STALE, SKIP_SLOWLOG, NOT_QUEUED, RUNS_QUEUE],
            categories: Categories::TRANSACTION,
            group: Group::Transactions,
            since: "1.2.0",
            summary: "Runs the queued commands, nothing else in between.",
            complexity: "Depends on commands in the transaction",
            ..Spec::BASE
        },
        run: exec,
    },
    Command {
        spec: Spec {
            name: "discard",
            arity: 1,
            flags: flags![NOSCRIPT, LOADING, STALE, FAST, ALLOW_BUSY, NOT_QUEUED],
            categories: Categories::TRANSACTION,
            group: Group::Transactions,
            since: "2.0.0",
            summary: "Drops the queued commands and ends the transaction.",
            complexity: "O(N), when N is the number of queued commands",
            ..Spec::BASE
        },
        run: discard,
    },
    Command {
        spec: Spec {
            name: "watch",
            arity: -2,
            flags: flags![NOSCRIPT, LOADING, STALE, FAST, ALLOW_BUSY, NOT_QUEUED],
            categories: Categories::TRANSACTION,
            keys: keys::ALL_RO,
            group: Group::Transactions,
            since: "2.2.0",
            summary: "Lets the next EXEC fail if any of these keys changes before it.",
            complexity: "O(1) for every key.",
            args: "key*:key",
            ..Spec::BASE
        },
        run: watch,
    },
    Command {
        spec: Spec {
            name: "unwatch",
            arity: 1,
            flags: flags![NOSCRIPT, LOADING, STALE, FAST, ALLOW_BUSY],
            categories: Categories::TRANSACTION,
            group: Group::Transactions,
            since: "2.2.0",
            summary: "Stops watching all keys.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: unwatch,
    },
];

pub(super) fn multi(ctx: &mut Context<'_>) -> CommandResult {
    if ctx.session.transaction.is_some() {
        return Err(WireError::fixed("ERR MULTI calls can not be nested"));
    }
    ctx.engine.open_transaction(ctx.session);
    ctx.done_ok()
}

pub(super) fn exec(ctx: &mut Context<'_>) -> CommandResult {
    // Reached only if the row did not say that the engine runs the queue.
    ctx.reply.error(&WireError::fixed("ERR EXEC without MULTI"));
    Ok(Outcome::Done)
}

pub(super) fn discard(ctx: &mut Context<'_>) -> CommandResult {
    if ctx.engine.close_transaction_if_open(ctx.session).is_none() {
        return Err(WireError::fixed("ERR DISCARD without MULTI"));
    }
    ctx.done_ok()
}

pub(super) fn watch(ctx: &mut Context<'_>) -> CommandResult {
    if ctx.session.transaction.is_some() {
        return Err(WireError::fixed("ERR WATCH inside MULTI is not allowed"));
    }
    let db = ctx.keys.db();
    for key in ctx.args.from(1) {
        let stale = Arc::new(AtomicBool::new(ctx.keys.holds_expired(key)));
        ctx.engine.watches.add(ctx.session, WatchedKey { db, key: key.into(), stale });
    }
    ctx.done_ok()
}

pub(super) fn unwatch(ctx: &mut Context<'_>) -> CommandResult {
    ctx.engine.watches.clear(ctx.session);
    ctx.done_ok()
}
