//! ACL LOG: what was refused recently, and how often each kind of refusal happened since the start.
//!
//! Like refusals within a minute are one entry with a count. Names are cut at [`MAX_NAME_BYTES`]: whoever is refused cannot
//! make the server keep large keys.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;

use super::check::Reason;

/// Refusals further apart are different entries.
const SAME_WITHIN_MS: u64 = 60_000;
/// How many of the newest entries are compared.
const COMPARED: usize = 10;
/// Bytes kept of an object or a user's name.
const MAX_NAME_BYTES: usize = 4096;

/// What is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A request.
    Request(Reason),
    /// A password.
    Authentication,
}

impl Refused {
    /// As ACL LOG names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Request(Reason::Command) => "command",
            Self::Request(Reason::Key) => "key",
            Self::Request(Reason::Channel) => "channel",
            Self::Authentication => "auth",
        }
    }
}

/// Where a refused request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// From the client.
    TopLevel,
    /// From a transaction, while it was queued or run.
    Multi,
    /// From a script.
    Lua,
}

impl Occasion {
    /// As ACL LOG names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::TopLevel => "toplevel",
            Self::Multi => "multi",
            Self::Lua => "lua",
        }
    }
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// How often it happened.
    pub count: u64,
    /// What was refused.
    pub refused: Refused,
    /// Where it came from.
    pub occasion: Occasion,
    /// The command, key or channel.
    pub object: Box<[u8]>,
    /// The user.
    pub user: Box<[u8]>,
    /// The client of the last time, as CLIENT INFO describes it.
    pub client: String,
    /// A number of its own, ascending.
    pub id: u64,
    /// Unix time in milliseconds of the first time.
    pub created_ms: i64,
    /// Unix time in milliseconds of the last time.
    pub updated_ms: i64,
}

/// The log.
#[derive(Default)]
pub struct AclLog {
    entries: Mutex<Entries>,
    counts: [AtomicU64; 4],
}

#[derive(Default)]
struct Entries {
    /// Newest first.
    list: VecDeque<Entry>,
    next_id: u64,
}

impl AclLog {
    /// Notes a refusal; number and count of `entry` are filled in here. At most `limit` entries are kept.
    pub fn add(&self, mut entry: Entry, limit: usize) {
        self.counts[place(entry.refused)].fetch_add(1, Relaxed);
        for name in [&mut entry.object, &mut entry.user] {
            if name.len() > MAX_NAME_BYTES {
                *name = name[..MAX_NAME_BYTES].into();
            }
        }
        let mut entries = self.entries.lock();
        let like = entries.list.iter().take(COMPARED).position(|known| is_like(known, &entry));
        if let Some(mut known) = like.and_then(|at| entries.list.remove(at)) {
            known.count += 1;
            known.updated_ms = entry.updated_ms;
            known.client = entry.client;
            entries.list.push_front(known);
            return;
        }
        entry.id = entries.next_id;
        entries.next_id += 1;
        entries.list.push_front(entry);
        entries.list.truncate(limit);
    }

    /// The newest entries.
    pub fn newest(&self, count: usize) -> Vec<Entry> {
        self.entries.lock().list.iter().take(count).cloned().collect()
    }

    /// Forgets the entries, not the counts.
    pub fn clear(&self) {
        self.entries.lock().list.clear();
    }

    /// How often this was refused.
    pub fn count(&self, refused: Refused) -> u64 {
        self.counts[place(refused)].load(Relaxed)
    }

    /// Sets the counts to zero.
    pub fn clear_counts(&self) {
        self.counts.iter().for_each(|count| count.store(0, Relaxed));
    }
}

fn place(refused: Refused) -> usize {
    match refused {
        Refused::Request(reason) => reason as usize,
        Refused::Authentication => 3,
    }
}

fn is_like(known: &Entry, new: &Entry) -> bool {
    known.refused == new.refused
        && known.occasion == new.occasion
        && known.updated_ms.abs_diff(new.updated_ms) <= SAME_WITHIN_MS
        && known.object == new.object
        && known.user == new.user
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(object: &[u8], at: i64) -> Entry {
        Entry {
            count: 1,
            refused: Refused::Request(Reason::Key),
            occasion: Occasion::TopLevel,
            object: object.into(),
            user: (*b"alice").into(),
            client: format!("at {at}"),
            id: 0,
            created_ms: at,
            updated_ms: at,
        }
    }

    #[test]
    fn like_refusals_are_one_entry() {
        let log = AclLog::default();
        log.add(entry(b"a", 0), 10);
        log.add(entry(b"b", 10), 10);
        log.add(entry(b"a", 59_000), 10);
        log.add(entry(b"b", 90_000), 10);
        let seen: Vec<_> =
            log.newest(9).iter().map(|e| (e.object[0], e.id, e.count, e.created_ms, e.updated_ms)).collect();
        assert_eq!(seen, [(b'b', 2, 1, 90_000, 90_000), (b'a', 0, 2, 0, 59_000), (b'b', 1, 1, 10, 10)]);
        assert_eq!(log.newest(2)[1].client, "at 59000");
        log.clear();
        assert!(log.newest(9).is_empty());
        assert_eq!(log.count(Refused::Request(Reason::Key)), 4);
        log.clear_counts();
        assert_eq!(log.count(Refused::Request(Reason::Key)), 0);
    }

    #[test]
    fn the_log_is_bounded() {
        let log = AclLog::default();
        for object in 0..100u8 {
            log.add(entry(&[object; 10_000], 0), 7);
        }
        assert_eq!(log.newest(100).len(), 7);
        assert_eq!(log.newest(1)[0].object.len(), MAX_NAME_BYTES);
        log.add(entry(b"none", 0), 0);
        assert!(log.newest(100).is_empty());
    }
}
