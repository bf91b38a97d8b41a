//! CLIENT PAUSE: holds commands back until a time, or until CLIENT UNPAUSE.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::base::clock::UnixMillis;

/// What is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PauseScope {
    /// Commands that may write.
    Writes,
    /// All commands.
    All,
}

/// The state of CLIENT PAUSE.
#[derive(Default)]
pub struct Pause {
    current: Mutex<Option<(PauseScope, UnixMillis)>>,
    /// Whether there is one, readable without the lock.
    active: AtomicBool,
    ended: Notify,
}

impl Pause {
    /// Pauses; a pause that is stricter or longer than the new one stays so.
    pub fn start(&self, scope: PauseScope, until: UnixMillis) {
        let mut current = self.current.lock();
        *current = Some(match *current {
            Some((old_scope, old_until)) => (old_scope.max(scope), old_until.max(until)),
            None => (scope, until),
        });
        self.active.store(true, Relaxed);
        // Who waits for the end looks at the new one.
        self.ended.notify_waiters();
    }

    /// Ends the pause.
    pub fn end(&self) {
        *self.current.lock() = None;
        self.active.store(false, Relaxed);
        self.ended.notify_waiters();
    }

    /// What is paused now, and until when.
    pub fn current(&self, now: UnixMillis) -> Option<(PauseScope, UnixMillis)> {
        if !self.active.load(Relaxed) {
            return None;
        }
        let over = (*self.current.lock()).filter(|(_, until)| *until > now);
        if over.is_none() {
            self.end();
        }
        over
    }

    /// Resolves when the pause has ended or changed, or its time is up.
    pub async fn changed(&self) {
        let ended = self.ended.notified();
        if let Some((_, until)) = self.current(UnixMillis::now()) {
            let left = (until.0 - UnixMillis::now().0).max(0) as u64;
            let _ = tokio::time::timeout(std::time::Duration::from_millis(left + 1), ended).await;
        }
    }
}
