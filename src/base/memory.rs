//! The allocator, and how much memory the process uses.
//!
//! jemalloc, wrapped so that the bytes asked for are counted: maxmemory must be checked before every write, and
//! jemalloc's own statistics are too slow for that. Each thread counts for itself and adds to the shared figure when it is
//! off by more than [`SLACK`].

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use tikv_jemallocator::Jemalloc;

/// How far a thread's count may run ahead of the shared figure, in bytes.
const SLACK: i64 = 16 * 1024;

static USED: AtomicI64 = AtomicI64::new(0);

thread_local! {
    static UNREPORTED: Cell<i64> = const { Cell::new(0) };
}

/// jemalloc with a count.
pub struct CountingAllocator;

#[inline]
fn count(bytes: i64) {
    // During thread exit the cell may be gone: then straight to the shared figure.
    let reported = UNREPORTED.try_with(|cell| {
        let sum = cell.get() + bytes;
        if sum.abs() < SLACK {
            cell.set(sum);
            0
        } else {
            cell.set(0);
            sum
        }
    });
    match reported {
        Ok(0) => {}
        Ok(sum) => drop(USED.fetch_add(sum, Relaxed)),
        Err(_) => drop(USED.fetch_add(bytes, Relaxed)),
    }
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

/// Bytes in use, as asked for from the allocator.
pub fn used_memory() -> u64 {
    USED.load(Relaxed).max(0) as u64
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
