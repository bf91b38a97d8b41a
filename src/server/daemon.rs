//! The process: into the background, and its pid file.

use std::fs;
use std::io;

use crate::config::Settings;

/// The pid file of a background process that names none.
const DEFAULT_PIDFILE: &str = "/var/run/redis.pid";

/// Leaves the terminal: forks, ends the parent, starts a session. Must be called before any thread is started.
pub fn into_background() -> io::Result<()> {
    // SAFETY: no other thread exists yet, so the child may go on as the parent would.
    match unsafe { libc::fork() } {
        -1 => return Err(io::Error::last_os_error()),
        0 => {}
        _ => std::process::exit(0),
    }
    // SAFETY: setsid has no preconditions; the child of a fork leads no group, so it cannot fail.
    unsafe { libc::setsid() };
    let null = fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
    use std::os::fd::AsRawFd;
    for standard in 0..=2 {
        // SAFETY: both descriptors are open.
        if unsafe { libc::dup2(null.as_raw_fd(), standard) } == -1 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

fn pidfile(settings: &Settings) -> Option<&str> {
    let general = &settings.general;
    match (general.pidfile.is_empty(), general.daemonize) {
        (false, _) => Some(&general.pidfile),
        (true, true) => Some(DEFAULT_PIDFILE),
        (true, false) => None,
    }
}

/// Writes the pid file, where there is to be one.
pub fn write_pidfile(settings: &Settings) -> Result<(), String> {
    let Some(path) = pidfile(settings) else { return Ok(()) };
    fs::write(path, format!("{}\n", std::process::id())).map_err(|error| format!("pidfile {path}: {error}"))
}

/// Removes the pid file.
pub fn remove_pidfile(settings: &Settings) {
    if let Some(path) = pidfile(settings)
        && let Err(error) = fs::remove_file(path)
    {
        tracing::debug!("pidfile {path}: {error}");
    }
}
