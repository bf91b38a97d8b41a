//! Counting keys as they are written, and writing slowly where tests ask for that.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::Ticket;

/// How long a slowed save sleeps at a time, before it looks whether it has been given up.
const NAP: Duration = Duration::from_millis(10);

/// Counts `keys` as done, each after a delay in microseconds, which is asked for again and again: a slowed save goes on at full speed as
/// soon as nobody wants it slow. `false` if the save was given up.
pub(in crate::engine) fn count(keys: usize, delay_us: impl Fn() -> i32, ticket: &Ticket, done: &AtomicU64) -> bool {
    count_while(keys, delay_us, || !ticket.is_withdrawn(), done)
}

/// As [`count`], for as long as `go_on` says so.
pub(in crate::engine) fn count_while(
    keys: usize,
    delay_us: impl Fn() -> i32,
    go_on: impl Fn() -> bool,
    done: &AtomicU64,
) -> bool {
    for counted in 0..keys {
        let mut slept = Duration::ZERO;
        loop {
            let delay = Duration::from_micros(u64::try_from(delay_us()).unwrap_or(0));
            if delay.is_zero() {
                done.fetch_add((keys - counted) as u64, Relaxed);
                return go_on();
            }
            if !go_on() {
                return false;
            }
            if slept >= delay {
                break;
            }
            let nap = NAP.min(delay - slept);
            std::thread::sleep(nap);
            slept += nap;
        }
        done.fetch_add(1, Relaxed);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn what_is_slowed_hurries_once_the_delay_is_gone() {
        let (asked, done) = (Cell::new(0), AtomicU64::new(0));
        let delay = || {
            asked.set(asked.get() + 1);
            if asked.get() < 4 { 1_000_000_000 } else { 0 }
        };
        assert!(count(100, delay, &Ticket::default(), &done));
        assert_eq!((asked.get(), done.into_inner()), (4, 100));
    }

    #[test]
    fn what_is_given_up_ends_within_a_nap() {
        let (ticket, done) = (Ticket::default(), AtomicU64::new(0));
        ticket.withdraw();
        assert!(!count(100, || i32::MAX, &ticket, &done));
        assert_eq!(done.into_inner(), 0);
    }
}
