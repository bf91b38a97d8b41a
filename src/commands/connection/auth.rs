//! Proving who one is: AUTH, HELLO.

use crate::catalog::{Categories, Group, Secrets, Spec, flags};
use crate::engine::Command;
use std::sync::atomic::Ordering::Relaxed;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::base::number::parse_i64;
use crate::config::REDIS_VERSION;
use crate::engine::{CommandResult, Context, Outcome};
use crate::resp::{Protocol, WireError};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "auth",
            arity: -2,
            flags: flags![NOSCRIPT, LOADING, STALE, FAST, NO_AUTH, SENTINEL, ALLOW_BUSY],
            categories: Categories::CONNECTION,
            secrets: Secrets::From(1),
            group: Group::Connection,
            since: "1.0.0",
            summary: "Proves who the client is, by user name and password.",
            complexity: "O(N) where N is the number of passwords defined for the user",
            history: &[("6.0.0", "Added ACL style (username and password).")],
            args: "username?:string@6.0.0 password:string",
            ..Spec::BASE
        },
        run: auth,
    },
    Command {
        spec: Spec {
            name: "hello",
            arity: -1,
            flags: flags![NOSCRIPT, LOADING, STALE, FAST, NO_AUTH, SENTINEL, ALLOW_BUSY],
            categories: Categories::CONNECTION,
            secrets: Secrets::After { from: 2, words: &[("auth", 2)] },
            group: Group::Connection,
            since: "6.0.0",
            summary: "Agrees on a protocol version, authenticating on the way if asked.",
            complexity: "O(1)",
            history: &[(
                "6.2.0",
                "`protover` made optional; when called without arguments the command reports the current \
                    connection's context.",
            )],
            args: "arguments?:(protover:integer username_password?=AUTH:(username:string password:string) \
                clientname?=SETNAME:string)",
            ..Spec::BASE
        },
        run: hello,
    },
];

const DEFAULT_USER: &str = "default";

pub(super) fn auth(ctx: &mut Context<'_>) -> CommandResult {
    match ctx.args.len() {
        2 => {
            if ctx.settings.security.requirepass.is_empty() {
                return Err(WireError::fixed(
                    "ERR AUTH <password> called without any password configured for the default user. Are you sure your \
                     configuration is correct?",
                ));
            }
            authenticate(ctx, DEFAULT_USER.as_bytes(), ctx.args.at(1))?;
        }
        3 => authenticate(ctx, ctx.args.at(1), ctx.args.at(2))?,
        _ => return ctx.syntax(),
    }
    ctx.done_ok()
}

/// Makes the connection act as a user, if the password is right.
fn authenticate(ctx: &mut Context<'_>, user: &[u8], password: &[u8]) -> Result<(), WireError> {
    if ctx.session.certificate_user.as_ref().is_some_and(|own| own.as_bytes() != user) {
        // A connection that a certificate has mapped to a user stays that user.
        return Err(WireError::WRONG_PASS);
    }
    let required = &ctx.settings.security.requirepass;
    // Both digests are computed whatever the user, so that the time tells nothing about users that exist.
    let same = bool::from(Sha256::digest(password).ct_eq(&Sha256::digest(&required.0)));
    if user != DEFAULT_USER.as_bytes() || !(required.is_empty() || same) {
        return Err(WireError::WRONG_PASS);
    }
    ctx.session.authenticated = true;
    ctx.session.client.set_user(DEFAULT_USER);
    Ok(())
}

pub(super) fn hello(ctx: &mut Context<'_>) -> CommandResult {
    let mut protocol = None;
    if let Some(version) = ctx.args.get(1) {
        let version =
            parse_i64(version).ok_or(WireError::fixed("ERR Protocol version is not an integer or out of range"))?;
        protocol = Some(match version {
            2 => Protocol::Resp2,
            3 => Protocol::Resp3,
            _ => return Err(WireError::fixed("NOPROTO unsupported protocol version")),
        });
    }
    let mut name = None;
    let mut index = 2;
    while index < ctx.args.len() {
        let left = ctx.args.len() - index - 1;
        if ctx.args.is(index, "AUTH") && left >= 2 {
            authenticate(ctx, ctx.args.at(index + 1), ctx.args.at(index + 2))?;
            index += 3;
        } else if ctx.args.is(index, "SETNAME") && left >= 1 {
            name = Some(ctx.args.at(index + 1));
            index += 2;
        } else {
            let option = String::from_utf8_lossy(ctx.args.at(index)).into_owned();
            return Err(WireError::new(format!("ERR Syntax error in HELLO option '{option}'")));
        }
    }
    if !ctx.session.authenticated {
        return Err(WireError::fixed(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> \
             <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
        ));
    }
    if let Some(name) = name {
        ctx.session.client.set_name(name)?;
    }
    if let Some(protocol) = protocol {
        ctx.session.protocol = protocol;
        ctx.session.client.resp.store(if protocol == Protocol::Resp3 { 3 } else { 2 }, Relaxed);
        ctx.reply.protocol = protocol;
    }
    describe_server(ctx);
    Ok(Outcome::Done)
}

fn describe_server(ctx: &mut Context<'_>) {
    let id = ctx.session.client.id.0 as i64;
    let reply = &mut ctx.reply;
    reply.map(7);
    for (field, value) in [("server", "redis"), ("version", REDIS_VERSION)] {
        reply.bulk(field.as_bytes());
        reply.bulk(value.as_bytes());
    }
    reply.bulk(b"proto");
    reply.int(if reply.protocol == Protocol::Resp3 { 3 } else { 2 });
    reply.bulk(b"id");
    reply.int(id);
    for (field, value) in [("mode", "standalone"), ("role", "master")] {
        reply.bulk(field.as_bytes());
        reply.bulk(value.as_bytes());
    }
    reply.bulk(b"modules");
    reply.array(0);
}
