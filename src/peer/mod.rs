//! Calls to other servers: one connection, and those kept open for the next call.
//!
//! In an encrypted group every call goes over TLS and verifies the server it reaches; there is no way back to plaintext.
//! Calls block their thread, for at most the timeout per step. The codec is `redis-protocol`'s.

mod connection;
mod idle;

pub use connection::{PeerConnection, PeerReply, Target};
pub use idle::IdlePeers;
