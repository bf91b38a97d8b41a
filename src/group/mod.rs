//! The identity of a replication group, which its data folder remembers: group id, mode, time of creation, and whether the node is held
//! to the id.
//!
//! The mode (in-transit encryption on or off) is fixed when the group is created. A start whose configuration says
//! otherwise stops here, before anything is touched. There is no way to change it but to create a new group. The id is
//! chosen at random; a replica takes over its primary's, until an operator has fixed it: see [`claim`].

pub mod claim;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::tls::mode::TransitEncryption;
use claim::{Claim, is_id};

/// The file in the data folder.
const FILE: &str = "redis-tls.group";

/// What a data folder says of its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupIdentity {
    /// 32 hexadecimal digits, chosen at random when the group was created.
    pub id: String,
    /// The mode.
    pub mode: TransitEncryption,
    /// Unix time in seconds when the group was created.
    pub created_at: i64,
    /// Whether the node is held to this group.
    pub fixed: bool,
}

/// Why a data folder cannot be used.
#[derive(Debug)]
pub enum GroupError {
    /// The group has the other mode.
    OtherMode {
        /// The file that says so.
        file: PathBuf,
        /// The group's mode.
        group: TransitEncryption,
        /// The configuration's.
        configured: TransitEncryption,
    },
    /// The node is held to another group.
    OtherGroup {
        /// The file that says so.
        file: PathBuf,
        /// The node's group.
        group: String,
        /// The configuration's.
        configured: String,
    },
    /// The file is there but cannot be understood.
    Damaged(PathBuf),
    /// The file cannot be read or written.
    Io(PathBuf, io::Error),
}

impl std::fmt::Display for GroupError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OtherMode { file, group, configured } => write!(
                f,
                "{}: this data folder belongs to a group with transit encryption {group}, but the configuration asks for \
                 transit encryption {configured}; a group keeps its mode for life: back up, create a new group from the backup \
                 in another folder, and move the endpoints",
                file.display()
            ),
            Self::OtherGroup { file, group, configured } => write!(
                f,
                "{}: this data folder belongs to group {group}, but group-id is {configured}; correct group-id, or start in an \
                 empty folder",
                file.display()
            ),
            Self::Damaged(file) => write!(
                f,
                "{}: the file that names the group is damaged; restore it from a backup of the folder, or start in an empty folder",
                file.display()
            ),
            Self::Io(file, error) => {
                write!(f, "{}: {error}; give the server a data folder (dir) that it can write", file.display())
            }
        }
    }
}

impl std::error::Error for GroupError {}

/// What the configuration says of the group.
#[derive(Clone, Copy, Debug)]
pub struct Configured<'a> {
    /// The mode.
    pub mode: TransitEncryption,
    /// `group-id`; empty for none.
    pub id: &'a str,
}

impl GroupIdentity {
    /// The group a data folder belongs to; a folder that belongs to none starts a new one. An id that is configured (not empty) is
    /// the one it is held to from now on.
    pub fn open(folder: &Path, configured: Configured<'_>, now_s: i64) -> Result<Self, GroupError> {
        let found = Self::find(folder, configured)?;
        let mut identity = found.clone().unwrap_or_else(|| Self {
            id: rand::random::<[u8; 16]>().iter().map(|byte| format!("{byte:02x}")).collect(),
            mode: configured.mode,
            created_at: now_s,
            fixed: false,
        });
        if !configured.id.is_empty() {
            (identity.id, identity.fixed) = (configured.id.to_ascii_lowercase(), true);
        }
        if found.as_ref() != Some(&identity) {
            identity.store(folder)?;
        }
        Ok(identity)
    }

