//! The protocol of replication without sockets: whose history a stream is, what a replica and its primary say to each other
//! before the stream begins, and how a snapshot is framed on the wire.
//!
//! Knows bytes and numbers only. Both sides stand here, so that each can be tested against the other.

mod bounds;
mod handshake;
mod history;
mod id;
mod incoming;
mod transfer;

pub use bounds::{is_endless, stream_limits};
pub use handshake::{Answer, Handshake, Introduction, Next, Sync};
pub use history::{History, NoContinuation, Second};
pub use id::{ReplOffset, ReplicationId};
pub use incoming::{Incoming, SnapshotBytes};
pub use transfer::{EofMark, Header};
