//! Loading the snapshot, or the append only file, at the start, on a thread of its own, while clients are told to wait.

use std::convert::Infallible;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{check_rdb, terminal};
use crate::base::progress::{Progress, Teller};
use crate::config::Settings;
use crate::engine::{AofFailed, Engine, LoadError, LoadMode};

/// How often the progress is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// What is loaded sooner is not drawn.
const DRAWN_AFTER: Duration = Duration::from_millis(300);

/// Says that loading is about to begin. Called before anybody can connect.
pub fn announce(engine: &Engine) {
    engine.saving.loads.active.store(true, Relaxed);
}

/// Nothing can be loaded, or not be gone on with; the log says why.
#[derive(Clone, Copy, Debug)]
pub struct LoadFailed;

/// Loads; resolves with an error where the server must not go on.
pub async fn run(engine: &'static Engine) -> Result<(), LoadFailed> {
    let (done, result) = oneshot::channel();
    let work = move || {
        // Nobody may be listening any more: the process is on its way out then.
        let _ = done.send(load(engine));
    };
    if let Err(error) = std::thread::Builder::new().name("loader".into()).spawn(work) {
        tracing::error!("no thread for loading: {error}");
        return Err(LoadFailed);
    }
    let loaded = tokio::select! {
        loaded = result => loaded.unwrap_or(Err(LoadFailed)),
        never = show_progress(engine) => match never {},
    };
    if terminal::is_watched() {
        terminal::show(String::new());
    }
    loaded?;
    engine.saving.loads.active.store(false, Relaxed);
    Ok(())
}

/// Tells the log now and then how far loading has come, and draws it where standard output is a terminal.
async fn show_progress(engine: &Engine) -> Infallible {
    let (loads, started, mut teller) = (&engine.saving.loads, Instant::now(), Teller::default());
    let watched = terminal::is_watched();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let (done, total) = (loads.done_bytes.load(Relaxed), loads.total_bytes.load(Relaxed));
        if total == 0 {
            continue;
        }
        if let Some(progress) = teller.due(done, total) {
            tracing::info!("Loading: {progress}");
        }
        if watched && started.elapsed() >= DRAWN_AFTER {
            let progress = Progress { done, total, elapsed_s: started.elapsed().as_secs() };
            terminal::show(terminal::bar("Loading", &progress));
        }
    }
}

fn load(engine: &'static Engine) -> Result<(), LoadFailed> {
    let started = Instant::now();
    let settings = engine.config.settings();
    // An error there has been logged as the last line, which is where it is looked for.
    let failed = |AofFailed| LoadFailed;
    engine.read_aof_manifest(&settings).map_err(failed)?;
    if settings.persistence.appendonly {
        if engine.load_append_only(&settings, false).map_err(failed)? {
            tracing::info!("DB loaded from append only file: {:.3} seconds", started.elapsed().as_secs_f64());
        }
        engine.open_append_only(&settings).map_err(failed)?;
    } else {
        load_snapshot(engine, &settings, started)?;
    }
    engine.remove_aof_history(&settings);
    Ok(())
}

fn load_snapshot(engine: &'static Engine, settings: &Settings, started: Instant) -> Result<(), LoadFailed> {
    // Expired keys of a replica go when its primary says so.
    let mode = LoadMode { keep_expired: engine.replication.is_replica(), ..LoadMode::default() };
    match engine.load_snapshot(settings, mode) {
        Ok(Some(loaded)) => {
            tracing::info!("DB loaded from disk: {:.3} seconds", started.elapsed().as_secs_f64());
            if let (Some(id), Some(offset)) = (loaded.stream_id, loaded.stream_offset) {
                engine.resume_history(id, offset, loaded.stream_db.unwrap_or_default());
                engine.replay_expired(settings, &loaded.gone);
            }
        }
        Ok(None) => {}
        Err(error) => {
            let damaged = matches!(error, LoadError::Read { .. });
            if let LoadError::Read { path, .. } = &error {
                tell_what_can_be_read(path);
            }
            tracing::error!("{error}");
            if damaged {
                tracing::error!("Terminating server after rdb file reading failure.");
            }
            tracing::error!("Fatal error loading the DB, check server logs. Exiting.");
            return Err(LoadFailed);
        }
    }
    Ok(())
}

/// Logs what `check-rdb` says of a damaged file.
fn tell_what_can_be_read(path: &Path) {
    match check_rdb::run(path) {
        Ok((report, _)) => report.lines().for_each(|line| tracing::warn!("{line}")),
        Err(error) => tracing::warn!("{error}"),
    }
}
