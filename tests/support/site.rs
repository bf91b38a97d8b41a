//! Folders of one group, and real Redis servers in them beside ours.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::server::{create_certificates, tls_arguments};
use super::{Mode, Server, eventually, free_port};

/// What the tests ask of every server of ours.
pub const ALLOWED: &[&str] = &[
    "--enable-debug-command",
    "yes",
    "--enable-protected-configs",
    "yes",
    "--repl-diskless-sync-delay",
    "0",
    // A real Redis 7.0 reads snapshots up to this version.
    "--rdb-version",
    "10",
];

/// Folders of one group: the same certificates, data of their own.
pub struct Site {
    root: TempDir,
    count: std::cell::Cell<usize>,
}

impl Site {
    /// A new one, with certificates.
    pub fn new() -> Self {
        let root = TempDir::with_prefix("redis-tls-test-").unwrap();
        create_certificates(root.path());
        Self { root, count: std::cell::Cell::new(0) }
    }

    /// The folder of the certificates.
    pub fn path(&self) -> &std::path::Path {
        self.root.path()
    }

    /// A folder for another node.
    pub fn folder(&self) -> PathBuf {
        self.count.set(self.count.get() + 1);
        let folder = self.root.path().join(format!("node{}", self.count.get()));
        std::fs::create_dir(&folder).unwrap();
        for file in std::fs::read_dir(self.root.path()).unwrap().map(Result::unwrap) {
            if file.file_type().unwrap().is_file() {
                std::fs::copy(file.path(), folder.join(file.file_name())).unwrap();
            }
        }
        folder
    }

    /// A server of ours.
    pub fn ours(&self, mode: Mode, args: &[&str]) -> Server {
        Server::start_in(&self.folder(), mode, &[ALLOWED, args].concat())
    }

    /// A real Redis.
    pub fn redis(&self, mode: Mode, args: &[&str]) -> Redis {
        Redis::start_in(self.folder(), mode, args)
    }
}

/// A real Redis, driven by redis-cli; killed when dropped.
pub struct Redis {
    child: Child,
    folder: PathBuf,
    mode: Mode,
    /// Where it listens.
    pub port: u16,
}

impl Redis {
    /// One in a folder that may hold data already.
    pub fn start_in(folder: PathBuf, mode: Mode, args: &[&str]) -> Self {
        let port = free_port();
        let number = port.to_string();
        let mut command = Command::new("redis-server");
        match mode {
            Mode::Plain => command.args(["--port", &number]),
            Mode::Tls => command
                .args(["--port", "0", "--tls-port", &number, "--tls-replication", "yes"])
                .args(tls_arguments(&folder)),
        };
        let child = command
            .args([
                "--save",
                "",
                "--bind",
                "127.0.0.1",
                "--repl-diskless-sync-delay",
                "0",
                "--enable-debug-command",
                "yes",
            ])
            .args(["--dir", folder.to_str().unwrap()])
            .args(args)
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(folder.join("redis.log")).unwrap())
            .spawn()
            .expect("redis-server is installed (tests/run sees to it)");
        let redis = Self { child, folder, mode, port };
        eventually("Redis answers", || {
            let answer = redis.cli(&["PING"]);
            answer == "PONG" || answer.starts_with("NOAUTH")
        });
        redis
    }

    /// Runs redis-cli.
    pub fn cli(&self, args: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        if self.mode == Mode::Tls {
            command.args(["--tls", "--cacert", self.folder.join("ca.crt").to_str().unwrap()]);
        }
        let output = command.args(args).stdin(Stdio::null()).output().expect("redis-cli");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// A plaintext client.
    pub fn plain_client(&self) -> super::Wire {
        let socket = std::net::TcpStream::connect(("127.0.0.1", self.port)).expect("connect");
        socket.set_nodelay(true).expect("an option");
        socket.set_read_timeout(Some(super::DEADLINE)).expect("an option");
        super::Wire::new(super::Stream::Plain(socket))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- {}", std::fs::read_to_string(self.folder.join("redis.log")).unwrap_or_default());
        }
    }
}
