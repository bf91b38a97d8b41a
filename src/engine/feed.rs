//! The feed: one ordered stream of the commands as they must be replayed, with an offset.
//!
//! Written under the locks a change was made with, so for each key its order is the order of execution. Readers
//! (replicas) hold an offset each and read from the ring; one that falls behind the ring's
//! start has to begin anew with a snapshot. Without readers nothing is encoded.
//!
//! The append only file takes what it has not had yet out of a [`Tail`] of its own, where nothing gets lost, and which on a replica too is
//! what commands changed.
//!
//! The ring holds the last `capacity` bytes, and beyond that what pinned readers have not read yet, each up to a limit of its
//! own. On a replica the feed is its primary's stream, byte by byte, at the primary's offsets: what commands change here
//! is not written into it then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use super::append_only::Tail;
use super::change::Replayed;
use super::feed_bytes::{encoded, encoded_for};
use crate::base::byte_queue::ByteQueue;
use crate::keyspace::DbIndex;
use crate::persistence::aof::record;
pub use crate::replication::ReplOffset as FeedOffset;
use crate::scripting::ReplicationTargets;

struct Ring {
    bytes: ByteQueue,
    /// The database the last SELECT in the ring chose.
    db: Option<DbIndex>,
    capacity: usize,
    pins: Vec<Arc<Pin>>,
}

/// A reader whose bytes the ring keeps until it has read them.
pub struct Pin {
    /// Where it goes on to read.
    offset: AtomicU64,
    /// Bytes it may be behind.
    limit: AtomicU64,
    /// Whether it has fallen behind further than that.
    overrun: AtomicBool,
    /// Whether it has read everything and wants to be woken.
    idle: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Pin {
    /// Where it goes on to read.
    pub fn offset(&self) -> FeedOffset {
        FeedOffset(self.offset.load(Relaxed))
    }

    /// Changes how far it may be behind, in bytes.
    pub fn set_limit(&self, bytes: u64) {
        self.limit.store(bytes, Relaxed);
    }

    /// Whether it has fallen behind further than allowed.
    pub fn is_overrun(&self) -> bool {
        self.overrun.load(Relaxed)
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.lock().take() {
            waker.wake();
        }
    }
}

/// The feed.
pub struct Feed {
    ring: Mutex<Ring>,
    end: AtomicU64,
    /// Bytes that the ring holds within its capacity, and the memory that it takes beyond its capacity; readable without the lock.
    held: AtomicUsize,
    excess: AtomicUsize,
    readers: AtomicUsize,
    /// Whether it is the stream of our primary.
    proxied: AtomicBool,
    /// What the append only file has not taken yet.
    pub tail: Tail,
}

/// A reader fell behind: what it wants is no longer in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overrun;

impl Feed {
    /// A feed whose ring holds `capacity` bytes.
    pub fn new(capacity: usize) -> Self {
        Self {
            ring: Mutex::new(Ring { bytes: ByteQueue::default(), db: None, capacity, pins: Vec::new() }),
            end: AtomicU64::new(0),
            held: AtomicUsize::new(0),
            excess: AtomicUsize::new(0),
            readers: AtomicUsize::new(0),
            proxied: AtomicBool::new(false),
            tail: Tail::default(),
        }
    }

    /// Whether what commands change is written down: for readers, where the stream is our own, or in the append only file.
    pub fn is_read(&self) -> bool {
        self.is_ring_read() || self.tail.is_open()
    }

    fn is_ring_read(&self) -> bool {
        self.readers.load(Relaxed) > 0 && !self.proxied.load(Relaxed)
    }

    /// A new reader starts at the offset that comes back; its first command is preceded by a SELECT.
    pub fn attach(&self) -> FeedOffset {
        let mut ring = self.ring.lock();
        self.readers.fetch_add(1, Relaxed);
        self.reselect(&mut ring);
        FeedOffset(self.end.load(Relaxed))
    }

    /// A reader is gone; with the last one the ring is emptied.
    pub fn detach(&self) {
        let mut ring = self.ring.lock();
        if self.readers.fetch_sub(1, Relaxed) == 1 {
            ring.bytes.clear();
            ring.db = None;
            self.note_size(&ring);
        }
    }

