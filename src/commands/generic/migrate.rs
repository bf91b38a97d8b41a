//! MIGRATE: keys go to another server, and are removed here once that server has acknowledged them.
//!
//! The keys stay locked until then, so nobody sees a key in both places, or in neither. In an encrypted group the other
//! server is called over TLS.

use std::io;
use std::time::Duration;

use crate::base::number::parse_i64;
use crate::catalog::{KeyFinder, KeyFlags, KeySpec, Secrets, Spec, categories, flags};
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome, written_version};
use crate::peer::{PeerConnection, PeerReply, Target};
use crate::persistence::aof::record;
use crate::persistence::rdb::payload;
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "migrate",
        arity: -6,
        flags: flags![WRITE],
        categories: categories![KEYSPACE, DANGEROUS],
        keys: &[
            KeySpec::index(3, KeyFlags::TAKE),
            KeySpec::keyword("KEYS", -2, KeyFlags::TAKE.union(KeyFlags::INCOMPLETE)).range(-1, 1, 0),
        ],
        finder: KeyFinder::Migrate,
        secrets: Secrets::After { from: 6, words: &[("auth", 1), ("auth2", 2)] },
        since: "2.6.0",
        summary: "Hands keys over to another server in one step.",
        complexity: "This command actually executes a DUMP+DEL in the source instance, and a RESTORE in the \
            target instance. See the pages of these commands for time complexity. Also an O(N) data transfer \
            between the two instances is performed.",
        history: &[
            ("3.0.0", "Added the `COPY` and `REPLACE` options."),
            ("3.0.6", "Added the `KEYS` option."),
            ("4.0.7", "Added the `AUTH` option."),
            ("6.0.0", "Added the `AUTH2` option."),
        ],
        tips: &["nondeterministic_output"],
        args: "host:string port:integer key-selector:(key:key | empty-string='') destination-db:integer \
                timeout:integer copy?=COPY@3.0.0 replace?=REPLACE@3.0.0 \
                authentication?:(auth<password>=AUTH:string@4.0.7 | auth2=AUTH2:(username:string \
                password:string)@6.0.0) keys<key>?*=KEYS:key#1@3.0.6",
        ..Spec::BASE
    },
    run: migrate,
}];

const DEFAULT_TIMEOUT_MS: i64 = 1000;

struct Request<'a> {
    target: Target,
    db: i64,
    timeout: Duration,
    copy: bool,
    replace: bool,
    user: Option<&'a [u8]>,
    password: Option<&'a [u8]>,
    keys: Vec<&'a [u8]>,
}

fn migrate(ctx: &mut Context<'_>) -> CommandResult {
    let request = Request::read(ctx)?;
    let present: Vec<&[u8]> = request.keys.iter().copied().filter(|key| ctx.keys.look(key).is_some()).collect();
    if present.is_empty() {
        ctx.reply.status("NOKEY");
        return Ok(Outcome::Done);
    }
    let restores = restores(ctx, &request, &present);
    let kept = ctx.engine.idle_peers.take(&request.target);
    if let Some((mut connection, db)) = kept
        && connection.set_timeout(request.timeout).is_ok()
    {
        match hand_over(ctx, &request, &present, &restores, connection, db) {
            // The other end may have closed a connection that waited; a fresh one will tell.
            Err(Failure { step: Step::Write | Step::FirstReply, error }) if !is_timeout(&error) => {}
            other => return other.unwrap_or_else(|failure| Err(failure.to_wire())),
        }
    }
    let connection = open(ctx, &request)?;
    hand_over(ctx, &request, &present, &restores, connection, -1).unwrap_or_else(|failure| Err(failure.to_wire()))
}

/// Where a call broke off.
enum Step {
    Write,
    FirstReply,
    LaterReply,
}

struct Failure {
    step: Step,
    error: io::Error,
}

