//! Floor 0: what has nothing to do with Redis. Clock, glob, number formats, the allocator.

pub mod clock;
pub mod glob;
pub mod long_double;
pub mod memory;
pub mod number;
