//! Loading the snapshot at the start, on a thread of its own, while clients are told to wait.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use tokio::sync::oneshot;

use crate::engine::{Engine, LoadMode};

/// Says that loading is about to begin. Called before anybody can connect.
pub fn announce(engine: &Engine) {
    engine.saving.loads.active.store(true, Relaxed);
}

/// Loads; resolves with an error where the server must not go on.
pub async fn run(engine: &'static Engine) -> Result<(), String> {
    let (done, result) = oneshot::channel();
    let work = move || {
        // Nobody may be listening any more: the process is on its way out then.
        let _ = done.send(load(engine));
    };
    std::thread::Builder::new().name("loader".into()).spawn(work).map_err(|error| format!("no thread: {error}"))?;
    let loaded = result.await.unwrap_or_else(|_| Err("the loading broke off".into()));
    if loaded.is_ok() {
        engine.saving.loads.active.store(false, Relaxed);
    }
    loaded
}

fn load(engine: &'static Engine) -> Result<(), String> {
    let started = Instant::now();
    let settings = engine.config.settings();
    let loaded = engine.load_snapshot(&settings, LoadMode::default()).map_err(|error| error.to_string())?;
    if loaded.is_some() {
        tracing::info!("DB loaded from disk: {:.3} seconds", started.elapsed().as_secs_f64());
    }
    Ok(())
}
