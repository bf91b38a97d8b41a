//! What a command does to keys besides what it says itself.

use crate::keyspace::database::DbIndex;
use crate::keyspace::entry::Entry;

/// What happened to keys besides what the command says itself.
pub enum Effect {
    /// This entry was found past its expiry and removed.
    Expired(DbIndex, Entry),
    /// This entry, large to free, was overwritten.
    Replaced(Entry),
    /// A key was found past its expiry under a read lock: to be removed by whoever can.
    SeenExpired(DbIndex, Box<[u8]>),
    /// A key came into being (clients may be waiting for it).
    Created(DbIndex, Box<[u8]>),
    /// A key has something new for clients that wait for it, or is not what they wait for any more.
    Woken(DbIndex, Box<[u8]>),
    /// A key was looked for and is not there (somebody may want to know).
    Missed(DbIndex, Box<[u8]>),
}
