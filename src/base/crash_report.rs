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

/// Reports a signal, and ends the process by it as if nobody had caught it: whoever started the process sees which one it was.
pub fn end_by(signal: i32) -> ! {
    log(&format!("crashed by signal: {signal}"));
    // SAFETY: plain numbers, and no handler that could see a state half changed: the default takes its place first, since the
    // runtime's own handler of SIGSEGV would take the first one for nothing.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
    std::process::abort()
}
