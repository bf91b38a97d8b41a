//! Calls to other servers: how they are dialled, one call's connection, those kept open for the next call, the byte stream of a
//! replica's link, and a connection in two halves for whoever keeps many requests in flight.
//!
//! In an encrypted group every call goes over TLS and verifies the server it reaches; there is no way back to plaintext.
//! Calls block their thread, for at most the timeout per step. The codec is `redis-protocol`'s.

mod connection;
mod dial;
mod frame;
mod halves;
mod idle;
mod link;
mod stream;

pub use connection::{PeerConnection, PeerReply};
pub use dial::{DialError, Target, connect, dial, secure};
pub use frame::first_frame;
pub use halves::{ReceiveHalf, SendHalf};
pub use idle::IdlePeers;
pub use link::Link;
pub use stream::Stream;
