//! SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE and their opposites.
//!
//! Each name is answered by a message of its own. No message of a channel follows the answer that ends its subscription:
//! the registry posts nothing after the removal, and what had been posted before goes in front of the answer.

use crate::catalog::{Channels, Group, Spec, flags, keys};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::session::SubscriptionKind;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "subscribe",
            arity: -2,
            flags: flags![PUBSUB, NOSCRIPT, LOADING, STALE, SENTINEL, PUSHES, WHILE_SUBSCRIBED],
            channels: Channels::Subscribe,
            group: Group::PubSub,
            since: "2.0.0",
            summary: "Starts receiving what is published on channels.",
            complexity: "O(N) where N is the number of channels to subscribe to.",
            args: "channel*:string",
            ..Spec::BASE
        },
        run: subscribe,
    },
    Command {
        spec: Spec {
            name: "psubscribe",
            arity: -2,
            flags: flags![PUBSUB, NOSCRIPT, LOADING, STALE, SENTINEL, PUSHES, WHILE_SUBSCRIBED],
            channels: Channels::SubscribePattern,
            group: Group::PubSub,
            since: "2.0.0",
            summary: "Starts receiving what is published on channels of a pattern.",
            complexity: "O(N) where N is the number of patterns to subscribe to.",
            args: "pattern*:pattern",
            ..Spec::BASE
        },
        run: psubscribe,
    },
    Command {
        spec: Spec {
            name: "ssubscribe",
            arity: -2,
            flags: flags![PUBSUB, NOSCRIPT, LOADING, STALE, PUSHES, WHILE_SUBSCRIBED],
            keys: keys::ALL_CHANNELS,
            channels: Channels::Subscribe,
            group: Group::PubSub,
            since: "7.0.0",
            summary: "Starts receiving what is published on shard channels.",
            complexity: "O(N) where N is the number of shard channels to subscribe to.",
            args: "shardchannel*:string",
            ..Spec::BASE
        },
        run: ssubscribe,
    },
    Command {
        spec: Spec {
            name: "unsubscribe",
            arity: -1,
            flags: flags![PUBSUB, NOSCRIPT, LOADING, STALE, SENTINEL, PUSHES, WHILE_SUBSCRIBED],
            group: Group::PubSub,
            since: "2.0.0",
            summary: "Stops receiving from some or all channels.",
            complexity: "O(N) where N is the number of channels to unsubscribe.",
            args: "channel?*:string",
            ..Spec::BASE
        },
        run: unsubscribe,
    },
    Command {
        spec: Spec {
            name: "punsubscribe",
            arity: -1,
            flags: flags![PUBSUB, NOSCRIPT, LOADING, STALE, SENTINEL, PUSHES, WHILE_SUBSCRIBED],
            group: Group::PubSub,
            since: "2.0.0",
            summary: "Stops receiving by some or all patterns.",
            complexity: "O(N) where N is the number of patterns to unsubscribe.",
            args: "pattern?*:pattern",
            ..Spec::BASE
        },
        run: punsubscribe,
    },
    Command {
        spec: Spec {
            name: "sunsubscribe",
            arity: -1,
            flags: flags![PUBSUB, NOSCRIPT, LOADING, STALE, PUSHES, WHILE_SUBSCRIBED],
            keys: keys::ALL_CHANNELS,
            group: Group::PubSub,
            since: "7.0.0",
            summary: "Stops receiving from some or all shard channels.",
            complexity: "O(N) where N is the number of shard channels to unsubscribe.",
            args: "shardchannel?*:string",
            ..Spec::BASE
        },
        run: sunsubscribe,
    },
];

pub(super) fn subscribe(ctx: &mut Context<'_>) -> CommandResult {
    begin(ctx, SubscriptionKind::Channel, b"subscribe")
}

pub(super) fn psubscribe(ctx: &mut Context<'_>) -> CommandResult {
    begin(ctx, SubscriptionKind::Pattern, b"psubscribe")
}

pub(super) fn ssubscribe(ctx: &mut Context<'_>) -> CommandResult {
    begin(ctx, SubscriptionKind::ShardChannel, b"ssubscribe")
}

pub(super) fn unsubscribe(ctx: &mut Context<'_>) -> CommandResult {
    end(ctx, SubscriptionKind::Channel, b"unsubscribe")
}

pub(super) fn punsubscribe(ctx: &mut Context<'_>) -> CommandResult {
    end(ctx, SubscriptionKind::Pattern, b"punsubscribe")
}

pub(super) fn sunsubscribe(ctx: &mut Context<'_>) -> CommandResult {
    end(ctx, SubscriptionKind::ShardChannel, b"sunsubscribe")
}

fn begin(ctx: &mut Context<'_>, kind: SubscriptionKind, word: &[u8]) -> CommandResult {
    for name in ctx.args.from(1) {
        ctx.engine.pubsub.subscribe(ctx.session, kind, name);
        answer(ctx, kind, word, Some(name));
    }
    Ok(Outcome::Done)
}

fn end(ctx: &mut Context<'_>, kind: SubscriptionKind, word: &[u8]) -> CommandResult {
    if ctx.args.len() > 1 {
        for name in ctx.args.from(1) {
            end_one(ctx, kind, word, name);
        }
        return Ok(Outcome::Done);
    }
    if ctx.session.subscriptions.any_of(kind).is_none() {
        answer(ctx, kind, word, None);
    }
    while let Some(name) = ctx.session.subscriptions.any_of(kind) {
        end_one(ctx, kind, word, &name);
    }
    Ok(Outcome::Done)
}

fn end_one(ctx: &mut Context<'_>, kind: SubscriptionKind, word: &[u8], name: &[u8]) {
    ctx.engine.pubsub.unsubscribe(ctx.session, kind, name);
    // Inside a transaction a message cannot go between the replies: there it follows the answer.
    if ctx.may_wait && ctx.session.client.has_mail() {
        let mut messages = Vec::new();
        ctx.session.client.take_messages(&mut messages);
        ctx.reply.raw(&messages);
    }
    answer(ctx, kind, word, Some(name));
}

/// The message that confirms a subscription or its end, with the number of those that are left.
fn answer(ctx: &mut Context<'_>, kind: SubscriptionKind, word: &[u8], name: Option<&[u8]>) {
    let own = &ctx.session.subscriptions;
    let left = match kind {
        SubscriptionKind::ShardChannel => own.len_of(kind),
        // Channels and patterns are counted together.
        _ => own.len_of(SubscriptionKind::Channel) + own.len_of(SubscriptionKind::Pattern),
    };
    ctx.reply.push(3);
    ctx.reply.bulk(word);
    ctx.reply.bulk_or_null(name);
    ctx.reply.count(left);
}
