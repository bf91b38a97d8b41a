//! Where the consumer groups of Redis 7.0 and of 7.2 differ: in 7.0 a consumer begins when it is given something, in 7.2
//! when it asks, and it is known when it last was given something.

use crate::base::release::Release;
use crate::engine::Lost;
use crate::resp::WireError;

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
