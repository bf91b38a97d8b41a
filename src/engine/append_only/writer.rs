//! Who writes and flushes the increment: whoever has run a batch of requests, and a thread.

use std::sync::atomic::Ordering::{AcqRel, Relaxed};
use std::time::{Duration, Instant};

use super::log::OnError;
use crate::base::system_text::system_text;
use crate::config::Settings;
use crate::config::values::AppendFsync;
use crate::engine::{Engine, FeedOffset};

/// How often the thread looks by itself.
const ROUND: Duration = Duration::from_millis(100);
/// How often it flushes with `appendfsync everysec`.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

impl Engine {
    /// To be called between a batch of requests and its replies: what the batch changed, or saw changed, is written. The offset comes
    /// back that the replies must wait for.
    #[inline]
    pub fn log_changes(&'static self, settings: &Settings) -> Option<u64> {
        if self.feed.tail.is_open() { self.log_changes_now(settings) } else { None }
    }

    fn log_changes_now(&'static self, settings: &Settings) -> Option<u64> {
        let (log, tail) = (&self.append_only.log, &self.feed.tail);
        if settings.persistence.appendfsync == AppendFsync::Always {
            let end = tail.end();
            if log.released_offset() >= end {
                return None;
            }
            log.wake();
            return Some(end);
        }
        if !log.is_written(tail) {
            let started = Instant::now();
            log.write_soon(tail);
            self.note_latency("aof-write", started.elapsed());
        }
        None
    }

    /// Resolves when replies may leave that need this offset.
    pub async fn changes_logged(&self, offset: u64) {
        self.append_only.log.released(&self.feed.tail, offset).await;
    }

    /// Starts the writer's thread, once.
    pub(super) fn start_writer(&'static self) -> std::io::Result<()> {
        if self.append_only.has_writer.swap(true, AcqRel) {
            return Ok(());
        }
        let started = std::thread::Builder::new().name("append-only".into()).spawn(move || self.write_for_ever());
        if started.is_err() {
            self.append_only.has_writer.store(false, Relaxed);
        }
        started.map(drop)
    }

    fn write_for_ever(&'static self) {
        let log = &self.append_only.log;
        let mut last_flush = Instant::now();
        loop {
            log.sleep(ROUND);
            if !self.feed.tail.is_open() {
                continue;
            }
            let settings = self.config.settings();
            let feed = self.feed.end();
            // Whoever works for the disk already may be given priority.
            let background = self.saving.in_background() || self.append_only.is_rewriting();
            let flushes = !(settings.persistence.no_appendfsync_on_rewrite && background);
            match settings.persistence.appendfsync {
                AppendFsync::Always => self.write_and_flush(flushes),
                AppendFsync::Everysec => {
                    log.write(&self.feed.tail, OnError::TryAgain);
                    if flushes && last_flush.elapsed() >= FLUSH_EVERY && !log.is_flushed() {
                        last_flush = Instant::now();
                        self.flush_increment(feed);
                        log.write(&self.feed.tail, OnError::TryAgain);
                    }
                    log.release(false);
                }
                AppendFsync::No => {
                    log.write(&self.feed.tail, OnError::TryAgain);
                    log.release(false);
                }
            }
            // A command comes into the feed of a replica after it came into the tail.
            let known = self.append_only.feed_on_disk.load(Relaxed);
            if known != feed.0 && log.is_written(&self.feed.tail) && log.is_flushed() {
                self.has_come_to_disk(feed);
            }
        }
    }

    /// Until nothing is left that a reply may wait for.
    fn write_and_flush(&'static self, flushes: bool) {
        let (log, tail) = (&self.append_only.log, &self.feed.tail);
        loop {
            let (started, feed) = (Instant::now(), self.feed.end());
            log.write(tail, OnError::Exit);
            self.note_latency("aof-write", started.elapsed());
            if flushes && !log.is_flushed() {
                let started = Instant::now();
                if let Err(error) = log.flush() {
                    tracing::error!(
                        "Can't persist AOF for fsync error when the AOF fsync policy is 'always': {}. Exiting...",
                        system_text(&error)
                    );
                    std::process::exit(1);
                }
                self.note_latency("aof-fsync-always", started.elapsed());
                self.has_come_to_disk(feed);
            }
            log.release(flushes);
            if log.is_written(tail) || !tail.is_open() {
                return;
            }
        }
    }

    /// Tells those who wait for it that the feed up to here is on disk.
    fn has_come_to_disk(&self, feed: FeedOffset) {
        self.append_only.feed_on_disk.store(feed.0, Relaxed);
        self.serve_ack_waiters();
    }

    fn flush_increment(&self, feed: FeedOffset) {
        let started = Instant::now();
        let failed = self.append_only.log.is_failing();
        match self.append_only.log.flush() {
            Ok(()) => self.has_come_to_disk(feed),
            Err(error) if !failed => tracing::warn!("Fail to fsync the AOF file: {}", system_text(&error)),
            Err(_) => {}
        }
        self.note_latency("aof-write-pending-fsync", started.elapsed());
    }
}