    /// Bytes that the ring keeps for those who come back.
    pub fn backlog_bytes(&self) -> u64 {
        self.held.load(Relaxed) as u64
    }

    /// Memory that the ring takes beyond that, for readers that are behind.
    pub fn excess_bytes(&self) -> u64 {
        self.excess.load(Relaxed) as u64
    }

    fn note_size(&self, ring: &Ring) {
        let held = ring.bytes.len().min(ring.capacity);
        let is_behind = ring.bytes.len() > ring.capacity;
        self.held.store(held, Relaxed);
        self.excess.store(if is_behind { ring.bytes.allocated() - held } else { 0 }, Relaxed);
    }

    /// The next command of our own is preceded by a SELECT.
    pub fn select_anew(&self) {
        self.reselect(&mut self.ring.lock());
    }

    fn reselect(&self, ring: &mut Ring) {
        if !self.proxied.load(Relaxed) {
            ring.db = None;
        }
    }

    /// The database of the next command, if the stream has chosen one.
    pub fn selected(&self) -> Option<DbIndex> {
        self.ring.lock().db
    }

    /// Bytes that the ring keeps.
    pub fn set_capacity(&self, bytes: usize) {
        let mut ring = self.ring.lock();
        ring.capacity = bytes;
        self.trim(&mut ring);
    }

    /// Keeps what is at `offset` and behind it for a reader that is at most `limit` bytes behind; `None` if it is gone already
    /// or has not been written.
    pub fn pin(&self, offset: FeedOffset, limit: u64) -> Option<Arc<Pin>> {
        let mut ring = self.ring.lock();
        let (start, end) = self.bounds(&ring);
        if !(start..=end).contains(&offset.0) {
            return None;
        }
        let pin = Arc::new(Pin {
            offset: AtomicU64::new(offset.0),
            limit: AtomicU64::new(limit),
            overrun: AtomicBool::new(false),
            idle: AtomicBool::new(false),
            waker: Mutex::default(),
        });
        ring.pins.push(Arc::clone(&pin));
        Some(pin)
    }

    /// Nothing is kept for a reader any more.
    pub fn unpin(&self, pin: &Arc<Pin>) {
        let mut ring = self.ring.lock();
        ring.pins.retain(|other| !Arc::ptr_eq(other, pin));
        self.trim(&mut ring);
    }

    /// Appends commands that belong together (one command, or several that took effect together), run in `db`.
    pub fn append<'a, C>(&self, db: DbIndex, commands: impl Iterator<Item = C>)
    where
        C: ExactSizeIterator<Item = &'a [u8]>,
    {
        if self.is_read() {
            encoded(db, commands.map(|command| (db, command)), |body, last| {
                self.tail.append(db, body, last);
                self.append_body(db, body, last);
            });
        }
    }

    /// Appends a command that only replicas run.
    pub fn append_for_replicas<'a>(&self, db: DbIndex, command: impl ExactSizeIterator<Item = &'a [u8]>) {
        if self.is_ring_read() {
            encoded(db, std::iter::once((db, command)), |body, last| self.append_body(db, body, last));
        }
    }

    /// Appends commands that took effect together, each in its own database; several are put between MULTI and EXEC.
    pub fn append_whole(&self, commands: &[Replayed]) {
        if !self.is_read() {
            return;
        }
        // Nearly always the same for both, and then encoded once.
        let same = commands.iter().all(|(.., targets)| targets.is_all());
        encoded_for(ReplicationTargets::AOF, commands, |first, body, last| {
            self.tail.append(first, body, last);
            if same {
                self.append_body(first, body, last);
            }
        });
        if !same {
            encoded_for(ReplicationTargets::REPLICAS, commands, |first, body, last| {
                self.append_body(first, body, last)
            });
        }
    }

    /// Puts commands into the ring that begin in one database and end in another. They come after they came into the tail: who knows that
    /// the tail up to now is on disk knows that the ring up to now is.
    fn append_body(&self, first: DbIndex, body: &[u8], last: DbIndex) {
        if body.is_empty() || !self.is_ring_read() {
            return;
        }
        let mut ring = self.ring.lock();
        if ring.db != Some(first) {
            let mut select = Vec::new();
            record::select(&mut select, first);
            self.push(&mut ring, &select);
        }
        ring.db = Some(last);
        self.push(&mut ring, body);
    }

