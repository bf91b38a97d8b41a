//! What every black-box test stands on: the real binary on a free loopback port, and ways to talk to it.
//!
//! `server` starts and ends the process, `wire` speaks RESP over TLS or TCP and writes replies down as one line of text,
//! `table` runs rows of "command, expected reply", `site` has the folders of a group, `proxy` spoils connections, `small_disk` fills up. Nothing here knows the server's code: the tests see what a client sees.
#![allow(dead_code, unused_imports, reason = "each test file is a crate of its own and uses a part of this")]

pub mod proxy;
pub mod server;
pub mod site;
pub mod small_disk;
pub mod table;
pub mod wire;

pub use proxy::Proxy;
pub use server::{Mode, Server, free_port};
pub use site::{ALLOWED, Redis, Site};
pub use small_disk::SmallDisk;
pub use table::{check, check_all};
pub use wire::{Stream, Wire};

use std::time::{Duration, Instant};

/// The longest that anything in these tests may take before it counts as broken.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Polls `condition` until it holds; panics with `what` at the deadline.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < end, "not within {DEADLINE:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The value of a field of an INFO reply.
pub fn info_field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'))
}

/// Waits until `count` clients are blocked.
pub fn wait_blocked(server: &Server, count: usize) {
    let mut client = server.client();
    eventually(&format!("{count} blocked clients"), || {
        let info = client.text("INFO clients");
        info_field(&info, "blocked_clients") == Some(&count.to_string())
    });
}

/// A client that has sent `line` and is blocked, the `nth` one.
pub fn blocked(server: &Server, nth: usize, line: &str) -> Wire {
    let mut client = server.client();
    client.send(line);
    wait_blocked(server, nth);
    client
}
