//! Signals: SIGTERM and SIGINT end the server, SIGABRT at once and with a report in the log; SIGHUP reloads certificates.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::certificates;
use crate::base::crash_report;
use crate::config::values::ShutdownFlags;
use crate::engine::{Engine, Shutdown};

/// Runs for ever.
pub async fn run(engine: &'static Engine) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut abort = signal(SignalKind::from_raw(libc::SIGABRT))?;
    // A write beyond the limit on files' lengths is then an error as any other.
    let mut too_long = signal(SignalKind::from_raw(libc::SIGXFSZ))?;
    loop {
        tokio::select! {
            () = received(&mut terminate) => {
                end(engine, "SIGTERM", engine.config.settings().general.shutdown_on_sigterm);
            }
            () = received(&mut interrupt) => interrupted(engine),
            () = received(&mut too_long) => {}
            () = received(&mut abort) => crash_report::end_by(libc::SIGABRT),
            () = received(&mut hangup) => certificates::reload(engine, "SIGHUP"),
        }
    }
}

async fn received(signal: &mut Signal) {
    if signal.recv().await.is_none() {
        std::future::pending().await
    }
}

/// The second interrupt does not wait for the snapshot that the first one began.
fn interrupted(engine: &Engine) {
    if engine.saving.give_up_last_save() {
        tracing::warn!("You insist... exiting now.");
    } else {
        end(engine, "SIGINT", engine.config.settings().general.shutdown_on_sigint);
    }
}

fn end(engine: &Engine, name: &str, how: ShutdownFlags) {
    tracing::warn!("Received {name} scheduling shutdown...");
    engine.request_shutdown(Shutdown { exit_code: 0, how, client: None });
}
