//! CLIENT LIST and CLIENT INFO: one line per client.

use super::filter::Kind;
use crate::base::number::parse_i64;
use crate::catalog::{Categories, Group, Spec, flags};
use crate::engine::Command;
use crate::engine::{CommandResult, Context, Outcome};
use crate::resp::WireError;
use crate::session::ClientId;

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
            args: "normal_master_replica_pubsub?=TYPE:(normal=NORMAL | master=MASTER | replica=REPLICA | \
                pubsub=PUBSUB)@5.0.0 id?=ID:(client-id*:integer)@6.2.0",
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
    let mut clients = ctx.engine.clients.all();
    if ctx.args.len() == 4 && ctx.args.is(2, "TYPE") {
        let kind = Kind::parse(ctx.args.at(3))?;
        clients.retain(|client| Kind::of(client) == kind);
    } else if ctx.args.len() > 3 && ctx.args.is(2, "ID") {
        let ids = ctx.args.from(3).map(|arg| {
            parse_i64(arg)
                .filter(|id| *id > 0)
                .map(|id| ClientId(id as u64))
                .ok_or(WireError::fixed("ERR Invalid client ID"))
        });
        let ids = ids.collect::<Result<Vec<_>, _>>()?;
        clients.retain(|client| ids.contains(&client.id));
    } else if ctx.args.len() != 2 {
        return ctx.syntax();
    }
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
