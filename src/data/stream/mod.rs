//! Streams: a log of entries with ascending IDs, and the consumer groups that read it together.
//!
//! The two halves are separate fields, so that a group can be changed while entries are looked at. [`Log`] keeps its entries
//! in nodes of some hundred, each one listpack in Redis's own format; [`Groups`] keeps who has been given which entry and has not
//! acknowledged it yet. Unlike other containers, a stream may be empty: it still knows its last ID.

mod group;
mod id;
mod lag;
mod log;
mod node;
mod parts;
mod range;
mod trim;

pub use group::{Consumer, ConsumerSlot, Group, Groups, Pending};
pub use id::{IdText, PartialId, StreamId, c_text};
pub use log::{AppendError, Log, NewId};
pub use node::{Entry, Fields};
pub use parts::{ConsumerParts, GroupParts, LogParts, PendingParts, StreamParts};
pub use range::Range;
pub use trim::{Threshold, Trim};

/// A stream.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// The entries.
    pub log: Log,
    /// The consumer groups.
    pub groups: Groups,
}

impl Stream {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.log.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Pieces that dropping it must free.
    pub fn weight(&self) -> usize {
        self.log.node_count() + self.groups.weight()
    }

    /// Bytes it takes, its own two structures apart.
    pub fn memory_usage(&self) -> usize {
        self.log.memory_usage() + self.groups.memory_usage()
    }
}

#[cfg(test)]
mod tests;