impl Failure {
    fn to_wire(&self) -> WireError {
        WireError::fixed(match self.step {
            Step::Write => "IOERR error or timeout writing to target instance",
            Step::FirstReply | Step::LaterReply => "IOERR error or timeout reading from target instance",
        })
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

fn open(ctx: &Context<'_>, request: &Request<'_>) -> Result<PeerConnection, WireError> {
    const NO_CONNECTION: WireError = WireError::fixed("IOERR error or timeout connecting to the client");
    let open =
        |config: Option<_>| PeerConnection::open(&request.target, config, request.timeout).map_err(io::Error::from);
    let opened = match &ctx.engine.tls {
        None => open(None),
        Some(live) => live.current().client().map_err(io::Error::other).and_then(|config| open(Some(config))),
    };
    opened.map_err(|error| {
        tracing::warn!("MIGRATE cannot reach {}:{}: {error}", request.target.host, request.target.port);
        NO_CONNECTION
    })
}

/// RESTORE for each key, encoded.
fn restores(ctx: &Context<'_>, request: &Request<'_>, keys: &[&[u8]]) -> Vec<u8> {
    let (version, compression) = (written_version(ctx.settings), ctx.settings.persistence.rdbcompression);
    let mut out = Vec::new();
    for key in keys {
        let Some(entry) = ctx.keys.peek(key) else { continue };
        let ttl = entry.expiry().map_or(0, |when| (when.0 - ctx.now().0).max(1));
        let payload = payload::dump(entry.value(), version, compression);
        let mut digits = itoa::Buffer::new();
        let mut words = vec![&b"RESTORE"[..], key, digits.format(ttl).as_bytes(), &payload];
        if request.replace {
            words.push(b"REPLACE");
        }
        record::command(&mut out, words.iter().copied());
    }
    out
}

fn hand_over(
    ctx: &mut Context<'_>,
    request: &Request<'_>,
    keys: &[&[u8]],
    restores: &[u8],
    mut connection: PeerConnection,
    selected: i64,
) -> Result<CommandResult, Failure> {
    let mut preface = Vec::new();
    let mut prefaces = 0;
    if let Some(password) = request.password {
        let words: Vec<&[u8]> = [Some(&b"AUTH"[..]), request.user, Some(password)].into_iter().flatten().collect();
        record::command(&mut preface, words.iter().copied());
        prefaces += 1;
    }
    if selected != request.db {
        record::command(&mut preface, [b"SELECT", request.db.to_string().as_bytes()].into_iter());
        prefaces += 1;
    }
    let sent = connection.send(&preface).and_then(|()| connection.send(restores));
    sent.map_err(|error| Failure { step: Step::Write, error })?;
    let mut refusal = None;
    for _ in 0..prefaces {
        let reply = connection.reply().map_err(|error| Failure { step: Step::FirstReply, error })?;
        note(&mut refusal, reply);
    }
    let unreachable = refusal.is_some();
    let mut moved: Vec<&[u8]> = vec![b"DEL"];
    for (index, key) in keys.iter().enumerate() {
        let reply = match connection.reply() {
            Ok(reply) => reply,
            Err(error) => {
                replay(ctx, &moved);
                let step = if index == 0 { Step::FirstReply } else { Step::LaterReply };
                return Err(Failure { step, error });
            }
        };
        let refused = note(&mut refusal, reply);
        if !refused && !unreachable && !request.copy && ctx.keys.remove(key).is_some() {
            ctx.changed(EventClass::GENERIC, "del", key);
            ctx.change.dirty(1);
            moved.push(key);
        }
    }
    replay(ctx, &moved);
    let db = if refusal.is_some() { -1 } else { request.db };
    ctx.engine.idle_peers.keep(request.target.clone(), connection, db);
    Ok(match refusal {
        None => ctx.done_ok(),
        Some(text) => Err(WireError::new(format!("ERR Target instance replied with error: {text}"))),
    })
}

/// Keeps the first error; says whether this reply is one.
fn note(refusal: &mut Option<String>, reply: PeerReply) -> bool {
    let PeerReply::Error(text) = reply else { return false };
    refusal.get_or_insert(text);
    true
}

/// Replayed as the removal of what was moved.
fn replay(ctx: &mut Context<'_>, moved: &[&[u8]]) {
    if moved.len() > 1 {
        ctx.change.replay_as(moved);
    } else {
        ctx.change.replay_nothing();
    }
}

impl<'a> Request<'a> {
    fn read(ctx: &Context<'a>) -> Result<Self, WireError> {
        const KEYS_AND_KEY: WireError =
            WireError::fixed("ERR When using MIGRATE KEYS option, the key argument must be set to the empty string");
        let args = ctx.args;
        let (mut copy, mut replace, mut user, mut password) = (false, false, None, None);
        let mut keys = vec![args.at(3)];
        let mut index = 6;
        while index < args.len() {
            if args.is(index, "COPY") {
                copy = true;
            } else if args.is(index, "REPLACE") {
                replace = true;
            } else if args.is(index, "AUTH") && index + 1 < args.len() {
                password = Some(args.at(index + 1));
                index += 1;
            } else if args.is(index, "AUTH2") && index + 2 < args.len() {
                (user, password) = (Some(args.at(index + 1)), Some(args.at(index + 2)));
                index += 2;
            } else if args.is(index, "KEYS") {
                if !args.at(3).is_empty() {
                    return Err(KEYS_AND_KEY);
                }
                keys = args.from(index + 1).collect();
                break;
            } else {
                return Err(WireError::SYNTAX);
            }
            index += 1;
        }
        let timeout = ctx.int(5)?;
        let db = ctx.int(4)?;
        let timeout = if timeout > 0 { timeout } else { DEFAULT_TIMEOUT_MS };
        let host = String::from_utf8_lossy(args.at(1)).into_owned();
        // A port that is none cannot be reached.
        let port = parse_i64(args.at(2)).and_then(|port| u16::try_from(port).ok()).unwrap_or(0);
        let timeout = Duration::from_millis(timeout as u64);
        Ok(Self { target: Target { host, port }, db, timeout, copy, replace, user, password, keys })
    }
}
