//! The gate above all shards: ordinary commands enter shared, commands that need the whole keyspace enter exclusively.
//!
//! A connection enters once per batch of pipelined requests. The gate stands before every shard lock in the lock order, and
//! a hold never crosses an await, with one exception: a script that runs past its time, or has stopped in a
//! debugger, keeps its hold while its worker serves others. The gate is *busy* then; whoever comes for a client is told so
//! instead of waiting here.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use crossbeam_utils::sync::{ShardedLock, ShardedLockReadGuard, ShardedLockWriteGuard};
use parking_lot::{Mutex, MutexGuard};

/// How long somebody waits before looking again whether the gate has become busy.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The gate.
#[derive(Default)]
pub struct Gate {
    // A panic while holding the gate leaves no state behind that the gate itself guards, so poisoning is ignored.
    lock: ShardedLock<()>,
    /// Held by whoever is inside alone or about to be, and by those who wait for that to end. Taken before `lock`.
    turn: Mutex<()>,
    /// Whether whoever is inside alone stays for longer.
    busy: AtomicBool,
}

/// A hold on the gate.
pub enum Hold<'g> {
    /// Together with others.
    Shared(#[allow(dead_code, reason = "held for its drop")] ShardedLockReadGuard<'g, ()>),
    /// Alone.
    Exclusive(#[allow(dead_code, reason = "held for its drop")] Alone<'g>),
    /// Alone, by a hold of somebody further up the stack.
    Lent,
    /// Between two holds, or outside a busy gate.
    Nothing,
}

/// What whoever is inside alone holds; given back in this order.
pub struct Alone<'g> {
    _inside: ShardedLockWriteGuard<'g, ()>,
    _turn: MutexGuard<'g, ()>,
}

impl Gate {
    /// Enters shared.
    pub fn shared(&self) -> Hold<'_> {
        Hold::Shared(self.lock.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Enters alone, once everybody else has left.
    pub fn exclusive(&self) -> Hold<'_> {
        self.enter_alone(self.turn.lock())
    }

    /// Enters shared; a busy gate is not entered.
    pub fn shared_unless_busy(&self) -> Hold<'_> {
        match self.lock.try_read() {
            Ok(guard) => return Hold::Shared(guard),
            Err(std::sync::TryLockError::Poisoned(poisoned)) => return Hold::Shared(poisoned.into_inner()),
            Err(std::sync::TryLockError::WouldBlock) => {}
        }
        match self.wait_for_turn() {
            Some(_turn) => self.shared(),
            None => Hold::Nothing,
        }
    }

    /// Enters alone; a busy gate is not entered.
    pub fn exclusive_unless_busy(&self) -> Hold<'_> {
        self.wait_for_turn().map_or(Hold::Nothing, |turn| self.enter_alone(turn))
    }

    /// Whoever is inside alone says that it stays for longer, or that it is about to leave.
    pub fn set_busy(&self, busy: bool) {
        self.busy.store(busy, SeqCst);
    }

    fn wait_for_turn(&self) -> Option<MutexGuard<'_, ()>> {
        while !self.busy.load(SeqCst) {
            if let Some(turn) = self.turn.try_lock_for(LOOK_AGAIN) {
                return Some(turn);
            }
        }
        None
    }

    fn enter_alone<'g>(&'g self, turn: MutexGuard<'g, ()>) -> Hold<'g> {
        let inside = self.lock.write().unwrap_or_else(PoisonError::into_inner);
        Hold::Exclusive(Alone { _inside: inside, _turn: turn })
    }
}

impl<'g> Hold<'g> {
    /// Whether the holder is alone.
    pub fn is_exclusive(&self) -> bool {
        matches!(self, Self::Exclusive(_) | Self::Lent)
    }

    /// Whether this is no hold at all.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// Makes the hold exclusive, by leaving and entering anew; `false`, and nothing is held, if the gate is busy.
    #[must_use]
    pub fn upgrade(&mut self, gate: &'g Gate) -> bool {
        if !self.is_exclusive() {
            *self = Self::Nothing;
            *self = gate.exclusive_unless_busy();
        }
        self.is_exclusive()
    }

    /// Makes the hold shared again, unless it is lent. Nothing is held if the gate is busy.
    pub fn downgrade(&mut self, gate: &'g Gate) {
        if let Self::Exclusive(_) = self {
            *self = Self::Nothing;
            *self = gate.shared_unless_busy();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_gate_is_not_entered() {
        let gate = Gate::default();
        let mut hold = gate.shared_unless_busy();
        assert!(hold.upgrade(&gate) && hold.is_exclusive());
        gate.set_busy(true);
        assert!(gate.shared_unless_busy().is_nothing());
        assert!(gate.exclusive_unless_busy().is_nothing());
        gate.set_busy(false);
        hold.downgrade(&gate);
        assert!(matches!(hold, Hold::Shared(_)));
    }

    #[test]
    fn whoever_waits_enters_when_the_other_leaves_or_learns_that_it_stays() {
        let gate = Gate::default();
        std::thread::scope(|scope| {
            let hold = gate.exclusive();
            let entered = scope.spawn(|| !gate.shared_unless_busy().is_nothing());
            drop(hold);
            assert!(entered.join().unwrap());
            let hold = gate.exclusive();
            let entered = scope.spawn(|| !gate.shared_unless_busy().is_nothing());
            gate.set_busy(true);
            assert!(!entered.join().unwrap());
            drop(hold);
        });
    }

    #[test]
    fn a_lent_hold_stays() {
        let gate = Gate::default();
        let mut hold = Hold::Lent;
        hold.downgrade(&gate);
        assert!(hold.upgrade(&gate) && matches!(hold, Hold::Lent));
    }
}
