//! Where the consumer groups of Redis 7.0 and of 7.2 differ, and whose way is followed.
//!
//! In one place, since which is right depends on whom the server is measured by: clients of 7.2 look for what 7.0 does not tell, and the
//! other way round a test of 7.0 fails on what only 7.2 says.

use crate::engine::Lost;
use crate::resp::WireError;

/// A release whose way is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// A consumer begins when it is given something.
    Redis70,
    /// A consumer begins when it asks, and it is known when it last was given something.
    Redis72,
}

/// The release that is followed.
pub const RELEASE: Release = Release::Redis70;

impl Release {
    /// Whether a consumer is added, and counts as seen, although there is nothing to give to it.
    pub(super) fn registers_at_once(self) -> bool {
        self == Self::Redis72
    }

    /// Whether XINFO tells when a consumer last was given something.
    pub(super) fn tells_activity(self) -> bool {
        self == Self::Redis72
    }

    /// Whether XSETID may not go back behind an entry that was removed.
    pub(super) fn keeps_above_deleted(self) -> bool {
        self == Self::Redis72
    }

    /// What a consumer that waits is told when the stream is no longer there.
    pub(super) fn lost_stream(self) -> Lost {
        match self {
            Self::Redis70 => Lost::Answer(WireError::fixed("UNBLOCKED the stream key no longer exists")),
            Self::Redis72 => Lost::Retry,
        }
    }

    /// The error for a list of keys that is not followed by as many IDs.
    pub(super) fn unbalanced(self, command: &str, symbol: char) -> WireError {
        let (list, symbol) = match self {
            Self::Redis70 => ("XREAD".to_owned(), '$'),
            Self::Redis72 => (format!("'{command}'"), symbol),
        };
        WireError::new(format!(
            "ERR Unbalanced {list} list of streams: for each stream key an ID or '{symbol}' must be specified."
        ))
    }
}
