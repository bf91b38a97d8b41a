//! A whole file: what stands around its keys.

mod read;
mod usage;
mod write;

pub use read::{FileReader, Item, Key, Modules};
pub use usage::Usage;
pub use write::{Facts, KeyEncoder, Replication, database, end, preamble};

#[cfg(test)]
mod tests;
