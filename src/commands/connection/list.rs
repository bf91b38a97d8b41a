//! CLIENT LIST and CLIENT INFO: one line per client.

use super::filter::{Filter, Purpose};
use crate::catalog::{Categories, Group, Spec, flags};
use crate::engine::{Command, CommandResult, Context, Outcome};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "client|list",
            arity: -2,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, SENTINEL],
            categories: Categories::CONNECTION,
            group: Group::Connection,
            since: "2.4.0",
            summary: "Describes the open connections.",
            complexity: "O(N) where N is the number of client connections",
            history: &[
                ("2.8.12", "Added unique client `id` field."),
                ("5.0.0", "Added optional `TYPE` filter."),
                ("6.0.0", "Added `user` field."),
                ("6.2.0", "Added `argv-mem`, `tot-mem`, `laddr` and `redir` fields and the optional `ID` filter."),
                ("7.0.0", "Added `resp`, `multi-mem`, `rbs` and `rbp` fields."),
                ("7.0.3", "Added `ssub` field."),
            ],
            tips: &["nondeterministic_output"],
            args: "client-type?=TYPE:(normal=NORMAL | master=MASTER | replica=REPLICA | pubsub=PUBSUB)@5.0.0 \
                client-id?*=ID:integer@6.2.0",
            ..Spec::BASE
        },
        run: client_list,
    },
    Command {
        spec: Spec {
            name: "client|info",
            arity: 2,
            flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL],
            categories: Categories::CONNECTION,
            group: Group::Connection,
            since: "6.2.0",
            summary: "Describes this connection.",
            complexity: "O(1)",
            tips: &["nondeterministic_output"],
            ..Spec::BASE
        },
        run: client_info,
    },
];

pub(super) fn client_list(ctx: &mut Context<'_>) -> CommandResult {
    let filter = Filter::parse(ctx, Purpose::List)?;
    let (own, now) = (ctx.session.client.id, ctx.now());
    let mut clients = ctx.engine.clients.all();
    clients.retain(|client| filter.fits(client, now) && !(filter.skip_self && client.id == own));
    let mut text = String::new();
    for client in clients {
        text.push_str(&ctx.engine.describe_client(&client, ctx.now()));
        text.push('\n');
    }
    ctx.reply.verbatim("txt", text.as_bytes());
    Ok(Outcome::Done)
}

pub(super) fn client_info(ctx: &mut Context<'_>) -> CommandResult {
    let mut text = ctx.engine.describe_client(&ctx.session.client, ctx.now());
    text.push('\n');
    ctx.reply.verbatim("txt", text.as_bytes());
    Ok(Outcome::Done)
}
