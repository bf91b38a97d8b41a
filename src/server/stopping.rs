//! Stopping: saving first where that is wanted, and going on where it fails.

use std::time::{Duration, Instant};

use crate::engine::{Engine, Hold, Shutdown};
use crate::session::{ClientFlags, ClientId, Signal};

/// How long a save in the background that was given up may take to clean up after itself.
const GIVE_UP: Duration = Duration::from_secs(5);

/// Does what comes before the end; `None` where that fails and the server goes on. The hold keeps everybody out whose change would no
/// longer be saved.
pub fn prepare(engine: &'static Engine, shutdown: Shutdown) -> Option<Hold<'static>> {
    if engine.saving.give_up() {
        tracing::warn!("There is a child saving an .rdb. Killing it!");
        let end = Instant::now() + GIVE_UP;
        while engine.saving.in_background() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let settings = engine.config.settings();
    let has_save_points = !settings.persistence.save.0.is_empty();
    let wanted = (has_save_points && !shutdown.how.nosave) || shutdown.how.save;
    // What is half loaded must not replace the file it comes from.
    if !wanted || engine.saving.loads.is_active() {
        return Some(Hold::Nothing);
    }
    tracing::info!("Saving the final RDB snapshot before exiting.");
    let hold = engine.gate.exclusive();
    match (engine.save_now(&settings), shutdown.how.force) {
        (Ok(()), _) => Some(hold),
        (Err(_), true) => {
            tracing::warn!("Error trying to save the DB. Exit anyway.");
            Some(hold)
        }
        (Err(_), false) => {
            tracing::warn!("Error trying to save the DB, can't exit.");
            tracing::warn!("Errors trying to shut down the server. Check the logs for more information.");
            drop(hold);
            if let Some(client) = shutdown.client {
                tell(engine, client);
            }
            None
        }
    }
}

/// Ends the wait of the client that asked for the shutdown.
fn tell(engine: &Engine, client: ClientId) {
    let Some(waiter) = engine.waiters.of_client(client) else { return };
    let Some(mut over) = waiter.claim() else { return };
    *over = true;
    drop(over);
    engine.waiters.forget(&waiter);
    waiter.client.set_flags(ClientFlags::BLOCKED, false);
    waiter.client.post(Signal::Unblocked(b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n".to_vec()));
}
