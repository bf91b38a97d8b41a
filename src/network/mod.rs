//! Sockets: listening, handshakes, workers, and the life of one connection. Knows nothing of what commands mean.

mod acceptor;
mod connection;
mod listener;
mod refusal;
mod transport;
mod worker;

pub use acceptor::{Acceptor, AcceptorHandle};
pub use listener::{ListenError, Listeners};
pub use worker::{Accepted, WorkerPool};
