//! Waiting for replicas: WAIT, WAITAOF, and refusing writes that too few replicas would get.

use std::sync::Arc;

use super::super::blocking::Waiter;
use super::super::{AofState, Engine, FeedOffset};
use crate::base::clock::UnixMillis;
use crate::config::Settings;
use crate::resp::{Protocol, Reply, WireError};
use crate::session::{ClientFlags, Signal};

/// Nothing to wait for on this server's disk.
const NO_FILE: WireError =
    WireError::fixed("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");

/// What a client waits for.
#[derive(Clone, Copy, Debug)]
pub enum AckWait {
    /// So many replicas have carried out everything up to here.
    Replicas {
        /// The position.
        offset: FeedOffset,
        /// How many.
        count: usize,
    },
    /// So many replicas, and if asked for this server, have everything up to here on disk.
    Disks {
        /// The position.
        offset: FeedOffset,
        /// The position in the append only file.
        logged: u64,
        /// Whether this server is to have it.
        local: bool,
        /// How many replicas.
        count: usize,
    },
}

impl AckWait {
    /// Whether it can be waited for, and still can.
    pub fn check(self, engine: &Engine) -> Result<(), WireError> {
        match self {
            Self::Disks { local: true, .. } if engine.append_only.state() == AofState::Off => Err(NO_FILE),
            _ => Ok(()),
        }
    }

    /// Whether there is nothing left to wait for.
    pub fn is_met(self, engine: &Engine) -> bool {
        match self {
            Self::Replicas { offset, count } => engine.replicas_at(offset) >= count,
            Self::Disks { offset, logged, local, count } => {
                engine.replicas_with_on_disk(offset) >= count && (!local || engine.has_on_disk(logged))
            }
        }
    }

    /// What the client is told as things stand.
    pub fn reply(self, engine: &Engine, protocol: Protocol) -> Vec<u8> {
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, protocol);
        if let Err(error) = self.check(engine) {
            reply.error(&error);
            return out;
        }
        match self {
            Self::Replicas { offset, .. } => reply.count(engine.replicas_at(offset)),
            Self::Disks { offset, logged, .. } => {
                reply.array(2);
                reply.int(engine.has_on_disk(logged).into());
                reply.count(engine.replicas_with_on_disk(offset));
            }
        }
        out
    }
}

impl Engine {
    /// Replicas that follow the feed and have carried out everything up to `offset`.
    pub fn replicas_at(&self, offset: FeedOffset) -> usize {
        let state = self.replication.state.lock();
        state.replicas.iter().filter(|replica| replica.is_online() && replica.confirmed() >= offset).count()
    }

    /// Replicas that follow the feed and have everything up to `offset` on disk.
    pub fn replicas_with_on_disk(&self, offset: FeedOffset) -> usize {
        let state = self.replication.state.lock();
        state.replicas.iter().filter(|replica| replica.is_online() && replica.confirmed_on_disk() >= offset).count()
    }

    /// Replicas that follow the feed and were heard of lately, as `min-replicas-max-lag` says.
    pub fn good_replicas(&self, settings: &Settings) -> usize {
        let now = UnixMillis::now().0;
        let most_s = i64::from(settings.replication.min_replicas_max_lag);
        let state = self.replication.state.lock();
        let is_good =
            |replica: &&Arc<super::Replica>| replica.is_online() && (now - replica.heard_at().0) / 1000 <= most_s;
        state.replicas.iter().filter(is_good).count()
    }

    /// Whether too few replicas are there to take writes.
    pub(in crate::engine) fn lacks_replicas(&self, settings: &Settings) -> bool {
        let replication = &settings.replication;
        replication.min_replicas_to_write > 0
            && replication.min_replicas_max_lag > 0
            && self.good_replicas(settings) < replication.min_replicas_to_write as usize
    }

    /// A client waits for replicas: they are asked to say where they are.
    pub(in crate::engine) fn await_acks(&self, waiter: &Arc<Waiter>) {
        self.replication.acks.lock().push(Arc::clone(waiter));
        self.ask_for_acks();
        // What came before the waiter was entered.
        self.serve_ack_waiters();
    }

    /// Asks all replicas to say where they are.
    pub(in crate::engine) fn ask_for_acks(&self) {
        if self.replication.has_backlog() {
            self.feed.append_bare(&[b"REPLCONF", b"GETACK", b"*"]);
        }
    }

    /// Whether all replicas have everything.
    pub fn replicas_are_level(&self) -> bool {
        let (replicas, end) = (self.replication.replicas(), self.feed.end());
        replicas.iter().all(|replica| replica.is_silent || replica.confirmed() == end)
    }

    /// Says in the log which replicas lack something.
    pub fn report_lagging_replicas(&self) {
        let (replicas, end, now) = (self.replication.replicas(), self.feed.end(), UnixMillis::now());
        let lagging: Vec<_> = replicas.iter().filter(|replica| replica.confirmed() != end).collect();
        for replica in &lagging {
            let report = replica.report(now);
            tracing::info!(
                "Lagging replica {} reported offset {} behind master, lag={}, state={}.",
                replica.name(),
                end.0.saturating_sub(report.offset),
                report.lag_s,
                report.state
            );
        }
        if !replicas.is_empty() {
            let level = replicas.len() - lagging.len();
            tracing::info!("{level} of {} replicas are in sync when shutting down.", replicas.len());
        }
    }

    /// A replica says where it is.
    pub fn confirm(&self, client: crate::session::ClientId, offset: u64, on_disk: Option<u64>) {
        let Some(replica) = self.replication.replica_of(client) else { return };
        replica.confirm(offset, on_disk, UnixMillis::now());
        self.serve_ack_waiters();
    }

    /// Ends the waits of clients who have what they wait for. Also to be called when the append only file gets on.
    pub fn serve_ack_waiters(&self) {
        let waiting = std::mem::take(&mut *self.replication.acks.lock());
        if waiting.is_empty() {
            return;
        }
        let unmet: Vec<_> = waiting.into_iter().filter(|waiter| !self.serve_ack_waiter(waiter)).collect();
        self.replication.acks.lock().extend(unmet);
    }

    /// Whether the wait is over.
    fn serve_ack_waiter(&self, waiter: &Arc<Waiter>) -> bool {
        let Some(acks) = waiter.wait.acks else { return true };
        let Some(mut over) = waiter.claim() else { return true };
        if acks.check(self).is_ok() && !acks.is_met(self) {
            return false;
        }
        *over = true;
        drop(over);
        self.waiters.forget(waiter);
        waiter.client.set_flags(ClientFlags::BLOCKED, false);
        waiter.client.post(Signal::Unblocked(acks.reply(self, waiter.protocol)));
        true
    }

    /// The reply of a wait whose time is up.
    pub fn timeout_reply(&self, waiter: &Waiter) -> Vec<u8> {
        match waiter.wait.acks {
            Some(acks) => acks.reply(self, waiter.protocol),
            None => waiter.timeout_reply().to_vec(),
        }
    }

    /// Clients that wait for what only a primary has are told that this server is none any more.
    pub(super) fn unblock_all_waiters(&self) {
        for client in self.clients.all() {
            let Some(waiter) = self.waiters.of_client(client.id) else { continue };
            let Some(mut over) = waiter.claim() else { continue };
            *over = true;
            drop(over);
            self.waiters.forget(&waiter);
            client.set_flags(ClientFlags::BLOCKED, false);
            client.post(Signal::Unblocked(
                b"-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)\r\n"
                    .to_vec(),
            ));
            client.post(Signal::Close { after_reply: true });
        }
    }
}
