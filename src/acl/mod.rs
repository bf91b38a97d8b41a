//! Who may do what: users, their rules, and the answer to "may this user run this request?".
//!
//! A [`User`] is a name with [`Rules`] that can be exchanged while connections act as that user; rules are immutable once
//! published. Rules hold [`Selector`]s, each a set of commands, key patterns and channel patterns; a request is allowed when
//! one selector allows all of it. Commands are known by their position in a [`CommandIndex`], which whoever owns the
//! command table passes in; connections, the engine and pub/sub are not known here.
//!
//! | file | concept |
//! |---|---|
//! | `user`, `users` | a user that connections share; all users |
//! | `rules`, `selector` | what a user may do, and how `SETUSER` words change it |
//! | `command_index`, `command_set`, `command_rules` | commands by name and category; a set of them; the rules that led to it |
//! | `patterns`, `password` | keys and channels; secrets |
//! | `check`, `describe`, `revocation` | the answer; rules as text; which channels a change takes away |
//! | `brackets`, `file`, `configured` | selectors written over several words; the ACL file; users of the configuration |
//! | `log`, `throttle` | what was refused; slowing down whoever guesses passwords |

mod brackets;
mod check;
mod command_index;
mod command_rules;
mod command_set;
mod configured;
mod describe;
mod file;
mod log;
mod password;
mod patterns;
mod revocation;
mod rule_error;
mod rules;
mod selector;
#[cfg(test)]
pub(crate) mod testing;
mod throttle;
mod user;
mod users;

pub use check::{Denial, Reason};
pub use command_index::CommandIndex;
pub use configured::configured;
pub use file::{load, save};
pub use log::{AclLog, Entry, Occasion, Refused};
pub use patterns::KeyAccess;
pub use revocation::Revocation;
pub use rule_error::RuleError;
pub use rules::{NamedRules, Rules, UserFlag};
pub use selector::Selector;
pub use throttle::AuthThrottle;
pub use user::User;
pub use users::{Terms, Users};

/// The user that connections start as.
pub const DEFAULT_USER: &[u8] = b"default";

/// Whether a name or pattern would come apart when rules are written on one line.
pub fn has_spaces(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0))
}
