//! What the kernel and a supervisor are told about this process. Linux; elsewhere each call is an error that says so.

use std::io;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

const OOM_SCORE: &str = "/proc/self/oom_score_adj";

/// The adjustment of the out-of-memory score in force, from -1000 to 1000.
pub fn oom_score_adjustment() -> io::Result<i32> {
    let text = std::fs::read_to_string(OOM_SCORE)?;
    text.trim().parse().map_err(io::Error::other)
}

/// Adjusts the out-of-memory score. Lowering it needs CAP_SYS_RESOURCE.
pub fn adjust_oom_score(adjustment: i32) -> io::Result<()> {
    std::fs::write(OOM_SCORE, adjustment.clamp(-1000, 1000).to_string())
}

/// Turns transparent huge pages off for this process.
#[cfg(target_os = "linux")]
pub fn disable_huge_pages() -> io::Result<()> {
    // SAFETY: PR_SET_THP_DISABLE takes one flag and three zeroes, and touches no memory of ours.
    match unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Turns transparent huge pages off for this process.
#[cfg(not(target_os = "linux"))]
pub fn disable_huge_pages() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// How the program was called.
static NAME: OnceLock<String> = OnceLock::new();

/// Notes how the program was called, and moves the environment to where nothing is written over it, so that there is room for a title.
/// To be called first of all.
pub fn make_room_for_title() {
    NAME.get_or_init(|| std::env::args_os().next().unwrap_or_default().to_string_lossy().into_owned());
    for (name, value) in std::env::vars_os() {
        // SAFETY: there is one thread yet, so nobody reads the environment meanwhile.
        unsafe { std::env::set_var(name, value) };
    }
}

/// How the program was called.
pub fn name() -> &'static str {
    NAME.get().map_or("", String::as_str)
}

/// Shows a title instead of the command line, as far as it fits where that and the environment were. Linux, after
/// [`make_room_for_title`]; elsewhere nothing changes. The arguments cannot be asked for any more.
pub fn set_title(title: &str) -> io::Result<()> {
    const ARGUMENTS_START: usize = 48;
    const ENVIRONMENT_END: usize = 51;
    if NAME.get().is_none() || cfg!(not(target_os = "linux")) {
        return Ok(());
    }
    // Fields are counted from 1; the second, a name in parentheses, may hold blanks.
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let field = |number: usize| behind_name.split_ascii_whitespace().nth(number - 3)?.parse::<u64>().ok();
    let (Some(start), Some(end)) = (field(ARGUMENTS_START), field(ENVIRONMENT_END)) else {
        return Err(io::ErrorKind::Unsupported.into());
    };
    // A NUL stays behind the title.
    let mut room = vec![0; usize::try_from(end.saturating_sub(start)).unwrap_or(0)];
    let length = title.len().min(room.len().saturating_sub(1));
    room[..length].copy_from_slice(&title.as_bytes()[..length]);
    std::fs::File::options().write(true).open("/proc/self/mem")?.write_all_at(&room, start)
}

/// Tells systemd about the state of the service (sd_notify(3)); `false` when it did not ask to be told.
pub fn notify_systemd(state: &str) -> io::Result<bool> {
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return Ok(false) };
    let address = match path.as_encoded_bytes() {
        #[cfg(target_os = "linux")]
        [b'@', name @ ..] => <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(&path)?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address)?;
    Ok(true)
}

/// Stops this process until the supervisor, which waits for that, lets it go on (Upstart's `expect stop`).
pub fn stop_for_upstart() -> io::Result<bool> {
    if std::env::var_os("UPSTART_JOB").is_none() {
        return Ok(false);
    }
    // SAFETY: raising a signal has no precondition.
    match unsafe { libc::raise(libc::SIGSTOP) } {
        0 => Ok(true),
        _ => Err(io::Error::last_os_error()),
    }
}
