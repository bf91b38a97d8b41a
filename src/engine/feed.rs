//! The feed: one ordered stream of the commands as they must be replayed, with an offset.
//!
//! Written under the locks a change was made with, so for each key its order is the order of execution. Readers
//! (replicas, the append-only file) hold an offset each and read from the ring; one that falls behind the ring's
//! start has to begin anew with a snapshot. Without readers nothing is encoded.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use parking_lot::Mutex;

use crate::keyspace::DbIndex;
use crate::resp::OwnedArgs;

/// A position in the feed, in bytes since it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FeedOffset(pub u64);

struct Ring {
    bytes: VecDeque<u8>,
    /// The database the last SELECT in the ring chose.
    db: Option<DbIndex>,
    capacity: usize,
}

/// The feed.
pub struct Feed {
    ring: Mutex<Ring>,
    end: AtomicU64,
    readers: AtomicUsize,
}

/// A reader fell behind: what it wants is no longer in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overrun;

impl Feed {
    /// A feed whose ring holds `capacity` bytes.
    pub fn new(capacity: usize) -> Self {
        Self {
            ring: Mutex::new(Ring { bytes: VecDeque::new(), db: None, capacity }),
            end: AtomicU64::new(0),
            readers: AtomicUsize::new(0),
        }
    }

    /// Whether anybody reads.
    pub fn is_read(&self) -> bool {
        self.readers.load(Relaxed) > 0
    }

    /// A new reader starts at the offset that comes back; its first command is preceded by a SELECT.
    pub fn attach(&self) -> FeedOffset {
        let mut ring = self.ring.lock();
        ring.db = None;
        self.readers.fetch_add(1, Relaxed);
        FeedOffset(self.end.load(Relaxed))
    }

    /// A reader is gone; with the last one the ring is emptied.
    pub fn detach(&self) {
        let mut ring = self.ring.lock();
        if self.readers.fetch_sub(1, Relaxed) == 1 {
            ring.bytes = VecDeque::new();
            ring.db = None;
        }
    }

    /// Appends commands that belong together (one command, or a transaction), run in `db`.
    pub fn append<'a, C>(&self, db: DbIndex, commands: impl Iterator<Item = C>)
    where
        C: ExactSizeIterator<Item = &'a [u8]>,
    {
        if !self.is_read() {
            return;
        }
        let mut encoded = Vec::new();
        let mut ring = self.ring.lock();
        if ring.db != Some(db) {
            let number = db.0.to_string();
            encode(&mut encoded, [&b"SELECT"[..], number.as_bytes()].into_iter());
            ring.db = Some(db);
        }
        for command in commands {
            encode(&mut encoded, command);
        }
        ring.bytes.extend(&encoded);
        let surplus = ring.bytes.len().saturating_sub(ring.capacity);
        ring.bytes.drain(..surplus);
        self.end.fetch_add(encoded.len() as u64, Relaxed);
    }

    /// Appends commands that took effect together, each in its own database; several are put between MULTI and EXEC.
    pub fn append_whole(&self, commands: &[(DbIndex, OwnedArgs)]) {
        let [(first, _), ..] = commands else { return };
        let append = |db, words: &OwnedArgs| self.append(db, std::iter::once(words.as_args().from(0)));
        let one_word = |word: &'static [u8]| std::iter::once(word).collect::<OwnedArgs>();
        let is_transaction = commands.len() > 1;
        if is_transaction {
            append(*first, &one_word(b"MULTI"));
        }
        let mut last = *first;
        for (db, command) in commands {
            append(*db, command);
            last = *db;
        }
        if is_transaction {
            append(last, &one_word(b"EXEC"));
        }
    }

    /// Where the feed ends now.
    pub fn end(&self) -> FeedOffset {
        FeedOffset(self.end.load(Relaxed))
    }

    /// Copies up to `limit` bytes from `offset` on.
    pub fn read(&self, offset: FeedOffset, limit: usize) -> Result<Vec<u8>, Overrun> {
        let ring = self.ring.lock();
        let start = self.end.load(Relaxed) - ring.bytes.len() as u64;
        let skip = offset.0.checked_sub(start).ok_or(Overrun)? as usize;
        Ok(ring.bytes.iter().skip(skip).take(limit).copied().collect())
    }
}

fn encode<'a>(out: &mut Vec<u8>, arguments: impl ExactSizeIterator<Item = &'a [u8]>) {
    let mut number = itoa::Buffer::new();
    out.push(b'*');
    out.extend_from_slice(number.format(arguments.len()).as_bytes());
    for argument in arguments {
        out.extend_from_slice(b"\r\n$");
        out.extend_from_slice(number.format(argument.len()).as_bytes());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(argument);
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(feed: &Feed, db: u32, command: &[&[u8]]) {
        feed.append(DbIndex(db), std::iter::once(command.iter().copied()));
    }

    #[test]
    fn readers_see_commands_in_order_with_their_database() {
        let feed = Feed::new(1 << 20);
        append(&feed, 0, &[b"SET", b"lost", b"1"]);
        assert_eq!(feed.end(), FeedOffset(0), "without readers nothing is encoded");
        let offset = feed.attach();
        append(&feed, 3, &[b"DEL", b"k"]);
        append(&feed, 3, &[b"DEL", b"l"]);
        let text = String::from_utf8(feed.read(offset, usize::MAX).unwrap()).unwrap();
        assert_eq!(
            text,
            "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n*2\r\n$3\r\nDEL\r\n$1\r\nl\r\n"
        );
        assert_eq!(feed.end().0, text.len() as u64);
    }

    #[test]
    fn a_reader_behind_the_ring_is_told() {
        let feed = Feed::new(40);
        let offset = feed.attach();
        for _ in 0..4 {
            append(&feed, 0, &[b"DEL", b"key"]);
        }
        assert_eq!(feed.read(offset, 1), Err(Overrun));
        assert_eq!(feed.read(FeedOffset(feed.end().0 - 5), 100).map(|b| b.len()), Ok(5));
    }
}
