//! The consumer that a reading command acts for: added to its group when it is first needed.

use crate::base::release::RELEASE;
use crate::data::stream::{ConsumerSlot, Group};

/// The consumer of a group.
pub(super) struct Member<'a> {
    name: &'a [u8],
    /// Unix milliseconds.
    now: i64,
    slot: Option<ConsumerSlot>,
    /// Whether the command has added it.
    pub is_new: bool,
}

impl<'a> Member<'a> {
    /// The consumer of a name; it joins at once where that is what the release does.
    pub fn new(group: &mut Group, name: &'a [u8], now: i64) -> Self {
        let mut member = Self { name, now, slot: None, is_new: false };
        if RELEASE.registers_at_once() {
            member.join(group);
        }
        member
    }

    /// The consumer, seen now, and added where it is missing.
    pub fn join(&mut self, group: &mut Group) -> ConsumerSlot {
        if let Some(slot) = self.slot {
            return slot;
        }
        let (slot, is_new) = group.find_or_add_consumer(self.name, self.now);
        group.consumer_mut(slot).seen_at = self.now;
        self.is_new = is_new;
        *self.slot.insert(slot)
    }
}
