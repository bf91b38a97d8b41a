//! Stopping: saving first where that is wanted, and going on where it fails.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::base::clock::UnixMillis;
use crate::engine::{AofState, Engine, PauseCause, SaveError, Shutdown, Ticket};

/// How long a save in the background that was given up may take to clean up after itself.
const GIVE_UP: Duration = Duration::from_secs(5);

/// How often replicas are looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Does what comes before the end; the exit code, or `None` where that fails and the server goes on.
pub async fn prepare(engine: &'static Engine, shutdown: Shutdown) -> Option<i32> {
    if !await_replicas(engine, shutdown).await {
        return None;
    }
    engine.report_lagging_replicas();
    if engine.saving.give_up() {
        tracing::warn!("There is a child saving an .rdb. Killing it!");
        let end = Instant::now() + GIVE_UP;
        while engine.saving.in_background() && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    if !end_append_only(engine, shutdown) {
        return None;
    }
    let has_save_points = !engine.config.settings().persistence.save.0.is_empty();
    let wanted = (has_save_points && !shutdown.how.nosave) || shutdown.how.save;
    // What is half loaded must not replace the file it comes from.
    if !wanted || engine.saving.loads.is_active() {
        return Some(shutdown.exit_code);
    }
    tracing::info!("Saving the final RDB snapshot before exiting.");
    let ticket = engine.saving.begin_last_save();
    let saved = save(engine, &ticket, shutdown.how.force).await;
    if ticket.is_withdrawn() {
        return Some(1);
    }
    if saved.is_ok() {
        return Some(shutdown.exit_code);
    }
    if shutdown.how.force {
        tracing::warn!("Error trying to save the DB. Exit anyway.");
        return Some(shutdown.exit_code);
    }
    engine.saving.end_last_save();
    tracing::warn!("Error trying to save the DB, can't exit.");
    refuse(engine);
    None
}

/// Ends the rewriting of the append only file, and brings it to disk; `false` if that must not be.
fn end_append_only(engine: &'static Engine, shutdown: Shutdown) -> bool {
    let state = engine.append_only.state();
    if engine.append_only.is_rewriting() {
        if state == AofState::WaitsForBase {
            if !shutdown.how.force {
                tracing::warn!("Writing initial AOF, can't exit.");
                refuse(engine);
                return false;
            }
            tracing::warn!("Writing initial AOF. Exit anyway.");
        }
        tracing::warn!("There is a child rewriting the AOF. Killing it!");
        engine.give_up_rewrite();
    }
    if state != AofState::Off {
        tracing::info!("Calling fsync() on the AOF file.");
        engine.flush_append_only();
    }
    true
}

fn refuse(engine: &Engine) {
    engine.pause.end(PauseCause::Shutdown);
    tracing::warn!("Errors trying to shut down the server. Check the logs for more information.");
    engine.refuse_shutdowns();
}

/// Gives replicas time to get everything, as `shutdown-timeout` says; `false` if the request was taken back meanwhile.
async fn await_replicas(engine: &'static Engine, shutdown: Shutdown) -> bool {
    let patience = Duration::from_secs(engine.config.settings().general.shutdown_timeout.into());
    let until = UnixMillis(UnixMillis::now().0 + patience.as_millis() as i64);
    if shutdown.how.now || patience.is_zero() || !engine.begin_closing(shutdown, until) {
        return true;
    }
    tracing::info!("Waiting for replicas before shutting down.");
    let end = Instant::now() + patience;
    while Instant::now() < end && engine.is_closing() && !engine.replicas_are_level() {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    let goes_on = engine.is_closing();
    engine.end_closing();
    goes_on
}

/// Saves on a thread of its own, so that a second signal is heard. If the process ends afterwards, the thread keeps the gate: nobody may
/// be told that a change was made which is saved no more.
async fn save(engine: &'static Engine, ticket: &Arc<Ticket>, force: bool) -> Result<(), SaveError> {
    let (done, result) = oneshot::channel();
    let ticket = Arc::clone(ticket);
    let work = move || {
        let settings = engine.config.settings();
        let hold = engine.gate.exclusive();
        let saved = engine.save_now(&settings, &ticket);
        let ends = saved.is_ok() || force || ticket.is_withdrawn();
        if !ends {
            drop(hold);
            // The receiver waits in this same process.
            let _ = done.send(saved);
            return;
        }
        let _ = done.send(saved);
        loop {
            std::thread::park();
        }
    };
    if let Err(error) = std::thread::Builder::new().name("last-save".into()).spawn(work) {
        tracing::warn!("no thread: {error}");
        return Err(SaveError);
    }
    result.await.unwrap_or(Err(SaveError))
}
