//! The increment that is being written: writing what has changed, flushing it to disk, and who waits for that.
//!
//! With `appendfsync always` the writer's thread writes and flushes, and replies wait until the offset that they need has been
//! flushed: one flush serves all that came before it. Otherwise whoever has run a batch of requests writes what they changed
//! before the replies leave, and the thread flushes now and then. While it does a write would wait for the disk, so it is left to the
//! thread, for two seconds at most.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::sync::Notify;

use super::Tail;
use crate::base::system_text::system_text;

/// How long writing is put off while a flush is going on.
const POSTPONE: Duration = Duration::from_secs(2);
/// The least time between two lines in the log about write errors.
const LOG_ERRORS_EVERY: Duration = Duration::from_secs(30);
/// A buffer larger than this is given back.
const KEEP_BYTES: usize = 1 << 20;

/// The increment.
#[derive(Default)]
pub struct Log {
    // Held while bytes are written, never while they are flushed. The tail's lock may be taken under it; it is taken inside the gate or outside.
    writing: Mutex<Writing>,
    /// Offset up to which bytes have been written.
    written: AtomicU64,
    /// Offset up to which bytes are on disk.
    flushed: AtomicU64,
    /// Offset up to which replies may leave.
    released: AtomicU64,
    /// Told when that grows.
    release: Notify,
    /// Whether a flush is going on.
    flushing: AtomicBool,
    /// Whether the last write failed, or the last flush.
    write_failed: AtomicBool,
    flush_failed: AtomicBool,
    /// Why.
    error: Mutex<String>,
    /// Writes that waited for a flush for too long.
    pub delayed_flushes: AtomicU64,
    /// Bytes of all parts.
    pub total_bytes: AtomicU64,
    /// Microseconds to sleep before each write, for tests.
    pub sleep_us: AtomicU64,
    wanted: Mutex<bool>,
    wake: Condvar,
}

#[derive(Default)]
struct Writing {
    file: Option<Arc<File>>,
    /// Bytes in it.
    bytes: u64,
    /// Files that were written before, and whose end is not on disk yet.
    retired: Vec<Arc<File>>,
    /// What was taken from the tail and could not be written.
    pending: Vec<u8>,
    /// When writing was first put off.
    postponed: Option<Instant>,
    error_logged: Option<Instant>,
}

/// Whether an error can be lived with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnError {
    /// Bytes stay where they are and are tried again; writes are refused until that works.
    TryAgain,
    /// Replies were promised that depend on it: the process ends.
    Exit,
}

impl Log {
    /// Goes on in `file`, whose end is at `bytes`. Bytes that are still in the tail go there.
    pub(super) fn begin(&self, file: File, bytes: u64) {
        let mut writing = self.writing.lock();
        let last = writing.file.replace(Arc::new(file));
        writing.retired.extend(last);
        writing.bytes = bytes;
    }

    /// Writes and flushes what is left, and closes the file.
    pub(super) fn end(&self, tail: &Tail) -> io::Result<()> {
        self.write(tail, OnError::TryAgain);
        let flushed = self.flush();
        let mut writing = self.writing.lock();
        *writing = Writing::default();
        drop(writing);
        tail.close();
        self.forgive();
        // What was not written is forgotten.
        self.written.fetch_max(tail.end(), Relaxed);
        self.release_to(tail.end());
        flushed
    }

    /// Forgets errors: what they concerned is no more.
    pub(super) fn forgive(&self) -> bool {
        let failed = self.flush_failed.swap(false, Relaxed);
        self.write_failed.swap(false, Relaxed) || failed
    }

    /// Bytes in the increment.
    pub fn bytes(&self) -> u64 {
        self.writing.lock().bytes
    }

    /// Bytes that were appended and have not been written.
    pub fn unwritten_bytes(&self, tail: &Tail) -> u64 {
        // The end is read last: it grows, and is never behind what has been written.
        let written = self.written.load(Relaxed);
        tail.end().saturating_sub(written)
    }

    /// Why writes are to be refused, if they are.
    pub fn failure(&self) -> Option<String> {
        let failed = self.write_failed.load(Relaxed) || self.flush_failed.load(Relaxed);
        failed.then(|| self.error.lock().clone())
    }

    /// Whether the last write failed.
    pub fn is_failing(&self) -> bool {
        self.write_failed.load(Relaxed) || self.flush_failed.load(Relaxed)
    }

