//! The request for the cut-over, by signal: the first one asks for it, a second one gives up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::signal::unix::{SignalKind, signal};

/// Whether the cut-over has been asked for.
#[derive(Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Whether it has been.
    pub fn is_asked_for(&self) -> bool {
        self.0.load(Relaxed)
    }

    /// Asks.
    pub fn ask(&self) {
        self.0.store(true, Relaxed);
    }

    /// Listens for signals from now on, on a thread of its own.
    pub fn listen(&self) -> std::io::Result<()> {
        let stop = self.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let entered = runtime.enter();
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        drop(entered);
        let wait = async move {
            loop {
                tokio::select! { _ = interrupt.recv() => {} _ = terminate.recv() => {} }
                if stop.is_asked_for() {
                    eprintln!("given up: the target has a part of the data only");
                    std::process::exit(1);
                }
                stop.ask();
            }
        };
        std::thread::Builder::new().name("signals".into()).spawn(move || runtime.block_on(wait)).map(drop)
    }
}
