//! Reloading certificates, on a signal or when their files have changed.

use crate::engine::Engine;

/// Reads the TLS files anew; connections stay, and on an error the old configuration does too.
pub fn reload(engine: &Engine, why: &str) {
    let Some(tls) = &engine.tls else { return };
    match tls.reload_files() {
        Ok(()) => tracing::info!(serial = tls.current().certificate().serial, "Certificates reloaded ({why})"),
        Err(error) => tracing::error!("Certificates not reloaded ({why}), the old ones stay: {error}"),
    }
}

/// Reloads if the files have changed since they were read.
pub fn reload_if_changed(engine: &Engine) {
    if engine.tls.as_ref().is_some_and(|tls| tls.files_changed()) {
        reload(engine, "files changed");
    }
}
