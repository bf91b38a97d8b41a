//! Why a rule cannot be applied, in Redis's words.

use std::fmt;

/// Why a rule cannot be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleError {
    /// It names a command or category that does not exist.
    Unknown,
    /// It is no rule.
    Syntax,
    /// A key pattern where all keys are allowed already.
    AllKeys,
    /// A channel pattern where all channels are allowed already.
    AllChannels,
    /// The password to remove is not there.
    NoSuchPassword,
    /// Not a digest.
    BadHash,
    /// The user was defined before.
    DuplicateUser,
    /// A first argument of a subcommand.
    FirstArgument,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "Unknown command or category name in ACL",
            Self::Syntax => "Syntax error",
            Self::AllKeys => {
                "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. \
                 Try 'resetkeys' to start with an empty list of patterns"
            }
            Self::AllChannels => {
                "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any \
                 effect. Try 'resetchannels' to start with an empty list of channels"
            }
            Self::NoSuchPassword => "The password you are trying to remove from the user does not exist",
            Self::BadHash => {
                "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
            }
            Self::DuplicateUser => "Duplicate user found. A user can only be defined once in config files",
            Self::FirstArgument => "Allowing first-arg of a subcommand is not supported",
        })
    }
}

impl std::error::Error for RuleError {}
