//! Counting keys as they are written, and writing slowly where tests ask for that.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::Ticket;

/// How long a slowed save sleeps at a time, before it looks whether it has been given up.
const NAP: Duration = Duration::from_millis(10);

/// Counts `keys` as done, each after a delay; `false` if the save was given up.
pub(in crate::engine) fn count(keys: usize, delay_us: i32, ticket: &Ticket, done: &AtomicU64) -> bool {
    count_while(keys, delay_us, || !ticket.is_withdrawn(), done)
}

/// As [`count`], for as long as `go_on` says so.
pub(in crate::engine) fn count_while(keys: usize, delay_us: i32, go_on: impl Fn() -> bool, done: &AtomicU64) -> bool {
    let Some(delay_us) = u64::try_from(delay_us).ok().filter(|delay| *delay > 0) else {
        done.fetch_add(keys as u64, Relaxed);
        return go_on();
    };
    for _ in 0..keys {
        let mut left = Duration::from_micros(delay_us);
        while !left.is_zero() {
            if !go_on() {
                return false;
            }
            let nap = left.min(NAP);
            std::thread::sleep(nap);
            left -= nap;
        }
        done.fetch_add(1, Relaxed);
    }
    true
}
