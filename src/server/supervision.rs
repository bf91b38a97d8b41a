//! What surrounds the process: the supervisor that waits for it, and the kernel's knobs that the configuration names.
//!
//! None of it stops the server from serving: what fails is logged.

use crate::base::process;
use crate::config::Settings;
use crate::config::values::Supervised;
use crate::engine::Engine;

/// Applies `oom-score-adj`, `disable-thp` and the process title.
pub fn adjust_process(engine: &Engine, settings: &Settings) {
    if let Err(error) = engine.adjust_oom_score(settings) {
        tracing::warn!("oom-score-adj: the out-of-memory score cannot be adjusted: {error}");
    }
    if settings.general.disable_thp
        && let Err(error) = process::disable_huge_pages()
    {
        tracing::debug!("disable-thp: {error}");
    }
    engine.show_title(settings);
}

/// Tells the supervisor that connections are accepted.
pub fn announce_ready(settings: &Settings) {
    let told = match settings.general.supervised {
        Supervised::No => return,
        Supervised::Systemd => process::notify_systemd("STATUS=Ready to accept connections\nREADY=1\n"),
        Supervised::Upstart => process::stop_for_upstart(),
        Supervised::Auto => match process::notify_systemd("STATUS=Ready to accept connections\nREADY=1\n") {
            // Finding nobody is an answer to the question too.
            Ok(false) => process::stop_for_upstart().map(|_| true),
            told => told,
        },
    };
    match told {
        Ok(true) => {}
        Ok(false) => tracing::warn!("supervised is set, but the environment names no supervisor"),
        Err(error) => tracing::warn!("supervised: the supervisor cannot be told: {error}"),
    }
}

/// Tells the supervisor that the end has begun.
pub fn announce_stopping(settings: &Settings) {
    if matches!(settings.general.supervised, Supervised::Systemd | Supervised::Auto)
        && let Err(error) = process::notify_systemd("STOPPING=1\n")
    {
        tracing::warn!("supervised: the supervisor cannot be told: {error}");
    }
}
