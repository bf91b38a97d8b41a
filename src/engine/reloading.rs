//! Loading what is on disk on behalf of a client, while the server serves: the client waits, others are told that the server is loading.
//!
//! The loading runs on a thread of its own, since a worker that loads could not tell its other clients anything. The thread is there before
//! anything is removed, and begins when whoever started it has left the gate: its client is parked by then.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{SyncSender, sync_channel};

use super::Engine;
use crate::config::Settings;
use crate::resp::WireError;
use crate::session::{ClientFlags, ClientId, Signal};

/// What is to be loaded. Must not count on holding the gate.
pub type LoadWork = Box<dyn FnOnce(&'static Engine, &Settings) -> Result<(), WireError> + Send>;

/// A loading that waits for the word. Dropped without it, nothing is loaded.
pub struct PreparedLoad {
    engine: &'static Engine,
    word: SyncSender<()>,
}

impl PreparedLoad {
    /// Has it begin. The caller holds the gate exclusively, and has its client wait until what it loads is there.
    pub fn begin(self) {
        self.engine.saving.loads.active.store(true, Relaxed);
        // Where the thread has ended, it has ended with the process.
        let _ = self.word.send(());
    }
}

impl Engine {
    /// Gets a loading ready whose end a client waits for.
    pub fn prepare_load(
        &'static self,
        client: ClientId,
        settings: &Settings,
        work: LoadWork,
    ) -> std::io::Result<PreparedLoad> {
        let (word, told) = sync_channel(1);
        let settings = settings.clone();
        let thread = move || {
            if told.recv().is_err() {
                return;
            }
            drop(self.gate.shared());
            let result = work(self, &settings);
            self.saving.loads.active.store(false, Relaxed);
            self.end_load_wait(client, result);
        };
        std::thread::Builder::new().name("reload".into()).spawn(thread)?;
        Ok(PreparedLoad { engine: self, word })
    }

    fn end_load_wait(&self, client: ClientId, result: Result<(), WireError>) {
        let waiter = self.waiters.of_client(client).filter(|waiter| waiter.wait.until_loaded);
        let Some(waiter) = waiter else { return };
        let Some(mut over) = waiter.claim() else { return };
        *over = true;
        drop(over);
        self.waiters.forget(&waiter);
        waiter.client.set_flags(ClientFlags::BLOCKED, false);
        self.workers[self.background_worker()].commands[waiter.command].ran(0, result.is_err(), false);
        let reply = match result {
            Ok(()) => b"+OK\r\n".to_vec(),
            Err(error) => {
                self.errors.count(error.code());
                format!("-{error}\r\n").into_bytes()
            }
        };
        waiter.client.post(Signal::Unblocked(reply));
    }
}
