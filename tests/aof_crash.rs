//! Kills at random moments under a write load: with `appendfsync always` no write that was acknowledged is lost, with `everysec` none
//! that is older than a second and what a busy disk adds to it.
//!
//! Each client counts a key of its own up, alone and in a transaction beside a second key; after the kill each key must stand at what was
//! acknowledged last, or at the one write that was on its way. A rewrite is begun in the middle of every other round.
//! A kill takes nothing from the kernel, a power cut does: with `everysec` a further client marks the file now and then and waits until the
//! mark is on disk. Every other round the file is cut off behind the last mark whose wait had ended, as the worst power cut would leave it.
//! `REDIS_TLS_CRASH_ROUNDS` says how often; the default is a short run.

mod support;

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use support::server::create_certificates;
use support::wire::{encode, words};
use support::{Mode, Server, Wire, eventually};
use tempfile::TempDir;

const CLIENTS: usize = 4;
const ROUNDS: u64 = 4;
const INCREMENT: &str = "appendonlydir/appendonly.aof.1.incr.aof";
/// With `everysec`: a second, and for how long a write may be put off while the disk is busy with a flush.
const LOSS: Duration = Duration::from_secs(3);

fn rounds() -> u64 {
    std::env::var("REDIS_TLS_CRASH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(ROUNDS)
}

fn options(policy: &'static str) -> Vec<&'static str> {
    vec!["--save", "", "--appendonly", "yes", "--appendfsync", policy]
}

/// The last number of each client that was acknowledged.
type Counts = Vec<AtomicU64>;

fn zeros() -> Counts {
    (0..CLIENTS).map(|_| AtomicU64::new(0)).collect()
}

fn numbers(counts: &Counts) -> Vec<u64> {
    counts.iter().map(|count| count.load(SeqCst)).collect()
}

#[test]
fn no_acknowledged_write_is_lost() {
    let (rounds, options) = (rounds(), options("always"));
    let folder = TempDir::with_prefix("redis-tls-test-").unwrap();
    create_certificates(folder.path());
    let mut random = SmallRng::seed_from_u64(1);
    let counts = zeros();
    for round in 0..rounds {
        let server = Server::start_in(folder.path(), Mode::Tls, &options);
        check(&server, &counts, &numbers(&counts), round);
        under_load(&server, &counts, || {
            std::thread::sleep(Duration::from_millis(random.random_range(20..300)));
            if round % 2 == 1 {
                server.client().run("BGREWRITEAOF");
                std::thread::sleep(Duration::from_millis(random.random_range(0..40)));
            }
        });
        drop(server);
    }
    let server = Server::start_in(folder.path(), Mode::Tls, &options);
    check(&server, &counts, &numbers(&counts), rounds);
    let writes: u64 = numbers(&counts).iter().sum();
    println!("always: {rounds} kills, {writes} acknowledged writes, none lost");
    assert!(writes > 0);
}

#[test]
fn at_most_the_last_second_and_what_a_busy_disk_adds_is_lost() {
    let (rounds, options) = (rounds(), options("everysec"));
    let mut random = SmallRng::seed_from_u64(2);
    let (mut writes, mut lost, mut longest) = (0, [0, 0], Duration::ZERO);
    for round in 0..rounds {
        let folder = TempDir::with_prefix("redis-tls-test-").unwrap();
        create_certificates(folder.path());
        let (counts, marks) = (zeros(), Marks::default());
        let server = Server::start_in(folder.path(), Mode::Tls, &options);
        std::thread::scope(|scope| {
            let client = server.client();
            scope.spawn(|| marks.set_until_killed(client, &counts));
            under_load(&server, &counts, || {
                eventually("a mark comes to disk", || marks.last.lock().unwrap().is_some());
                std::thread::sleep(Duration::from_millis(random.random_range(1200..2500)));
            });
        });
        drop(server);
        let acknowledged = numbers(&counts);
        let mark = marks.last.into_inner().unwrap().expect("a mark has come to disk");
        longest = longest.max(marks.longest.into_inner().unwrap());
        let power_cut = round % 2;
        if power_cut == 1 {
            cut_behind(&folder.path().join(INCREMENT), mark.number);
        }
        let server = Server::start_in(folder.path(), Mode::Tls, &options);
        check(&server, &counts, &mark.counts, round);
        writes += acknowledged.iter().sum::<u64>();
        lost[power_cut as usize] +=
            acknowledged.iter().zip(numbers(&counts)).map(|(before, found)| before.saturating_sub(found)).sum::<u64>();
    }
    println!(
        "everysec: {rounds} kills, every other one as a power cut, {writes} acknowledged writes; lost by kills {}, by power cuts {}; \
         the longest way to the disk took {} ms",
        lost[0],
        lost[1],
        longest.as_millis()
    );
    assert!(longest < LOSS, "a write was not on disk after {longest:?}");
}

/// Keeps all clients writing, and kills the server after `meanwhile`.
fn under_load(server: &Server, counts: &Counts, meanwhile: impl FnOnce()) {
    let stopped = AtomicBool::new(false);
    let clients: Vec<Wire> = counts.iter().map(|_| server.client()).collect();
    std::thread::scope(|scope| {
        for (index, (count, client)) in counts.iter().zip(clients).enumerate() {
            let stopped = &stopped;
            scope.spawn(move || write_until_killed(client, index, count, stopped));
        }
        meanwhile();
        server.signal("KILL");
        stopped.store(true, SeqCst);
    });
}

/// Writes one number after the other and notes each that was acknowledged.
fn write_until_killed(mut client: Wire, index: usize, count: &AtomicU64, stopped: &AtomicBool) {
    while !stopped.load(SeqCst) {
        let next = (count.load(SeqCst) + 1).to_string();
        let (key, pair) = (format!("key{index}"), format!("pair{index}"));
        let acknowledged = if next.ends_with('0') {
            ["MULTI".into(), format!("SET {key} {next}"), format!("SET {pair} {next}"), "EXEC".into()]
                .iter()
                .all(|line: &String| attempt(&mut client, line).is_some_and(|reply| !reply.starts_with('-')))
        } else {
            attempt(&mut client, &format!("SET {key} {next}")).is_some_and(|reply| reply == "+OK")
        };
        if !acknowledged {
            return;
        }
        count.fetch_add(1, SeqCst);
    }
}

fn attempt(client: &mut Wire, line: &str) -> Option<String> {
    let words = words(line);
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    client.try_run(&words).ok()
}

/// A mark in the file that had come to disk, and what was acknowledged before it was set.
struct Mark {
    number: u64,
    counts: Vec<u64>,
}

#[derive(Default)]
struct Marks {
    last: std::sync::Mutex<Option<Mark>>,
    /// The longest that a mark took to come to disk.
    longest: std::sync::Mutex<Duration>,
}

impl Marks {
    fn set_until_killed(&self, mut client: Wire, counts: &Counts) {
        for number in 1.. {
            let (mark, started) = (Mark { number, counts: numbers(counts) }, Instant::now());
            let set = attempt(&mut client, &format!("SET mark {number}"));
            let on_disk = attempt(&mut client, "WAITAOF 1 0 0");
            if set.is_none() || on_disk.is_none() {
                return;
            }
            assert_eq!(on_disk.as_deref(), Some("[1 0]"));
            let mut longest = self.longest.lock().unwrap();
            *longest = longest.max(started.elapsed());
            *self.last.lock().unwrap() = Some(mark);
        }
    }
}

/// Cuts the file off behind a mark.
fn cut_behind(path: &Path, mark: u64) {
    let bytes = std::fs::read(path).unwrap();
    let record = encode(&[b"SET", b"mark", mark.to_string().as_bytes()]);
    let start = bytes.windows(record.len()).position(|window| window == record);
    let end = start.expect("the mark is in the file") + record.len();
    std::fs::File::options().write(true).open(path).unwrap().set_len(end as u64).unwrap();
}

/// Each key stands between what must be there and the write that was on its way; a transaction took effect as a whole. Counting goes on
/// from what is there.
fn check(server: &Server, counts: &Counts, least: &[u64], round: u64) {
    let mut client = server.client();
    for (index, (count, least)) in counts.iter().zip(least).enumerate() {
        let number = |client: &mut Wire, key: &str| {
            let reply = client.run(&format!("GET {key}{index}"));
            reply.trim_matches('\'').parse::<u64>().unwrap_or(0)
        };
        let (found, pair) = (number(&mut client, "key"), number(&mut client, "pair"));
        let most = count.load(SeqCst) + 1;
        assert!((*least..=most).contains(&found), "round {round}: {found} of {least} to {most}\n{}", server.log());
        assert_eq!(pair, found / 10 * 10, "round {round}: half a transaction");
        count.store(found, SeqCst);
    }
}