    /// Appends a command that belongs to no database.
    pub fn append_bare(&self, words: &[&[u8]]) {
        if !self.is_ring_read() {
            return;
        }
        let mut encoded = Vec::new();
        record::command(&mut encoded, words.iter().copied());
        self.push(&mut self.ring.lock(), &encoded);
    }

    /// Appends a piece of our primary's stream, after which it is in `db`.
    pub fn append_proxied(&self, bytes: &[u8], db: DbIndex) {
        let mut ring = self.ring.lock();
        ring.db = Some(db);
        self.push(&mut ring, bytes);
    }

    /// From now on the feed is our primary's stream, or our own.
    pub fn set_proxied(&self, proxied: bool) {
        let mut ring = self.ring.lock();
        self.proxied.store(proxied, Relaxed);
        if !proxied {
            ring.db = None;
        }
    }

    /// Begins anew at another offset, with an empty ring: whoever read before has fallen behind.
    pub fn restart_at(&self, offset: FeedOffset) {
        let mut ring = self.ring.lock();
        ring.bytes.clear();
        ring.db = None;
        self.end.store(offset.0, Relaxed);
        self.note_size(&ring);
        for pin in ring.pins.drain(..) {
            pin.overrun.store(true, Relaxed);
            pin.wake();
        }
    }

    fn push(&self, ring: &mut Ring, bytes: &[u8]) {
        ring.bytes.append(bytes);
        self.end.fetch_add(bytes.len() as u64, Relaxed);
        self.trim(ring);
        for pin in &ring.pins {
            if pin.idle.swap(false, Relaxed) {
                pin.wake();
            }
        }
    }

    /// Drops what is beyond the capacity and nobody may want any more.
    fn trim(&self, ring: &mut Ring) {
        let (start, end) = self.bounds(ring);
        let mut keep = end.saturating_sub(ring.capacity as u64).max(start);
        ring.pins.retain(|pin| {
            let offset = pin.offset.load(Relaxed);
            let overrun = end - offset > pin.limit.load(Relaxed).max(ring.capacity as u64);
            if overrun {
                pin.overrun.store(true, Relaxed);
                pin.wake();
            } else {
                keep = keep.min(offset);
            }
            !overrun
        });
        ring.bytes.drop_front((keep - start) as usize);
        self.note_size(ring);
    }

    fn bounds(&self, ring: &Ring) -> (u64, u64) {
        let end = self.end.load(Relaxed);
        (end - ring.bytes.len() as u64, end)
    }

    /// Bytes behind what a pinned reader has read.
    pub fn unread(&self, pin: &Pin) -> u64 {
        self.end.load(Relaxed).saturating_sub(pin.offset.load(Relaxed))
    }

    /// Where the feed ends now.
    pub fn end(&self) -> FeedOffset {
        FeedOffset(self.end.load(Relaxed))
    }

    /// Where the oldest byte stands that the ring holds, and where the feed ends, at one moment.
    pub fn span(&self) -> (FeedOffset, FeedOffset) {
        let (start, end) = self.bounds(&self.ring.lock());
        (FeedOffset(start), FeedOffset(end))
    }

    /// Copies up to `limit` bytes from `offset` on.
    pub fn read(&self, offset: FeedOffset, limit: usize) -> Result<Vec<u8>, Overrun> {
        let mut out = Vec::new();
        self.copy(&self.ring.lock(), offset, limit, &mut out)?;
        Ok(out)
    }

