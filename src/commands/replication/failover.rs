//! FAILOVER: handing the primary's role to a replica.

use crate::catalog::{Group, Spec, flags};
use crate::engine::{Command, CommandResult, Context, FailoverRequest, PrimaryAddress};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "failover",
        arity: -1,
        flags: flags![ADMIN, NOSCRIPT, STALE, EXCLUSIVE],
        group: Group::Server,
        since: "6.2.0",
        summary: "Hands the primary's role to a replica in good order.",
        complexity: "O(1)",
        args: "target?=TO:(host:string port:integer force?=FORCE) abort?=ABORT milliseconds?=TIMEOUT:integer",
        ..Spec::BASE
    },
    run: failover,
}];

pub(super) fn failover(ctx: &mut Context<'_>) -> CommandResult {
    if ctx.settings.cluster.cluster_enabled {
        return Err(WireError::fixed(
            "ERR FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead.",
        ));
    }
    if ctx.args.len() == 2 && ctx.args.is(1, "ABORT") {
        if !ctx.engine.abort_failover("Failover manually aborted") {
            return Err(WireError::fixed("ERR No failover in progress."));
        }
        return ctx.done_ok();
    }
    let request = parse(ctx)?;
    ctx.engine.begin_failover(request, ctx.now())?;
    ctx.done_ok()
}

fn parse(ctx: &Context<'_>) -> Result<FailoverRequest, WireError> {
    let mut request = FailoverRequest::default();
    let (mut index, count) = (1, ctx.args.len());
    while index < count {
        if ctx.args.is(index, "TIMEOUT") && index + 1 < count && request.timeout_ms.is_none() {
            let timeout_ms = ctx.int(index + 1)?;
            if timeout_ms <= 0 {
                return Err(WireError::fixed("ERR FAILOVER timeout must be greater than 0"));
            }
            request.timeout_ms = Some(timeout_ms);
            index += 2;
        } else if ctx.args.is(index, "TO") && index + 2 < count && request.target.is_none() {
            let host = String::from_utf8_lossy(ctx.args.at(index + 1)).into_owned();
            // A port that is none is no replica's either.
            let port = u16::try_from(ctx.int(index + 2)?).unwrap_or(0);
            request.target = Some(PrimaryAddress { host, port });
            index += 3;
        } else if ctx.args.is(index, "FORCE") && !request.force {
            request.force = true;
            index += 1;
        } else {
            return Err(WireError::SYNTAX);
        }
    }
    Ok(request)
}
