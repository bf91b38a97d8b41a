//! Lists.

pub mod blocking;
pub mod edit;
pub mod moves;
pub mod pop;
pub mod push;
pub mod read;

use crate::resp::WireError;

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] =
    &[blocking::ROWS, edit::ROWS, moves::ROWS, pop::ROWS, push::ROWS, read::ROWS];

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Left,
    Right,
}

impl End {
    /// LEFT or RIGHT.
    fn parse(word: &[u8]) -> Result<Self, WireError> {
        match word {
            w if w.eq_ignore_ascii_case(b"LEFT") => Ok(Self::Left),
            w if w.eq_ignore_ascii_case(b"RIGHT") => Ok(Self::Right),
            _ => Err(WireError::SYNTAX),
        }
    }

    /// The word for it.
    fn word(self) -> &'static [u8] {
        match self {
            Self::Left => b"LEFT",
            Self::Right => b"RIGHT",
        }
    }

    /// The event of popping there.
    fn pop_event(self) -> &'static str {
        match self {
            Self::Left => "lpop",
            Self::Right => "rpop",
        }
    }

    /// The event of pushing there.
    fn push_event(self) -> &'static str {
        match self {
            Self::Left => "lpush",
            Self::Right => "rpush",
        }
    }
}