    /// The group a data folder belongs to, if it belongs to one; it must have the configured mode, and be the configured group if the
    /// node is held to one.
    pub fn find(folder: &Path, configured: Configured<'_>) -> Result<Option<Self>, GroupError> {
        let file = folder.join(FILE);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(GroupError::Io(file, error)),
        };
        let identity = Self::parse(&text).ok_or_else(|| GroupError::Damaged(file.clone()))?;
        if identity.mode != configured.mode {
            return Err(GroupError::OtherMode { file, group: identity.mode, configured: configured.mode });
        }
        if identity.fixed && !configured.id.is_empty() && !identity.id.eq_ignore_ascii_case(configured.id) {
            return Err(GroupError::OtherGroup { file, group: identity.id, configured: configured.id.to_owned() });
        }
        Ok(Some(identity))
    }

    /// What the node says of its group.
    pub fn claim(&self) -> Claim {
        Claim { id: self.id.clone(), mode: Some(self.mode), fixed: self.fixed }
    }

    fn parse(text: &str) -> Option<Self> {
        let field = |name: &str| {
            text.lines()
                .find_map(|line| line.split_once(' ').filter(|(n, _)| *n == name).map(|(_, value)| value.trim()))
        };
        let id = field("group-id").filter(|id| is_id(id.as_bytes()))?;
        Some(Self {
            id: id.to_owned(),
            mode: field("transit-encryption")?.parse().ok()?,
            created_at: field("created-at")?.parse().ok()?,
            fixed: field("fixed") == Some("yes"),
        })
    }

    /// Writes the file whole or not at all.
    pub fn store(&self, folder: &Path) -> Result<(), GroupError> {
        let file = folder.join(FILE);
        self.write(folder, &file).map_err(|error| GroupError::Io(file, error))
    }

    fn write(&self, folder: &Path, file: &Path) -> io::Result<()> {
        let temporary = folder.join(format!("{FILE}.{}.tmp", std::process::id()));
        let mut out = fs::File::create(&temporary)?;
        writeln!(out, "group-id {}\ntransit-encryption {}\ncreated-at {}", self.id, self.mode, self.created_at)?;
        if self.fixed {
            writeln!(out, "fixed yes")?;
        }
        out.sync_all()?;
        fs::rename(&temporary, file)?;
        fs::File::open(folder)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ON: Configured<'_> = Configured { mode: TransitEncryption::On, id: "" };
    const OFF: Configured<'_> = Configured { mode: TransitEncryption::Off, id: "" };

    #[test]
    fn a_folder_keeps_the_mode_it_was_created_with() {
        let folder = tempfile::tempdir().unwrap();
        let first = GroupIdentity::open(folder.path(), ON, 5).unwrap();
        assert_eq!(GroupIdentity::open(folder.path(), ON, 9).unwrap(), first);
        let error = GroupIdentity::open(folder.path(), OFF, 9).unwrap_err().to_string();
        assert!(error.contains("transit encryption on") && error.contains("create a new group"), "{error}");
        fs::write(folder.path().join(FILE), "group-id x").unwrap();
        assert!(matches!(GroupIdentity::open(folder.path(), ON, 9), Err(GroupError::Damaged(_))));
    }

    #[test]
    fn an_id_that_was_fixed_stays() {
        let folder = tempfile::tempdir().unwrap();
        let random = GroupIdentity::open(folder.path(), ON, 5).unwrap();
        assert!(!random.fixed);
        let (wanted, other) = ("A1".repeat(16), "b2".repeat(16));
        let with = |id: &'static str| Configured { id, ..ON };
        let fixed = GroupIdentity::open(folder.path(), with(wanted.clone().leak()), 6).unwrap();
        assert_eq!((fixed.id.as_str(), fixed.fixed, fixed.created_at), (wanted.to_lowercase().as_str(), true, 5));
        assert_eq!(GroupIdentity::open(folder.path(), ON, 7).unwrap(), fixed, "without the parameter, too");
        let error = GroupIdentity::open(folder.path(), with(other.leak()), 8).unwrap_err().to_string();
        assert!(error.contains("belongs to group a1") && error.contains("empty folder"), "{error}");
    }
}
