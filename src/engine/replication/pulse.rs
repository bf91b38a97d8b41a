//! What a primary does from time to time: pings, lines that keep a waiting replica patient, closing those that are not heard of, and
//! giving up the backlog that nobody comes back to.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::super::Engine;
use super::Replica;
use super::sync::output_limit;
use crate::base::clock::UnixMillis;
use crate::config::Settings;
use crate::session::CloseReason;

impl Engine {
    /// Called ten times a second or so; once a second with `new_second` set.
    pub fn replication_pulse(&'static self, now: UnixMillis, new_second: bool) {
        let settings = self.config.snapshot();
        self.advance_failover(now);
        if !self.is_saving() && self.full_sync_is_due(&settings, now) {
            let hold = self.gate.exclusive_unless_busy();
            if !hold.is_nothing() {
                self.begin_full_sync(&settings);
            }
        }
        if new_second {
            self.second_pulse(&settings, now);
        }
    }

    fn second_pulse(&self, settings: &Settings, now: UnixMillis) {
        let replicas = self.replication.replicas();
        if replicas.is_empty() {
            return self.give_up_backlog(settings, now);
        }
        let replication = &settings.replication;
        if now.seconds() % i64::from(replication.repl_ping_replica_period.max(1)) == 0 && !self.is_handing_over(now) {
            self.feed.append_bare(&[b"PING"]);
        }
        for replica in &replicas {
            replica.set_limit(output_limit(settings));
            replica.keep_alive();
            let silent_s = (now.0 - replica.heard_at().0) / 1000;
            if replica.is_online() && !replica.is_silent && silent_s > i64::from(replication.repl_timeout) {
                tracing::warn!("Disconnecting timedout replica (streaming sync): {}", replica.name());
                replica.close(self, CloseReason::Asked);
            }
            self.enforce_limits(settings, replica, now);
        }
    }

    /// Clients are held back while the last of the stream is on its way to whoever takes over.
    fn is_handing_over(&self, now: UnixMillis) -> bool {
        self.pause.current(now).is_some() && self.replication.state.lock().failover.is_some()
    }

    fn enforce_limits(&self, settings: &Settings, replica: &Arc<Replica>, now: UnixMillis) {
        if replica.is_overrun() {
            return replica.client.close(CloseReason::OutputLimit);
        }
        let limit = settings.limits.client_output_buffer_limit.replica;
        let since = &replica.client.soft_limit_since;
        if limit.soft_bytes == 0 || replica.behind(self.feed.end()) < limit.soft_bytes {
            since.store(0, Relaxed);
        } else if since.load(Relaxed) == 0 {
            since.store(now.seconds(), Relaxed);
        } else if now.seconds() - since.load(Relaxed) > limit.soft_seconds as i64 {
            replica.client.close(CloseReason::OutputLimit);
        }
    }

    fn give_up_backlog(&self, settings: &Settings, now: UnixMillis) {
        let patience_s = settings.replication.repl_backlog_ttl;
        let mut state = self.replication.state.lock();
        let idle_s = (now.seconds() - state.idle_since).max(0) as u64;
        if state.backlog && state.primary.is_none() && patience_s > 0 && idle_s > patience_s {
            state.history.begin_anew();
            state.backlog = false;
            self.feed.detach();
            tracing::info!("Replication backlog freed after {patience_s} seconds without connected replicas.");
        }
    }
}
