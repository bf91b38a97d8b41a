//! How what a group has done is replayed: as commands that give the same result whenever they run.

use crate::data::stream::{Group, IdText, Pending, StreamId};
use crate::engine::Change;

/// A group of a key, as replayed commands name it.
pub(super) struct GroupName<'a> {
    pub key: &'a [u8],
    pub group: &'a [u8],
}

impl GroupName<'_> {
    /// An entry is pending with a consumer, and the group has read up to its last ID.
    pub fn given(&self, change: &mut Change, group: &Group, id: StreamId, pending: &Pending) {
        let (mut time, mut count) = (itoa::Buffer::new(), itoa::Buffer::new());
        change.replay_as(&[
            b"XCLAIM",
            self.key,
            self.group,
            group.consumer(pending.consumer).name(),
            b"0",
            id.text(&mut IdText::new()),
            b"TIME",
            time.format(pending.delivered_at).as_bytes(),
            b"RETRYCOUNT",
            count.format(pending.deliveries).as_bytes(),
            b"FORCE",
            b"JUSTID",
            b"LASTID",
            group.last_id.text(&mut IdText::new()),
        ]);
    }

    /// The group has read up to its last ID, and nothing became pending.
    pub fn advanced(&self, change: &mut Change, group: &Group) {
        let mut read = itoa::Buffer::new();
        let read = match group.entries_read {
            Some(count) => read.format(count),
            None => "-1",
        };
        change.replay_as(&[
            b"XGROUP",
            b"SETID",
            self.key,
            self.group,
            group.last_id.text(&mut IdText::new()),
            b"ENTRIESREAD",
            read.as_bytes(),
        ]);
    }

    /// A consumer came into being without being given anything.
    pub fn consumer_added(&self, change: &mut Change, consumer: &[u8]) {
        change.replay_as(&[b"XGROUP", b"CREATECONSUMER", self.key, self.group, consumer]);
    }
}
