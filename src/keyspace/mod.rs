//! The keys of all logical databases: sharded tables, expiry, freshness for eviction, and the locked view
//! through which a command sees them.
//!
//! Knows values and errors; knows no command, client or feed. What a command does to keys comes out as
//! *effects* that the engine passes on. The lock order is (logical slot of the database, shard), ascending.

mod database;
mod entry;
mod expiry;
mod field_marks;
mod freshness;
mod hashed;
mod keys;
mod prefetch;
mod sample;
mod scan;
mod snapshot;
mod table;
mod value;

pub use database::{Database, DbIndex, Keyspace};
pub use entry::{Entry, OwnedValue};
pub use freshness::{Freshness, LfuTuning, lfu_decayed, lru_idle_ms};
pub use hashed::HashedKey;
pub use keys::{Access, Effect, ExpiredFields, KeepExpiry, Keys, LockRequest};
pub use sample::Candidate;
pub use snapshot::{Census, Piece, ShardEncoder, Snapshot, SnapshotBusy};
pub use table::Table;
pub use value::{Container, EMBSTR_MAX, NewValue, Object, StrRef, ValueRef};
