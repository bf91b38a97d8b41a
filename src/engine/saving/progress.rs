//! The figures of saving and loading, as INFO and LASTSAVE show them.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;

/// Figures of saving. Times are Unix seconds.
#[derive(Default)]
pub struct SaveFigures {
    /// Whether the last save in the background failed; looked at before every write.
    pub last_failed: AtomicBool,
    /// Keys written by the save in the background.
    pub keys_done: AtomicU64,
    report: Mutex<SaveReport>,
}

/// A look at them.
#[derive(Clone, Copy, Debug)]
pub struct SaveReport {
    /// When the last good snapshot was made.
    pub last_saved_at: i64,
    /// When a save in the background was last begun.
    pub last_tried_at: i64,
    /// Seconds the last save in the background took, -1 before the first.
    pub last_took_s: i64,
    /// When the save that is running in the background began.
    pub running_since: Option<i64>,
    /// Keys it has to write.
    pub keys_total: u64,
    /// Saves begun.
    pub count: u64,
    /// Bytes that writers had to write down during the last one.
    pub last_copied: u64,
    /// Whether a save is to begin as soon as that is possible.
    pub scheduled: bool,
}

impl Default for SaveReport {
    fn default() -> Self {
        Self {
            last_saved_at: 0,
            last_tried_at: 0,
            last_took_s: -1,
            running_since: None,
            keys_total: 0,
            count: 0,
            last_copied: 0,
            scheduled: false,
        }
    }
}

impl SaveFigures {
    /// A look.
    pub fn report(&self) -> SaveReport {
        *self.report.lock()
    }

    /// Changes the figures.
    pub fn update(&self, change: impl FnOnce(&mut SaveReport)) {
        change(&mut self.report.lock());
    }
}

/// Figures of loading.
#[derive(Default)]
pub struct LoadFigures {
    /// Whether a snapshot is being loaded, so that most commands are refused.
    pub active: AtomicBool,
    /// Unix seconds when that began.
    pub started_at: AtomicI64,
    /// Bytes of the file, 0 where that is not known.
    pub total_bytes: AtomicU64,
    /// Bytes read so far.
    pub done_bytes: AtomicU64,
    /// Bytes of memory that the server used which made the file.
    pub used_memory: AtomicU64,
    /// Keys that the last loading brought.
    pub keys_loaded: AtomicU64,
    /// Keys that it left out because they had expired.
    pub keys_expired: AtomicU64,
}

impl LoadFigures {
    /// Whether a snapshot is being loaded.
    pub fn is_active(&self) -> bool {
        self.active.load(Relaxed)
    }
}
