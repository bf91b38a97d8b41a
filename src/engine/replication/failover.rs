//! FAILOVER: the primary hands its role to a replica in good order.
//!
//! Writes are held back until the replica has everything; then this server becomes its replica, and asks it to become the primary.

use super::super::{Engine, PauseCause, PauseScope};
use super::PrimaryAddress;
use crate::base::clock::UnixMillis;
use crate::resp::WireError;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailoverRequest {
    /// The replica to take over; any without.
    pub target: Option<PrimaryAddress>,
    /// Milliseconds the replica has to get everything.
    pub timeout_ms: Option<i64>,
    /// Whether it takes over when the time is up though it has not got everything.
    pub force: bool,
}

pub(super) struct Failover {
    target: Option<PrimaryAddress>,
    until: Option<UnixMillis>,
    force: bool,
    /// Whether this server has become a replica already.
    in_progress: bool,
}

enum Step {
    HandOver(PrimaryAddress),
    Abort(&'static str),
}

impl Engine {
    /// As INFO names it.
    pub fn failover_state(&self) -> &'static str {
        match &self.replication.state.lock().failover {
            None => "no-failover",
            Some(Failover { in_progress: false, .. }) => "waiting-for-sync",
            Some(_) => "failover-in-progress",
        }
    }

    /// Whether the primary that is being dialled is to be asked to take over.
    pub fn is_failing_over(&self) -> bool {
        self.replication.state.lock().failover.as_ref().is_some_and(|failover| failover.in_progress)
    }

    /// Begins.
    pub fn begin_failover(&self, request: FailoverRequest, now: UnixMillis) -> Result<(), WireError> {
        let replicas = self.replication.replicas();
        let mut state = self.replication.state.lock();
        if state.failover.is_some() {
            return Err(WireError::fixed("ERR FAILOVER already in progress."));
        }
        if state.primary.is_some() {
            return Err(WireError::fixed("ERR FAILOVER is not valid when server is a replica."));
        }
        if replicas.is_empty() {
            return Err(WireError::fixed("ERR FAILOVER requires connected replicas."));
        }
        if request.force && (request.timeout_ms.is_none() || request.target.is_none()) {
            return Err(WireError::fixed(
                "ERR FAILOVER with force option requires both a timeout and target HOST and IP.",
            ));
        }
        if let Some(target) = &request.target {
            let named = replicas.iter().find(|replica| {
                replica.facts.port == target.port && replica.address().eq_ignore_ascii_case(&target.host)
            });
            let Some(replica) = named else {
                return Err(WireError::fixed("ERR FAILOVER target HOST and PORT is not a replica."));
            };
            if !replica.is_online() {
                return Err(WireError::fixed("ERR FAILOVER target replica is not online."));
            }
            tracing::info!("FAILOVER requested to {target}.");
        } else {
            tracing::info!("FAILOVER requested to any replica.");
        }
        let until = request.timeout_ms.map(|ms| UnixMillis(now.0.saturating_add(ms)));
        state.failover = Some(Failover { target: request.target, until, force: request.force, in_progress: false });
        drop(state);
        self.pause.start(PauseCause::Failover, PauseScope::Writes, UnixMillis(i64::MAX));
        Ok(())
    }

    /// Gives up; `false` if there is nothing to give up. The caller holds the gate exclusively.
    pub fn abort_failover(&'static self, why: &str) -> bool {
        let Some(failover) = self.replication.state.lock().failover.take() else { return false };
        match &failover.target {
            Some(target) => tracing::info!("FAILOVER to {target} aborted: {why}"),
            None => tracing::info!("FAILOVER to any replica aborted: {why}"),
        }
        if failover.in_progress {
            self.follow_nobody();
        }
        self.pause.end(PauseCause::Failover);
        true
    }

    /// The replica has taken over.
    pub fn end_failover(&self) {
        if self.replication.state.lock().failover.take().is_some() {
            self.pause.end(PauseCause::Failover);
        }
    }

    /// Takes the next step, if it is time. The caller holds no gate.
    pub(super) fn advance_failover(&'static self, now: UnixMillis) {
        let Some(step) = self.next_step(now) else { return };
        let hold = self.gate.exclusive_unless_busy();
        if hold.is_nothing() {
            return;
        }
        match step {
            Step::Abort(why) => {
                self.abort_failover(why);
            }
            Step::HandOver(target) => {
                if let Some(failover) = &mut self.replication.state.lock().failover {
                    failover.in_progress = true;
                    failover.target = Some(target.clone());
                }
                self.follow(target);
            }
        }
    }

    fn next_step(&self, now: UnixMillis) -> Option<Step> {
        let state = self.replication.state.lock();
        let failover = state.failover.as_ref().filter(|failover| !failover.in_progress)?;
        if failover.until.is_some_and(|until| until <= now) {
            return Some(match &failover.target {
                Some(target) if failover.force => {
                    tracing::info!("FAILOVER to {target} time out exceeded, failing over.");
                    Step::HandOver(target.clone())
                }
                _ => Step::Abort("Replica never caught up before timeout"),
            });
        }
        let end = self.feed.end();
        let fits = |address: &PrimaryAddress| failover.target.as_ref().is_none_or(|target| address == target);
        let ready = state.replicas.iter().filter(|replica| replica.is_online() && replica.confirmed() == end);
        let mut addresses = ready.map(|replica| PrimaryAddress { host: replica.address(), port: replica.facts.port });
        let target = addresses.find(fits)?;
        tracing::info!("Failover target {target} is synced, failing over.");
        Some(Step::HandOver(target))
    }
}
