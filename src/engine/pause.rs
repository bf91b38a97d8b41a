//! Holding commands back, for as long as anybody who asked for it wants: CLIENT PAUSE, a failover, a shutdown that waits for replicas.
//!
//! Each has a pause of its own and ends only that: a CLIENT UNPAUSE during a failover lets no write through that nobody would bring over.

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

/// Who holds back.
#[derive(Clone, Copy, Debug)]
pub enum PauseCause {
    /// CLIENT PAUSE.
    Command,
    /// FAILOVER.
    Failover,
    /// SHUTDOWN, while replicas are given time.
    Shutdown,
}

/// The pauses.
#[derive(Default)]
pub struct Pause {
    /// By cause.
    current: Mutex<[Option<(PauseScope, UnixMillis)>; 3]>,
    /// Whether there is one, readable without the lock; written under it.
    active: AtomicBool,
    ended: Notify,
}

impl Pause {
    /// Pauses; a pause of the same cause that is stricter or longer than the new one stays so.
    pub fn start(&self, cause: PauseCause, scope: PauseScope, until: UnixMillis) {
        let mut current = self.current.lock();
        let own = &mut current[cause as usize];
        *own = Some(own.map_or((scope, until), |(old_scope, old_until)| (old_scope.max(scope), old_until.max(until))));
        self.active.store(true, Relaxed);
        // Who waits for the end looks at the new one.
        self.ended.notify_waiters();
    }

    /// Ends the pause of this cause.
    pub fn end(&self, cause: PauseCause) {
        let mut current = self.current.lock();
        current[cause as usize] = None;
        self.active.store(current.iter().any(Option::is_some), Relaxed);
        self.ended.notify_waiters();
    }

    /// What is paused now: the strictest of all.
    pub fn current(&self, now: UnixMillis) -> Option<PauseScope> {
        self.lasting(now).iter().flatten().map(|(scope, _)| *scope).max()
    }

    /// Resolves when a pause has begun or ended, or the time of one is up.
    pub async fn changed(&self) {
        let ended = self.ended.notified();
        let now = UnixMillis::now();
        if let Some(next) = self.lasting(now).iter().flatten().map(|(_, until)| until.0).min() {
            let left = (next - now.0).max(0) as u64;
            let _ = tokio::time::timeout(std::time::Duration::from_millis(left + 1), ended).await;
        }
    }

    /// The pauses whose time is not up; the others are forgotten.
    fn lasting(&self, now: UnixMillis) -> [Option<(PauseScope, UnixMillis)>; 3] {
        if !self.active.load(Relaxed) {
            return [None; 3];
        }
        let mut current = self.current.lock();
        let mut over = false;
        for own in current.iter_mut() {
            over |= own.take_if(|(_, until)| *until <= now).is_some();
        }
        if over {
            self.active.store(current.iter().any(Option::is_some), Relaxed);
            self.ended.notify_waiters();
        }
        *current
    }
}

#[cfg(test)]
mod tests {
    use super::PauseCause::{Command, Failover, Shutdown};
    use super::PauseScope::{All, Writes};
    use super::*;

    const FOR_EVER: UnixMillis = UnixMillis(i64::MAX);

    #[test]
    fn each_cause_ends_its_own_pause() {
        let pause = Pause::default();
        pause.start(Failover, Writes, FOR_EVER);
        pause.start(Command, All, UnixMillis(100));
        assert_eq!(pause.current(UnixMillis(99)), Some(All));
        pause.end(Command);
        assert_eq!(pause.current(UnixMillis(99)), Some(Writes));
        pause.end(Shutdown);
        assert_eq!(pause.current(UnixMillis(99)), Some(Writes));
        pause.end(Failover);
        assert_eq!(pause.current(UnixMillis(99)), None);
    }

    #[test]
    fn a_pause_whose_time_is_up_leaves_the_others() {
        let pause = Pause::default();
        pause.start(Command, All, UnixMillis(100));
        pause.start(Shutdown, Writes, UnixMillis(200));
        assert_eq!(pause.current(UnixMillis(100)), Some(Writes));
        assert_eq!(pause.current(UnixMillis(200)), None);
    }

    #[test]
    fn the_stricter_and_longer_pause_of_a_cause_stays() {
        let pause = Pause::default();
        pause.start(Command, All, UnixMillis(100));
        pause.start(Command, Writes, UnixMillis(50));
        assert_eq!(pause.current(UnixMillis(99)), Some(All));
    }
}
