//! Replication: what replicas ask their primary, changing roles, and waiting for replicas.

pub mod failover;
pub mod replconf;
pub mod replicaof;
pub mod sync;
pub mod wait;

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] =
    &[failover::ROWS, replconf::ROWS, replicaof::ROWS, sync::ROWS, wait::ROWS];
