//! Counting keys as they are written, and writing slowly where tests ask for that.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::Ticket;

/// How long a slowed save sleeps at a time, before it looks whether it has been given up.
const NAP: Duration = Duration::from_millis(10);

/// Counts `keys` as done, each after a delay; `false` if the save was given up.
pub(super) fn count(keys: usize, delay_us: i32, ticket: &Ticket, done: &AtomicU64) -> bool {
    let Some(delay_us) = u64::try_from(delay_us).ok().filter(|delay| *delay > 0) else {
        done.fetch_add(keys as u64, Relaxed);
        return !ticket.is_withdrawn();
    };
    for _ in 0..keys {
        let mut left = Duration::from_micros(delay_us);
        while !left.is_zero() {
            if ticket.is_withdrawn() {
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
