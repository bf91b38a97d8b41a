//! PUBLISH and SPUBLISH.

use crate::catalog::{Channels, Group, KeyFlags, KeySpec, Spec, flags};
use crate::engine::{Command, CommandResult, Context};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "publish",
            arity: 3,
            flags: flags![PUBSUB, LOADING, STALE, FAST, MAY_REPLICATE, SENTINEL],
            channels: Channels::Publish,
            group: Group::PubSub,
            since: "2.0.0",
            summary: "Sends a message to everyone listening on a channel.",
            complexity: "O(N+M) where N is the number of clients subscribed to the receiving channel and M is the \
                total number of subscribed patterns (by any client).",
            args: "channel:string message:string",
            ..Spec::BASE
        },
        run: publish,
    },
    Command {
        spec: Spec {
            name: "spublish",
            arity: 3,
            flags: flags![PUBSUB, LOADING, STALE, FAST, MAY_REPLICATE],
            keys: &[KeySpec::index(1, KeyFlags::NOT_KEY)],
            channels: Channels::Publish,
            group: Group::PubSub,
            since: "7.0.0",
            summary: "Sends a message to everyone listening on a shard channel.",
            complexity: "O(N) where N is the number of clients subscribed to the receiving shard channel.",
            args: "shardchannel:string message:string",
            ..Spec::BASE
        },
        run: spublish,
    },
];

pub(super) fn publish(ctx: &mut Context<'_>) -> CommandResult {
    let limits = &ctx.settings.limits.client_output_buffer_limit;
    let receivers = ctx.engine.pubsub.publish(ctx.args.at(1), ctx.args.at(2), limits);
    ctx.change.replay_on_replicas();
    ctx.done_int(receivers as i64)
}

pub(super) fn spublish(ctx: &mut Context<'_>) -> CommandResult {
    let limits = &ctx.settings.limits.client_output_buffer_limit;
    let receivers = ctx.engine.pubsub.publish_to_shard(ctx.args.at(1), ctx.args.at(2), limits);
    ctx.change.replay_on_replicas();
    ctx.done_int(receivers as i64)
}
