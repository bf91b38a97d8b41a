//! The allocator, and how much memory the process uses.
//!
//! jemalloc, wrapped so that the bytes asked for are counted: maxmemory must be checked before every write, and
//! jemalloc's own statistics are too slow for that. Each thread counts in a place of its own, which only it writes and everybody
//! may read, and moves its count to the shared figure when that has become off by more than [`SLACK`]: the shared figure alone
//! tells whether a limit is far away, and with all places it is exact.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::atomic::{
    AtomicBool, AtomicI64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use crossbeam_utils::CachePadded;
use tikv_jemallocator::Jemalloc;

/// How far a thread's count may run ahead of the shared figure, in bytes.
const SLACK: i64 = 16 * 1024;
/// Threads that count for themselves at the same time; any others write to the shared figure.
const MAX_PLACES: usize = 512;

/// jemalloc with a count.
pub struct CountingAllocator;

/// Where a thread counts.
struct Place {
    /// What the shared figure does not know of yet; written by the thread that has the place.
    unreported: AtomicI64,
    /// What it has been told from here, ever.
    reported: AtomicI64,
    taken: AtomicBool,
}

static USED: AtomicI64 = AtomicI64::new(0);
static PLACES: [CachePadded<Place>; MAX_PLACES] = [const { CachePadded::new(Place::new()) }; MAX_PLACES];
/// Only places below this one have ever been taken.
static PLACES_IN_USE: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// The place of this thread, once it has one.
    static OWN: Cell<Option<&'static Place>> = const { Cell::new(None) };
    static LEASE: Lease = const { Lease(Cell::new(None)) };
}

/// Gives a thread's place back when the thread ends.
struct Lease(Cell<Option<&'static Place>>);

impl Drop for Lease {
    fn drop(&mut self) {
        OWN.set(None);
        if let Some(place) = self.0.take() {
            place.report(place.unreported.load(Relaxed));
            place.taken.store(false, Release);
        }
    }
}

impl Place {
    const fn new() -> Self {
        Self { unreported: AtomicI64::new(0), reported: AtomicI64::new(0), taken: AtomicBool::new(false) }
    }

    /// Only the thread that has the place may call this: nobody else writes, so the sum needs no atomic addition.
    #[inline]
    fn count(&self, bytes: i64) {
        let sum = self.unreported.load(Relaxed) + bytes;
        if sum.abs() < SLACK {
            self.unreported.store(sum, Relaxed);
        } else {
            self.report(sum);
        }
    }

    #[cold]
    fn report(&self, sum: i64) {
        self.unreported.store(0, Relaxed);
        self.reported.store(self.reported.load(Relaxed) + sum, Relaxed);
        USED.fetch_add(sum, Relaxed);
    }
}

#[inline]
fn count(bytes: i64) {
    match OWN.get() {
        Some(place) => place.count(bytes),
        None => count_first(bytes),
    }
}

/// Counts for a thread that has no place: it is new, it is ending, or there are too many.
#[cold]
fn count_first(bytes: i64) {
    match take_place() {
        Some(place) => place.count(bytes),
        None => drop(USED.fetch_add(bytes, Relaxed)),
    }
}

fn take_place() -> Option<&'static Place> {
    let is_free = |place: &CachePadded<Place>| !place.taken.load(Relaxed) && !place.taken.swap(true, Acquire);
    let index = PLACES.iter().position(is_free)?;
    let place = &*PLACES[index];
    PLACES_IN_USE.fetch_max(index + 1, Relaxed);
    // First, so that an allocation made for the lease finds the place.
    OWN.set(Some(place));
    if LEASE.try_with(|lease| lease.0.set(Some(place))).is_err() {
        // The thread is ending: nobody would give the place back.
        OWN.set(None);
        place.report(place.unreported.load(Relaxed));
        place.taken.store(false, Release);
        return None;
    }
    Some(place)
}

// SAFETY: every call goes to jemalloc unchanged; counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller's contract is jemalloc's.
        unsafe { Jemalloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: as above.
        unsafe { Jemalloc.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: as above.
        unsafe { Jemalloc.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as i64 - layout.size() as i64);
        // SAFETY: as above.
        unsafe { Jemalloc.realloc(pointer, layout, size) }
    }
}

/// Bytes in use, as asked for from the allocator; exact but for what is being allocated meanwhile.
pub fn used_memory() -> u64 {
    let unreported: i64 = places_in_use().iter().map(|place| place.unreported.load(Relaxed)).sum();
    (USED.load(Relaxed) + unreported).max(0) as u64
}

/// Whether more bytes than these are in use. Far below the limit this reads one figure.
pub fn uses_more_than(bytes: u64) -> bool {
    let most = USED.load(Relaxed) + places_in_use().len() as i64 * SLACK;
    most.max(0) as u64 > bytes && used_memory() > bytes
}

/// What this thread has asked for, less what it has given back, in bytes: to be compared with what it says a moment later.
pub fn thread_balance() -> i64 {
    OWN.get().map_or(0, |place| place.reported.load(Relaxed) + place.unreported.load(Relaxed))
}

fn places_in_use() -> &'static [CachePadded<Place>] {
    &PLACES[..PLACES_IN_USE.load(Relaxed)]
}

/// What the allocator and the kernel say, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryFigures {
    /// Allocated, size classes rounded up.
    pub allocated: u64,
    /// In pages that are in use.
    pub active: u64,
    /// Resident, as the allocator counts.
    pub resident: u64,
    /// Resident, as the kernel counts.
    pub rss: u64,
}

/// Reads the figures; takes tens of microseconds.
pub fn memory_figures() -> MemoryFigures {
    use tikv_jemalloc_ctl::{epoch, stats};
    // The statistics are those of the last epoch; without the next one they would be old, never wrong.
    let _ = epoch::advance();
    let read = |value: Result<usize, tikv_jemalloc_ctl::Error>| value.map_or(0, |bytes| bytes as u64);
    MemoryFigures {
        allocated: read(stats::allocated::read()),
        active: read(stats::active::read()),
        resident: read(stats::resident::read()),
        rss: resident_set(),
    }
}

/// The resident set from `/proc/self/statm` (see proc(5)).
fn resident_set() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split(' ').nth(1).and_then(|field| field.parse().ok()).unwrap_or(0);
    pages * page_size()
}

fn page_size() -> u64 {
    // SAFETY: sysconf with a constant has no preconditions.
    (unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).max(4096) as u64
}

/// Memory of the machine, in bytes.
pub fn total_system_memory() -> u64 {
    // SAFETY: sysconf with a constant has no preconditions.
    let pages = unsafe { libc::sysconf(libc::_SC_PHYS_PAGES) };
    pages.max(0) as u64 * page_size()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reports_what_passes_the_slack() {
        let place = Place::new();
        place.count(SLACK - 1);
        place.count(-10);
        assert_eq!(place.unreported.load(Relaxed), SLACK - 11);
        place.count(11);
        assert_eq!((place.unreported.load(Relaxed), place.reported.load(Relaxed)), (0, SLACK));
        USED.fetch_sub(SLACK, Relaxed);
    }

    #[test]
    fn a_thread_that_ended_leaves_its_place_to_another() {
        // Many more threads than there are places, one after another.
        for _ in 0..2 * MAX_PLACES {
            let at = std::thread::spawn(|| {
                count(100);
                let before = thread_balance();
                count(-40);
                (before - thread_balance(), OWN.get().is_some())
            });
            assert!(at.join().is_ok_and(|seen| seen == (40, true)));
            count(-60);
        }
        assert!(PLACES_IN_USE.load(Relaxed) < MAX_PLACES);
    }
}
