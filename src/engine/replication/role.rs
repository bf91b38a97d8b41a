//! Changing roles: following a primary, following none, and what a replica refuses.

use super::super::{AofState, Engine};
use crate::base::clock::UnixMillis;
use crate::catalog::{Flags, Spec};
use crate::config::Settings;
use crate::keyspace::DbIndex;
use crate::persistence::rdb::file::Replication as StreamPosition;
use crate::replication::{History, ReplOffset, ReplicationId, Second};
use crate::resp::{Args, WireError};
use crate::session::Session;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

const READ_ONLY: WireError = WireError::fixed("READONLY You can't write against a read only replica.");
const NO_REPLICAS: WireError = WireError::fixed("NOREPLICAS Not enough good replicas to write.");
const MASTER_DOWN: WireError =
    WireError::fixed("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.");

/// Where a primary is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrimaryAddress {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl std::fmt::Display for PrimaryAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Engine {
    /// Whether the role of this server allows a command.
    pub(in crate::engine) fn check_role(
        &self,
        settings: &Settings,
        session: &Session,
        spec: &Spec,
        args: Args<'_>,
    ) -> Result<(), WireError> {
        let is_replica = self.replication.is_replica();
        if !is_replica && settings.replication.min_replicas_to_write == 0 {
            return Ok(());
        }
        let runs_queue = spec.flags.contains(Flags::RUNS_QUEUE);
        let writes = || {
            self.effective_flags(spec, args).contains(Flags::WRITE)
                || (runs_queue && self.any_queued_will(session, Flags::WRITE))
        };
        if !is_replica {
            return if self.lacks_replicas(settings) && writes() { Err(NO_REPLICAS) } else { Ok(()) };
        }
        if settings.replication.replica_read_only && writes() {
            return Err(READ_ONLY);
        }
        let stale_allowed = || {
            self.effective_flags(spec, args).contains(Flags::STALE)
                && !(runs_queue && self.any_queued_without(session, Flags::STALE))
        };
        if !settings.replication.replica_serve_stale_data && !self.replication.is_linked() && !stale_allowed() {
            return Err(MASTER_DOWN);
        }
        Ok(())
    }

    /// Whether the role of this server, and its disk, allow a command of a script. A script that has written something may write more,
    /// whatever happens meanwhile: half of its effects would be worse.
    pub(in crate::engine) fn check_script_command(
        &self,
        settings: &Settings,
        spec: &Spec,
        has_written: bool,
    ) -> Result<(), WireError> {
        let writes = spec.flags.contains(Flags::WRITE) && !has_written;
        let is_replica = self.replication.is_replica();
        if is_replica && settings.replication.replica_read_only && writes {
            return Err(READ_ONLY);
        }
        if writes && let Some(error) = self.disk_refusal(settings) {
            return Err(error);
        }
        if is_replica {
            if !settings.replication.replica_serve_stale_data
                && !self.replication.is_linked()
                && !spec.flags.contains(Flags::STALE)
            {
                return Err(WireError::fixed("ERR Can not execute the command on a stale replica"));
            }
        } else if settings.replication.min_replicas_to_write > 0 && writes && self.lacks_replicas(settings) {
            return Err(NO_REPLICAS);
        }
        Ok(())
    }

    /// Follows a primary from now on. The caller holds the gate exclusively.
    pub fn follow(&self, primary: PrimaryAddress) {
        let mut state = self.replication.state.lock();
        let was_primary = state.primary.is_none();
        if was_primary {
            tracing::info!(
                "Before turning into a replica, using my own master parameters to synthesize a cached master: I may be able \
                 to synchronize with the new master with just a partial transfer."
            );
            // Replicas of this server go on with the same stream.
            if !state.backlog {
                state.history.begin_anew();
                state.backlog = true;
                self.feed.attach();
            }
            state.continuable = true;
        }
        tracing::info!("Connecting to MASTER {primary}");
        self.config.update(|settings| settings.replication.replicaof.0 = Some((primary.host.clone(), primary.port)));
        state.primary = Some(primary);
        state.generation += 1;
        self.replication.is_replica.store(true, Relaxed);
        self.replication.link_up.store(false, Relaxed);
        self.feed.set_proxied(true);
        drop(state);
        self.adjust_oom_score_to_role();
        self.replication.membership.forget_stranger();
        self.replication.link.cut();
        self.unblock_all_waiters();
        self.replication.changed.notify_all();
    }

    /// Follows the primary that the configuration names, from the start on. Called before anybody can connect.
    pub fn follow_configured(&self) {
        let Some((host, port)) = self.config.settings().replication.replicaof.0.clone() else { return };
        self.replication.state.lock().primary = Some(PrimaryAddress { host, port });
        self.replication.is_replica.store(true, Relaxed);
        self.feed.set_proxied(true);
    }

    /// Follows nobody from now on: what was followed so far is the past of a history of its own. The caller holds the gate exclusively.
    pub fn follow_nobody(&'static self) -> bool {
        let mut state = self.replication.state.lock();
        if state.primary.take().is_none() {
            return false;
        }
        self.config.update(|settings| settings.replication.replicaof.0 = None);
        state.generation += 1;
        let (old, end) = (state.history.id, self.feed.end());
        state.history.branch(end);
        tracing::info!(
            "Setting secondary replication ID to {old}, valid up to offset: {}. New replication ID is {}",
            end.request(),
            state.history.id
        );
        state.idle_since = UnixMillis::now().seconds();
        self.replication.is_replica.store(false, Relaxed);
        self.replication.link_up.store(false, Relaxed);
        self.replication.own_keys.clear();
        self.feed.set_proxied(false);
        drop(state);
        self.adjust_oom_score_to_role();
        self.replication.membership.forget_stranger();
        self.replication.link.cut();
        self.close_replicas();
        self.replication.changed.notify_all();
        let settings = self.config.snapshot();
        if settings.persistence.appendonly && self.append_only.state() == AofState::Off {
            // It was stopped for a copy that never became whole. Where it fails, the log says why.
            let _ = self.start_append_only(&settings, false);
        }
        true
    }

    /// The primary to follow, with the number of the change that made it so.
    pub fn primary(&self) -> (u64, Option<PrimaryAddress>) {
        let state = self.replication.state.lock();
        (state.generation, state.primary.clone())
    }

    /// Waits until whom to follow is another than at `generation`, or the time is up.
    pub fn await_other_primary(&self, generation: u64, patience: Duration) {
        let mut state = self.replication.state.lock();
        if state.generation == generation {
            self.replication.changed.wait_for(&mut state, patience);
        }
    }

    /// Whether whom to follow is still what it was at `generation`.
    pub fn still_follows(&self, generation: u64) -> bool {
        self.replication.state.lock().generation == generation
    }

    /// The primary's stream is being followed from now on; its history may have got another id. `false` if it is not to be followed any
    /// more.
    pub fn link_is_up(&self, generation: u64, id: Option<ReplicationId>) -> bool {
        let mut state = self.replication.state.lock();
        if state.generation != generation {
            return false;
        }
        let end = self.feed.end();
        let renamed = id.is_some_and(|id| id != state.history.id);
        if let Some(id) = id.filter(|_| renamed) {
            tracing::info!("Master replication ID changed to {id}");
            state.history.adopt(id, end);
        }
        state.continuable = true;
        self.replication.link_up.store(true, Relaxed);
        drop(state);
        if renamed {
            self.close_replicas();
        }
        true
    }

    /// The primary's stream is not being followed any more.
    pub fn link_is_down(&self, generation: u64) {
        let state = self.replication.state.lock();
        if state.generation == generation {
            self.replication.link_up.store(false, Relaxed);
        }
    }

    /// Whoever carried out the primary's stream has failed in the middle of a command: the stream cannot be gone on with from what is here.
    pub fn distrust_copy(&self, generation: u64) {
        let _alone = self.gate.exclusive();
        if self.still_follows(generation) {
            self.forget_history();
        }
    }

    /// What is here is about to be replaced by the primary's copy: nobody may go on from what was. The caller holds the gate
    /// exclusively.
    pub(super) fn forget_history(&self) {
        self.replication.state.lock().continuable = false;
        self.replication.own_keys.clear();
        self.close_replicas();
        self.feed.restart_at(self.feed.end());
    }

    /// What is here is the primary's copy as of a position. The caller holds the gate exclusively.
    pub(super) fn take_history(&self, id: ReplicationId, offset: ReplOffset, db: DbIndex) {
        let mut state = self.replication.state.lock();
        state.history = History { id, second: None };
        state.continuable = true;
        if !state.backlog {
            state.backlog = true;
            self.feed.attach();
        }
        self.feed.restart_at(offset);
        self.feed.append_proxied(b"", db);
    }

    /// Where the stream of changes stands, for a snapshot; none if there is no stream.
    pub(in crate::engine) fn stream_position(&self) -> Option<StreamPosition> {
        let state = self.replication.state.lock();
        let known = if state.primary.is_some() { state.continuable } else { state.backlog };
        known.then(|| StreamPosition {
            db: self.feed.selected().unwrap_or(DbIndex(0)),
            id: state.history.id.to_string(),
            offset: self.feed.end().0,
        })
    }

    /// A snapshot loaded at the start says where the stream stood. As a replica this server may go on from there; as a primary it lets its
    /// replicas do so.
    pub fn resume_history(&self, id: ReplicationId, offset: ReplOffset, db: DbIndex) {
        let mut state = self.replication.state.lock();
        let is_replica = state.primary.is_some();
        if !state.backlog {
            state.backlog = true;
            self.feed.attach();
        }
        self.feed.restart_at(offset);
        if is_replica {
            state.history = History { id, second: None };
            state.continuable = true;
            self.feed.append_proxied(b"", db);
        } else {
            state.history = History { id: ReplicationId::random(), second: Some(Second { id, until: offset }) };
            state.idle_since = UnixMillis::now().seconds();
        }
    }

    /// Keys that had expired were left out of what was loaded: replicas that come back have them still.
    pub fn replay_expired(&self, settings: &Settings, gone: &[(DbIndex, Vec<u8>)]) {
        let word: &[u8] = if settings.memory.lazyfree_lazy_expire { b"UNLINK" } else { b"DEL" };
        for (db, key) in gone {
            self.feed.append(*db, std::iter::once([word, key].into_iter()));
        }
    }
}
