//! ACL LIST, USERS, GETUSER and WHOAMI: what is known of users.

use crate::acl::Selector;
use crate::catalog::{Group, Spec, flags};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::Reply;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "acl|list",
            arity: 2,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, SENTINEL],
            group: Group::Server,
            since: "6.0.0",
            summary: "Shows all users in the form of configuration lines.",
            complexity: "O(N). Where N is the number of configured users.",
            ..Spec::BASE
        },
        run: acl_list,
    },
    Command {
        spec: Spec {
            name: "acl|users",
            arity: 2,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, SENTINEL],
            group: Group::Server,
            since: "6.0.0",
            summary: "Lists user names.",
            complexity: "O(N). Where N is the number of configured users.",
            ..Spec::BASE
        },
        run: acl_users,
    },
    Command {
        spec: Spec {
            name: "acl|getuser",
            arity: 3,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, SENTINEL],
            group: Group::Server,
            since: "6.0.0",
            summary: "Describes one user's rules.",
            complexity: "O(N). Where N is the number of password, command and pattern rules that the user has.",
            history: &[
                ("6.2.0", "Added Pub/Sub channel patterns."),
                (
                    "7.0.0",
                    "Added selectors and changed the format of key and channel patterns from a list to their \
                    rule representation.",
                ),
            ],
            args: "username:string",
            ..Spec::BASE
        },
        run: acl_getuser,
    },
    Command {
        spec: Spec {
            name: "acl|whoami",
            arity: 2,
            flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL],
            group: Group::Server,
            since: "6.0.0",
            summary: "Names the user of this connection.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: acl_whoami,
    },
];

pub(super) fn acl_list(ctx: &mut Context<'_>) -> CommandResult {
    let users = ctx.engine.users.all();
    ctx.reply.array(users.len());
    for user in users {
        ctx.reply.bulk(&[b"user ", user.name(), b" ", &user.rules().describe()].concat());
    }
    Ok(Outcome::Done)
}

pub(super) fn acl_users(ctx: &mut Context<'_>) -> CommandResult {
    let users = ctx.engine.users.all();
    ctx.reply.array(users.len());
    for user in users {
        ctx.reply.bulk(user.name());
    }
    Ok(Outcome::Done)
}

pub(super) fn acl_getuser(ctx: &mut Context<'_>) -> CommandResult {
    let Some(user) = ctx.engine.users.get(ctx.args.at(2)) else {
        ctx.reply.null();
        return Ok(Outcome::Done);
    };
    let rules = user.rules();
    let reply = &mut ctx.reply;
    reply.map(6);
    reply.bulk(b"flags");
    reply.set(rules.flags().count());
    rules.flags().for_each(|flag| reply.bulk(flag.as_bytes()));
    reply.bulk(b"passwords");
    reply.array(rules.passwords().len());
    rules.passwords().for_each(|hash| reply.bulk(hash.as_bytes()));
    selector(reply, rules.root());
    reply.bulk(b"selectors");
    reply.array(rules.further_selectors().len());
    for further in rules.further_selectors() {
        reply.map(3);
        selector(reply, further);
    }
    Ok(Outcome::Done)
}

/// Three fields and their values.
fn selector(reply: &mut Reply<'_>, selector: &Selector) {
    reply.bulk(b"commands");
    reply.bulk(selector.describe_commands().as_bytes());
    reply.bulk(b"keys");
    reply.bulk(&selector.describe_keys());
    reply.bulk(b"channels");
    reply.bulk(&selector.describe_channels());
}

pub(super) fn acl_whoami(ctx: &mut Context<'_>) -> CommandResult {
    ctx.reply.bulk(ctx.session.user.name());
    Ok(Outcome::Done)
}
