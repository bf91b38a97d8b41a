//! What the server knows of a client: the part only its connection touches ([`Session`]) and the part that other
//! connections may look at or signal ([`Client`]).

mod client;
mod mailbox;
mod output_limit;
mod registry;
mod replica;
mod state;
mod subscriptions;

pub use client::{Client, ClientFlags, ClientId, Peer, TlsFacts};
pub use mailbox::{CloseReason, Signal};
pub use output_limit::FIXED_OUTPUT_BYTES;
pub use registry::Clients;
pub use replica::{Dried, Outlet, ReplicaFacts};
pub use state::{Counterpart, Queued, ReplyMode, ScriptDebugging, Session, Transaction, WatchedKey};
pub use subscriptions::{SubscriptionKind, Subscriptions};
