//! A set of commands, one bit for each position in the command table.

/// A set of positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandSet(Box<[u64]>);

impl CommandSet {
    /// The empty set over so many commands.
    pub fn none(commands: usize) -> Self {
        Self(vec![0; commands.div_ceil(64)].into())
    }

    /// The set of all of so many commands.
    pub fn all(commands: usize) -> Self {
        Self(vec![u64::MAX; commands.div_ceil(64)].into())
    }

    /// Whether a command is in the set.
    #[inline]
    pub fn contains(&self, position: usize) -> bool {
        self.0.get(position / 64).is_some_and(|word| word & bit(position) != 0)
    }

    /// Takes a command in or out.
    pub fn set(&mut self, position: usize, member: bool) {
        let Some(word) = self.0.get_mut(position / 64) else { return };
        if member {
            *word |= bit(position);
        } else {
            *word &= !bit(position);
        }
    }
}

fn bit(position: usize) -> u64 {
    1 << (position % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_and_go() {
        let mut set = CommandSet::none(130);
        for position in [0, 63, 64, 129] {
            assert!(!set.contains(position));
            set.set(position, true);
            assert!(set.contains(position));
        }
        set.set(64, false);
        assert!(!set.contains(64) && set.contains(63));
        assert!(!set.contains(100_000), "what is not in the table is in no set");
        assert!(CommandSet::all(130).contains(129));
    }
}
