//! Proving who one is: AUTH, HELLO.

use crate::catalog::{Categories, Group, Secrets, Spec, flags};
use std::sync::Arc;
use std::time::Duration;

use crate::acl::DEFAULT_USER;
use crate::base::number::parse_i64;
use crate::config::REDIS_VERSION;
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::{Args, Protocol, WireError};
use crate::session::Client;

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
            args: "arguments?:(protover:integer auth?=AUTH:(username:string password:string) \
                clientname?=SETNAME:string)",
            ..Spec::BASE
        },
        run: hello,
    },
];

/// The longest that the replies to one batch are held back, however many passwords are wrong in it.
const MAX_HOLD: Duration = Duration::from_secs(10);

pub(super) fn auth(ctx: &mut Context<'_>) -> CommandResult {
    match ctx.args.len() {
        2 => {
            if ctx.engine.users.default_user().rules().no_password {
                return Err(WireError::fixed(
                    "ERR AUTH <password> called without any password configured for the default user. Are you sure your \
                     configuration is correct?",
                ));
            }
            authenticate(ctx, DEFAULT_USER, ctx.args.at(1))?;
        }
        3 => authenticate(ctx, ctx.args.at(1), ctx.args.at(2))?,
        _ => return ctx.syntax(),
    }
    ctx.done_ok()
}

/// Makes the connection act as a user, if the password is right.
fn authenticate(ctx: &mut Context<'_>, name: &[u8], password: &[u8]) -> Result<(), WireError> {
    let engine = ctx.engine;
    let occasion = ctx.occasion();
    let session = &mut *ctx.session;
    let user = engine.users.authenticate(name, password);
    // A connection that a certificate has made a user's stays that user's.
    let user = user.filter(|user| !session.has_certificate_user || Arc::ptr_eq(user, &session.user));
    let address = &session.client.peer.address;
    session.hold_replies += engine.auth_throttle.attempt(address, user.is_some(), ctx.keys.now.0);
    session.hold_replies = session.hold_replies.min(MAX_HOLD);
    let Some(user) = user else {
        engine.note_failed_authentication(session, occasion, ctx.args.at(0), name);
        return Err(WireError::WRONG_PASS);
    };
    session.act_as(user);
    session.authenticated = true;
    Ok(())
}

/// What HELLO was given besides the protocol.
#[derive(Default)]
struct Greeting<'a> {
    credentials: Option<(&'a [u8], &'a [u8])>,
    name: Option<&'a [u8]>,
}

impl<'a> Greeting<'a> {
    fn parse(args: Args<'a>) -> Result<Self, WireError> {
        let mut greeting = Self::default();
        let mut index = 2;
        while index < args.len() {
            let left = args.len() - index - 1;
            if args.is(index, "AUTH") && left >= 2 {
                greeting.credentials = Some((args.at(index + 1), args.at(index + 2)));
                index += 3;
            } else if args.is(index, "SETNAME") && left >= 1 {
                Client::check_name(args.at(index + 1))?;
                greeting.name = Some(args.at(index + 1));
                index += 2;
            } else {
                return Err(WireError::quoting(&[b"ERR Syntax error in HELLO option '", args.at(index), b"'"]));
            }
        }
        Ok(greeting)
    }
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
    let greeting = Greeting::parse(ctx.args)?;
    if let Some((user, password)) = greeting.credentials {
        authenticate(ctx, user, password)?;
    }
    if !ctx.session.authenticated {
        return Err(WireError::fixed(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> \
             <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
        ));
    }
    if let Some(name) = greeting.name {
        ctx.session.client.set_name(name)?;
    }
    if let Some(protocol) = protocol {
        ctx.session.protocol = protocol;
        let mut messages = Vec::new();
        ctx.session.client.change_protocol(if protocol == Protocol::Resp3 { 3 } else { 2 }, &mut messages);
        ctx.reply.raw(&messages);
        ctx.reply.protocol = protocol;
    }
    describe_server(ctx);
    Ok(Outcome::Done)
}

fn describe_server(ctx: &mut Context<'_>) {
    let id = ctx.session.client.id.0 as i64;
    let role = if ctx.engine.replication.is_replica() { "replica" } else { "master" };
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
    for (field, value) in [("mode", "standalone"), ("role", role)] {
        reply.bulk(field.as_bytes());
        reply.bulk(value.as_bytes());
    }
    reply.bulk(b"modules");
    reply.array(0);
}
