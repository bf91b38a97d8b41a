//! The group this server is a member of, and whom it refuses for it.
//!
//! The group is known from the start on. It changes when a primary's is taken over, or when an operator fixes it; the data folder then
//! remembers. Nothing of this is on the path of a request.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;

use crate::group::GroupIdentity;
use crate::group::claim::{Claim, Stranger};

#[derive(Default)]
struct Inner {
    identity: Option<GroupIdentity>,
    /// The folder that remembers it.
    folder: PathBuf,
    /// What the last primary that was refused, or has refused, is a stranger for.
    stranger: Option<String>,
}

/// The group, and the refusals.
#[derive(Default)]
pub struct Membership {
    inner: Mutex<Inner>,
    refusals: AtomicU64,
}

impl Membership {
    /// The group that the data folder belongs to.
    pub fn enter(&self, identity: GroupIdentity, folder: PathBuf) {
        let mut inner = self.inner.lock();
        (inner.identity, inner.folder) = (Some(identity), folder);
    }

    /// What this node says of its group.
    pub fn claim(&self) -> Option<Claim> {
        self.inner.lock().identity.as_ref().map(GroupIdentity::claim)
    }

    /// Whether a node that claims this may become a replica; what it is answered. Refusals are counted.
    pub fn admit(&self, replica: &Claim) -> Result<Option<String>, Stranger> {
        let Some(own) = self.claim() else { return Ok(None) };
        match replica.may_follow(&own) {
            Ok(()) => Ok(Some(own.answer())),
            Err(stranger) => {
                self.refusals.fetch_add(1, Relaxed);
                Err(stranger)
            }
        }
    }

    /// Whether this node may follow a primary that claims this.
    pub fn may_follow(&self, primary: &Claim) -> Result<(), Stranger> {
        self.claim().map_or(Ok(()), |own| own.may_follow(primary))
    }

    /// This node has its primary's data now, and belongs to its group.
    pub fn join(&self, primary: &Claim) {
        let mut inner = self.inner.lock();
        inner.stranger = None;
        let Some(own) = &inner.identity else { return };
        if own.fixed || (own.id == primary.id && !primary.fixed) {
            return;
        }
        let joined = GroupIdentity { id: primary.id.clone(), fixed: primary.fixed, ..own.clone() };
        let held = if joined.fixed { "is held to" } else { "has joined" };
        tracing::info!("This server {held} its primary's group {}", joined.id);
        if let Err(error) = joined.store(&inner.folder) {
            tracing::warn!("{error}; after a restart the server will have to join the group again");
        }
        inner.identity = Some(joined);
    }

    /// An operator holds this node to a group; an empty id changes nothing.
    pub fn hold_to(&self, id: &str) -> Result<(), String> {
        let mut inner = self.inner.lock();
        let Some(own) = inner.identity.as_ref().filter(|_| !id.is_empty()) else { return Ok(()) };
        let id = id.to_ascii_lowercase();
        if own.fixed {
            return match own.id.eq_ignore_ascii_case(&id) {
                true => Ok(()),
                false => Err(format!("this server is held to group {} already, as its data folder says", own.id)),
            };
        }
        let held = GroupIdentity { id, fixed: true, ..own.clone() };
        held.store(&inner.folder).map_err(|error| error.to_string())?;
        inner.identity = Some(held);
        Ok(())
    }

    /// How many replicas were refused.
    pub fn refusals(&self) -> u64 {
        self.refusals.load(Relaxed)
    }

    /// Notes why the primary cannot be followed.
    pub fn note_stranger(&self, why: String) {
        self.inner.lock().stranger = Some(why);
    }

    /// Why the primary cannot be followed, until one can.
    pub fn stranger(&self) -> Option<String> {
        self.inner.lock().stranger.clone()
    }

    /// Forgets that: another primary is to be followed, or none.
    pub fn forget_stranger(&self) {
        self.inner.lock().stranger = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::Configured;
    use crate::tls::mode::TransitEncryption;

    fn member(folder: &tempfile::TempDir, id: &str) -> Membership {
        let configured = Configured { mode: TransitEncryption::On, id };
        let membership = Membership::default();
        membership.enter(GroupIdentity::open(folder.path(), configured, 1).unwrap(), folder.path().to_owned());
        membership
    }

    #[test]
    fn a_replica_joins_its_primarys_group_and_then_stays() {
        let folders = [0; 3].map(|_| tempfile::tempdir().unwrap());
        let (first, second) = ("a".repeat(32), "b".repeat(32));
        let (fixed, other) = (member(&folders[0], &first), member(&folders[1], &second));
        let fresh = member(&folders[2], "");
        for primary in [&other, &fixed] {
            assert!(primary.admit(&fresh.claim().unwrap()).is_ok(), "a fresh one may join either");
        }
        fresh.join(&fixed.claim().unwrap());
        assert_eq!(fresh.claim().map(|claim| (claim.id, claim.fixed)), Some((first.clone(), true)));
        assert!(other.admit(&fresh.claim().unwrap()).is_err());
        assert!(fresh.may_follow(&other.claim().unwrap()).is_err());
        assert_eq!((other.refusals(), fixed.refusals()), (1, 0));
        fresh.join(&other.claim().unwrap());
        assert_eq!(member(&folders[2], "").claim(), fresh.claim(), "the folder remembers");
        assert!(fresh.hold_to(&second).is_err() && fresh.hold_to(&first.to_uppercase()).is_ok());
    }

    #[test]
    fn without_a_fixed_id_nodes_follow_each_other_freely() {
        let folders = [0; 2].map(|_| tempfile::tempdir().unwrap());
        let nodes = [member(&folders[0], ""), member(&folders[1], "")];
        assert_ne!(nodes[0].claim(), nodes[1].claim());
        assert!(nodes[0].admit(&nodes[1].claim().unwrap()).is_ok());
        nodes[1].join(&nodes[0].claim().unwrap());
        assert_eq!(nodes[0].claim(), nodes[1].claim());
        nodes[1].hold_to(&"c".repeat(32)).unwrap();
        assert!(nodes[0].admit(&nodes[1].claim().unwrap()).is_err(), "the replica is held to another group");
        assert!(nodes[1].admit(&nodes[0].claim().unwrap()).is_ok(), "the other way round it may join");
    }
}
