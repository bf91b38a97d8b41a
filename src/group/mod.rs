//! The identity of a replication group, which its data folder remembers: group id, mode, time of creation.
//!
//! The mode (in-transit encryption on or off) is fixed when the group is created. A start whose configuration says
//! otherwise stops here, before anything is touched. There is no way to change the file but to create a new group.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::tls::mode::TransitEncryption;

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

impl GroupIdentity {
    /// The group a data folder belongs to; a folder that belongs to none starts a new one.
    pub fn open(folder: &Path, configured: TransitEncryption, now_s: i64) -> Result<Self, GroupError> {
        if let Some(identity) = Self::find(folder, configured)? {
            return Ok(identity);
        }
        let file = folder.join(FILE);
        let id = rand::random::<[u8; 16]>().iter().map(|byte| format!("{byte:02x}")).collect();
        let identity = Self { id, mode: configured, created_at: now_s };
        identity.store(folder, &file).map_err(|error| GroupError::Io(file, error))?;
        Ok(identity)
    }

    /// The group a data folder belongs to, if it belongs to one; it must have the configured mode.
    pub fn find(folder: &Path, configured: TransitEncryption) -> Result<Option<Self>, GroupError> {
        let file = folder.join(FILE);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(GroupError::Io(file, error)),
        };
        let identity = Self::parse(&text).ok_or_else(|| GroupError::Damaged(file.clone()))?;
        if identity.mode != configured {
            return Err(GroupError::OtherMode { file, group: identity.mode, configured });
        }
        Ok(Some(identity))
    }

    fn parse(text: &str) -> Option<Self> {
        let field = |name: &str| {
            text.lines()
                .find_map(|line| line.split_once(' ').filter(|(n, _)| *n == name).map(|(_, value)| value.trim()))
        };
        let id = field("group-id").filter(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()))?;
        Some(Self {
            id: id.to_owned(),
            mode: field("transit-encryption")?.parse().ok()?,
            created_at: field("created-at")?.parse().ok()?,
        })
    }

    /// Writes the file whole or not at all.
    fn store(&self, folder: &Path, file: &Path) -> io::Result<()> {
        let temporary = folder.join(format!("{FILE}.{}.tmp", std::process::id()));
        let mut out = fs::File::create(&temporary)?;
        writeln!(out, "group-id {}\ntransit-encryption {}\ncreated-at {}", self.id, self.mode, self.created_at)?;
        out.sync_all()?;
        fs::rename(&temporary, file)?;
        fs::File::open(folder)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_the_mode_it_was_created_with() {
        let folder = tempfile::tempdir().unwrap();
        let first = GroupIdentity::open(folder.path(), TransitEncryption::On, 5).unwrap();
        assert_eq!(GroupIdentity::open(folder.path(), TransitEncryption::On, 9).unwrap(), first);
        let error = GroupIdentity::open(folder.path(), TransitEncryption::Off, 9).unwrap_err().to_string();
        assert!(error.contains("transit encryption on") && error.contains("create a new group"), "{error}");
        fs::write(folder.path().join(FILE), "group-id x").unwrap();
        assert!(matches!(GroupIdentity::open(folder.path(), TransitEncryption::On, 9), Err(GroupError::Damaged(_))));
    }
}
