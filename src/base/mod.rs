//! Floor 0: what has nothing to do with Redis. Clock, glob, number formats, the allocator, cache hints.

pub mod clock;
pub mod glob;
pub mod long_double;
pub mod memory;
pub mod number;
pub mod prefetch;
pub mod process;
