//! Snapshots on disk: saving them at once or in the background, and loading them.
//!
//! One save in the background runs at a time, on a thread of its own: it pulls the pieces of a [`Snapshot`](crate::keyspace::Snapshot) and
//! writes them to a temporary file, which takes the place of the last snapshot when it is whole and on disk. A save can be given up
//! until that moment, and not after it.

mod background;
mod file;
mod flusher;
mod headers;
mod load;
pub(in crate::engine) mod pace;
mod progress;
mod save;
mod snapshot;

pub use file::SnapshotFile;
pub use headers::DatabaseHeaders;
pub(in crate::engine) use load::Aside;
pub use load::{LoadError, LoadMode, Loaded};
pub(in crate::engine) use pace::count_while;
pub use progress::{LoadFigures, SaveFigures, SaveReport};
pub use save::SaveError;
pub(in crate::engine) use snapshot::key_encoder;
pub use snapshot::{RunningSnapshot, written_version};

use std::sync::Arc;

use parking_lot::Mutex;

/// The right of a background save to put its file in place, which can be withdrawn.
#[derive(Default)]
pub struct Ticket {
    withdrawn: Mutex<bool>,
}

impl Ticket {
    /// Whether the save has been given up.
    pub fn is_withdrawn(&self) -> bool {
        *self.withdrawn.lock()
    }

    /// Gives the save up. A save that is putting its file in place just now does so first.
    pub fn withdraw(&self) {
        *self.withdrawn.lock() = true;
    }

    /// Does the last step, unless the save has been given up.
    pub(in crate::engine) fn redeem<T>(&self, last_step: impl FnOnce() -> T) -> Option<T> {
        let withdrawn = self.withdrawn.lock();
        if *withdrawn { None } else { Some(last_step()) }
    }
}

/// The state of saving and loading.
#[derive(Default)]
pub struct Saving {
    /// Of saving.
    pub saves: SaveFigures,
    /// Of loading.
    pub loads: LoadFigures,
    /// The save in the background. Nothing else is locked meanwhile.
    ticket: Mutex<Option<Arc<Ticket>>>,
    /// The save before the end of the process. Nothing else is locked meanwhile.
    last: Mutex<Option<Arc<Ticket>>>,
}

impl Saving {
    /// The right to save in the background, where nobody has it.
    pub(in crate::engine) fn issue_ticket(&self) -> Result<Arc<Ticket>, SaveError> {
        let mut current = self.ticket.lock();
        if current.is_some() {
            return Err(SaveError);
        }
        Ok(Arc::clone(current.insert(Arc::default())))
    }

    /// The save in the background has ended.
    pub(in crate::engine) fn return_ticket(&self) {
        *self.ticket.lock() = None;
    }

    /// Whether a save runs in the background.
    pub fn in_background(&self) -> bool {
        self.ticket.lock().is_some()
    }

    /// The right of the save before the end of the process.
    pub fn begin_last_save(&self) -> Arc<Ticket> {
        Arc::clone(self.last.lock().insert(Arc::default()))
    }

    /// Whether the save before the end of the process has begun: from then on the gate may never open again.
    pub fn last_save_has_begun(&self) -> bool {
        self.last.lock().is_some()
    }

    /// The process does not end after all.
    pub fn end_last_save(&self) {
        *self.last.lock() = None;
    }

    /// Gives up the save before the end of the process, which then ends without; `false` if there is none.
    pub fn give_up_last_save(&self) -> bool {
        let ticket = self.last.lock().clone();
        ticket.inspect(|ticket| ticket.withdraw()).is_some()
    }

    /// Gives up the save in the background, if there is one; `false` if there is none.
    pub fn give_up(&self) -> bool {
        let ticket = self.ticket.lock().clone();
        ticket.inspect(|ticket| ticket.withdraw()).is_some()
    }
}
