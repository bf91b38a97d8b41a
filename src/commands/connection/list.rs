//! CLIENT LIST and CLIENT INFO: one line per client.

use crate::catalog::{Categories, Group, Spec, flags};
use crate::engine::Command;
use std::fmt::Write;
use std::sync::atomic::Ordering::Relaxed;

use super::filter::Kind;
use crate::base::number::parse_i64;
use crate::engine::{CommandResult, Context, Engine, Outcome};
use crate::resp::WireError;
use crate::session::{Client, ClientFlags, ClientId};

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
        describe(ctx.engine, &client, ctx.now().0, &mut text);
        text.push('\n');
    }
    ctx.reply.verbatim("txt", text.as_bytes());
    Ok(Outcome::Done)
}

pub(super) fn client_info(ctx: &mut Context<'_>) -> CommandResult {
    let mut text = String::new();
    describe(ctx.engine, &ctx.session.client, ctx.now().0, &mut text);
    text.push('\n');
    ctx.reply.verbatim("txt", text.as_bytes());
    Ok(Outcome::Done)
}

/// The flags of a client as letters; `N` without any.
fn letters(flags: ClientFlags) -> String {
    let mut letters = String::new();
    for (flag, letter) in [
        (ClientFlags::MONITOR, 'O'),
        (ClientFlags::REPLICA, 'S'),
        (ClientFlags::PRIMARY, 'M'),
        (ClientFlags::PUBSUB, 'P'),
        (ClientFlags::MULTI, 'x'),
        (ClientFlags::BLOCKED, 'b'),
        (ClientFlags::DIRTY_CAS, 'd'),
        (ClientFlags::CLOSE_AFTER_REPLY, 'c'),
        (ClientFlags::CLOSE_ASAP, 'A'),
        (ClientFlags::UNIX_SOCKET, 'U'),
        (ClientFlags::NO_EVICT, 'e'),
        (ClientFlags::NO_TOUCH, 'T'),
    ] {
        if flags.contains(flag) {
            letters.push(letter);
        }
    }
    if letters.is_empty() { "N".into() } else { letters }
}

/// Describes a client in one line, as CLIENT LIST does.
pub(crate) fn describe(engine: &Engine, client: &Client, now_ms: i64, out: &mut String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (library, version) = client.library();
    let command = match client.last_command.load(Relaxed) {
        u32::MAX => "NULL",
        row => engine.table.row(row as usize).spec.name,
    };
    let query = client.query_bytes.load(Relaxed);
    let capacity = client.query_capacity.load(Relaxed);
    let output = client.output_bytes.load(Relaxed) + client.pending_bytes() as u64;
    let queued_bytes = client.queued_bytes.load(Relaxed);
    let peak = client.output_peak.load(Relaxed);
    let total = capacity + output + queued_bytes + client.argument_bytes.load(Relaxed) + size_of::<Client>() as u64;
    let [channels, patterns, shard_channels] = &client.subscriptions;
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub={} psub={} ssub={} multi={} qbuf={query} \
         qbuf-free={} argv-mem={} multi-mem={queued_bytes} rbs={} rbp={peak} obl={output} oll=0 omem=0 tot-mem={total} \
         events={} cmd={command} user={} redir=-1 resp={} lib-name={} lib-ver={}",
        client.id.0,
        client.peer.address,
        client.peer.local,
        client.peer.fd,
        text(&client.name()),
        now_ms / 1000 - client.connected_at,
        (now_ms - client.last_seen.load(Relaxed)).max(0) / 1000,
        letters(client.flags()),
        client.db.load(Relaxed),
        channels.load(Relaxed),
        patterns.load(Relaxed),
        shard_channels.load(Relaxed),
        client.queued.load(Relaxed),
        capacity.saturating_sub(query),
        client.argument_bytes.load(Relaxed),
        client.output_capacity.load(Relaxed),
        if client.flags().contains(ClientFlags::CLOSE_ASAP) { "" } else { "r" },
        client.user().name_text(),
        client.resp.load(Relaxed),
        text(&library),
        text(&version),
    );
    if let Some(tls) = &client.tls {
        let _ = write!(out, " tls={} cipher={}", tls.protocol, tls.cipher);
    }
}