    /// Whether everything that was appended has been written.
    pub(super) fn is_written(&self, tail: &Tail) -> bool {
        self.written.load(Relaxed) >= tail.end()
    }

    /// Whether everything that was written is on disk.
    pub(super) fn is_flushed(&self) -> bool {
        self.flushed.load(Relaxed) >= self.written.load(Relaxed)
    }

    /// Offset up to which bytes are on disk.
    pub fn flushed_offset(&self) -> u64 {
        self.flushed.load(Relaxed)
    }

    /// Offset up to which replies may leave.
    pub fn released_offset(&self) -> u64 {
        self.released.load(Relaxed)
    }

    /// Writes what has changed, unless a flush is going on that has not taken too long yet.
    pub(super) fn write_soon(&self, tail: &Tail) {
        if self.flushing.load(Relaxed) {
            let mut writing = self.writing.lock();
            let since = *writing.postponed.get_or_insert_with(Instant::now);
            if since.elapsed() < POSTPONE {
                return;
            }
            writing.postponed = None;
            self.delayed_flushes.fetch_add(1, Relaxed);
            tracing::info!(
                "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without waiting for \
                 fsync to complete, this may slow down Redis."
            );
        }
        self.write(tail, OnError::TryAgain);
    }

    /// Writes what has changed.
    pub(super) fn write(&self, tail: &Tail, on_error: OnError) {
        let mut writing = self.writing.lock();
        let Some(file) = writing.file.clone() else { return };
        let end = tail.take(&mut writing.pending);
        if writing.pending.is_empty() {
            self.written.fetch_max(end, Relaxed);
            return;
        }
        match self.sleep_us.load(Relaxed) {
            0 => {}
            sleep_us => std::thread::sleep(Duration::from_micros(sleep_us)),
        }
        writing.postponed = None;
        match write_all(&file, &writing.pending) {
            Ok(()) => {
                let count = writing.pending.len() as u64;
                writing.bytes += count;
                writing.pending.clear();
                writing.pending.shrink_to(KEEP_BYTES);
                self.total_bytes.fetch_add(count, Relaxed);
                self.written.store(end, Relaxed);
                if self.write_failed.swap(false, Relaxed) {
                    tracing::info!("AOF write error looks solved, Redis can write again.");
                }
            }
            Err(error) => self.write_failed(&mut writing, &file, error, on_error),
        }
    }

    fn write_failed(&self, writing: &mut Writing, file: &File, error: Unwritten, on_error: OnError) {
        let Unwritten { written, error } = error;
        let logs = writing.error_logged.is_none_or(|last| last.elapsed() > LOG_ERRORS_EVERY);
        if logs {
            writing.error_logged = Some(Instant::now());
            if written == 0 {
                tracing::warn!("Error writing to the AOF file: {}", system_text(&error));
            } else {
                let expected = writing.pending.len();
                tracing::warn!(
                    "Short write while writing to the AOF file: (nwritten={written}, expected={expected}): {}",
                    system_text(&error)
                );
            }
        }
        if written > 0
            && let Err(error) = file.set_len(writing.bytes)
        {
            if logs {
                tracing::warn!(
                    "Could not remove short write from the append-only file.  Redis may refuse to load the AOF the next \
                     time it starts.  ftruncate: {}",
                    system_text(&error)
                );
            }
            // What stands there stays, and the rest follows it.
            writing.bytes += written as u64;
            self.total_bytes.fetch_add(written as u64, Relaxed);
            writing.pending.drain(..written);
        }
        if on_error == OnError::Exit {
            tracing::error!("Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...");
            std::process::exit(1);
        }
        *self.error.lock() = system_text(&error);
        self.write_failed.store(true, Relaxed);
    }

    /// Flushes what has been written to disk.
    pub(super) fn flush(&self) -> io::Result<()> {
        let writing = self.writing.lock();
        let (written, retired) = (self.written.load(Relaxed), writing.retired.clone());
        let Some(file) = writing.file.clone() else { return Ok(()) };
        drop(writing);
        self.flushing.store(true, Relaxed);
        let flushed = retired.iter().chain([&file]).try_for_each(|file| file.sync_data());
        self.flushing.store(false, Relaxed);
        match &flushed {
            Ok(()) => {
                self.writing.lock().retired.retain(|file| !retired.iter().any(|done| Arc::ptr_eq(file, done)));
                self.flushed.fetch_max(written, Relaxed);
                self.flush_failed.store(false, Relaxed);
            }
            Err(error) => {
                *self.error.lock() = system_text(error);
                self.flush_failed.store(true, Relaxed);
            }
        }
        flushed
    }

