//! What a connection has said of itself as a replica, and where its output comes from once it is one.

use std::task::{Context, Poll};

/// What REPLCONF has told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplicaFacts {
    /// The port on which it serves clients.
    pub port: u16,
    /// The address under which it wants to be known, if another than the one it came from.
    pub address: Option<String>,
    /// It can read a snapshot whose length is not known before.
    pub reads_marked: bool,
    /// It knows that a history can get another id.
    pub knows_second_id: bool,
    /// It wants a snapshot and no stream.
    pub snapshot_only: bool,
    /// It wants a snapshot without keys.
    pub without_keys: bool,
    /// It wants a snapshot without functions.
    pub without_functions: bool,
    /// It belongs to a group that must not follow this one.
    pub is_stranger: bool,
}

impl ReplicaFacts {
    /// Whether it wants less than everything.
    pub fn is_filtered(&self) -> bool {
        self.without_keys || self.without_functions
    }
}

/// The connection is to be closed: its source has nothing more for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dried;

/// Where the output of a connection comes from beside its replies.
pub trait Outlet: Send + Sync {
    /// Whether more is likely to come in a moment, so that less is sent in pieces if others have their turn before this is asked again.
    fn gathers(&mut self) -> bool;

    /// Appends some bytes to `out`; the task is woken when there is more.
    fn poll_fill(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) -> Poll<Result<(), Dried>>;
}
