//! PUBSUB: who listens to what.

use crate::base::glob;
use crate::catalog::{Group, Spec, flags};
use crate::commands::subcommand::wrong_arguments;
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::session::SubscriptionKind;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "pubsub",
            arity: -2,
            flags: flags![CONTAINER],
            group: Group::PubSub,
            since: "2.8.0",
            summary: "Groups the commands about channels and subscribers.",
            complexity: "Depends on subcommand.",
            ..Spec::BASE
        },
        run: crate::commands::container,
    },
    Command {
        spec: Spec {
            name: "pubsub|channels",
            arity: -2,
            flags: flags![PUBSUB, LOADING, STALE],
            group: Group::PubSub,
            since: "2.8.0",
            summary: "Lists channels that have subscribers.",
            complexity: "O(N) where N is the number of active channels, and assuming constant time pattern matching \
                (relatively short channels and patterns)",
            args: "pattern?:pattern",
            ..Spec::BASE
        },
        run: channels,
    },
    Command {
        spec: Spec {
            name: "pubsub|numsub",
            arity: -2,
            flags: flags![PUBSUB, LOADING, STALE],
            group: Group::PubSub,
            since: "2.8.0",
            summary: "Counts the subscribers of each given channel.",
            complexity: "O(N) for the NUMSUB subcommand, where N is the number of requested channels",
            args: "channel?*:string",
            ..Spec::BASE
        },
        run: numsub,
    },
    Command {
        spec: Spec {
            name: "pubsub|numpat",
            arity: 2,
            flags: flags![PUBSUB, LOADING, STALE],
            group: Group::PubSub,
            since: "2.8.0",
            summary: "Counts the distinct patterns subscribed to.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: numpat,
    },
    Command {
        spec: Spec {
            name: "pubsub|shardchannels",
            arity: -2,
            flags: flags![PUBSUB, LOADING, STALE],
            group: Group::PubSub,
            since: "7.0.0",
            summary: "Lists shard channels that have subscribers.",
            complexity: "O(N) where N is the number of active shard channels, and assuming constant time pattern \
                matching (relatively short shard channels).",
            args: "pattern?:pattern",
            ..Spec::BASE
        },
        run: shardchannels,
    },
    Command {
        spec: Spec {
            name: "pubsub|shardnumsub",
            arity: -2,
            flags: flags![PUBSUB, LOADING, STALE],
            group: Group::PubSub,
            since: "7.0.0",
            summary: "Counts the subscribers of each given shard channel.",
            complexity: "O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels",
            args: "shardchannel?*:string",
            ..Spec::BASE
        },
        run: shardnumsub,
    },
    Command {
        spec: Spec {
            name: "pubsub|help",
            arity: 2,
            flags: flags![LOADING, STALE],
            group: Group::PubSub,
            since: "6.2.0",
            summary: "Lists what PUBSUB can do.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: help,
    },
];

pub(super) fn channels(ctx: &mut Context<'_>) -> CommandResult {
    list(ctx, SubscriptionKind::Channel)
}

pub(super) fn shardchannels(ctx: &mut Context<'_>) -> CommandResult {
    list(ctx, SubscriptionKind::ShardChannel)
}

pub(super) fn numsub(ctx: &mut Context<'_>) -> CommandResult {
    count(ctx, SubscriptionKind::Channel)
}

pub(super) fn shardnumsub(ctx: &mut Context<'_>) -> CommandResult {
    count(ctx, SubscriptionKind::ShardChannel)
}

pub(super) fn numpat(ctx: &mut Context<'_>) -> CommandResult {
    let patterns = ctx.engine.pubsub.len_of(SubscriptionKind::Pattern);
    ctx.done_int(patterns as i64)
}

fn list(ctx: &mut Context<'_>, kind: SubscriptionKind) -> CommandResult {
    if ctx.args.len() > 3 {
        return Err(wrong_arguments(ctx));
    }
    let mut names = ctx.engine.pubsub.names(kind);
    if let Some(pattern) = ctx.args.get(2) {
        names.retain(|name| glob::matches(pattern, name));
    }
    ctx.reply.array(names.len());
    for name in names {
        ctx.reply.bulk(&name);
    }
    Ok(Outcome::Done)
}

fn count(ctx: &mut Context<'_>, kind: SubscriptionKind) -> CommandResult {
    ctx.reply.array((ctx.args.len() - 2) * 2);
    for name in ctx.args.from(2) {
        ctx.reply.bulk(name);
        ctx.reply.count(ctx.engine.pubsub.listeners(kind, name));
    }
    Ok(Outcome::Done)
}

pub(super) fn help(ctx: &mut Context<'_>) -> CommandResult {
    ctx.reply.help(
        "PUBSUB",
        &[
            "CHANNELS [<pattern>]",
            "    Return the currently active channels matching a <pattern> (default: '*').",
            "NUMPAT",
            "    Return number of subscriptions to patterns.",
            "NUMSUB [<channel> ...]",
            "    Return the number of subscribers for the specified channels, excluding",
            "    pattern subscriptions(default: no channels).",
            "SHARDCHANNELS [<pattern>]",
            "    Return the currently active shard level channels matching a <pattern> (default: '*').",
            "SHARDNUMSUB [<shardchannel> ...]",
            "    Return the number of subscribers for the specified shard level channel(s)",
        ],
    );
    Ok(Outcome::Done)
}
