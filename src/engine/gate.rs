//! The gate above all shards: ordinary commands enter shared, commands that need the whole keyspace enter exclusively.
//!
//! A connection enters once per batch of pipelined requests. The gate stands before every shard lock in the lock order, and
//! a hold never crosses an await.

use crossbeam_utils::sync::{ShardedLock, ShardedLockReadGuard, ShardedLockWriteGuard};

/// The gate.
#[derive(Default)]
pub struct Gate {
    // A panic while holding the gate leaves no state behind that the gate itself guards, so poisoning is ignored.
    lock: ShardedLock<()>,
}

/// A hold on the gate.
pub enum Hold<'g> {
    /// Together with others.
    Shared(#[allow(dead_code, reason = "held for its drop")] ShardedLockReadGuard<'g, ()>),
    /// Alone.
    Exclusive(#[allow(dead_code, reason = "held for its drop")] ShardedLockWriteGuard<'g, ()>),
    /// Between two holds.
    Nothing,
}

impl Gate {
    /// Enters shared.
    pub fn shared(&self) -> Hold<'_> {
        Hold::Shared(self.lock.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Enters alone, once everybody else has left.
    pub fn exclusive(&self) -> Hold<'_> {
        Hold::Exclusive(self.lock.write().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl<'g> Hold<'g> {
    /// Whether the holder is alone.
    pub fn is_exclusive(&self) -> bool {
        matches!(self, Self::Exclusive(_))
    }

    /// Makes the hold exclusive, by leaving and entering anew.
    pub fn upgrade(&mut self, gate: &'g Gate) {
        if !self.is_exclusive() {
            *self = Self::Nothing;
            *self = gate.exclusive();
        }
    }

    /// Makes the hold shared again.
    pub fn downgrade(&mut self, gate: &'g Gate) {
        if self.is_exclusive() {
            *self = Self::Nothing;
            *self = gate.shared();
        }
    }
}
