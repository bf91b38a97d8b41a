//! Kills at random moments under a write load: with `appendfsync always` no write that was acknowledged is lost, whatever was going on.
//!
//! Each client counts a key of its own up, alone and in a transaction beside a second key; after the kill each key must stand at what was
//! acknowledged last, or at the one write that was on its way. A rewrite is begun in the middle of every other round.
//! `REDIS_TLS_CRASH_ROUNDS` says how often; the default is a short run.

mod support;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use support::server::create_certificates;
use support::{Mode, Server};
use tempfile::TempDir;

const CLIENTS: usize = 4;
const ROUNDS: u64 = 4;
const OPTIONS: &[&str] = &["--save", "", "--appendonly", "yes", "--appendfsync", "always"];

#[test]
fn no_acknowledged_write_is_lost() {
    let rounds = std::env::var("REDIS_TLS_CRASH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(ROUNDS);
    let folder = TempDir::with_prefix("redis-tls-test-").unwrap();
    create_certificates(folder.path());
    let mut random = rand::rngs::SmallRng::seed_from_u64(1);
    let counts: Vec<AtomicU64> = (0..CLIENTS).map(|_| AtomicU64::new(0)).collect();
    for round in 0..rounds {
        let server = Server::start_in(folder.path(), Mode::Tls, OPTIONS);
        check(&server, &counts, round);
        let stopped = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for (index, count) in counts.iter().enumerate() {
                let (server, stopped) = (&server, &stopped);
                scope.spawn(move || write_until_killed(server, index, count, stopped));
            }
            std::thread::sleep(Duration::from_millis(random.random_range(20..300)));
            if round % 2 == 1 {
                server.client().run("BGREWRITEAOF");
                std::thread::sleep(Duration::from_millis(random.random_range(0..40)));
            }
            server.signal("KILL");
            stopped.store(true, SeqCst);
        });
        drop(server);
    }
    let server = Server::start_in(folder.path(), Mode::Tls, OPTIONS);
    check(&server, &counts, rounds);
    let writes: u64 = counts.iter().map(|count| count.load(SeqCst)).sum();
    println!("{rounds} kills, {writes} acknowledged writes, none lost");
    assert!(writes > 0);
}

/// Writes one number after the other and notes each that was acknowledged.
fn write_until_killed(server: &Server, index: usize, count: &AtomicU64, stopped: &AtomicBool) {
    let mut client = server.client();
    while !stopped.load(SeqCst) {
        let next = (count.load(SeqCst) + 1).to_string();
        let (key, pair) = (format!("key{index}"), format!("pair{index}"));
        let acknowledged = if next.ends_with('0') {
            ["MULTI".into(), format!("SET {key} {next}"), format!("SET {pair} {next}"), "EXEC".into()].iter().all(
                |line: &String| {
                    let words = support::wire::words(line);
                    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
                    client.try_run(&words).is_ok_and(|reply| !reply.starts_with('-'))
                },
            )
        } else {
            client.try_run(&[b"SET", key.as_bytes(), next.as_bytes()]).is_ok_and(|reply| reply == "+OK")
        };
        if !acknowledged {
            return;
        }
        count.fetch_add(1, SeqCst);
    }
}

/// Each key stands at the last acknowledged number, or at the one that was on its way; a transaction took effect as a whole.
fn check(server: &Server, counts: &[AtomicU64], round: u64) {
    let mut client = server.client();
    for (index, count) in counts.iter().enumerate() {
        let number = |client: &mut support::Wire, key: &str| {
            let reply = client.run(&format!("GET {key}{index}"));
            reply.trim_matches('\'').parse::<u64>().unwrap_or(0)
        };
        let (found, pair) = (number(&mut client, "key"), number(&mut client, "pair"));
        let expected = count.load(SeqCst);
        assert!(found == expected || found == expected + 1, "round {round}: {found} of {expected}\n{}", server.log());
        assert_eq!(pair, found / 10 * 10, "round {round}: half a transaction");
        count.store(found, SeqCst);
    }
}
