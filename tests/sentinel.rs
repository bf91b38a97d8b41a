//! Debian's redis-sentinel manages three of our nodes over TLS: it finds them, notices that the primary hangs, makes a replica the primary,
//! and the old primary its replica when that comes back.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use support::server::create_certificates;
use support::{Mode, Server, eventually, free_port, info_field};
use tempfile::TempDir;

/// The name under which the sentinels know the group.
const NAME: &str = "ours";
/// Sentinels; two of them must agree.
const SENTINELS: usize = 3;

/// A sentinel, driven by redis-cli.
struct Sentinel {
    child: Child,
    folder: PathBuf,
    port: u16,
}

impl Sentinel {
    fn start(folder: PathBuf, primary: u16) -> Self {
        let port = free_port();
        let path = |name: &str| folder.join(name).display().to_string();
        let lines = [
            "port 0".to_owned(),
            format!("tls-port {port}"),
            "bind 127.0.0.1".to_owned(),
            "tls-replication yes".to_owned(),
            "tls-auth-clients no".to_owned(),
            format!("tls-cert-file {}", path("server.crt")),
            format!("tls-key-file {}", path("server.key")),
            format!("tls-ca-cert-file {}", path("ca.crt")),
            format!("dir {}", folder.display()),
            format!("sentinel monitor {NAME} 127.0.0.1 {primary} 2"),
            format!("sentinel down-after-milliseconds {NAME} 1000"),
            format!("sentinel failover-timeout {NAME} 10000"),
        ];
        let file = path("sentinel.conf");
        std::fs::write(&file, lines.join("\n")).unwrap();
        let child = Command::new("redis-sentinel")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(folder.join("sentinel.log")).unwrap())
            .spawn()
            .expect("redis-sentinel is installed (tests/run sees to it)");
        let sentinel = Self { child, folder, port };
        eventually("the sentinel answers", || sentinel.run("PING") == "PONG");
        // Looks, and tells the others, more often than in production.
        let often = "SENTINEL DEBUG INFO-PERIOD 1000 PING-PERIOD 250 ASK-PERIOD 250 PUBLISH-PERIOD 500";
        assert_eq!(sentinel.run(often), "OK");
        sentinel
    }

    fn run(&self, line: &str) -> String {
        let output = Command::new("redis-cli")
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "--tls"])
            .args(["--cacert", self.folder.join("ca.crt").to_str().unwrap()])
            .args(line.split(' '))
            .stdin(Stdio::null())
            .output()
            .expect("redis-cli");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// A field of what it says of the primary.
    fn fact(&self, name: &str) -> String {
        let reply = self.run(&format!("SENTINEL MASTER {NAME}"));
        let mut lines = reply.lines();
        lines.find(|line| *line == name).and_then(|_| lines.next()).unwrap_or_default().to_owned()
    }

    /// The port of whom it takes for the primary.
    fn primary(&self) -> u16 {
        let reply = self.run(&format!("SENTINEL GET-MASTER-ADDR-BY-NAME {NAME}"));
        reply.lines().nth(1).and_then(|port| port.parse().ok()).unwrap_or(0)
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- {}", std::fs::read_to_string(self.folder.join("sentinel.log")).unwrap_or_default());
        }
    }
}

/// A new folder below `root`, with the certificates that are there.
fn folder(root: &Path, name: &str) -> PathBuf {
    let folder = root.join(name);
    std::fs::create_dir(&folder).unwrap();
    for file in std::fs::read_dir(root).unwrap().map(Result::unwrap) {
        if file.file_type().unwrap().is_file() {
            std::fs::copy(file.path(), folder.join(file.file_name())).unwrap();
        }
    }
    folder
}

/// A field of what a node says of its role. A sentinel closes the connections of the clients of whomever it gives another role, hence
/// each question has its own.
fn field(node: &Server, name: &str) -> String {
    let info = node.client().text("INFO replication");
    info_field(&info, name).unwrap_or_default().to_owned()
}

/// Waits until a node follows another and has its stream.
fn await_following(replica: &Server, primary: u16) {
    eventually("the replica follows the primary", || {
        field(replica, "master_port") == primary.to_string() && field(replica, "master_link_status") == "up"
    });
}

#[test]
fn sentinel_replaces_a_primary_that_hangs() {
    let root = TempDir::with_prefix("redis-tls-test-").unwrap();
    create_certificates(root.path());
    let args = ["--repl-diskless-sync-delay", "0"];
    let node = |i: usize| Server::start_in(&folder(root.path(), &format!("node{i}")), Mode::Tls, &args);
    let nodes: Vec<Server> = (0..3).map(node).collect();
    let old = nodes[0].port();
    for replica in &nodes[1..] {
        assert_eq!(replica.client().run(&format!("REPLICAOF 127.0.0.1 {old}")), "+OK");
        await_following(replica, old);
    }
    let start = |i: usize| Sentinel::start(folder(root.path(), &format!("sentinel{i}")), old);
    let sentinels: Vec<Sentinel> = (0..SENTINELS).map(start).collect();
    for sentinel in &sentinels {
        eventually("the sentinels know all nodes and each other", || {
            sentinel.fact("num-slaves") == "2" && sentinel.fact("num-other-sentinels") == (SENTINELS - 1).to_string()
        });
    }
    write(&nodes[0], "before", 2);

    nodes[0].signal("STOP");
    for sentinel in &sentinels {
        eventually("every sentinel has another primary", || ![0, old].contains(&sentinel.primary()));
    }
    let new = sentinels[0].primary();
    let (chosen, other) = if new == nodes[1].port() { (&nodes[1], &nodes[2]) } else { (&nodes[2], &nodes[1]) };
    assert_eq!((chosen.port(), field(chosen, "role").as_str()), (new, "master"));
    await_following(other, new);
    write(chosen, "after", 1);
    assert_eq!(other.client().run("MGET before after"), "['1' '1']");

    nodes[0].signal("CONT");
    await_following(&nodes[0], new);
    eventually("it has what it missed", || nodes[0].client().run("MGET before after") == "['1' '1']");
    assert_eq!(field(chosen, "connected_slaves"), "2");
}

/// Sets a key and waits until so many replicas have it.
fn write(primary: &Server, key: &str, replicas: i64) {
    let mut client = primary.client();
    assert_eq!(client.run(&format!("SET {key} 1")), "+OK");
    assert_eq!(client.int(&format!("WAIT {replicas} 10000")), replicas);
}
