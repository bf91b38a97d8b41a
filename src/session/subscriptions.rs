//! What one connection listens to. The connection's own copy: who listens to a channel is the registry's to know.

use indexmap::IndexSet;

/// The three kinds of subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionKind {
    /// A channel.
    Channel,
    /// All channels that fit a pattern.
    Pattern,
    /// A shard channel.
    ShardChannel,
}

impl SubscriptionKind {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Channel, Self::Pattern, Self::ShardChannel];
}

type Names = IndexSet<Box<[u8]>, ahash::RandomState>;

/// The channels, patterns and shard channels of one connection.
#[derive(Debug, Default)]
pub struct Subscriptions {
    names: [Names; 3],
    /// Bytes of all names.
    name_bytes: usize,
}

impl Subscriptions {
    /// What a subscription takes beside its name: a slot here, and a slot in the registry.
    const BYTES_EACH: usize = 96;

    /// Adds one; `false` when it was there.
    pub fn insert(&mut self, kind: SubscriptionKind, name: &[u8]) -> bool {
        let new = !self.names[kind as usize].contains(name);
        if new {
            self.names[kind as usize].insert(name.into());
            self.name_bytes += name.len();
        }
        new
    }

    /// Takes one away; `false` when it was not there.
    pub fn remove(&mut self, kind: SubscriptionKind, name: &[u8]) -> bool {
        let found = self.names[kind as usize].swap_remove(name);
        if found {
            self.name_bytes -= name.len();
        }
        found
    }

    /// Some subscription of a kind.
    pub fn any_of(&self, kind: SubscriptionKind) -> Option<Box<[u8]>> {
        self.names[kind as usize].last().cloned()
    }

    /// How many of a kind.
    pub fn len_of(&self, kind: SubscriptionKind) -> usize {
        self.names[kind as usize].len()
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.names.iter().all(IndexSet::is_empty)
    }

    /// Bytes they take, roughly.
    pub fn memory_usage(&self) -> usize {
        self.name_bytes + self.names.iter().map(|names| names.len() * Self::BYTES_EACH).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_counts_once_and_its_memory_comes_back() {
        let mut own = Subscriptions::default();
        assert!(own.insert(SubscriptionKind::Channel, b"news"));
        assert!(!own.insert(SubscriptionKind::Channel, b"news"));
        assert!(own.insert(SubscriptionKind::Pattern, b"news"));
        assert_eq!((own.len_of(SubscriptionKind::Channel), own.len_of(SubscriptionKind::Pattern)), (1, 1));
        assert!(own.remove(SubscriptionKind::Channel, b"news") && own.remove(SubscriptionKind::Pattern, b"news"));
        assert!(!own.remove(SubscriptionKind::ShardChannel, b"news"));
        assert!(own.is_empty() && own.memory_usage() == 0);
    }
}
