//! The two programs that are compared: this server, and `redis-server` of Redis 7, which must be installed.

use std::path::Path;
use std::process::Command;

use super::super::support::server::PROGRAM;
use super::super::support::{Mode, Server};

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// This server.
    Ours,
    /// Redis.
    Redis,
}

impl Side {
    /// Both, in the order of the figures.
    pub const BOTH: [Self; 2] = [Self::Ours, Self::Redis];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "redis-tls",
            Self::Redis => "Redis",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Ours => PROGRAM,
            Self::Redis => "redis-server",
        }
    }

    /// Starts a server over TLS in a folder with certificates; it may still be loading.
    pub fn start(self, folder: &Path, args: &[&str]) -> Server {
        let mut all = vec!["--save", "", "--daemonize", "no", "--tls-replication", "yes"];
        if self == Self::Ours {
            // What Redis 7.0 reads too.
            all.extend(["--rdb-version", "10"]);
        }
        all.extend(args);
        Server::of_program(self.program(), folder, Mode::Tls, &all)
    }
}

/// What the installed Redis calls itself.
pub fn redis_version() -> String {
    let version = Command::new(Side::Redis.program()).arg("--version").output().expect("redis-server is installed");
    String::from_utf8_lossy(&version.stdout).trim().to_owned()
}
