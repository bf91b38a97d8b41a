//! CLIENT: about the own connection.

use crate::catalog::{Categories, Group, Spec, flags};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::WireError;
use crate::session::ClientFlags;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "client",
            arity: -2,
            flags: flags![SENTINEL, CONTAINER],
            group: Group::Connection,
            since: "2.4.0",
            summary: "Groups the commands about client connections.",
            complexity: "Depends on subcommand.",
            ..Spec::BASE
        },
        run: crate::commands::container,
    },
    Command {
        spec: Spec {
            name: "client|id",
            arity: 2,
            flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL],
            categories: Categories::CONNECTION,
            group: Group::Connection,
            since: "5.0.0",
            summary: "Reads the number of this connection.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: client_id,
    },
    Command {
        spec: Spec {
            name: "client|getname",
            arity: 2,
            flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL],
            categories: Categories::CONNECTION,
            group: Group::Connection,
            since: "2.6.9",
            summary: "Tells what this connection is called.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: client_getname,
    },
    Command {
        spec: Spec {
            name: "client|setname",
            arity: 3,
            flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL],
            categories: Categories::CONNECTION,
            group: Group::Connection,
            since: "2.6.9",
            summary: "Gives this connection a name.",
            complexity: "O(1)",
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            args: "connection-name:string",
            ..Spec::BASE
        },
        run: client_setname,
    },
    Command {
        spec: Spec {
            name: "client|setinfo",
            arity: 4,
            flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL],
            categories: Categories::CONNECTION,
            group: Group::Connection,
            since: "7.2.0",
            summary: "Notes which client library is talking, and its version.",
            complexity: "O(1)",
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            args: "attr:(libname=LIB-NAME:string | libver=LIB-VER:string)",
            ..Spec::BASE
        },
        run: client_setinfo,
    },
    Command {
        spec: Spec {
            name: "client|no-evict",
            arity: 3,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, SENTINEL],
            categories: Categories::CONNECTION,
            group: Group::Connection,
            since: "7.0.0",
            summary: "Exempts this connection from client eviction, or stops that.",
            complexity: "O(1)",
            args: "enabled:(on=ON | off=OFF)",
            ..Spec::BASE
        },
        run: client_no_evict,
    },
    Command {
        spec: Spec {
            name: "client|no-touch",
            arity: 3,
            flags: flags![NOSCRIPT, LOADING, STALE],
            categories: Categories::CONNECTION,
            group: Group::Connection,
            since: "7.2.0",
            summary: "Decides if this client's reads count as accesses of keys.",
            complexity: "O(1)",
            args: "enabled:(on=ON | off=OFF)",
            ..Spec::BASE
        },
        run: client_no_touch,
    },
    Command {
        spec: Spec {
            name: "client|help",
            arity: 2,
            flags: flags![LOADING, STALE, SENTINEL],
            categories: Categories::CONNECTION,
            group: Group::Connection,
            since: "5.0.0",
            summary: "Lists what CLIENT can do.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: client_help,
    },
];

pub(super) fn client_id(ctx: &mut Context<'_>) -> CommandResult {
    let id = ctx.session.client.id.0;
    ctx.done_int(id as i64)
}

pub(super) fn client_getname(ctx: &mut Context<'_>) -> CommandResult {
    let name = ctx.session.client.name();
    ctx.reply.bulk_or_null((!name.is_empty()).then_some(&*name));
    Ok(Outcome::Done)
}

pub(super) fn client_setname(ctx: &mut Context<'_>) -> CommandResult {
    ctx.session.client.set_name(ctx.args.at(2))?;
    ctx.done_ok()
}

pub(super) fn client_setinfo(ctx: &mut Context<'_>) -> CommandResult {
    let value = ctx.args.at(3);
    if ctx.args.is(2, "lib-name") {
        ctx.session.client.set_library_name(value)?;
    } else if ctx.args.is(2, "lib-ver") {
        ctx.session.client.set_library_version(value)?;
    } else {
        return Err(WireError::quoting(&[b"ERR Unrecognized option '", ctx.args.at(2), b"'"]));
    }
    ctx.done_ok()
}

fn switch(ctx: &mut Context<'_>, flag: ClientFlags) -> CommandResult {
    let on = if ctx.args.is(2, "ON") {
        true
    } else if ctx.args.is(2, "OFF") {
        false
    } else {
        return ctx.syntax();
    };
    ctx.session.client.set_flags(flag, on);
    ctx.done_ok()
}

pub(super) fn client_no_evict(ctx: &mut Context<'_>) -> CommandResult {
    switch(ctx, ClientFlags::NO_EVICT)
}

pub(super) fn client_no_touch(ctx: &mut Context<'_>) -> CommandResult {
    switch(ctx, ClientFlags::NO_TOUCH)
}

pub(super) fn client_help(ctx: &mut Context<'_>) -> CommandResult {
    ctx.reply.help(
        "CLIENT",
        &[
            "CACHING (YES|NO)",
            "    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.",
            "GETREDIR",
            "    Return the client ID we are redirecting to when tracking is enabled.",
            "GETNAME",
            "    Return the name of the current connection.",
            "ID",
            "    Return the ID of the current connection.",
            "INFO",
            "    Return information about the current client connection.",
            "KILL <ip:port>",
            "    Kill connection made from <ip:port>.",
            "KILL <option> <value> [<option> <value> [...]]",
            "    Kill connections. Options are:",
            "    * ADDR (<ip:port>|<unixsocket>:0)",
            "      Kill connections made from the specified address",
            "    * LADDR (<ip:port>|<unixsocket>:0)",
            "      Kill connections made to specified local address",
            "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
            "      Kill connections by type.",
            "    * USER <username>",
            "      Kill connections authenticated by <username>.",
            "    * SKIPME (YES|NO)",
            "      Skip killing current connection (default: yes).",
            "LIST [options ...]",
            "    Return information about client connections. Options:",
            "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
            "      Return clients of specified type.",
            "UNPAUSE",
            "    Stop the current client pause, resuming traffic.",
            "PAUSE <timeout> [WRITE|ALL]",
            "    Suspend all, or just write, clients for <timeout> milliseconds.",
            "REPLY (ON|OFF|SKIP)",
            "    Control the replies sent to the current connection.",
            "SETNAME <name>",
            "    Assign the name <name> to the current connection.",
            "SETINFO <option> <value>",
            "    Set client meta attr. Options are:",
            "    * LIB-NAME: the client lib name.",
            "    * LIB-VER: the client lib version.",
            "UNBLOCK <clientid> [TIMEOUT|ERROR]",
            "    Unblock the specified blocked client.",
            "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
            "         [OPTIN] [OPTOUT] [NOLOOP]",
            "    Control server assisted client side caching.",
            "TRACKINGINFO",
            "    Report tracking status for the current connection.",
            "NO-EVICT (ON|OFF)",
            "    Protect current client connection from eviction.",
            "NO-TOUCH (ON|OFF)",
            "    Will not touch LRU/LFU stats when this mode is on.",
        ],
    );
    Ok(Outcome::Done)
}
