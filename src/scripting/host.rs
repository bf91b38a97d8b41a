//! What a running script may ask of the server: the trait, and how code deep inside an interpreter reaches its implementation.
//!
//! Scripts stand below the engine and call commands through it, so the engine implements [`Host`] and lends itself for one
//! run. The loan is a scoped thread-local: functions registered in an interpreter live as long as the interpreter, the host
//! lives for one run, and nothing has to be proved with a pointer.

use std::cell::RefCell;
use std::rc::Rc;

use scoped_tls::scoped_thread_local;

use crate::resp::{OwnedArgs, Protocol, WireError};

/// What scripts ask of the server.
pub trait Host {
    /// Runs a command; its reply is appended to `reply`. An error refuses the command before it ran.
    fn call(&mut self, args: &OwnedArgs, reply: &mut Vec<u8>) -> Result<(), WireError>;

    /// The protocol commands reply in.
    fn protocol(&self) -> Protocol;

    /// Commands reply in this protocol from now on.
    fn set_protocol(&mut self, protocol: Protocol);

    /// Where the effects of commands go from now on.
    fn set_replication(&mut self, targets: ReplicationTargets);

    /// Whether the caller may run a command; `None` if there is no such command.
    fn may_run(&self, args: &OwnedArgs) -> Option<bool>;

    /// Called from time to time while a script runs. May take as long as it likes, and lets others work meanwhile.
    fn interrupt(&mut self) -> Verdict;

    /// Sends what the script's debugger has said to its client, and waits for what that says next.
    fn converse(&mut self, said: Vec<u8>) -> Heard;

    /// Whether the script has been killed.
    fn is_killed(&self) -> bool;
}

/// What a debugger hears of its client.
#[derive(Clone, Debug)]
pub enum Heard {
    /// A command.
    Command(OwnedArgs),
    /// Something that is none, and why.
    Broken(&'static str),
    /// Nothing any more: it has left.
    Gone,
}

/// Whether a script goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Continue,
    /// It has been killed.
    Kill,
}

bitflags::bitflags! {
    /// Where the effects of a script's commands go, with the values of `redis.REPL_*`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ReplicationTargets: u8 {
        /// The append-only file.
        const AOF = 1;
        /// Replicas.
        const REPLICAS = 2;
    }
}

/// A host as a run shares it with the engine.
pub type SharedHost = Rc<RefCell<dyn Host>>;

scoped_thread_local!(static CURRENT: SharedHost);

/// Lends `host` to everything that `run` calls.
pub(super) fn lend<R>(host: &SharedHost, run: impl FnOnce() -> R) -> R {
    CURRENT.set(host, run)
}

/// Asks the host of the running script; `None` when no script runs, or its host is busy with a request of the same script.
pub(super) fn ask<R>(question: impl FnOnce(&mut dyn Host) -> R) -> Option<R> {
    if !CURRENT.is_set() {
        return None;
    }
    CURRENT.with(|host| host.try_borrow_mut().ok().map(|mut host| question(&mut *host)))
}
