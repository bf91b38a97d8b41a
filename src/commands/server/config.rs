//! CONFIG: parameters while the server runs.

use super::config_effects::Effects;
use crate::catalog::{Group, Secrets, Spec, flags};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "config",
            arity: -2,
            flags: flags![CONTAINER],
            group: Group::Server,
            since: "2.0.0",
            summary: "Groups the commands about the server's parameters.",
            complexity: "Depends on subcommand.",
            ..Spec::BASE
        },
        run: crate::commands::container,
    },
    Command {
        spec: Spec {
            name: "config|get",
            arity: -3,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
            group: Group::Server,
            since: "2.0.0",
            summary: "Reads parameters by name or pattern.",
            complexity: "O(N) when N is the number of configuration parameters provided",
            history: &[("7.0.0", "Added the ability to pass multiple pattern parameters in one call")],
            args: "parameter*:string",
            ..Spec::BASE
        },
        run: config_get,
    },
    Command {
        spec: Spec {
            name: "config|set",
            arity: -4,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, EXCLUSIVE],
            secrets: Secrets::ValuesOf(&[
                "requirepass",
                "masterauth",
                "masteruser",
                "tls-key-file-pass",
                "tls-client-key-file-pass",
            ]),
            group: Group::Server,
            since: "2.0.0",
            summary: "Changes parameters while the server runs.",
            complexity: "O(N) when N is the number of configuration parameters provided",
            history: &[("7.0.0", "Added the ability to set multiple parameters in one call.")],
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            args: "data*:(parameter:string value:string)",
            ..Spec::BASE
        },
        run: config_set,
    },
    Command {
        spec: Spec {
            name: "config|rewrite",
            arity: 2,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
            group: Group::Server,
            since: "2.8.0",
            summary: "Writes the parameters in force to the configuration file.",
            complexity: "O(1)",
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            ..Spec::BASE
        },
        run: config_rewrite,
    },
    Command {
        spec: Spec {
            name: "config|resetstat",
            arity: 2,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
            group: Group::Server,
            since: "2.0.0",
            summary: "Sets the counters of INFO back to zero.",
            complexity: "O(1)",
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            ..Spec::BASE
        },
        run: config_resetstat,
    },
    Command {
        spec: Spec {
            name: "config|help",
            arity: 2,
            flags: flags![LOADING, STALE],
            group: Group::Server,
            since: "5.0.0",
            summary: "Lists what CONFIG can do.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: config_help,
    },
];

pub(super) fn config_get(ctx: &mut Context<'_>) -> CommandResult {
    let patterns: Vec<&[u8]> = ctx.args.from(2).collect();
    let found = ctx.engine.config.get(&patterns);
    ctx.reply.map(found.len());
    for (name, value) in found {
        ctx.reply.bulk(name.as_bytes());
        ctx.reply.bulk(&value);
    }
    Ok(Outcome::Done)
}

pub(super) fn config_set(ctx: &mut Context<'_>) -> CommandResult {
    if !ctx.args.len().is_multiple_of(2) {
        return ctx.syntax();
    }
    let pairs: Vec<(&[u8], &[u8])> =
        (2..ctx.args.len()).step_by(2).map(|index| (ctx.args.at(index), ctx.args.at(index + 1))).collect();
    let effects = Effects {
        engine: ctx.engine,
        client_is_local: ctx.session.client.peer.is_loopback(),
        in_transaction: !ctx.may_wait,
    };
    ctx.engine.config.set(&pairs, &effects).map_err(|error| WireError::new(error.to_string()))?;
    ctx.done_ok()
}

pub(super) fn config_rewrite(ctx: &mut Context<'_>) -> CommandResult {
    if let Err(error) = ctx.engine.rewrite_config(false) {
        tracing::warn!("CONFIG REWRITE failed: {error}");
        return Err(WireError::new(error.to_string()));
    }
    tracing::info!("CONFIG REWRITE executed with success.");
    ctx.done_ok()
}

pub(super) fn config_resetstat(ctx: &mut Context<'_>) -> CommandResult {
    let engine = ctx.engine;
    for worker in &engine.workers {
        worker.totals.clear();
        worker.commands.iter().for_each(|command| command.clear());
    }
    engine.errors.clear();
    engine.handshakes.reset();
    engine.reclaimer.reset();
    engine.acl_log.clear_counts();
    engine.replication.clear_counts();
    engine.rates.clear();
    engine.over_maxmemory.clear(ctx.now());
    ctx.done_ok()
}

pub(super) fn config_help(ctx: &mut Context<'_>) -> CommandResult {
    ctx.reply.help(
        "CONFIG",
        &[
            "GET <pattern>",
            "    Return parameters matching the glob-like <pattern> and their values.",
            "SET <directive> <value>",
            "    Set the configuration <directive> to <value>.",
            "RESETSTAT",
            "    Reset statistics reported by the INFO command.",
            "REWRITE",
            "    Rewrite the configuration file.",
        ],
    );
    Ok(Outcome::Done)
}
