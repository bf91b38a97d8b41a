//! Noticing that certificate files have changed, so that a renewal needs no command.
//!
//! It stands alone, without timer or task: somebody calls `poll` once a second. Files are known by device,
//! inode, size and time of modification, read *through* symbolic links, so that a swapped link counts as
//! a change, which is how Kubernetes and certbot publish. A change counts only once it has been quiet for
//! one poll: a renewal writes several files, and half of one is no certificate.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::options::TlsOptions;
use super::trust::certificate_files;

/// What distinguishes a file from its replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    device: u64,
    inode: u64,
    size_bytes: u64,
    modified_ns: i128,
}

/// Every file of a configuration with its identity; none where there is no such file.
pub type Snapshot = BTreeMap<PathBuf, Option<FileIdentity>>;

/// Looks at every file that the options name.
pub fn snapshot(options: &TlsOptions) -> Snapshot {
    let mut paths: Vec<PathBuf> = [
        &options.cert_file,
        &options.key_file,
        &options.client_cert_file,
        &options.client_key_file,
        &options.ca_cert_file,
        &options.ca_cert_dir,
        &options.crl_file,
    ]
    .into_iter()
    .flatten()
    .cloned()
    .collect();
    if let Some(directory) = &options.ca_cert_dir {
        paths.extend(certificate_files(directory).unwrap_or_default());
    }
    paths.into_iter().map(|path| (path.clone(), identity(&path))).collect()
}

fn identity(path: &Path) -> Option<FileIdentity> {
    let metadata = fs::metadata(path).ok()?;
    Some(FileIdentity {
        device: metadata.dev(),
        inode: metadata.ino(),
        size_bytes: metadata.size(),
        modified_ns: i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec()),
    })
}

/// Compares successive snapshots.
#[derive(Clone, Debug)]
pub struct FileWatch {
    /// What the configuration in force was read from, or what was last reported.
    settled: Snapshot,
    /// A change that has not been quiet yet.
    pending: Option<Snapshot>,
}

impl FileWatch {
    /// Starts from a snapshot, which must be older than the reading of the files.
    pub fn new(settled: Snapshot) -> Self {
        Self { settled, pending: None }
    }

    /// Takes the next snapshot; true if there is a change that the last poll had seen already. Each change
    /// is reported once.
    pub fn poll(&mut self, seen: Snapshot) -> bool {
        if seen == self.settled {
            self.pending = None;
            return false;
        }
        if self.pending.as_ref() == Some(&seen) {
            self.settled = seen;
            self.pending = None;
            return true;
        }
        self.pending = Some(seen);
        false
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::tls::testing::Folder;

    fn polls(watch: &mut FileWatch, options: &TlsOptions, times: usize) -> Vec<bool> {
        (0..times).map(|_| watch.poll(snapshot(options))).collect()
    }

    fn watched(file: &Path) -> (FileWatch, TlsOptions) {
        let options = TlsOptions { cert_file: Some(file.into()), ..TlsOptions::default() };
        (FileWatch::new(snapshot(&options)), options)
    }

    #[test]
    fn a_change_is_reported_once_after_one_quiet_poll() {
        let folder = Folder::new();
        let file = folder.write("server.crt", "old");
        let (mut watch, options) = watched(&file);
        assert_eq!(polls(&mut watch, &options, 2), [false, false]);
        folder.write("server.crt", "renewed");
        assert_eq!(polls(&mut watch, &options, 4), [false, true, false, false]);
    }

    #[test]
    fn a_file_in_the_making_is_left_alone() {
        let folder = Folder::new();
        let file = folder.write("server.crt", "old");
        let (mut watch, options) = watched(&file);
        for size in 10..13 {
            folder.write("server.crt", "x".repeat(size));
            assert_eq!(polls(&mut watch, &options, 1), [false]);
        }
        assert_eq!(polls(&mut watch, &options, 2), [true, false]);
    }

    #[test]
    fn swapped_links_and_vanished_files_are_changes() {
        let folder = Folder::new();
        let (first, second) = (folder.write("1.crt", "same"), folder.write("2.crt", "same"));
        let link = folder.path("server.crt");
        symlink(&first, &link).unwrap();
        let (mut watch, options) = watched(&link);
        symlink(&second, folder.path("new")).unwrap();
        fs::rename(folder.path("new"), &link).unwrap();
        assert_eq!(polls(&mut watch, &options, 2), [false, true]);
        fs::remove_file(&second).unwrap();
        assert_eq!(polls(&mut watch, &options, 2), [false, true]);
    }

    #[test]
    fn a_directory_of_cas_is_watched_file_by_file() {
        let folder = Folder::new();
        folder.write("a.crt", "a");
        let options = TlsOptions { ca_cert_dir: Some(folder.root()), ..TlsOptions::default() };
        let mut watch = FileWatch::new(snapshot(&options));
        folder.write("b.crt", "b");
        assert_eq!(polls(&mut watch, &options, 3), [false, true, false]);
        folder.write("a.crt", "renewed");
        assert_eq!(polls(&mut watch, &options, 3), [false, true, false]);
    }

    #[test]
    fn a_change_that_is_undone_is_none() {
        let folder = Folder::new();
        let file = folder.write("server.crt", "old");
        let (mut watch, options) = watched(&file);
        fs::rename(&file, folder.path("aside")).unwrap();
        assert_eq!(polls(&mut watch, &options, 1), [false]);
        fs::rename(folder.path("aside"), &file).unwrap();
        assert_eq!(polls(&mut watch, &options, 2), [false, false]);
    }
}