    /// Lets replies leave that need no more than what is on disk, or than what has been written.
    pub(super) fn release(&self, on_disk: bool) {
        let reached = if on_disk { &self.flushed } else { &self.written };
        self.release_to(reached.load(Relaxed));
    }

    fn release_to(&self, offset: u64) {
        if self.released.fetch_max(offset, SeqCst) < offset {
            self.release.notify_waiters();
        }
    }

    /// Resolves when replies may leave that need `offset`.
    pub async fn released(&self, tail: &Tail, offset: u64) {
        loop {
            let told = self.release.notified();
            if self.released.load(SeqCst) >= offset || !tail.is_open() {
                return;
            }
            told.await;
        }
    }

    /// Wakes the writer's thread.
    pub(super) fn wake(&self) {
        *self.wanted.lock() = true;
        self.wake.notify_one();
    }

    /// Waits until the writer's thread is woken, or for so long.
    pub(super) fn sleep(&self, longest: Duration) {
        let mut wanted = self.wanted.lock();
        if !*wanted {
            self.wake.wait_for(&mut wanted, longest);
        }
        *wanted = false;
    }
}

/// How far a write came, and what stopped it.
struct Unwritten {
    written: usize,
    error: io::Error,
}

fn write_all(mut file: &File, bytes: &[u8]) -> Result<(), Unwritten> {
    let mut written = 0;
    while written < bytes.len() {
        match file.write(&bytes[written..]) {
            Ok(0) => return Err(Unwritten { written, error: io::ErrorKind::WriteZero.into() }),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Unwritten { written, error }),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyspace::DbIndex;

    fn parts() -> (Log, Tail, tempfile::TempDir) {
        let (log, tail, folder) = (Log::default(), Tail::default(), tempfile::tempdir().unwrap());
        log.begin(File::create(folder.path().join("1")).unwrap(), 0);
        tail.open();
        (log, tail, folder)
    }

    fn content(folder: &tempfile::TempDir, name: &str) -> String {
        std::fs::read_to_string(folder.path().join(name)).unwrap().replace("*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n", "")
    }

    #[test]
    fn bytes_go_to_the_file_of_their_time() {
        let (log, tail, folder) = parts();
        tail.append(DbIndex(0), b"one", DbIndex(0));
        log.write(&tail, OnError::TryAgain);
        log.begin(File::create(folder.path().join("2")).unwrap(), 0);
        tail.append(DbIndex(0), b"two", DbIndex(0));
        log.write(&tail, OnError::TryAgain);
        assert!(log.is_written(&tail) && !log.is_flushed());
        log.flush().unwrap();
        assert!(log.is_flushed() && log.flushed_offset() == tail.end());
        assert_eq!((content(&folder, "1"), content(&folder, "2"), log.bytes()), ("one".into(), "two".into(), 3));
    }

    #[test]
    fn what_cannot_be_written_stays_until_it_can() {
        let (log, tail, folder) = parts();
        let unwritable = File::open(folder.path().join("1")).unwrap();
        log.begin(unwritable, 0);
        tail.append(DbIndex(0), b"one", DbIndex(0));
        log.write(&tail, OnError::TryAgain);
        assert!(log.is_failing() && !log.is_written(&tail) && log.failure().is_some());
        assert_eq!(log.unwritten_bytes(&tail), tail.end());
        log.begin(File::create(folder.path().join("2")).unwrap(), 0);
        tail.append(DbIndex(0), b"two", DbIndex(0));
        log.write(&tail, OnError::TryAgain);
        assert!(!log.is_failing() && log.is_written(&tail) && log.unwritten_bytes(&tail) == 0);
        assert_eq!(content(&folder, "2"), "onetwo");
    }

    #[test]
    fn replies_leave_when_what_they_need_is_on_disk() {
        let (log, tail, _folder) = parts();
        tail.append(DbIndex(0), b"one", DbIndex(0));
        log.write(&tail, OnError::TryAgain);
        log.release(true);
        assert!(log.released_offset() < tail.end());
        log.flush().unwrap();
        log.release(true);
        assert_eq!(log.released_offset(), tail.end());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(log.released(&tail, tail.end()));
    }
}
