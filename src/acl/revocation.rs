//! Which channels a change of rules takes away from clients that are subscribed already.

use std::collections::HashSet;

use super::patterns::admit_channel;
use super::rules::Rules;

/// Channels were taken away: what is left.
pub struct Revocation {
    left: Vec<Box<[u8]>>,
}

impl Revocation {
    /// What a change takes away; `None` if every channel that was allowed still is.
    pub fn between(old: &Rules, new: &Rules) -> Option<Self> {
        if new.selectors.iter().any(|selector| selector.all_channels) {
            return None;
        }
        let left: HashSet<&Box<[u8]>> = new.selectors.iter().flat_map(|selector| &selector.channels).collect();
        let kept = |selector: &super::Selector| {
            !selector.all_channels && selector.channels.iter().all(|channel| left.contains(channel))
        };
        let all_kept = old.selectors.iter().all(kept);
        (!all_kept).then(|| Self { left: left.into_iter().cloned().collect() })
    }

    /// Whether a subscription is no longer allowed.
    pub fn forbids(&self, channel: &[u8], is_pattern: bool) -> bool {
        !admit_channel(&self.left, channel, is_pattern)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::rules;
    use super::*;

    #[test]
    fn only_what_is_taken_away_counts() {
        let between = |old, new| Revocation::between(&rules(old).unwrap(), &rules(new).unwrap());
        assert!(between("&a &b", "&b &a &c").is_none());
        assert!(between("&a", "&*").is_none());
        assert!(between("&a", "(&*)").is_none());
        assert!(between("&a", "(&a)").is_none());
        let taken = between("&*", "&a &n.*").unwrap();
        assert!(!taken.forbids(b"a", false) && !taken.forbids(b"n.1", false) && !taken.forbids(b"n.*", true));
        assert!(taken.forbids(b"b", false) && taken.forbids(b"n.1*", true));
        assert!(between("&a &b", "&a").unwrap().forbids(b"b", false));
    }
}
