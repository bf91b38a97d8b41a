//! How far a group has read: counting entries without walking them, where that is possible.
//!
//! The number of an entry is how many were added up to it. It can be told for the first and for the last entry and for IDs in front of
//! the first, as long as no entry was removed from between.

use super::{Group, Log, StreamId};

impl Log {
    /// Whether an entry at or behind `start` was removed one by one, so that counting across it is not possible.
    pub fn has_holes_from(&self, start: StreamId) -> bool {
        !self.is_empty()
            && !self.max_deleted_id.is_zero()
            && self.first_id <= self.max_deleted_id
            && start <= self.max_deleted_id
    }

    /// The number of the entry with an ID; `None` where it cannot be told.
    pub fn number_of(&self, id: StreamId) -> Option<u64> {
        if self.entries_added == 0 {
            return Some(0);
        }
        if self.is_empty() && id <= self.last_id || id == self.last_id {
            return Some(self.entries_added);
        }
        if id > self.last_id {
            return None;
        }
        if !self.max_deleted_id.is_zero() && self.max_deleted_id >= self.first_id {
            return None;
        }
        let before_first = self.entries_added.wrapping_sub(self.length as u64);
        match id.cmp(&self.first_id) {
            std::cmp::Ordering::Less => Some(before_first),
            std::cmp::Ordering::Equal => Some(before_first.wrapping_add(1)),
            std::cmp::Ordering::Greater => None,
        }
    }
}

impl Group {
    /// Entries that nobody of the group has been given yet; `None` where it cannot be told.
    pub fn lag(&self, log: &Log) -> Option<i64> {
        if log.entries_added == 0 {
            return Some(0);
        }
        let read = match self.entries_read {
            Some(read) if !log.has_holes_from(self.last_id) => Some(read),
            _ => log.number_of(self.last_id),
        };
        read.map(|read| log.entries_added.wrapping_sub(read) as i64)
    }

    /// Moves on to an entry that is being given out, if it is behind the last one; whether it was.
    pub fn advance(&mut self, log: &Log, id: StreamId) -> bool {
        if id <= self.last_id {
            return false;
        }
        match &mut self.entries_read {
            Some(read) if !log.has_holes_from(id) => *read = read.wrapping_add(1),
            read if log.entries_added > 0 => *read = log.number_of(id),
            _ => {}
        }
        self.last_id = id;
        true
    }
}
