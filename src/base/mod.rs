//! Floor 0: what has nothing to do with Redis. Clock, glob, number formats.

pub mod glob;
