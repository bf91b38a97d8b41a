//! The append only file: every change on disk as the command that replays it, beside the base that it began with.
//!
//! Changes gather in the feed's [`Tail`]; the [`Log`] writes them into the increment. A rewrite begins a new increment and a new base at
//! one instant under the exclusive gate, writes the base in the background, and then exchanges the manifest: until that moment the old
//! parts are good, from it on the new ones. Where the file is switched on while the server runs, the first increment has a temporary name
//! until its base is there: what is in it counts only then.

mod base;
mod figures;
mod files;
mod load;
mod log;
mod replay;
mod rewrite;
mod switch;
mod tail;
mod writer;

pub use figures::RewriteReport;
pub use load::AofFailed;
pub use log::Log;
pub use rewrite::RewriteFailed;
pub use tail::Tail;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;

use super::saving::Ticket;
use super::{Engine, FeedOffset};
use crate::persistence::aof::Manifest;

/// Whether changes are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AofState {
    /// No.
    Off,
    /// Yes, but there is no base yet that they could be replayed on.
    WaitsForBase,
    /// Yes.
    On,
}

/// The state of the append only file.
pub struct AppendOnly {
    state: AtomicU8,
    /// The increment that is being written.
    pub log: Log,
    /// The parts. Nothing else is locked meanwhile but the log.
    manifest: Mutex<Manifest>,
    /// The rewrite in the background. Nothing else is locked meanwhile.
    ticket: Mutex<Option<Arc<Ticket>>>,
    rewrites: Mutex<RewriteReport>,
    /// Keys that the rewrite has written.
    pub keys_done: AtomicU64,
    /// Bytes of all parts after the last rewrite, or of the base at the start.
    rewritten_bytes: AtomicU64,
    /// The position in the feed up to which everything is on disk.
    feed_on_disk: AtomicU64,
    /// Whether the writer's thread runs.
    has_writer: AtomicBool,
}

impl Default for AppendOnly {
    fn default() -> Self {
        Self {
            state: AtomicU8::new(AofState::Off as u8),
            log: Log::default(),
            manifest: Mutex::default(),
            ticket: Mutex::default(),
            rewrites: Mutex::default(),
            keys_done: AtomicU64::new(0),
            rewritten_bytes: AtomicU64::new(0),
            feed_on_disk: AtomicU64::new(0),
            has_writer: AtomicBool::new(false),
        }
    }
}

impl Engine {
    /// Whether everything up to this offset of the tail is in the file and on disk.
    pub fn has_on_disk(&self, logged: u64) -> bool {
        self.append_only.state() == AofState::On && self.append_only.log.flushed_offset() >= logged
    }

    /// The position in the feed up to which everything is in the file and on disk; none without a file.
    pub fn feed_on_disk(&self) -> Option<FeedOffset> {
        let known = self.append_only.state() == AofState::On;
        known.then(|| FeedOffset(self.append_only.feed_on_disk.load(Relaxed)))
    }

    /// Bytes of changes that are not in the file yet. Asked before every command where memory is limited, so it takes no lock.
    pub fn aof_buffer_bytes(&self) -> u64 {
        let tail = &self.feed.tail;
        if tail.is_open() { self.append_only.log.unwritten_bytes(tail) } else { 0 }
    }
}

impl AppendOnly {
    /// Whether changes are logged.
    pub fn state(&self) -> AofState {
        match self.state.load(Relaxed) {
            0 => AofState::Off,
            1 => AofState::WaitsForBase,
            _ => AofState::On,
        }
    }

    fn set_state(&self, state: AofState) {
        self.state.store(state as u8, Relaxed);
    }

    /// Whether a rewrite runs in the background.
    pub fn is_rewriting(&self) -> bool {
        self.ticket.lock().is_some()
    }

    /// The figures of rewriting.
    pub fn rewrites(&self) -> RewriteReport {
        *self.rewrites.lock()
    }

    /// Bytes of all parts after the last rewrite, or of the base at the start.
    pub fn rewritten_bytes(&self) -> u64 {
        self.rewritten_bytes.load(Relaxed)
    }

    fn update(&self, change: impl FnOnce(&mut RewriteReport)) {
        change(&mut self.rewrites.lock());
    }
}
