//! CLIENT KILL and CLIENT UNBLOCK: acting on other connections.

use std::sync::Arc;

use super::filter::Kind;
use crate::acl::User;
use crate::base::number::parse_i64;
use crate::catalog::{Categories, Group, Spec, flags};
use crate::engine::Command;
use crate::engine::{CommandResult, Context};
use crate::resp::WireError;
use crate::session::{Client, ClientFlags, ClientId, CloseReason, Signal};

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
            args: "filter:('ip:port':string!2.8.12 | new-format*:(client-id?=ID:integer@2.8.12 | \
                normal_master_slave_pubsub?=TYPE:(normal=NORMAL | master=MASTER@3.2.0 | slave=SLAVE | \
                replica=REPLICA@5.0.0 | pubsub=PUBSUB)@2.8.12 | username?=USER:string | 'ip:port'?=ADDR:string | \
                'ip:port'?=LADDR:string@6.2.0 | yes/no?=SKIPME:string))",
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
            args: "client-id:integer timeout_error?:(timeout=TIMEOUT | error=ERROR)",
            ..Spec::BASE
        },
        run: client_unblock,
    },
];

/// Which clients are meant; a filter that is `None` fits all.
#[derive(Default)]
struct Filter<'a> {
    id: Option<ClientId>,
    address: Option<&'a [u8]>,
    local: Option<&'a [u8]>,
    kind: Option<Kind>,
    user: Option<Arc<User>>,
    skip_self: bool,
}

impl<'a> Filter<'a> {
    fn parse(ctx: &Context<'a>) -> Result<Self, WireError> {
        let mut filter = Self { skip_self: true, ..Self::default() };
        if ctx.args.len().is_multiple_of(2) {
            let mut index = 2;
            while index < ctx.args.len() {
                let value = ctx.args.at(index + 1);
                match ctx.args.at(index).to_ascii_uppercase().as_slice() {
                    b"ID" => {
                        let id = parse_i64(value).filter(|id| *id > 0);
                        filter.id = Some(ClientId(
                            id.ok_or(WireError::fixed("ERR client-id should be greater than 0"))? as u64,
                        ));
                    }
                    b"ADDR" => filter.address = Some(value),
                    b"LADDR" => filter.local = Some(value),
                    b"TYPE" => filter.kind = Some(Kind::parse(value)?),
                    b"USER" => {
                        let unknown = || format!("ERR No such user '{}'", String::from_utf8_lossy(value));
                        let user = ctx.engine.users.get(value);
                        filter.user = Some(user.ok_or_else(|| WireError::new(unknown()))?);
                    }
                    b"SKIPME" => match value.to_ascii_lowercase().as_slice() {
                        b"yes" => filter.skip_self = true,
                        b"no" => filter.skip_self = false,
                        _ => return Err(WireError::SYNTAX),
                    },
                    _ => return Err(WireError::SYNTAX),
                }
                index += 2;
            }
            return Ok(filter);
        }
        Err(WireError::SYNTAX)
    }

    fn fits(&self, client: &Client) -> bool {
        self.id.is_none_or(|id| client.id == id)
            && self.address.is_none_or(|address| client.peer.address.as_bytes() == address)
            && self.local.is_none_or(|local| client.peer.local.as_bytes() == local)
            && self.kind.is_none_or(|kind| Kind::of(client) == kind)
            && self.user.as_ref().is_none_or(|user| Arc::ptr_eq(&client.user(), user))
    }
}

pub(super) fn client_kill(ctx: &mut Context<'_>) -> CommandResult {
    let old_style = ctx.args.len() == 3;
    let filter =
        if old_style { Filter { address: Some(ctx.args.at(2)), ..Filter::default() } } else { Filter::parse(ctx)? };
    let own = ctx.session.client.id;
    let mut killed = 0;
    for client in ctx.engine.clients.all() {
        if !filter.fits(&client) || (filter.skip_self && client.id == own) {
            continue;
        }
        killed += 1;
        if client.id == own {
            ctx.session.close_after_reply = true;
        } else {
            ctx.engine.clients.close(&client, CloseReason::Asked);
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
        waiter.timeout_reply().to_vec()
    };
    waiter.client.post(Signal::Unblocked(reply));
    ctx.done_int(1)
}
