//! The append only file: the names of its parts, what they contain, and how much of them is whole.
//!
//! ```text
//! appendonlydir/appendonly.aof.manifest      which parts there are, in which order
//! appendonlydir/appendonly.aof.N.base.rdb    the data at one instant, as a snapshot or (`.aof`) as commands
//! appendonlydir/appendonly.aof.N.incr.aof    the commands after that instant
//! ```
//! [`manifest`] lists the parts, [`record`] is how a command or a time stands in one, [`reader`] reads a part record by record, [`check`]
//! finds out how much of one is good, [`base`] writes keys as the commands that make them. Nothing here opens a file or knows a command.

pub mod base;
pub mod check;
pub mod manifest;
pub mod reader;
pub mod record;

pub use manifest::{Manifest, ManifestError, Part};
pub use reader::{Damage, Item, RecordReader};
