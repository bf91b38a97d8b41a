//! PING, ECHO, QUIT, RESET, MONITOR.

use crate::catalog::{Categories, Deprecated, Group, Spec, flags};
use std::sync::atomic::Ordering::Relaxed;

use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::keyspace::DbIndex;
use crate::resp::{Protocol, WireError};
use crate::session::{ClientFlags, ReplyMode};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "ping",
            arity: -1,
            flags: flags![FAST, SENTINEL, SHOWS_HEALTH, WHILE_SUBSCRIBED],
            categories: Categories::CONNECTION,
            group: Group::Connection,
            since: "1.0.0",
            summary: "Answers PONG or its argument, to show that the server is alive.",
            complexity: "O(1)",
            tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
            args: "message?:string",
            ..Spec::BASE
        },
        run: ping,
    },
    Command {
        spec: Spec {
            name: "echo",
            arity: 2,
            flags: flags![LOADING, STALE, FAST],
            categories: Categories::CONNECTION,
            group: Group::Connection,
            since: "1.0.0",
            summary: "Answers with its argument.",
            complexity: "O(1)",
            args: "message:string",
            ..Spec::BASE
        },
        run: echo,
    },
    Command {
        spec: Spec {
            name: "quit",
            arity: -1,
            flags: flags![NOSCRIPT, LOADING, STALE, FAST, NO_AUTH, ALLOW_BUSY, NOT_QUEUED, WHILE_SUBSCRIBED],
            categories: Categories::CONNECTION,
            group: Group::Connection,
            since: "1.0.0",
            summary: "Says goodbye: the server answers OK and hangs up.",
            complexity: "O(1)",
            deprecated: Some(Deprecated { since: "7.2.0", replaced_by: "just closing the connection" }),
            ..Spec::BASE
        },
        run: quit,
    },
    Command {
        spec: Spec {
            name: "reset",
            arity: 1,
            flags: flags![NOSCRIPT, LOADING, STALE, FAST, NO_AUTH, ALLOW_BUSY, NOT_QUEUED, WHILE_SUBSCRIBED],
            categories: Categories::CONNECTION,
            group: Group::Connection,
            since: "6.2.0",
            summary: "Puts the connection back into its initial state.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: reset,
    },
    Command {
        spec: Spec {
            name: "monitor",
            arity: 1,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
            group: Group::Server,
            since: "1.0.0",
            summary: "Streams every command that the server runs.",
            ..Spec::BASE
        },
        run: monitor,
    },
];

pub(super) fn ping(ctx: &mut Context<'_>) -> CommandResult {
    if ctx.args.len() > 2 {
        return ctx.wrong_arity();
    }
    if ctx.session.protocol == Protocol::Resp2 && !ctx.session.subscriptions.is_empty() {
        // Among messages the reply must look like one.
        ctx.reply.array(2);
        ctx.reply.bulk(b"pong");
        ctx.reply.bulk(ctx.args.get(1).unwrap_or_default());
        return Ok(Outcome::Done);
    }
    match ctx.args.len() {
        1 => ctx.reply.status("PONG"),
        _ => ctx.reply.bulk(ctx.args.at(1)),
    }
    Ok(Outcome::Done)
}

pub(super) fn echo(ctx: &mut Context<'_>) -> CommandResult {
    ctx.reply.bulk(ctx.args.at(1));
    Ok(Outcome::Done)
}

pub(super) fn quit(ctx: &mut Context<'_>) -> CommandResult {
    ctx.session.close_after_reply = true;
    ctx.done_ok()
}

pub(super) fn reset(ctx: &mut Context<'_>) -> CommandResult {
    let engine = ctx.engine;
    let session = &mut *ctx.session;
    engine.close_transaction(session);
    engine.pubsub.leave(session);
    engine.tracking.disable(session);
    if session.monitor {
        engine.monitors.remove(session.client.id);
        session.monitor = false;
    }
    let client = &session.client;
    client.set_flags(ClientFlags::MONITOR | ClientFlags::NO_EVICT | ClientFlags::NO_TOUCH, false);
    // The empty name and the empty library are always valid.
    let _ = client.set_name(b"");
    session.db = DbIndex(0);
    client.db.store(0, Relaxed);
    session.protocol = Protocol::Resp2;
    client.resp.store(2, Relaxed);
    session.reply_mode = ReplyMode::On;
    if !session.has_certificate_user {
        engine.start_as_default_user(session);
    }
    ctx.reply.protocol = Protocol::Resp2;
    ctx.reply.status("RESET");
    Ok(Outcome::Done)
}

pub(super) fn monitor(ctx: &mut Context<'_>) -> CommandResult {
    if !ctx.may_wait {
        return Err(WireError::fixed("ERR MONITOR isn't allowed for DENY BLOCKING client"));
    }
    if !ctx.session.monitor {
        ctx.session.monitor = true;
        ctx.engine.monitors.add(&ctx.session.client);
    }
    ctx.done_ok()
}
