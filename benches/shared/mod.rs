//! What the benches of the whole server stand on: `redis-server` beside this one, keys to fill both with, load, and what a process costs.
//!
//! The servers themselves are started by the tests' `support`, which every bench that has this module has too.
#![allow(dead_code, reason = "each bench is a crate of its own and uses a part of this")]

pub mod data;
pub mod load;
pub mod side;

use std::time::{Duration, Instant};

/// No step of a bench takes longer.
const PATIENCE: Duration = Duration::from_secs(1800);

/// Polls `condition` until it holds, with a pause between two looks.
pub fn wait_until(what: &str, pause: Duration, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(pause);
    }
}

/// How many keys to fill a server with: `REDIS_TLS_BENCH_KEYS`, or this many.
pub fn keys(default: u64) -> u64 {
    std::env::var("REDIS_TLS_BENCH_KEYS").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// User and system time of a process in seconds: fields 14 and 15 of `/proc/PID/stat`.
pub fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("/proc");
    let behind_name = stat.rsplit(')').next().expect("a name in parentheses");
    let fields: Vec<&str> = behind_name.split_whitespace().collect();
    let ticks = fields[11].parse::<f64>().expect("user") + fields[12].parse::<f64>().expect("system");
    // The kernel reports in units of 1/100 s on every architecture (USER_HZ).
    ticks / 100.0
}
