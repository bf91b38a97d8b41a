//! A stream from its parts, as a file or another server has them. Everything a walk relies on is checked.

use std::collections::BTreeMap;

use super::node::Node;
use super::{Group, Groups, Log, Pending, Stream, StreamId};
use crate::data::{Malformed, Mending};

/// The parts of a stream.
#[derive(Clone, Debug, Default)]
pub struct StreamParts {
    /// The entries.
    pub log: LogParts,
    /// The groups.
    pub groups: Vec<GroupParts>,
}

/// The parts of the entries.
#[derive(Clone, Debug, Default)]
pub struct LogParts {
    /// Master IDs and listpack bytes, ascending.
    pub nodes: Vec<(StreamId, Vec<u8>)>,
    /// Number of entries.
    pub length: u64,
    /// The highest ID ever given out.
    pub last_id: StreamId,
    /// The highest ID of an entry removed one by one.
    pub max_deleted_id: StreamId,
    /// Entries ever added; `None` where an old format does not say.
    pub entries_added: Option<u64>,
}

/// The parts of a group.
#[derive(Clone, Debug, Default)]
pub struct GroupParts {
    /// Its name.
    pub name: Vec<u8>,
    /// The ID up to which entries have been given out.
    pub last_id: StreamId,
    /// How many that was, -1 where it cannot be told; `None` where an old format does not say.
    pub entries_read: Option<i64>,
    /// All pending entries.
    pub pending: Vec<PendingParts>,
    /// Its consumers.
    pub consumers: Vec<ConsumerParts>,
}

/// A pending entry.
#[derive(Clone, Copy, Debug, Default)]
pub struct PendingParts {
    /// Its ID.
    pub id: StreamId,
    /// Unix milliseconds when it was given last.
    pub delivered_at: i64,
    /// How often it was given.
    pub deliveries: u64,
}

/// The parts of a consumer.
#[derive(Clone, Debug, Default)]
pub struct ConsumerParts {
    /// Its name.
    pub name: Vec<u8>,
    /// Unix milliseconds of its last attempt.
    pub seen_at: i64,
    /// Unix milliseconds when it last was given something.
    pub active_at: Option<i64>,
    /// The IDs it has not acknowledged.
    pub pending: Vec<StreamId>,
}

impl Stream {
    /// The stream; an error where the parts do not make one, or where something is off that must not be put right.
    pub fn from_parts(parts: StreamParts, mending: &mut Mending) -> Result<Self, Malformed> {
        let log = log(parts.log, mending)?;
        let mut groups = Groups::default();
        for parts in parts.groups {
            let name = parts.name.clone();
            if !groups.add(&name, group(parts, &log, mending)?) {
                return Err(Malformed("stream (a group twice)"));
            }
        }
        Ok(Self { log, groups })
    }
}

fn log(parts: LogParts, mending: &mut Mending) -> Result<Log, Malformed> {
    let mut log = Log { last_id: parts.last_id, max_deleted_id: parts.max_deleted_id, ..Log::default() };
    let mut newest = None;
    for (id, bytes) in parts.nodes {
        let node = Node::validated(id, bytes, mending)?;
        if newest >= Some(id) {
            return Err(Malformed("stream (nodes out of order)"));
        }
        newest = node.entries_back(id).next().map(|entry| entry.id).max(Some(id));
        let live = node.live();
        log.length += live;
        if live > 0 {
            log.nodes.insert(id, node);
        }
    }
    let length = log.length as u64;
    if length != parts.length {
        const WRONG: Malformed = Malformed("stream (length)");
        // A stream that should hold something and does not has lost it.
        if length == 0 {
            return Err(WRONG);
        }
        mending.mend(WRONG)?;
    }
    if let Some(id) = log.last_entry_id().filter(|id| *id > parts.last_id) {
        mending.mend(Malformed("stream (last ID)"))?;
        log.last_id = id;
    }
    log.find_first();
    log.set_counters(log.last_id, Some(parts.entries_added.unwrap_or(length)), None);
    Ok(log)
}

/// As Redis says the more frequent of the two.
const NOT_ONES: &str = "stream (Stream consumer PEL entry already has a consumer assigned, or is nobody's)";

fn group(parts: GroupParts, log: &Log, mending: &mut Mending) -> Result<Group, Malformed> {
    let entries_read = match parts.entries_read {
        Some(read) => u64::try_from(read).ok(),
        None => log.number_of(parts.last_id),
    };
    let mut group = Group::new(parts.last_id, entries_read);
    let count = parts.pending.len();
    let mut unowned: BTreeMap<StreamId, PendingParts> =
        parts.pending.into_iter().map(|pending| (pending.id, pending)).collect();
    if unowned.len() != count {
        return Err(Malformed("stream (an entry pending twice)"));
    }
    for consumer in parts.consumers {
        let slot = group
            .add_consumer(&consumer.name, consumer.seen_at)
            .ok_or(Malformed("stream (Duplicate stream consumer detected)"))?;
        group.consumer_mut(slot).active_at = consumer.active_at;
        for id in consumer.pending {
            let PendingParts { delivered_at, deliveries, .. } = unowned.remove(&id).ok_or(Malformed(NOT_ONES))?;
            group.give(id, Pending { consumer: slot, delivered_at, deliveries });
        }
    }
    if !unowned.is_empty() {
        // Nobody could acknowledge them or claim them.
        mending.mend(Malformed("stream (a pending entry without a consumer)"))?;
    }
    Ok(group)
}
