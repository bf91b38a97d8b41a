//! What has changed and is not in the append only file yet.
//!
//! Filled under the locks a change was made with, so for each key in the order of execution, and emptied by whoever writes the file. Its
//! bytes stand as in the file: the choice of a database where that changes, and times where they are wanted. It is never cut: who
//! changes things faster than the disk takes them is made to wait by the writers of the file.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;

use crate::base::clock::UnixMillis;
use crate::keyspace::DbIndex;
use crate::persistence::aof::record;

/// The tail.
#[derive(Default)]
pub struct Tail {
    /// Whether there is a file that takes it.
    open: AtomicBool,
    /// Whether times are noted.
    times: AtomicBool,
    /// Bytes appended since the process began.
    end: AtomicU64,
    // Taken under the locks of keys; nothing is taken under it.
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    bytes: Vec<u8>,
    /// The database that was chosen last in the file.
    db: Option<DbIndex>,
    /// The time that was noted last.
    second: i64,
}

impl Tail {
    /// Whether there is a file that takes it.
    #[inline]
    pub fn is_open(&self) -> bool {
        self.open.load(Relaxed)
    }

    /// Begins, empty. Nobody may be changing anything meanwhile.
    pub(in crate::engine) fn open(&self) {
        *self.inner.lock() = Inner::default();
        self.open.store(true, Relaxed);
    }

    /// Ends; what was not taken is forgotten.
    pub(super) fn close(&self) {
        self.open.store(false, Relaxed);
        *self.inner.lock() = Inner::default();
    }

    /// Notes times from now on, or no more.
    pub fn note_times(&self, wanted: bool) {
        self.times.store(wanted, Relaxed);
    }

    /// The next command chooses its database: it will be the first in its file.
    pub(super) fn forget_database(&self) {
        self.inner.lock().db = None;
    }

    /// Appends commands that begin in one database and end in another.
    pub fn append(&self, first: DbIndex, body: &[u8], last: DbIndex) {
        if !self.is_open() || body.is_empty() {
            return;
        }
        let second = self.times.load(Relaxed).then(|| UnixMillis::now().seconds());
        let mut inner = self.inner.lock();
        let before = inner.bytes.len();
        if let Some(second) = second.filter(|second| *second > inner.second) {
            record::time(&mut inner.bytes, second);
            inner.second = second;
        }
        if inner.db != Some(first) {
            record::select(&mut inner.bytes, first);
        }
        inner.db = Some(last);
        inner.bytes.extend_from_slice(body);
        self.end.fetch_add((inner.bytes.len() - before) as u64, Relaxed);
    }

    /// Bytes appended since the process began: the offset up to which a reply's changes reach.
    #[inline]
    pub fn end(&self) -> u64 {
        self.end.load(Relaxed)
    }

    /// Moves everything to the end of `into`; the offset that it reaches comes back.
    pub(in crate::engine) fn take(&self, into: &mut Vec<u8>) -> u64 {
        let mut inner = self.inner.lock();
        if into.is_empty() {
            std::mem::swap(&mut inner.bytes, into);
        } else {
            into.append(&mut inner.bytes);
        }
        self.end.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_appended_while_open() {
        let tail = Tail::default();
        tail.append(DbIndex(1), b"lost", DbIndex(1));
        tail.open();
        tail.append(DbIndex(1), b"a", DbIndex(2));
        tail.append(DbIndex(2), b"b", DbIndex(2));
        let mut bytes = Vec::new();
        assert_eq!(tail.take(&mut bytes), tail.end());
        assert_eq!(String::from_utf8_lossy(&bytes), "*2\r\n$6\r\nSELECT\r\n$1\r\n1\r\nab");
        tail.append(DbIndex(2), b"c", DbIndex(2));
        tail.forget_database();
        tail.append(DbIndex(2), b"d", DbIndex(2));
        let mut rest = b"-".to_vec();
        assert_eq!(tail.take(&mut rest), (bytes.len() + rest.len() - 1) as u64);
        assert_eq!(String::from_utf8_lossy(&rest), "-c*2\r\n$6\r\nSELECT\r\n$1\r\n2\r\nd");
        tail.close();
        assert!(!tail.is_open());
        tail.append(DbIndex(2), b"lost", DbIndex(2));
        let mut nothing = Vec::new();
        assert_eq!((tail.take(&mut nothing), nothing.len()), (tail.end(), 0));
    }

    #[test]
    fn times_stand_before_the_first_command_of_their_second() {
        let tail = Tail::default();
        tail.open();
        tail.note_times(true);
        tail.append(DbIndex(0), b"a", DbIndex(0));
        let mut bytes = Vec::new();
        tail.take(&mut bytes);
        assert!(bytes.starts_with(b"#TS:"));
    }
}
