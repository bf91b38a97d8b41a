//! WAIT and WAITAOF: until replicas have what this connection has written.

use crate::base::clock::UnixMillis;
use crate::catalog::{Categories, Spec, flags};
use crate::engine::{AckWait, Command, CommandResult, Context, FeedOffset, Outcome, Wait};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "wait",
            arity: 3,
            flags: flags![NOSCRIPT_IN_70],
            categories: Categories::CONNECTION,
            since: "3.0.0",
            summary: "Waits until replicas have this connection's writes.",
            complexity: "O(1)",
            tips: &["request_policy:all_shards", "response_policy:agg_min"],
            args: "numreplicas:integer timeout:integer",
            ..Spec::BASE
        },
        run: wait,
    },
    Command {
        spec: Spec {
            name: "waitaof",
            arity: 4,
            flags: flags![NOSCRIPT],
            categories: Categories::CONNECTION,
            since: "7.2.0",
            summary: "Waits until this connection's writes are in append-only files.",
            complexity: "O(1)",
            tips: &["request_policy:all_shards", "response_policy:agg_min"],
            args: "numlocal:integer numreplicas:integer timeout:integer",
            ..Spec::BASE
        },
        run: waitaof,
    },
];

pub(super) fn wait(ctx: &mut Context<'_>) -> CommandResult {
    if ctx.engine.replication.is_replica() {
        return Err(WireError::fixed(
            "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured \
             to be writable (which is not the default) writes to replicas are just local and are not propagated.",
        ));
    }
    let count = usize::try_from(ctx.int(1)?).unwrap_or(0);
    let deadline = timeout(ctx, 2)?;
    await_acks(ctx, AckWait::Replicas { offset: FeedOffset(ctx.session.written), count }, deadline)
}

pub(super) fn waitaof(ctx: &mut Context<'_>) -> CommandResult {
    let local = ctx.zero_or_one(1)?;
    let count = ctx.positive(2)?;
    let deadline = timeout(ctx, 3)?;
    if ctx.engine.replication.is_replica() {
        return Err(WireError::fixed(
            "ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local and \
             are not propagated.",
        ));
    }
    let (offset, logged) = (FeedOffset(ctx.session.written), ctx.session.logged);
    await_acks(ctx, AckWait::Disks { offset, logged, local, count }, deadline)
}

fn await_acks(ctx: &mut Context<'_>, acks: AckWait, deadline: Option<UnixMillis>) -> CommandResult {
    acks.check(ctx.engine)?;
    if !ctx.may_wait || acks.is_met(ctx.engine) {
        let reply = acks.reply(ctx.engine, ctx.session.protocol);
        ctx.reply.raw(&reply);
        return Ok(Outcome::Done);
    }
    ctx.wait(Wait { deadline, acks: Some(acks), ..Wait::BASE })
}

/// A timeout in milliseconds: when it is up; `None` for ever.
fn timeout(ctx: &Context<'_>, index: usize) -> Result<Option<UnixMillis>, WireError> {
    const NOT_INTEGER: WireError = WireError::fixed("ERR timeout is not an integer or out of range");
    let millis = crate::base::number::parse_i64(ctx.args.at(index)).ok_or(NOT_INTEGER)?;
    if millis < 0 {
        return Err(WireError::NEGATIVE_TIMEOUT);
    }
    let end = ctx.now().0.checked_add(millis).ok_or(WireError::fixed("ERR timeout is out of range"))?;
    Ok((millis > 0).then_some(UnixMillis(end)))
}
