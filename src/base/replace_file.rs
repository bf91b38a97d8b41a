//! Replacing a file at once: a crash leaves the old content or the new one, never a part of either.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Writes beside the file, flushes, and renames. Mode and symbolic link of the file stay.
pub fn replace_file(path: &Path, content: &[u8]) -> io::Result<()> {
    // A link keeps pointing where it points: what it points to is replaced.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let directory = match target.parent() {
        Some(directory) if directory != Path::new("") => directory,
        Some(_) => Path::new("."),
        None => Path::new("/"),
    };
    let temporary = temporary_name(&target);
    let written = write_synced(&temporary, &target, content).and_then(|()| fs::rename(&temporary, &target));
    if written.is_err() {
        // The error that matters is the first one; a left-over file is harmless.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    File::open(directory)?.sync_all()
}

fn write_synced(temporary: &Path, target: &Path, content: &[u8]) -> io::Result<()> {
    let mode = fs::metadata(target).map_or(0o644, |metadata| metadata.permissions().mode() & 0o7777);
    let mut file = File::create_new(temporary)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.write_all(content)?;
    file.sync_all()
}

fn temporary_name(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(format!(".{:08x}.tmp", rand::random::<u32>()));
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_changes_and_nothing_is_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        for content in [&b"one"[..], b"two"] {
            replace_file(&path, content).unwrap();
            assert_eq!(fs::read(&path).unwrap(), content);
        }
        assert!(replace_file(&dir.path().join("no/such/folder"), b"").is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
