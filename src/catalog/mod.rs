//! What a command *is*: its name, arity, flags, keys and documentation, as data.
//!
//! Everything that depends on a command without running it (COMMAND and its subcommands, arity errors, ACL, cluster
//! routing, key locking, redaction) is a function of a [`Spec`]. Knows no handlers, no keyspace and no clients.

mod args;
mod channels;
mod find;
mod flags;
pub mod keys;
mod secrets;
mod spec;

pub use args::{ArgType, Argument, GrammarError, parse as parse_args};
pub use channels::Channels;
pub use find::{KeyFinder, for_each_key};
pub use flags::{Categories, Flags};
pub(crate) use flags::{categories, flags};
pub use keys::{BeginSearch, FindKeys, KeyFlags, KeySpec};
pub use secrets::{Secrets, redacted};
pub use spec::{Deprecated, Group, LegacyRange, Spec};
