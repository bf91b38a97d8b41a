//! Questions to a server, one after the other, beside the connection that the data goes over.

use std::collections::BTreeMap;
use std::time::Duration;

use redis_protocol::resp2::types::OwnedFrame;

use super::endpoint::Endpoint;
use crate::peer::{PeerConnection, PeerReply};
use crate::persistence::aof::record;
use crate::persistence::rdb::Version;

/// The first release whose snapshots have the form that is written here.
const FIRST_V10: (u32, u32) = (7, 0);
const FIRST_V11: (u32, u32) = (7, 2);

/// How many keys a database has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyCount {
    /// All of them.
    pub keys: u64,
    /// Those that expire.
    pub volatile: u64,
}

/// Keys by database, as INFO tells them.
pub type KeyCounts = BTreeMap<u64, KeyCount>;

/// What a server is.
pub struct Identity {
    /// Its version, as it is shown.
    pub version: String,
    /// Changes with every start.
    pub run_id: String,
    release: (u32, u32),
    is_ours: bool,
}

impl Identity {
    /// The form of values that this server can read; an error names the release that could.
    pub fn payload_version(&self) -> Result<Version, String> {
        match self.release {
            _ if self.is_ours => Ok(Version::V11),
            release if release >= FIRST_V11 => Ok(Version::V11),
            release if release >= FIRST_V10 => Ok(Version::V10),
            _ => Err(format!("the target is Redis {}: one of 7.0 or later is needed", self.version)),
        }
    }
}

/// A connection for questions.
pub struct Calls {
    connection: PeerConnection,
    /// What to call the server in errors.
    server: String,
}

impl Calls {
    /// Dials, and signs on.
    pub fn open(endpoint: &Endpoint) -> Result<Self, String> {
        let mut calls = Self { connection: endpoint.dial_for_calls()?, server: endpoint.to_string() };
        if let Some((user, password)) = endpoint.credentials() {
            let words: &[&[u8]] = if user.is_empty() { &[b"AUTH", &password] } else { &[b"AUTH", &user, &password] };
            calls.call(words)?;
        }
        calls.call(&[b"PING"])?;
        Ok(calls)
    }

    /// Lets an answer take longer.
    pub fn be_patient(&mut self, patience: Duration) -> Result<(), String> {
        self.connection.set_timeout(patience).map_err(|error| format!("{}: {error}", self.server))
    }

    /// Asks; an error names the server and what it did not do.
    pub fn call(&mut self, words: &[&[u8]]) -> Result<OwnedFrame, String> {
        let mut request = Vec::new();
        record::command(&mut request, words.iter().copied());
        let reply = self.connection.send(&request).and_then(|()| self.connection.reply());
        let name = String::from_utf8_lossy(words[0]);
        match reply {
            Ok(PeerReply::Value(value)) => Ok(value),
            Ok(PeerReply::Error(text)) => Err(format!("{} refuses {name}: {text}", self.server)),
            Err(error) => Err(format!("{} does not answer {name}: {error}", self.server)),
        }
    }

    /// A section of INFO.
    fn info(&mut self, section: &str) -> Result<String, String> {
        match self.call(&[b"INFO", section.as_bytes()])? {
            OwnedFrame::BulkString(text) => Ok(String::from_utf8_lossy(&text).into_owned()),
            _ => Err(format!("{} answers INFO with something else", self.server)),
        }
    }

    fn field(&mut self, section: &str, name: &str) -> Result<String, String> {
        let info = self.info(section)?;
        let value = field(&info, name).map(str::to_owned);
        value.ok_or_else(|| format!("{} says nothing about {name}", self.server))
    }

    /// What the server is.
    pub fn identity(&mut self) -> Result<Identity, String> {
        let info = self.info("server")?;
        let text = |name: &str| field(&info, name).unwrap_or_default().to_owned();
        let redis = text("redis_version");
        let mut numbers = redis.split('.').map_while(|part| part.parse().ok());
        let release = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        let ours = field(&info, "redis_tls_version");
        let version = ours.map_or_else(|| format!("Redis {redis}"), |ours| format!("redis-tls {ours}"));
        Ok(Identity { version, run_id: text("run_id"), release, is_ours: ours.is_some() })
    }

    /// Whether the server is a primary.
    pub fn is_primary(&mut self) -> Result<bool, String> {
        Ok(self.field("replication", "role")? == "master")
    }

    /// Where the server's stream of changes ends.
    pub fn offset(&mut self) -> Result<u64, String> {
        let text = self.field("replication", "master_repl_offset")?;
        text.parse().map_err(|_| format!("{} is at the offset '{text}'", self.server))
    }

    /// How many keys there are.
    pub fn key_counts(&mut self) -> Result<KeyCounts, String> {
        Ok(parse_key_counts(&self.info("keyspace")?))
    }

    /// Whether there is any library of functions.
    pub fn has_functions(&mut self) -> Result<bool, String> {
        Ok(!matches!(self.call(&[b"FUNCTION", b"LIST"])?, OwnedFrame::Array(list) if list.is_empty()))
    }

    /// DEBUG DIGEST.
    pub fn digest(&mut self) -> Result<String, String> {
        match self.call(&[b"DEBUG", b"DIGEST"])? {
            OwnedFrame::SimpleString(text) => Ok(String::from_utf8_lossy(&text).into_owned()),
            _ => Err(format!("{} answers DEBUG DIGEST with something else", self.server)),
        }
    }
}

/// The value of a field of an INFO text.
fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'))
}

fn parse_key_counts(info: &str) -> KeyCounts {
    let line = |line: &str| {
        let (db, rest) = line.trim_end().strip_prefix("db")?.split_once(':')?;
        let number = |name: &str| {
            rest.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('=')?.parse::<u64>().ok())
        };
        Some((db.parse().ok()?, KeyCount { keys: number("keys")?, volatile: number("expires").unwrap_or(0) }))
    };
    info.lines().filter_map(line).filter(|(_, count)| count.keys > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_counts_are_read_from_info() {
        let info = "# Keyspace\r\ndb0:keys=5,expires=2,avg_ttl=10\r\ndb11:keys=1,expires=0\r\ndb2:keys=0,expires=0\r\ndbx:y\r\n";
        let counts = parse_key_counts(info);
        let expected = [(0, KeyCount { keys: 5, volatile: 2 }), (11, KeyCount { keys: 1, volatile: 0 })];
        assert_eq!(counts, BTreeMap::from(expected));
        assert_eq!(field(info, "db11"), Some("keys=1,expires=0"));
    }

    #[test]
    fn the_target_decides_the_form_of_values() {
        let identity = |release, is_ours| Identity { version: "x".into(), run_id: String::new(), release, is_ours };
        assert_eq!(identity((7, 0), false).payload_version(), Ok(Version::V10));
        assert_eq!(identity((7, 2), false).payload_version(), Ok(Version::V11));
        assert_eq!(identity((8, 0), false).payload_version(), Ok(Version::V11));
        assert_eq!(identity((7, 0), true).payload_version(), Ok(Version::V11));
        assert!(identity((6, 2), false).payload_version().is_err());
    }
}
