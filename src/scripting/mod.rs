//! Lua scripts and functions: the interpreters, what scripts see of the world, and what is cached or loaded.
//!
//! Knows no commands, keys or clients: a script reaches them through the [`Host`] that the engine lends to a run. Scripts run
//! one at a time, under the exclusive gate.

mod api;
mod arguments;
mod bits;
mod clock;
mod debugger;
mod digest;
mod error;
mod flags;
mod host;
mod interpreter;
mod json;
mod libraries;
mod library;
mod msgpack;
mod numbers;
mod patterns;
mod random;
mod replies;
mod results;
mod scripts;
mod strings;
mod structs;
#[cfg(test)]
mod tests;

pub use debugger::Debugger;
pub use digest::{ScriptDigest, sha1hex};
pub use flags::ScriptFlags;
pub use host::{Heard, Host, ReplicationTargets, SharedHost, Verdict};
pub use interpreter::MAX_BYTES as MAX_INTERPRETER_BYTES;
pub use libraries::{Joining, Libraries, LibraryFigures, LibraryReport};
pub use library::RegisteredFunction;
pub use results::Errors;
pub use scripts::{ScriptFigures, Scripts};
