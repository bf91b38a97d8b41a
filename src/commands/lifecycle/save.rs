//! Files on demand: SAVE, BGSAVE, LASTSAVE, BGREWRITEAOF.

use crate::catalog::{Group, Spec, categories, flags};
use crate::engine::{Command, CommandResult, Context, Outcome, Ticket};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "bgrewriteaof",
            arity: 1,
            flags: flags![ADMIN, NOSCRIPT, NO_ASYNC_LOADING, EXCLUSIVE],
            group: Group::Server,
            since: "1.0.0",
            summary: "Rewrites the append-only file in the background.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: bgrewriteaof,
    },
    Command {
        spec: Spec {
            name: "bgsave",
            arity: -1,
            flags: flags![ADMIN, NOSCRIPT, NO_ASYNC_LOADING, EXCLUSIVE],
            group: Group::Server,
            since: "1.0.0",
            summary: "Writes a snapshot to disk in the background.",
            complexity: "O(1)",
            history: &[("3.2.2", "Added the `SCHEDULE` option.")],
            args: "schedule?=SCHEDULE@3.2.2",
            ..Spec::BASE
        },
        run: bgsave,
    },
    Command {
        spec: Spec {
            name: "lastsave",
            arity: 1,
            flags: flags![LOADING, STALE, FAST],
            categories: categories![ADMIN, DANGEROUS],
            group: Group::Server,
            since: "1.0.0",
            summary: "Tells at which Unix time the last good snapshot was made.",
            complexity: "O(1)",
            tips: &["nondeterministic_output"],
            ..Spec::BASE
        },
        run: lastsave,
    },
    Command {
        spec: Spec {
            name: "save",
            arity: 1,
            flags: flags![ADMIN, NOSCRIPT, NO_ASYNC_LOADING, NO_MULTI, EXCLUSIVE],
            group: Group::Server,
            since: "1.0.0",
            summary: "Writes a snapshot to disk while everyone waits.",
            complexity: "O(N) where N is the total number of keys in all databases",
            ..Spec::BASE
        },
        run: save,
    },
];

const IN_PROGRESS: WireError = WireError::fixed("ERR Background save already in progress");
const FAILED: WireError = WireError::fixed("ERR");

pub(super) fn save(ctx: &mut Context<'_>) -> CommandResult {
    if ctx.engine.saving.in_background() {
        return Err(IN_PROGRESS);
    }
    ctx.engine.saving.saves.update(|report| report.count += 1);
    ctx.engine.save_now(ctx.settings, &Ticket::default()).map_err(|_| FAILED)?;
    ctx.done_ok()
}

pub(super) fn bgsave(ctx: &mut Context<'_>) -> CommandResult {
    const BUSY: WireError = WireError::fixed(
        "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a \
         BGSAVE whenever possible.",
    );
    let schedule = match ctx.args.len() {
        1 => false,
        2 if ctx.args.is(1, "SCHEDULE") => true,
        _ => return ctx.syntax(),
    };
    if ctx.engine.saving.in_background() {
        return Err(IN_PROGRESS);
    }
    // Inside a transaction the snapshot would stand between its commands.
    let in_transaction = !ctx.may_wait;
    if in_transaction || ctx.engine.keyspace.is_snapshotting() {
        if !in_transaction && !schedule {
            return Err(BUSY);
        }
        ctx.engine.saving.saves.update(|report| report.scheduled = true);
        ctx.reply.status("Background saving scheduled");
        return Ok(Outcome::Done);
    }
    ctx.engine.save_in_background(ctx.settings).map_err(|_| FAILED)?;
    ctx.reply.status("Background saving started");
    Ok(Outcome::Done)
}

pub(super) fn bgrewriteaof(ctx: &mut Context<'_>) -> CommandResult {
    const IN_PROGRESS: WireError = WireError::fixed("ERR Background append only file rewriting already in progress");
    const FAILED: WireError = WireError::fixed(
        "ERR Can't execute an AOF background rewriting. Please check the server logs for more information.",
    );
    let engine = ctx.engine;
    if engine.append_only.is_rewriting() {
        return Err(IN_PROGRESS);
    }
    // Inside a transaction the new base would stand between its commands.
    if !ctx.may_wait || engine.saving.in_background() || engine.keyspace.is_snapshotting() {
        engine.schedule_rewrite();
        ctx.reply.status("Background append only file rewriting scheduled");
        return Ok(Outcome::Done);
    }
    engine.begin_rewrite(ctx.settings).map_err(|_| FAILED)?;
    ctx.reply.status("Background append only file rewriting started");
    Ok(Outcome::Done)
}

pub(super) fn lastsave(ctx: &mut Context<'_>) -> CommandResult {
    let at = ctx.engine.saving.saves.report().last_saved_at;
    ctx.done_int(at)
}
