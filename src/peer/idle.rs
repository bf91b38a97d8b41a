//! Connections kept open for a while, so that moving many keys one by one does not connect anew for each.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::connection::PeerConnection;
use super::dial::Target;

/// Connections kept at once.
const MAX_IDLE: usize = 64;
/// How long one is kept unused.
const KEEP: Duration = Duration::from_secs(10);

struct Idle {
    target: Target,
    connection: PeerConnection,
    /// The database selected at the other end.
    db: i64,
    since: Instant,
}

/// Connections that wait for the next call.
#[derive(Default)]
pub struct IdlePeers {
    idle: Mutex<Vec<Idle>>,
}

impl IdlePeers {
    /// Takes a connection to `target`, with the database that is selected there.
    pub fn take(&self, target: &Target) -> Option<(PeerConnection, i64)> {
        let mut idle = self.idle.lock();
        let found = idle.iter().position(|one| one.target == *target)?;
        let one = idle.swap_remove(found);
        Some((one.connection, one.db))
    }

    /// Keeps a connection; the oldest one gives way where there are too many.
    pub fn keep(&self, target: Target, connection: PeerConnection, db: i64) {
        let mut idle = self.idle.lock();
        if idle.len() >= MAX_IDLE
            && let Some(oldest) = (0..idle.len()).min_by_key(|index| idle[*index].since)
        {
            idle.swap_remove(oldest);
        }
        idle.push(Idle { target, connection, db, since: Instant::now() });
    }

    /// Closes what has not been used for a while.
    pub fn close_unused(&self, now: Instant) {
        self.idle.lock().retain(|one| now.duration_since(one.since) <= KEEP);
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.idle.lock().len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
