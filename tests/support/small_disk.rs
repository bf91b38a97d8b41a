//! A disk that can be full: a small tmpfs where the test may mount one, else a limit on the length of the server's files.
//!
//! Both are the kernel's own errors (no space left; file too large); one of them is always there, so no test that needs a full disk is
//! ever left out.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::Server;

/// Room that stays on a full disk, or the longest file: less than any test writes, more than a manifest takes.
const LEFT_BYTES: usize = 16 << 10;

/// The disk.
pub struct SmallDisk {
    folder: TempDir,
    mounted: bool,
}

impl SmallDisk {
    /// An empty disk with so much room.
    pub fn new(bytes: usize) -> Self {
        let folder = TempDir::with_prefix("redis-tls-disk-").expect("a temporary folder");
        let options = format!("size={bytes},mode=0777");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path()).output();
        let mounted = mount.is_ok_and(|output| output.status.success());
        println!("the small disk is {}", if mounted { "a tmpfs" } else { "a limit on files' lengths" });
        Self { folder, mounted }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The path as an argument.
    pub fn text(&self) -> &str {
        self.path().to_str().expect("a path in UTF-8")
    }

    /// Fills it up, for a server that writes to it.
    pub fn fill(&self, server: &Server) {
        if !self.mounted {
            return limit_files(server, &LEFT_BYTES.to_string());
        }
        let mut file = std::fs::File::create(self.filler()).expect("a file");
        let piece = [0; 4096];
        while file.write_all(&piece).is_ok() {}
        let length = file.metadata().expect("its length").len();
        file.set_len(length.saturating_sub(LEFT_BYTES as u64)).expect("a shorter file");
    }

    /// Makes room again.
    pub fn free(&self, server: &Server) {
        if self.mounted {
            std::fs::remove_file(self.filler()).expect("the file that fills the disk");
        } else {
            limit_files(server, "unlimited");
        }
    }

    /// Lets nobody write to it any more, root included where it is a tmpfs.
    pub fn make_read_only(&self) {
        let output = if self.mounted {
            Command::new("mount").args(["-o", "remount,ro"]).arg(self.path()).output()
        } else {
            Command::new("chmod").arg("-R").arg("a-w").arg(self.path()).output()
        };
        assert!(output.is_ok_and(|output| output.status.success()), "the disk cannot be made read-only");
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if self.mounted {
            // What cannot be unmounted stays until the machine ends; the test has said what it had to say.
            let _ = Command::new("umount").args(["-l"]).arg(self.path()).status();
        } else {
            // Or the folder could not be removed where it was made read-only.
            let _ = Command::new("chmod").args(["-R", "u+w"]).arg(self.path()).status();
        }
    }
}

fn limit_files(server: &Server, bytes: &str) {
    let limit = format!("--fsize={bytes}:unlimited");
    let output = Command::new("prlimit").args(["--pid", &server.pid().to_string(), &limit]).output();
    let output = output.expect("prlimit runs, where no tmpfs can be mounted");
    assert!(output.status.success(), "prlimit {limit}: {}", super::server::text(&output));
}
