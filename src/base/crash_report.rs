//! What the log says of a process that ends because something is broken: why, and where it was.

use std::backtrace::Backtrace;

/// Logs why the process is about to end, and the stack of the thread that says so.
pub fn log(reason: &str) {
    tracing::error!("=== REDIS BUG REPORT START: Cut & paste starting from here ===");
    tracing::error!("redis-tls {} {reason}", env!("CARGO_PKG_VERSION"));
    tracing::error!("------ STACK TRACE ------");
    let trace = Backtrace::force_capture().to_string();
    trace.lines().for_each(|line| tracing::error!("{line}"));
    tracing::error!("=== REDIS BUG REPORT END ===");
}
