//! Ending the process on request: of a client, which waits meanwhile, or of a signal.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::{Engine, PauseCause, PauseScope};
use crate::base::clock::UnixMillis;
use crate::config::values::ShutdownFlags;
use crate::session::{ClientFlags, ClientId, Signal};

/// How often a held request is looked at again.
const HELD: Duration = Duration::from_millis(20);

/// How the process is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shutdown {
    /// The process's exit code.
    pub exit_code: i32,
    /// Whether it saves first, and whether an error stops it.
    pub how: ShutdownFlags,
    /// Who asked for it, waits, and is told if it fails; none if it was a signal.
    pub client: Option<ClientId>,
}

impl Engine {
    /// Asks the process to end.
    pub fn request_shutdown(&self, shutdown: Shutdown) {
        *self.shutdown.lock() = Some(shutdown);
        self.running_script.hang_up();
        self.shutdown_wanted.notify_one();
    }

    /// Takes a request back that nobody has acted upon; `false` if there is none.
    pub fn abort_shutdown(&self) -> bool {
        let closing = self.closing.lock().take();
        if closing.is_some() {
            self.pause.end(PauseCause::Shutdown);
        }
        let pending = self.shutdown.lock().take();
        let aborted = closing.is_some() || pending.is_some();
        if aborted {
            self.refuse_shutdowns();
        }
        aborted
    }

    /// Tells all clients who asked for a shutdown that it will not be: several may have, and one request stands for all.
    pub fn refuse_shutdowns(&self) {
        self.shutdown.lock().take_if(|pending| pending.client.is_some());
        for client in self.clients.all() {
            let waiter = self.waiters.of_client(client.id).filter(|waiter| waiter.wait.is_for_the_end());
            let Some(waiter) = waiter else { continue };
            let Some(mut over) = waiter.claim() else { continue };
            *over = true;
            drop(over);
            self.waiters.forget(&waiter);
            waiter.client.set_flags(ClientFlags::BLOCKED, false);
            waiter.client.post(Signal::Unblocked(b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n".to_vec()));
        }
    }

    /// Replicas are given time to get everything: nobody writes meanwhile, and the request can be taken back. `false` if they have
    /// everything.
    pub fn begin_closing(&self, shutdown: Shutdown, until: UnixMillis) -> bool {
        if self.replicas_are_level() {
            return false;
        }
        *self.closing.lock() = Some((shutdown, until));
        self.ask_for_acks();
        self.pause.start(PauseCause::Shutdown, PauseScope::Writes, UnixMillis(i64::MAX));
        true
    }

    /// When the time of the replicas is up, while they are given time.
    pub fn closing_until(&self) -> Option<UnixMillis> {
        self.closing.lock().map(|(_, until)| until)
    }

    /// Whether the request has not been taken back.
    pub fn is_closing(&self) -> bool {
        self.closing.lock().is_some()
    }

    /// The request cannot be taken back any more.
    pub fn end_closing(&self) {
        *self.closing.lock() = None;
    }

    /// Resolves when the process has been asked to end; the request is taken. Acting upon signals is periodic work, which can be held.
    pub async fn shutdown_requested(&self) -> Shutdown {
        loop {
            let held = {
                let mut pending = self.shutdown.lock();
                let held = pending.is_some_and(|shutdown| shutdown.client.is_none() && self.cron_paused.load(Relaxed));
                match pending.take_if(|_| !held) {
                    Some(shutdown) => return shutdown,
                    None => held,
                }
            };
            if held {
                tokio::time::sleep(HELD).await;
            } else {
                self.shutdown_wanted.notified().await;
            }
        }
    }
}
