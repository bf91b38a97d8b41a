//! SYNC and PSYNC: a connection becomes a replica, and goes on where it was or begins with a snapshot.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::super::Engine;
use super::replica::{Replica, ReplicaOutlet, Stage};
use crate::base::clock::UnixMillis;
use crate::config::Settings;
use crate::replication::{NoContinuation, ReplOffset};
use crate::resp::WireError;
use crate::session::{Client, ClientFlags, CloseReason, Counterpart, Session};

const IN_FAILOVER: WireError = WireError::fixed("NOMASTERLINK Can't SYNC while failing over");
const NOT_LINKED: WireError = WireError::fixed("NOMASTERLINK Can't SYNC while not connected with my master");
const NO_EOF: WireError = WireError::fixed("ERR Filtered replica requires EOF capability");

impl Engine {
    /// Makes the connection a replica. `request` is what PSYNC asks for: the history and the first byte wanted. The caller holds
    /// the gate exclusively. Nothing is replied: what the replica is sent comes out of the session's outlet.
    pub fn begin_sync(
        &'static self,
        settings: &Settings,
        session: &mut Session,
        request: Option<(&[u8], i64)>,
    ) -> Result<(), WireError> {
        if self.replication.state.lock().failover.is_some() {
            return Err(IN_FAILOVER);
        }
        if self.replication.is_replica() && !self.replication.is_linked() {
            return Err(NOT_LINKED);
        }
        let facts = session.replica.clone();
        if facts.is_filtered() && !facts.reads_marked {
            return Err(NO_EOF);
        }
        let now = UnixMillis::now();
        let replica = Arc::new(Replica::new(Arc::clone(&session.client), facts, request.is_none(), now));
        tracing::info!("Replica {} asks for synchronization", replica.name());
        let continues = request.is_some_and(|(id, wanted)| self.try_continue(settings, &replica, id, wanted));
        session.client.set_flags(ClientFlags::REPLICA, true);
        session.counterpart = Counterpart::Replica;
        session.outlet = Some(Box::new(ReplicaOutlet::new(self, Arc::clone(&replica))));
        let mut state = self.replication.state.lock();
        state.replicas.push(Arc::clone(&replica));
        if continues {
            self.replication.continuations.fetch_add(1, Relaxed);
            return Ok(());
        }
        if !state.backlog {
            state.history.begin_anew();
            state.backlog = true;
            self.feed.set_capacity(settings.replication.repl_backlog_size as usize);
            self.feed.attach();
            tracing::info!("Replication backlog created, my new replication ID is '{}'", state.history.id);
        }
        drop(state);
        self.replication.full_syncs.fetch_add(1, Relaxed);
        if request.is_some_and(|(id, _)| id.first() != Some(&b'?')) {
            self.replication.refusals.fetch_add(1, Relaxed);
        }
        self.begin_or_await_snapshot(settings, &replica);
        Ok(())
    }

    /// Lets the replica go on where it was, if what it lacks is still there.
    fn try_continue(&self, settings: &Settings, replica: &Arc<Replica>, id: &[u8], wanted: i64) -> bool {
        let state = self.replication.state.lock();
        let position = ReplOffset::of_request(wanted);
        let shown = String::from_utf8_lossy(id);
        match state.history.covers(id, position) {
            Ok(()) => {}
            Err(NoContinuation::NotWanted) => {
                tracing::info!("Full resync requested by replica {}", replica.name());
                return false;
            }
            Err(NoContinuation::OtherHistory) => {
                let second = state.history.second.map_or(crate::replication::ReplicationId::NONE, |second| second.id);
                tracing::info!(
                    "Partial resynchronization not accepted: Replication ID mismatch (Replica asked for '{shown}', my replication \
                     IDs are '{}' and '{second}')",
                    state.history.id
                );
                return false;
            }
            Err(NoContinuation::Left(until)) => {
                tracing::info!(
                    "Partial resynchronization not accepted: Requested offset for second ID was {wanted}, but I can reply up to {}",
                    until.request()
                );
                return false;
            }
        }
        let kept = position.filter(|_| state.backlog);
        let pin = kept.and_then(|position| self.feed.pin(position, output_limit(settings)));
        let (Some(pin), Some(position)) = (pin, position) else {
            tracing::info!(
                "Unable to partial resync with replica {} for lack of backlog (Replica request was: {wanted}).",
                replica.name()
            );
            return false;
        };
        let answer = if replica.facts.knows_second_id {
            format!("+CONTINUE {}\r\n", state.history.id)
        } else {
            "+CONTINUE\r\n".to_owned()
        };
        let end = self.feed.end();
        tracing::info!(
            "Partial resynchronization request from {} accepted. Sending {} bytes of backlog starting from offset {wanted}.",
            replica.name(),
            end.0 - position.0
        );
        replica.enter(Stage::Stream, answer.as_bytes(), Some(pin));
        true
    }

    /// The connection of a replica has ended.
    pub(super) fn replica_left(&self, replica: &Arc<Replica>) {
        let waited = replica.waits_for_file().is_some();
        replica.leave(self);
        if waited {
            self.give_up_useless_save();
        }
        let mut state = self.replication.state.lock();
        let before = state.replicas.len();
        state.replicas.retain(|other| !Arc::ptr_eq(other, replica));
        if state.replicas.len() < before {
            tracing::info!("Connection with replica {} lost.", replica.name());
            if state.replicas.is_empty() {
                state.idle_since = UnixMillis::now().seconds();
            }
        }
    }

    /// Closes a client; what was kept for a replica is given up at once, whenever its connection gets to it.
    pub fn close_client(&self, client: &Client, reason: CloseReason) {
        self.clients.close(client, reason);
        let is_replica = client.flags().contains(ClientFlags::REPLICA);
        if let Some(replica) = self.replication.replica_of(client.id).filter(|_| is_replica) {
            self.replica_left(&replica);
        }
    }

    /// The snapshot on its way to disk was for replicas alone, and none of them waits for it any more.
    fn give_up_useless_save(&self) {
        let wanted = !self.config.settings().persistence.save.0.is_empty();
        let awaited = self.replication.replicas().iter().any(|replica| replica.waits_for_file().is_some());
        if !wanted && !awaited && self.saving.give_up() {
            tracing::info!("Killing RDB child as no replica waits for what it writes");
        }
    }

    /// Closes the connections of all replicas: they come back and learn of a new history.
    pub(super) fn close_replicas(&self) {
        let replicas = std::mem::take(&mut self.replication.state.lock().replicas);
        for replica in replicas {
            replica.close(self, CloseReason::Asked);
            replica.leave(self);
        }
        self.replication.state.lock().idle_since = UnixMillis::now().seconds();
    }
}

/// Bytes a replica may be behind: its output limit, but never less than what the feed keeps anyway.
pub(super) fn output_limit(settings: &Settings) -> u64 {
    match settings.limits.client_output_buffer_limit.replica.hard_bytes {
        0 => u64::MAX,
        bytes => bytes.max(settings.replication.repl_backlog_size),
    }
}
