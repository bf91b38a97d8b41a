//! Replication as this server takes part in it: whose history it has, which replicas it feeds, which primary it follows.
//!
//! A primary feeds its replicas from the [feed](super::Feed), each at its own offset, behind a snapshot where that is needed. A
//! replica carries out its primary's stream and passes the same bytes on, at the same offsets, to replicas of its own.

mod acks;
mod apply;
mod failover;
mod full_copy;
mod full_sync;
mod gathering;
mod membership;
mod own_keys;
mod pipe;
mod pulse;
mod replica;
mod role;
mod status;
mod sync;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use parking_lot::{Condvar, Mutex};

pub use acks::AckWait;
pub use apply::{Applier, StreamBroken};
pub use failover::FailoverRequest;
pub use full_copy::{CopyOrigin, FullCopy};
pub use membership::Membership;
pub use own_keys::OwnKeys;
pub use replica::{Replica, ReplicaReport};
pub use role::PrimaryAddress;
pub use status::{LinkPhase, LinkReport, LinkStatus, RoleReport};

use super::blocking::Waiter;
use crate::replication::{History, ReplOffset, ReplicationId};
use failover::Failover;

/// The state of replication.
#[derive(Default)]
pub struct Replication {
    /// Whether a primary is followed; looked at by every command.
    is_replica: AtomicBool,
    /// Whether the primary's stream is being followed right now.
    link_up: AtomicBool,
    // Taken before the lock of any replica and of the feed, and never together with `acks`.
    state: Mutex<State>,
    /// Says that whom to follow has changed.
    changed: Condvar,
    /// Clients that wait for replicas.
    acks: Mutex<Vec<Arc<Waiter>>>,
    /// What the link to the primary is doing.
    pub link: LinkStatus,
    /// The group this server is a member of.
    pub membership: Membership,
    /// Keys with an expiry that clients of this replica have written.
    pub own_keys: OwnKeys,
    /// Full synchronisations begun.
    pub full_syncs: AtomicU64,
    /// Continuations granted.
    pub continuations: AtomicU64,
    /// Continuations refused.
    pub refusals: AtomicU64,
}

#[derive(Default)]
struct State {
    history: History,
    /// Whether the feed is kept for replicas that come (back).
    backlog: bool,
    /// Unix seconds since when there has been no replica.
    idle_since: i64,
    replicas: Vec<Arc<Replica>>,
    primary: Option<PrimaryAddress>,
    /// Grows whenever whom to follow changes.
    generation: u64,
    /// Whether the keys are what the history says at the feed's end, so that a primary may go on from there.
    continuable: bool,
    failover: Option<Failover>,
}

impl Replication {
    /// Whether a primary is followed.
    pub fn is_replica(&self) -> bool {
        self.is_replica.load(Relaxed)
    }

    /// Whether the primary's stream is being followed right now.
    pub fn is_linked(&self) -> bool {
        self.link_up.load(Relaxed)
    }

    /// Sets the counters back to zero.
    pub fn clear_counts(&self) {
        for counter in [&self.full_syncs, &self.continuations, &self.refusals] {
            counter.store(0, Relaxed);
        }
        self.link.update(|report| report.input_bytes = 0);
    }

    /// The histories.
    pub fn history(&self) -> History {
        self.state.lock().history
    }

    /// Forgets them: whoever asks to go on gets everything anew.
    pub fn begin_history(&self) {
        self.state.lock().history.begin_anew();
    }

    /// Whether the feed is kept for replicas.
    pub fn has_backlog(&self) -> bool {
        self.state.lock().backlog
    }

    /// The replicas, in the order in which they came.
    pub fn replicas(&self) -> Vec<Arc<Replica>> {
        self.state.lock().replicas.clone()
    }

    /// Memory of what is on its way to replicas, the feed apart.
    pub fn output_memory(&self) -> u64 {
        self.state.lock().replicas.iter().map(|replica| replica.client.output_memory()).sum()
    }

    /// The replica that a client is.
    pub fn replica_of(&self, client: crate::session::ClientId) -> Option<Arc<Replica>> {
        self.state.lock().replicas.iter().find(|replica| replica.client.id == client).cloned()
    }

    /// Where the copy stands, if a primary may go on from there.
    pub fn position(&self, end: ReplOffset) -> Option<(ReplicationId, ReplOffset)> {
        let state = self.state.lock();
        state.continuable.then_some((state.history.id, end))
    }
}
