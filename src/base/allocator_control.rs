//! The allocator's own tree of figures and actions, by name (see "MALLCTL NAMESPACE" in jemalloc(3)).
//!
//! Figures can be read, whatever their width. Nothing can be written, and only actions can be taken that leave all memory where it is:
//! others in that tree free what is in use.

use std::ffi::CString;
use std::io;
use std::ptr::null_mut;

use tikv_jemalloc_ctl::raw;
use tikv_jemalloc_sys::mallctl;

/// Gives unused pages of all arenas back to the system (4096 stands for all).
const PURGE_ALL: &str = "arena.4096.purge";

/// An integer figure.
pub fn read(name: &str) -> io::Result<i64> {
    let name = terminated(name)?.into_bytes_with_nul();
    // SAFETY: an integer may have any bits, and the allocator writes only where the width is the figure's own.
    unsafe {
        raw::read::<i64>(&name)
            .or_else(|_| raw::read::<u32>(&name).map(i64::from))
            .or_else(|_| raw::read::<u8>(&name).map(i64::from))
    }
    .map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))
}

/// Takes an action that has no arguments.
pub fn act(name: &str) -> io::Result<()> {
    let is_harmless = matches!(name, "thread.tcache.flush" | "thread.idle" | "stats.mutexes.reset")
        || (name.starts_with("arena.") && (name.ends_with(".purge") || name.ends_with(".decay")));
    if !is_harmless {
        return Err(io::Error::from_raw_os_error(libc::EPERM));
    }
    let name = terminated(name)?;
    // SAFETY: the name ends with a zero; without arguments nothing is written through the null pointers.
    match unsafe { mallctl(name.as_ptr(), null_mut(), null_mut(), null_mut(), 0) } {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

/// Gives unused pages back to the system, all at once.
pub fn purge() -> io::Result<()> {
    act(PURGE_ALL)
}

fn terminated(name: &str) -> io::Result<CString> {
    CString::new(name).map_err(|_| io::Error::from_raw_os_error(libc::ENOENT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_every_width_can_be_read() {
        assert_eq!(read("arenas.page").unwrap() % 4096, 0);
        assert!(read("arenas.narenas").unwrap() > 0);
        assert!(matches!(read("opt.tcache"), Ok(0 | 1)));
        assert!(read("no.such.name").is_err() && read("").is_err() && read("a\0b").is_err());
    }

    #[test]
    fn only_harmless_actions_can_be_taken() {
        assert!(act("thread.tcache.flush").is_ok() && purge().is_ok());
        for name in ["arena.0.reset", "arena.0.destroy", "arenas.create", "arena.x.purge", "arena.0\0.purge"] {
            assert!(act(name).is_err(), "{name}");
        }
    }
}
