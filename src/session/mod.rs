//! What the server knows of a client: the part only its connection touches ([`Session`]) and the part that other
//! connections may look at or signal ([`Client`]).

mod client;
mod registry;
mod state;

pub use client::{Client, ClientFlags, ClientId, Peer, Signal, TlsFacts};
pub use registry::Clients;
pub use state::{Queued, ReplyMode, Session, Transaction, WatchedKey};
