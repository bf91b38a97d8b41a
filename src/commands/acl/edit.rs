//! ACL SETUSER and ACL DELUSER: who there is and what they may do.
//!
//! Both run with the gate held exclusively: no request is judged by the old rules and run after the new ones are in force.

use crate::acl::{DEFAULT_USER, has_spaces};
use crate::catalog::{Group, Secrets, Spec, flags};
use crate::config::values::AclPubsubDefault;
use crate::engine::{Command, CommandResult, Context};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "acl",
            arity: -2,
            flags: flags![SENTINEL, CONTAINER],
            group: Group::Server,
            since: "6.0.0",
            summary: "Groups the commands about users and their permissions.",
            complexity: "Depends on subcommand.",
            ..Spec::BASE
        },
        run: crate::commands::container,
    },
    Command {
        spec: Spec {
            name: "acl|setuser",
            arity: -3,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, SENTINEL, EXCLUSIVE],
            secrets: Secrets::From(2),
            group: Group::Server,
            since: "6.0.0",
            summary: "Creates a user or changes a user's rules.",
            complexity: "O(N). Where N is the number of rules provided.",
            history: &[
                ("6.2.0", "Added Pub/Sub channel patterns."),
                ("7.0.0", "Added selectors and key based permissions."),
            ],
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            args: "username:string rule?*:string",
            ..Spec::BASE
        },
        run: acl_setuser,
    },
    Command {
        spec: Spec {
            name: "acl|deluser",
            arity: -3,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, SENTINEL, EXCLUSIVE],
            group: Group::Server,
            since: "6.0.0",
            summary: "Removes users and closes their connections.",
            complexity: "O(1) amortized time considering the typical user.",
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            args: "username*:string",
            ..Spec::BASE
        },
        run: acl_deluser,
    },
];

pub(super) fn acl_setuser(ctx: &mut Context<'_>) -> CommandResult {
    let name = ctx.args.at(2);
    if has_spaces(name) {
        return Err(WireError::fixed("ERR Usernames can't contain spaces or null characters"));
    }
    let rules: Vec<&[u8]> = ctx.args.from(3).collect();
    let all_channels = ctx.settings.security.acl_pubsub_default == AclPubsubDefault::AllChannels;
    let (user, revocation) = ctx.engine.users.set(name, &rules, all_channels)?;
    if let Some(revocation) = revocation {
        ctx.engine.close_unsubscribed(ctx.session, &user, &revocation);
    }
    ctx.done_ok()
}

pub(super) fn acl_deluser(ctx: &mut Context<'_>) -> CommandResult {
    if ctx.args.from(2).any(|name| name == DEFAULT_USER) {
        return Err(WireError::fixed("ERR The 'default' user cannot be removed"));
    }
    let gone: Vec<_> = ctx.args.from(2).filter_map(|name| ctx.engine.users.remove(name)).collect();
    ctx.engine.close_clients_of(ctx.session, &gone);
    ctx.done_int(gone.len() as i64)
}
