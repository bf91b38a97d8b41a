//! SYNC and PSYNC: the connection becomes a replica.

use crate::catalog::{Group, Spec, flags};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::WireError;
use crate::session::ClientFlags;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "sync",
            arity: 1,
            flags: flags![ADMIN, NOSCRIPT, NO_ASYNC_LOADING, NO_MULTI, EXCLUSIVE],
            group: Group::Server,
            since: "1.0.0",
            summary: "Starts replication in the old protocol; for replicas only.",
            ..Spec::BASE
        },
        run: sync,
    },
    Command {
        spec: Spec {
            name: "psync",
            arity: -3,
            flags: flags![ADMIN, NOSCRIPT, NO_ASYNC_LOADING, NO_MULTI, EXCLUSIVE],
            group: Group::Server,
            since: "2.8.0",
            summary: "Starts or resumes replication; for replicas only.",
            args: "replicationid:string offset:integer",
            ..Spec::BASE
        },
        run: psync,
    },
];

pub(super) fn sync(ctx: &mut Context<'_>) -> CommandResult {
    begin(ctx, None)
}

pub(super) fn psync(ctx: &mut Context<'_>) -> CommandResult {
    if ctx.args.is(3, "FAILOVER") {
        take_over(ctx)?;
    }
    let wanted = ctx.int(2).inspect_err(|_| {
        let peer = &ctx.session.client.peer.address;
        tracing::warn!("Replica {peer} asks for synchronization but with a wrong offset");
    })?;
    begin(ctx, Some((ctx.args.at(1), wanted)))
}

fn begin(ctx: &mut Context<'_>, request: Option<(&[u8], i64)>) -> CommandResult {
    const PENDING: WireError = WireError::fixed("ERR SYNC and PSYNC are invalid with pending output");
    let flags = ctx.session.client.flags();
    if flags.intersects(ClientFlags::REPLICA | ClientFlags::MONITOR) {
        return Ok(Outcome::Done);
    }
    if ctx.reply.position() > 0 {
        return Err(PENDING);
    }
    if ctx.session.replica.is_stranger {
        return Err(WireError::fixed("GROUP the replica belongs to another group"));
    }
    ctx.engine.begin_sync(ctx.settings, ctx.session, request)?;
    Ok(Outcome::Done)
}

/// The primary hands its role over, to this replica of its.
fn take_over(ctx: &mut Context<'_>) -> Result<(), WireError> {
    let id = ctx.args.at(1);
    tracing::info!("Failover request received for replid {}.", String::from_utf8_lossy(id));
    if !ctx.engine.replication.is_replica() {
        return Err(WireError::fixed("ERR PSYNC FAILOVER can't be sent to a master."));
    }
    if !ctx.engine.replication.history().id.is(id) {
        return Err(WireError::fixed("ERR PSYNC FAILOVER replid must match my replid."));
    }
    ctx.engine.follow_nobody();
    let client = ctx.engine.describe_client(&ctx.session.client, ctx.now());
    tracing::info!("MASTER MODE enabled (failover request from '{client}')");
    Ok(())
}
