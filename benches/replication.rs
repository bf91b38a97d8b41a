//! Replication beside `redis-server` on the same machine: a primary and its replicas of one program, all over TLS.
//!
//! Two tables in Markdown. Writes: how many per second a primary with no, one and three replicas takes in, the time included until
//! the replicas have them, and what each costs the primary in CPU; what is not there without replicas is the share of replication. All
//! processes share the machine, so CPU per write is the figure to compare; each figure is the median of rounds taken in turn. Full
//! synchronisation: from REPLICAOF until the replica has everything and the link is up, over a file and straight into memory.
//! `REDIS_TLS_BENCH_KEYS` says how many keys are copied; the default is a million. `redis-server` of Redis 7 must be installed.

#[path = "../tests/support/mod.rs"]
mod support;

mod shared;

use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use shared::load::{Workload, keep_busy};
use shared::side::{Side, redis_version};
use shared::{cpu_seconds, wait_until};
use support::wire::encode;
use support::{Server, Site, Wire, info_field};

const KEYS: u64 = 1_000_000;
const CONNECTIONS: usize = 16;
const REPLICAS: [usize; 3] = [0, 1, 3];
const PIPELINES: [usize; 2] = [1, 16];
const WARM_UP: Duration = Duration::from_millis(500);
const MEASURED: Duration = Duration::from_secs(4);
/// Odd: the one in the middle counts.
const ROUNDS: usize = 3;
/// Writes that follow each other have other keys: so many in all.
const WRITTEN_KEYS: usize = 100_000;
const VALUE_BYTES: usize = 64;
/// Between two looks at where a replica is.
const PAUSE: Duration = Duration::from_millis(1);

/// What writes were measured to be.
#[derive(Clone, Copy)]
struct Writes {
    per_second: f64,
    cpu_us: f64,
}

/// What a full synchronisation was measured to be.
#[derive(Clone, Copy)]
struct Copy {
    seconds: f64,
    bytes: u64,
}

fn main() {
    let seconds = MEASURED.as_secs();
    println!("{}; {CONNECTIONS} connections, medians of {ROUNDS} rounds of {seconds} s\n", redis_version());
    writes();
    copies(shared::keys(KEYS));
}

fn writes() {
    println!(
        "| pipeline | replicas | writes/s redis-tls | writes/s Redis | CPU µs/write redis-tls | Redis | ratio | of it for replicas: \
         redis-tls | Redis |"
    );
    println!("|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for pipeline in PIPELINES {
        let workload = workload(pipeline);
        let mut alone = None;
        for replicas in REPLICAS {
            let rounds: [_; ROUNDS] =
                std::array::from_fn(|_| Side::BOTH.map(|side| measure_writes(side, replicas, &workload)));
            let [ours, redis] = [0, 1].map(|side| median(rounds.map(|round| round[side])));
            let alone = *alone.get_or_insert([ours, redis]);
            println!(
                "| {pipeline} | {replicas} | {:.0} | {:.0} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |",
                ours.per_second,
                redis.per_second,
                ours.cpu_us,
                redis.cpu_us,
                ours.cpu_us / redis.cpu_us,
                ours.cpu_us - alone[0].cpu_us,
                redis.cpu_us - alone[1].cpu_us
            );
        }
    }
}

/// The round whose CPU time is in the middle.
fn median(mut rounds: [Writes; ROUNDS]) -> Writes {
    rounds.sort_by(|a, b| a.cpu_us.total_cmp(&b.cpu_us));
    rounds[ROUNDS / 2]
}

fn workload(pipeline: usize) -> Workload {
    let mut random = SmallRng::seed_from_u64(1);
    let value = [b'v'; VALUE_BYTES];
    let mut request = || {
        let key = format!("key:{:012}", random.random_range(0..WRITTEN_KEYS));
        encode(&[b"SET", key.as_bytes(), &value])
    };
    let batches = (0..WRITTEN_KEYS / pipeline).map(|_| (0..pipeline).flat_map(|_| request()).collect()).collect();
    Workload { batches, pipeline, reply_bytes: "+OK\r\n".len() * pipeline }
}

fn measure_writes(side: Side, replicas: usize, workload: &Workload) -> Writes {
    let site = Site::new();
    let primary = start(side, &site);
    let nodes: Vec<Server> = (0..replicas).map(|_| start(side, &site)).collect();
    let mut replicas: Vec<Wire> = nodes.iter().map(Server::client).collect();
    let mut client = primary.client();
    for replica in &mut replicas {
        follow(replica, &primary);
    }
    keep_busy(&primary, CONNECTIONS, workload, WARM_UP);
    level(&mut client, &mut replicas);

    let (cpu, start) = (cpu_seconds(primary.pid()), Instant::now());
    let batches = keep_busy(&primary, CONNECTIONS, workload, MEASURED).len();
    level(&mut client, &mut replicas);
    let (cpu, elapsed) = (cpu_seconds(primary.pid()) - cpu, start.elapsed());
    let writes = batches as f64 * workload.pipeline as f64;
    Writes { per_second: writes / elapsed.as_secs_f64(), cpu_us: cpu * 1e6 / writes }
}

fn copies(keys: u64) {
    println!("\n| {keys} keys to a replica | s redis-tls | s Redis | MB/s redis-tls | MB/s Redis |");
    println!("|---|--:|--:|--:|--:|");
    let primaries = Side::BOTH.map(|side| {
        let site = Site::new();
        let primary = start(side, &site);
        shared::load::fill(&primary, keys);
        assert_eq!(primary.client().run("SAVE"), "+OK");
        (side, primary, site)
    });
    for (name, way) in [("over a file", "disabled"), ("straight into memory", "on-empty-db")] {
        let [ours, redis] = primaries.each_ref().map(|(side, primary, site)| copy(*side, primary, site, keys, way));
        let rate = |copy: Copy| copy.bytes as f64 / 1e6 / copy.seconds;
        println!("| {name} | {:.2} | {:.2} | {:.1} | {:.1} |", ours.seconds, redis.seconds, rate(ours), rate(redis));
    }
}

fn copy(side: Side, primary: &Server, site: &Site, keys: u64, way: &str) -> Copy {
    let node = start(side, site);
    let mut replica = node.client();
    assert_eq!(replica.run(&format!("CONFIG SET repl-diskless-load {way}")), "+OK");
    let begun = Instant::now();
    follow(&mut replica, primary);
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(replica.int("DBSIZE") as u64, keys);
    let bytes = std::fs::metadata(primary.path().join("dump.rdb")).expect("the file").len();
    Copy { seconds, bytes }
}

fn start(side: Side, site: &Site) -> Server {
    side.start(&site.folder(), &["--repl-diskless-sync-delay", "0"])
}

/// Makes a server a replica; the link is up afterwards.
fn follow(replica: &mut Wire, primary: &Server) {
    assert!(replica.run(&format!("REPLICAOF localhost {}", primary.port())).starts_with("+OK"));
    wait_until("the link is up", PAUSE, || field(replica, "master_link_status") == "up");
}

/// Waits until the replicas have everything.
fn level(primary: &mut Wire, replicas: &mut [Wire]) {
    let offset = |client: &mut Wire, name| field(client, name).parse::<u64>().expect("an offset");
    let goal = offset(primary, "master_repl_offset");
    for replica in replicas {
        wait_until("the replica is level", PAUSE, || offset(replica, "slave_repl_offset") >= goal);
    }
}

fn field(client: &mut Wire, name: &str) -> String {
    let info = client.text("INFO replication");
    info_field(&info, name).unwrap_or_default().to_owned()
}
