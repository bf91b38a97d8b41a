//! CLIENT KILL and CLIENT UNBLOCK: acting on other connections.

use super::filter::{Filter, Purpose};
use crate::catalog::{Categories, Group, Spec, flags};
use crate::engine::{Command, CommandResult, Context};
use crate::resp::WireError;
use crate::session::{ClientFlags, ClientId, CloseReason, Signal};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "client|kill",
            arity: -3,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, SENTINEL],
            categories: Categories::CONNECTION,
            group: Group::Connection,
            since: "2.4.0",
            summary: "Closes the connections that fit the given filters.",
            complexity: "O(N) where N is the number of client connections",
            history: &[
                ("2.8.12", "Added new filter format."),
                ("2.8.12", "`ID` option."),
                ("3.2.0", "Added `master` type in for `TYPE` option."),
                (
                    "5.0.0",
                    "Replaced `slave` `TYPE` with `replica`. `slave` still supported for backward \
                    compatibility.",
                ),
                ("6.2.0", "`LADDR` option."),
            ],
            args: "filter:(old-format<ip:port>:string!2.8.12 | new-format*:(client-id?=ID:integer@2.8.12 | \
                client-type?=TYPE:(normal=NORMAL | master=MASTER@3.2.0 | slave=SLAVE | replica=REPLICA@5.0.0 | \
                pubsub=PUBSUB)@2.8.12 | username?=USER:string | addr<ip:port>?=ADDR:string | \
                laddr<ip:port>?=LADDR:string@6.2.0 | skipme?=SKIPME:(yes=YES | no=NO)))",
            ..Spec::BASE
        },
        run: client_kill,
    },
    Command {
        spec: Spec {
            name: "client|unblock",
            arity: -3,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, SENTINEL],
            categories: Categories::CONNECTION,
            group: Group::Connection,
            since: "5.0.0",
            summary: "Ends another client's waiting in a blocking command.",
            complexity: "O(log N) where N is the number of client connections",
            args: "client-id:integer unblock-type?:(timeout=TIMEOUT | error=ERROR)",
            ..Spec::BASE
        },
        run: client_unblock,
    },
];

pub(super) fn client_kill(ctx: &mut Context<'_>) -> CommandResult {
    let old_style = ctx.args.len() == 3;
    let filter = if old_style { Filter::by_address(ctx.args.at(2)) } else { Filter::parse(ctx, Purpose::Kill)? };
    let own = ctx.session.client.id;
    let mut killed = 0;
    for client in ctx.engine.clients.all() {
        if !filter.fits(&client, ctx.now()) || (filter.skip_self && client.id == own) {
            continue;
        }
        killed += 1;
        if client.id == own {
            ctx.session.close_after_reply = true;
        } else {
            ctx.engine.close_client(&client, CloseReason::Asked);
        }
    }
    if !old_style {
        return ctx.done_int(killed);
    }
    if killed == 0 {
        return Err(WireError::fixed("ERR No such client"));
    }
    ctx.done_ok()
}

pub(super) fn client_unblock(ctx: &mut Context<'_>) -> CommandResult {
    let as_error = match ctx.args.get(3) {
        None => false,
        Some(word) if word.eq_ignore_ascii_case(b"TIMEOUT") => false,
        Some(word) if word.eq_ignore_ascii_case(b"ERROR") => true,
        Some(_) => {
            return Err(WireError::fixed("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"));
        }
    };
    let id = ctx.int(2)?;
    let waiter = u64::try_from(id).ok().and_then(|id| ctx.engine.waiters.of_client(ClientId(id)));
    let Some(waiter) = waiter else { return ctx.done_int(0) };
    let Some(mut over) = waiter.claim() else { return ctx.done_int(0) };
    *over = true;
    drop(over);
    ctx.engine.waiters.forget(&waiter);
    waiter.client.set_flags(ClientFlags::BLOCKED, false);
    let reply = if as_error {
        b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n".to_vec()
    } else {
        ctx.engine.timeout_reply(&waiter)
    };
    waiter.client.post(Signal::Unblocked(reply));
    ctx.engine.count_unblocked(ctx.session.worker, &waiter, as_error);
    ctx.done_int(1)
}
