//! Sockets: listening, handshakes, workers, and the life of one connection. Knows nothing of what commands mean.

mod acceptor;
mod connection;
mod debugging;
mod input;
mod listener;
mod output;
mod places;
mod refusal;
mod transport;
mod waits;
mod worker;

pub use acceptor::{Acceptor, AcceptorHandle};
pub use listener::{ListenError, Listeners};
pub use worker::{Accepted, WorkerPool};
