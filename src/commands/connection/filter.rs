//! Which clients CLIENT LIST and CLIENT KILL mean: the filters of Redis 7.4 and of Valkey 9, which can be negated.
//!
//! All filters must hold. A filter that comes twice counts as it came last; only IDs add up.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crate::acl::User;
use crate::base::clock::UnixMillis;
use crate::base::number::parse_i64;
use crate::engine::{Context, letters};
use crate::resp::WireError;
use crate::session::{Client, ClientFlags, ClientId};

/// Which clients are meant.
pub(super) struct Filter<'a> {
    tests: Vec<Test<'a>>,
    /// Whether the asking client is left out.
    pub skip_self: bool,
}

/// One filter.
struct Test<'a> {
    negated: bool,
    property: Property<'a>,
}

/// What is looked at, and what it must be.
enum Property<'a> {
    Ids(Vec<ClientId>),
    Kind(Kind),
    User(Arc<User>),
    Address(&'a [u8]),
    LocalAddress(&'a [u8]),
    Ip(&'a [u8]),
    Name(&'a [u8]),
    LibraryName(&'a [u8]),
    LibraryVersion(&'a [u8]),
    /// All of these letters.
    Flags(&'a [u8]),
    Database(u32),
    /// At least so many seconds since it connected.
    Age(i64),
    /// At least so many seconds since its last command.
    Idle(i64),
}

/// What the two commands do differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    List,
    Kill,
}

impl<'a> Filter<'a> {
    /// The client at an address.
    pub(super) fn by_address(address: &'a [u8]) -> Self {
        Self { tests: vec![Test { negated: false, property: Property::Address(address) }], skip_self: false }
    }

    /// Reads filters from argument 2 on.
    pub(super) fn parse(ctx: &Context<'a>, purpose: Purpose) -> Result<Self, WireError> {
        let mut filter = Self { tests: Vec::new(), skip_self: purpose == Purpose::Kill };
        let mut index = 2;
        while index < ctx.args.len() {
            let word = ctx.args.at(index).to_ascii_uppercase();
            let Some(value) = ctx.args.get(index + 1) else { return ctx.syntax() };
            index += 2;
            if word == b"SKIPME" {
                filter.skip_self = yes_or_no(value)?;
                continue;
            }
            let (negated, word) = word.strip_prefix(b"NOT-").map_or((false, &*word), |rest| (true, rest));
            let property = if word == b"ID" {
                let ids = ids(ctx, index - 1, purpose)?;
                index += ids.len() - 1;
                Property::Ids(ids)
            } else {
                property(ctx, word, value)?
            };
            if negated && matches!(property, Property::Age(_) | Property::Idle(_)) {
                return ctx.syntax();
            }
            filter.add(Test { negated, property });
        }
        Ok(filter)
    }

    fn add(&mut self, test: Test<'a>) {
        let same = |old: &&mut Test<'a>| {
            let kind = std::mem::discriminant::<Property<'a>>;
            old.negated == test.negated && kind(&old.property) == kind(&test.property)
        };
        match (self.tests.iter_mut().find(same), test) {
            (Some(Test { property: Property::Ids(old), .. }), Test { property: Property::Ids(new), .. }) => {
                old.extend(new);
            }
            (Some(old), test) => *old = test,
            (None, test) => self.tests.push(test),
        }
    }

    /// Whether a client is meant, the asking one apart.
    pub(super) fn fits(&self, client: &Client, now: UnixMillis) -> bool {
        self.tests.iter().all(|test| test.property.is_of(client, now) != test.negated)
    }
}

impl Property<'_> {
    fn is_of(&self, client: &Client, now: UnixMillis) -> bool {
        match self {
            Self::Ids(ids) => ids.contains(&client.id),
            Self::Kind(kind) => Kind::of(client) == *kind,
            Self::User(user) => Arc::ptr_eq(&client.user(), user),
            Self::Address(address) => client.peer.address.as_bytes() == *address,
            Self::LocalAddress(address) => client.peer.local.as_bytes() == *address,
            Self::Ip(ip) => ip_of(&client.peer.address).as_bytes() == *ip,
            Self::Name(name) => &*client.name() == *name,
            Self::LibraryName(name) => &*client.library().0 == *name,
            Self::LibraryVersion(version) => &*client.library().1 == *version,
            Self::Flags(wanted) => {
                let own = letters(client.flags());
                wanted.iter().all(|letter| own.as_bytes().contains(letter))
            }
            Self::Database(db) => client.db.load(Relaxed) == *db,
            Self::Age(seconds) => now.0 / 1000 - client.connected_at >= *seconds,
            Self::Idle(seconds) => (now.0 - client.last_seen.load(Relaxed)) / 1000 >= *seconds,
        }
    }
}

/// The filter a word names, other than ID.
fn property<'a>(ctx: &Context<'a>, word: &[u8], value: &'a [u8]) -> Result<Property<'a>, WireError> {
    Ok(match word {
        b"TYPE" => Property::Kind(Kind::parse(value)?),
        b"USER" => {
            let unknown = || WireError::quoting(&[b"ERR No such user '", value, b"'"]);
            Property::User(ctx.engine.users.get(value).ok_or_else(unknown)?)
        }
        b"ADDR" => Property::Address(value),
        b"LADDR" => Property::LocalAddress(value),
        b"IP" => Property::Ip(value),
        b"NAME" => Property::Name(value),
        b"LIB-NAME" => Property::LibraryName(value),
        b"LIB-VER" => Property::LibraryVersion(value),
        b"FLAGS" => {
            let known = letters(ClientFlags::all());
            if value.iter().any(|letter| *letter != b'N' && !known.as_bytes().contains(letter)) {
                return Err(WireError::quoting(&[b"ERR Unknown flags found in the provided filter: ", value]));
            }
            Property::Flags(value)
        }
        b"DB" => {
            let db = parse_i64(value).ok_or(WireError::NOT_INTEGER)?;
            let db = u32::try_from(db).ok().filter(|db| *db < ctx.keys.keyspace().count());
            Property::Database(db.ok_or(WireError::DB_OUT_OF_RANGE)?)
        }
        b"MAXAGE" => Property::Age(seconds(value, "maxage")?),
        b"IDLE" => Property::Idle(seconds(value, "idle")?),
        _ => return ctx.syntax(),
    })
}

/// The IDs from argument `index` on: at least one.
fn ids(ctx: &Context<'_>, index: usize, purpose: Purpose) -> Result<Vec<ClientId>, WireError> {
    let error = match purpose {
        Purpose::List => WireError::fixed("ERR Invalid client ID"),
        Purpose::Kill => WireError::fixed("ERR client-id should be greater than 0"),
    };
    let mut ids = Vec::new();
    for argument in ctx.args.from(index) {
        match parse_i64(argument) {
            Some(id @ 1..) => ids.push(ClientId(id as u64)),
            // The ID of nobody.
            Some(_) if purpose == Purpose::List => ids.push(ClientId(0)),
            // The next filter begins, or something that is none.
            None if !ids.is_empty() && (purpose == Purpose::Kill || is_word(argument)) => break,
            _ => return Err(error),
        }
    }
    Ok(ids)
}

/// Whether an argument can name a filter.
fn is_word(argument: &[u8]) -> bool {
    const WORDS: &[&str] = &[
        "ID", "TYPE", "USER", "ADDR", "LADDR", "IP", "NAME", "LIB-NAME", "LIB-VER", "FLAGS", "DB", "MAXAGE", "IDLE",
        "SKIPME",
    ];
    let word = argument.to_ascii_uppercase();
    let word = word.strip_prefix(b"NOT-").unwrap_or(&word);
    WORDS.iter().any(|known| known.as_bytes() == word)
}

fn seconds(value: &[u8], what: &str) -> Result<i64, WireError> {
    match parse_i64(value) {
        Some(seconds @ 1..) => Ok(seconds),
        Some(_) => Err(WireError::new(format!("ERR {what} should be greater than 0"))),
        None => Err(WireError::new(format!("ERR {what} is not an integer or out of range"))),
    }
}

fn yes_or_no(value: &[u8]) -> Result<bool, WireError> {
    match value.to_ascii_lowercase().as_slice() {
        b"yes" => Ok(true),
        b"no" => Ok(false),
        _ => Err(WireError::SYNTAX),
    }
}

/// An address without its port; the path of a socket as it is.
fn ip_of(address: &str) -> String {
    match address.parse::<std::net::SocketAddr>() {
        Ok(address) => address.ip().to_string(),
        Err(_) => address.to_owned(),
    }
}

/// What a client is to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Normal,
    Primary,
    Replica,
    PubSub,
}

impl Kind {
    /// Reads the name of a kind.
    pub(super) fn parse(word: &[u8]) -> Result<Self, WireError> {
        match word.to_ascii_lowercase().as_slice() {
            b"normal" => Ok(Self::Normal),
            b"master" | b"primary" => Ok(Self::Primary),
            b"replica" | b"slave" => Ok(Self::Replica),
            b"pubsub" => Ok(Self::PubSub),
            _ => Err(WireError::quoting(&[b"ERR Unknown client type '", word, b"'"])),
        }
    }

    /// The kind of a client.
    pub(super) fn of(client: &Client) -> Self {
        let flags = client.flags();
        if flags.contains(ClientFlags::PRIMARY) {
            Self::Primary
        } else if flags.contains(ClientFlags::REPLICA) && !flags.contains(ClientFlags::MONITOR) {
            Self::Replica
        } else if flags.contains(ClientFlags::PUBSUB) {
            Self::PubSub
        } else {
            Self::Normal
        }
    }
}
