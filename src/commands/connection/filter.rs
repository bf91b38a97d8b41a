//! Kinds of clients, as CLIENT LIST and CLIENT KILL name them.

use crate::resp::WireError;
use crate::session::{Client, ClientFlags};

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
            b"master" => Ok(Self::Primary),
            b"replica" | b"slave" => Ok(Self::Replica),
            b"pubsub" => Ok(Self::PubSub),
            _ => {
                let word = String::from_utf8_lossy(word).into_owned();
                Err(WireError::new(format!("ERR Unknown client type '{word}'")))
            }
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
