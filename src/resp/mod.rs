//! Requests in and replies out: the bytes of RESP2 and RESP3 as a server sees them.
//!
//! Knows nothing of commands, keys or clients. Specification: <https://redis.io/docs/reference/protocol-spec/>.

mod args;
mod error;
mod parser;
mod reply;
mod skim;

pub use args::{Args, OwnedArgs, Span};
pub use error::WireError;
pub use parser::{Limits, Parsed, Parser, ProtocolError};
pub use reply::{Mark, Protocol, Reply};
pub use skim::{Skimmed, skim};
