//! Whose changes a server has: its own history, and the one it branched off from.
//!
//! A replica shares its primary's history. When it becomes the primary itself it begins a new one, and remembers the old one up to
//! where it left it: the other replicas of the lost primary can go on with it without a new copy of everything.

use super::id::{ReplOffset, ReplicationId};

/// A history that was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Second {
    /// Its id.
    pub id: ReplicationId,
    /// Where it was left: up to here it and the present history are the same.
    pub until: ReplOffset,
}

/// The histories of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct History {
    /// The present one.
    pub id: ReplicationId,
    /// The one before, if there is one.
    pub second: Option<Second>,
}

/// Why a stream cannot go on where somebody asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoContinuation {
    /// A full copy is what was asked for.
    NotWanted,
    /// The history is none of ours.
    OtherHistory,
    /// The history is ours, but was left before that position.
    Left(ReplOffset),
}

impl Default for History {
    fn default() -> Self {
        Self { id: ReplicationId::random(), second: None }
    }
}

impl History {
    /// A history without a past: nobody can go on with it who was not there from the beginning.
    pub fn begin_anew(&mut self) {
        *self = Self::default();
    }

    /// Branches off at `at`.
    pub fn branch(&mut self, at: ReplOffset) {
        self.adopt(ReplicationId::random(), at);
    }

    /// The present history goes on under another id from `at` on.
    pub fn adopt(&mut self, id: ReplicationId, at: ReplOffset) {
        if id != self.id {
            *self = Self { id, second: Some(Second { id: self.id, until: at }) };
        }
    }

    /// Whether the history `id` is the same as the present one up to `at`.
    pub fn covers(&self, id: &[u8], at: Option<ReplOffset>) -> Result<(), NoContinuation> {
        if self.id.is(id) {
            return Ok(());
        }
        match self.second {
            Some(second) if second.id.is(id) => match at {
                Some(at) if at > second.until => Err(NoContinuation::Left(second.until)),
                _ => Ok(()),
            },
            _ if id.first() == Some(&b'?') => Err(NoContinuation::NotWanted),
            _ => Err(NoContinuation::OtherHistory),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_is_shared_up_to_where_it_was_left() {
        let mut history = History::default();
        let old = history.id;
        let id = old.as_str().as_bytes();
        assert_eq!(history.covers(id, Some(ReplOffset(900))), Ok(()));
        history.branch(ReplOffset(100));
        assert_ne!(history.id, old);
        assert_eq!(history.covers(id, Some(ReplOffset(100))), Ok(()));
        assert_eq!(history.covers(id, Some(ReplOffset(101))), Err(NoContinuation::Left(ReplOffset(100))));
        assert_eq!(history.covers(b"?", None), Err(NoContinuation::NotWanted));
        history.branch(ReplOffset(200));
        assert_eq!(history.covers(id, Some(ReplOffset(50))), Err(NoContinuation::OtherHistory));
    }

    #[test]
    fn the_same_id_again_is_no_branch() {
        let mut history = History::default();
        let same = history;
        history.adopt(same.id, ReplOffset(5));
        assert_eq!(history, same);
        history.adopt(ReplicationId::random(), ReplOffset(5));
        assert_eq!(history.second, Some(Second { id: same.id, until: ReplOffset(5) }));
        history.begin_anew();
        assert_eq!(history.second, None);
    }
}