    /// Copies up to `limit` bytes behind what a pinned reader has read, to the end of `out`; the task is woken when there is more.
    pub fn poll_read(
        &self,
        pin: &Pin,
        cx: &Context<'_>,
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Poll<Result<usize, Overrun>> {
        let ring = self.ring.lock();
        if pin.is_overrun() {
            return Poll::Ready(Err(Overrun));
        }
        let offset = pin.offset();
        let read = self.copy(&ring, offset, limit, out)?;
        if read == 0 {
            *pin.waker.lock() = Some(cx.waker().clone());
            pin.idle.store(true, Relaxed);
            return Poll::Pending;
        }
        pin.offset.store(offset.0 + read as u64, Relaxed);
        Poll::Ready(Ok(read))
    }

    fn copy(&self, ring: &Ring, offset: FeedOffset, limit: usize, out: &mut Vec<u8>) -> Result<usize, Overrun> {
        let (start, end) = self.bounds(ring);
        if offset.0 > end {
            return Ok(0);
        }
        let skip = offset.0.checked_sub(start).ok_or(Overrun)? as usize;
        Ok(ring.bytes.copy(skip, limit, out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedArgs;

    fn append(feed: &Feed, db: u32, command: &[&[u8]]) {
        feed.append(DbIndex(db), std::iter::once(command.iter().copied()));
    }

    fn poll(feed: &Feed, pin: &Pin) -> Poll<Result<usize, Overrun>> {
        feed.poll_read(pin, &Context::from_waker(Waker::noop()), 7, &mut Vec::new())
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
    fn several_commands_are_one_transaction() {
        let feed = Feed::new(1 << 20);
        let offset = feed.attach();
        let word =
            |db, word: &[u8]| (DbIndex(db), std::iter::once(word).collect::<OwnedArgs>(), ReplicationTargets::all());
        feed.append_whole(&[word(1, b"A")]);
        feed.append_whole(&[word(1, b"B"), word(2, b"C")]);
        feed.append_whole(&[word(2, b"D")]);
        let text = String::from_utf8(feed.read(offset, usize::MAX).unwrap()).unwrap();
        let words: Vec<_> = text.split("\r\n").filter(|word| !word.starts_with(['*', '$'])).collect();
        assert_eq!(words.join(" "), "SELECT 1 A MULTI B SELECT 2 C EXEC D ");
    }

    #[test]
    fn what_is_for_the_file_or_for_replicas_alone_comes_there_alone() {
        let feed = Feed::new(1 << 20);
        let offset = feed.attach();
        feed.tail.open();
        let word = |word: &[u8], targets| (DbIndex(0), std::iter::once(word).collect::<OwnedArgs>(), targets);
        feed.append_whole(&[
            word(b"both", ReplicationTargets::all()),
            word(b"file", ReplicationTargets::AOF),
            word(b"replicas", ReplicationTargets::REPLICAS),
            word(b"nobody", ReplicationTargets::empty()),
        ]);
        let words = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            text.split("\r\n").filter(|word| !word.starts_with(['*', '$'])).collect::<Vec<_>>().join(" ")
        };
        let mut file = Vec::new();
        feed.tail.take(&mut file);
        assert_eq!(words(file), "SELECT 0 MULTI both file EXEC ");
        assert_eq!(words(feed.read(offset, usize::MAX).unwrap()), "SELECT 0 MULTI both replicas EXEC ");
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
        assert_eq!((feed.span().0, feed.pin(offset, 1000).is_none()), (FeedOffset(feed.end().0 - 40), true));
    }

    #[test]
    fn a_pinned_reader_gets_everything_up_to_its_limit() {
        let feed = Feed::new(40);
        let start = feed.attach();
        let pin = feed.pin(start, 150).unwrap();
        assert!(poll(&feed, &pin).is_pending());
        for _ in 0..4 {
            append(&feed, 0, &[b"DEL", b"key"]);
        }
        let total = feed.end().0;
        let mut read = 0;
        while let Poll::Ready(Ok(count)) = poll(&feed, &pin) {
            read += count as u64;
        }
        assert_eq!((read, pin.offset()), (total, feed.end()));
        append(&feed, 0, &[b"SET", b"key", &[b'x'; 200]]);
        assert!(pin.is_overrun());
        assert_eq!(poll(&feed, &pin), Poll::Ready(Err(Overrun)));
    }

    #[test]
    fn a_proxied_stream_takes_nothing_of_our_own() {
        let feed = Feed::new(1000);
        feed.attach();
        feed.set_proxied(true);
        feed.restart_at(FeedOffset(500));
        append(&feed, 0, &[b"DEL", b"key"]);
        feed.append_proxied(b"bytes", DbIndex(2));
        assert_eq!((feed.span(), feed.selected()), ((FeedOffset(500), FeedOffset(505)), Some(DbIndex(2))));
        feed.set_proxied(false);
        append(&feed, 2, &[b"DEL", b"k"]);
        assert!(feed.read(FeedOffset(505), 100).unwrap().starts_with(b"*2\r\n$6\r\nSELECT"));
    }
}
