//! The link to the primary, on a thread of its own: dials, introduces itself, takes the snapshot, follows the stream, and dials again when
//! that ends.
//!
//! What is done with what comes in is the engine's; what is said is `replication`'s. Here are the socket and the clock. A panic ends one life of
//! the link and not the thread: nobody would follow the primary any more.

mod dial;
mod follow;
mod snapshot;

use std::time::Duration;

use crate::base::panic::caught;
use crate::engine::{Engine, LinkPhase};

/// Between two attempts.
const RETRY: Duration = Duration::from_secs(1);
/// Nothing is to be done until somebody asks for it.
const FOR_LONG: Duration = Duration::from_secs(3600);

/// Starts the thread.
pub fn start(engine: &'static Engine) -> std::io::Result<()> {
    std::thread::Builder::new().name("replica-link".into()).spawn(move || run(engine)).map(drop)
}

fn run(engine: &'static Engine) {
    loop {
        let (generation, primary) = engine.primary();
        let Some(primary) = primary else {
            engine.await_other_primary(generation, FOR_LONG);
            continue;
        };
        match caught(|| follow::follow(engine, generation, &primary)) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("{error}"),
            Err(panic) => {
                tracing::error!("The link to MASTER {primary} has panicked and begins anew with a full copy: {panic}");
                engine.distrust_copy(generation);
            }
        }
        let phase = engine.replication.link.report().phase;
        let was_up = phase == LinkPhase::Connected;
        // Whoever has just answered is not to be waited for.
        let pause = if was_up || phase == LinkPhase::Transfer { RETRY / 10 } else { RETRY };
        engine.link_is_down(generation);
        engine.replication.link.ended();
        if was_up {
            tracing::info!("Connection with master lost.");
        }
        if engine.still_follows(generation) {
            engine.await_other_primary(generation, pause);
            tracing::info!("Reconnecting to MASTER {primary}");
        }
    }
}
