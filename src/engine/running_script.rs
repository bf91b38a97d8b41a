//! What others may know of a script that runs past its time or is debugged, and killing it.
//!
//! A script that ends in time is never heard of: nobody could ask, since it holds the gate.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::gate::Gate;
use super::script_host::ScriptKind;
use crate::resp::{OwnedArgs, WireError};

/// The script that runs past its time.
#[derive(Default)]
pub struct RunningScript {
    known: Mutex<Option<Known>>,
    killed: AtomicBool,
    /// Whether it has stopped in a debugger: others wait then, instead of hearing that the server is busy.
    debugged: AtomicBool,
    /// Whether its debugger is to go on without its client, since the process is to end.
    hung_up: AtomicBool,
    /// Told when a script that is debugged has ended, or its debugger is to hear no more.
    debugging: Notify,
    /// Whether scripts may run every command (`DEBUG SET-DISABLE-DENY-SCRIPTS`).
    allow_all: AtomicBool,
}

struct Known {
    kind: ScriptKind,
    name: String,
    request: OwnedArgs,
    started: Instant,
    wrote: bool,
}

/// What FUNCTION STATS tells of it.
pub struct RunningReport {
    /// What it is.
    pub kind: ScriptKind,
    /// Its name.
    pub name: String,
    /// The request that called it.
    pub request: OwnedArgs,
    /// For how long it has been running.
    pub millis: u128,
}

const BUSY_SCRIPT: WireError =
    WireError::fixed("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.");
const BUSY_FUNCTION: WireError =
    WireError::fixed("BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.");

impl RunningScript {
    /// Whether there is one.
    pub fn is_known(&self) -> bool {
        self.known.lock().is_some()
    }

    /// A script has passed its time: from now on others are told that the server is busy.
    pub(super) fn make_known(&self, gate: &Gate, kind: ScriptKind, name: &str, request: &OwnedArgs, started: Instant) {
        let known = Known { kind, name: name.to_owned(), request: request.clone(), started, wrote: false };
        *self.known.lock() = Some(known);
        gate.set_busy(true);
    }

    /// A script has stopped in a debugger: from now on others wait until it has ended.
    pub(super) fn hold_for_debugger(
        &self,
        gate: &Gate,
        kind: ScriptKind,
        name: &str,
        request: &OwnedArgs,
        started: Instant,
    ) {
        self.debugged.store(true, SeqCst);
        if !self.is_known() {
            self.make_known(gate, kind, name, request, started);
        }
    }

    /// Whether there is one that somebody debugs.
    pub fn is_debugged(&self) -> bool {
        self.debugged.load(SeqCst)
    }

    /// Resolves when no script is debugged.
    pub async fn debugging_ended(&self) {
        loop {
            let told = self.debugging.notified();
            if !self.is_debugged() {
                return;
            }
            told.await;
        }
    }

    /// Resolves when a debugger is to hear no more of its client.
    pub async fn is_hung_up(&self) {
        loop {
            let told = self.debugging.notified();
            if self.is_killed() || self.hung_up.load(SeqCst) {
                return;
            }
            told.await;
        }
    }

    /// The process is to end: a debugger does not wait for its client any longer.
    pub(super) fn hang_up(&self) {
        if self.is_debugged() {
            self.hung_up.store(true, SeqCst);
            self.debugging.notify_waiters();
        }
    }

    /// Whether it has written; it cannot be killed then.
    pub(super) fn set_wrote(&self, wrote: bool) {
        if let Some(known) = &mut *self.known.lock() {
            known.wrote = wrote;
        }
    }

    /// A script has ended.
    pub(super) fn end(&self, gate: &Gate) {
        if self.known.lock().take().is_some() {
            gate.set_busy(false);
        }
        self.killed.store(false, SeqCst);
        if self.debugged.swap(false, SeqCst) {
            self.hung_up.store(false, SeqCst);
            self.debugging.notify_waiters();
        }
    }

    /// What others are told while it runs.
    pub fn busy_error(&self) -> WireError {
        match self.known.lock().as_ref().map(|known| known.kind) {
            Some(ScriptKind::Function) => BUSY_FUNCTION,
            _ => BUSY_SCRIPT,
        }
    }

    /// What there is to tell of it.
    pub fn report(&self) -> Option<RunningReport> {
        let known = self.known.lock();
        known.as_ref().map(|known| RunningReport {
            kind: known.kind,
            name: known.name.clone(),
            request: known.request.clone(),
            millis: known.started.elapsed().as_millis(),
        })
    }

    /// Kills it, on behalf of SCRIPT KILL or FUNCTION KILL.
    pub fn kill(&self, kind: ScriptKind) -> Result<(), WireError> {
        let known = self.known.lock();
        let Some(known) = known.as_ref() else {
            return Err(WireError::fixed("NOTBUSY No scripts in execution right now."));
        };
        if known.wrote {
            return Err(WireError::fixed(
                "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the \
                 script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.",
            ));
        }
        if known.kind != kind {
            return Err(if known.kind == ScriptKind::Function { BUSY_FUNCTION } else { BUSY_SCRIPT });
        }
        tracing::info!("Lua script killed by user with SCRIPT KILL.");
        self.killed.store(true, SeqCst);
        self.debugging.notify_waiters();
        Ok(())
    }

    /// Whether it has been killed.
    pub fn is_killed(&self) -> bool {
        self.killed.load(SeqCst)
    }

    /// Lets scripts run every command, or not.
    pub fn allow_all_commands(&self, allow: bool) {
        self.allow_all.store(allow, SeqCst);
    }

    /// Whether scripts may run every command.
    pub(super) fn all_commands_allowed(&self) -> bool {
        self.allow_all.load(SeqCst)
    }
}
