//! REPLICAOF and SLAVEOF: whom this server follows.

use crate::catalog::{Deprecated, Group, Spec, flags};
use crate::engine::{Command, CommandResult, Context, Outcome, PrimaryAddress, RoleReport};
use crate::resp::WireError;
use crate::session::ClientFlags;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "replicaof",
            arity: 3,
            flags: flags![ADMIN, NOSCRIPT, STALE, NO_ASYNC_LOADING, EXCLUSIVE],
            group: Group::Server,
            since: "5.0.0",
            summary: "Makes the server a replica of another, or a primary again.",
            complexity: "O(1)",
            args: "args:(host-port:(host:string port:integer) | no-one:(no=NO one=ONE))",
            ..Spec::BASE
        },
        run: replicaof,
    },
    Command {
        spec: Spec {
            name: "slaveof",
            arity: 3,
            flags: flags![ADMIN, NOSCRIPT, STALE, NO_ASYNC_LOADING, EXCLUSIVE],
            group: Group::Server,
            since: "1.0.0",
            summary: "Former name of REPLICAOF.",
            complexity: "O(1)",
            deprecated: Some(Deprecated { since: "5.0.0", replaced_by: "`REPLICAOF`" }),
            args: "args:(host-port:(host:string port:integer) | no-one:(no=NO one=ONE))",
            ..Spec::BASE
        },
        run: replicaof,
    },
];

pub(super) fn replicaof(ctx: &mut Context<'_>) -> CommandResult {
    if ctx.settings.cluster.cluster_enabled {
        return Err(WireError::fixed("ERR REPLICAOF not allowed in cluster mode."));
    }
    if ctx.engine.failover_state() != "no-failover" {
        return Err(WireError::fixed("ERR REPLICAOF not allowed while failing over."));
    }
    if ctx.args.is(1, "NO") && ctx.args.is(2, "ONE") {
        if ctx.engine.follow_nobody() {
            let client = ctx.engine.describe_client(&ctx.session.client, ctx.now());
            tracing::info!("MASTER MODE enabled (user request from '{client}')");
        }
        return ctx.done_ok();
    }
    if ctx.session.client.flags().contains(ClientFlags::REPLICA) {
        return Err(WireError::fixed("ERR Command is not valid when client is a replica."));
    }
    let port = ctx.int_in(2, 0..=65535, WireError::fixed("ERR Invalid master port"))?;
    let host = String::from_utf8_lossy(ctx.args.at(1)).into_owned();
    let wanted = PrimaryAddress { host, port: port as u16 };
    if let RoleReport::Replica { primary, .. } = ctx.engine.role()
        && primary.port == wanted.port
        && primary.host.eq_ignore_ascii_case(&wanted.host)
    {
        tracing::info!(
            "REPLICAOF would result into synchronization with the master we are already connected with. No operation performed."
        );
        ctx.reply.status("OK Already connected to specified master");
        return Ok(Outcome::Done);
    }
    let client = ctx.engine.describe_client(&ctx.session.client, ctx.now());
    tracing::info!("REPLICAOF {wanted} enabled (user request from '{client}')");
    ctx.engine.follow(wanted);
    ctx.done_ok()
}
