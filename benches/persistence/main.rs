//! Saving and loading beside `redis-server` on the same machine: the same keys in both, both over TLS.
//!
//! Printed are how fast a snapshot is written and read, and what a steady load of writes notices of one that is being saved. Loading is
//! timed on one file for both, Redis's, and on this server's own. `REDIS_TLS_BENCH_KEYS` says how many keys; the default is five
//! million. `redis-server` of Redis 7 must be installed.

#[path = "../../tests/support/mod.rs"]
mod support;

#[path = "../shared/mod.rs"]
mod shared;

mod load;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use load::Phase;
use shared::side::{Side, redis_version};
use shared::wait_until;
use support::server::create_certificates;
use support::{Server, info_field};
use tempfile::TempDir;

const KEYS: u64 = 5_000_000;
/// How long the load goes on before latencies count, and with nothing else going on.
const WARM_UP: Duration = Duration::from_secs(1);
const ALONE: Duration = Duration::from_secs(10);

/// What was measured of a server that has all keys.
struct Figures {
    save_s: f64,
    file_bytes: u64,
    /// Alone and while saving.
    latencies: [Histogram<u64>; 2],
    save_under_load_s: f64,
}

fn main() {
    let keys = shared::keys(KEYS);
    println!("{keys} keys; {}", redis_version());
    let folders = [(); 2].map(|()| TempDir::with_prefix("redis-tls-bench-").expect("a temporary folder"));
    folders.iter().for_each(|folder| create_certificates(folder.path()));
    let [ours, theirs] = [0, 1].map(|index| measure(Side::BOTH[index], folders[index].path(), keys));
    let redis_file = folders[1].path().join("dump.rdb");
    let own_file = folders[0].path().join("dump.rdb");
    let loads = [
        (
            "load own file",
            [load_seconds(0, &own_file), load_seconds(1, &redis_file)],
            [ours.file_bytes, theirs.file_bytes],
        ),
        ("load Redis's file", [load_seconds(0, &redis_file), load_seconds(1, &redis_file)], [theirs.file_bytes; 2]),
    ];

    println!("\n{:<20} {:>12} {:>9} {:>9} {:>12}", "", "", "s", "MB/s", "keys/s");
    let throughput = |what: &str, seconds: [f64; 2], bytes: [u64; 2]| {
        for index in [0, 1] {
            println!(
                "{:<20} {:>12} {:>9.2} {:>9.1} {:>12.0}",
                what,
                Side::BOTH[index].name(),
                seconds[index],
                bytes[index] as f64 / 1e6 / seconds[index],
                keys as f64 / seconds[index]
            );
        }
    };
    let sizes = [ours.file_bytes, theirs.file_bytes];
    throughput("save", [ours.save_s, theirs.save_s], sizes);
    throughput("save under load", [ours.save_under_load_s, theirs.save_under_load_s], sizes);
    for (what, seconds, bytes) in loads {
        throughput(what, seconds, bytes);
    }

    println!("\nlatency in µs of {} writes per second", load::rate());
    println!("{:<20} {:>12} {:>9} {:>9} {:>9} {:>9} {:>9}", "", "", "p50", "p99", "p99.9", "max", "writes");
    for (phase, what) in ["alone", "during BGSAVE"].into_iter().enumerate() {
        for (index, figures) in [&ours, &theirs].into_iter().enumerate() {
            let latency = &figures.latencies[phase];
            println!(
                "{:<20} {:>12} {:>9} {:>9} {:>9} {:>9} {:>9}",
                what,
                Side::BOTH[index].name(),
                latency.value_at_quantile(0.5),
                latency.value_at_quantile(0.99),
                latency.value_at_quantile(0.999),
                latency.max(),
                latency.len()
            );
        }
    }
}

fn measure(side: Side, folder: &Path, keys: u64) -> Figures {
    let server = side.start(folder, &[]);
    shared::load::fill(&server, keys);
    assert_eq!(server.client().int("DBSIZE") as u64, keys);
    let file = folder.join("dump.rdb");
    let save_s = save(&server, &file);
    let file_bytes = std::fs::metadata(&file).expect("the file").len();
    let mut save_under_load_s = 0.0;
    let latencies = load::measure(&server, keys, |stage| {
        std::thread::sleep(WARM_UP);
        stage.enter(Phase::Alone);
        std::thread::sleep(ALONE);
        stage.enter(Phase::Saving);
        save_under_load_s = save(&server, &file);
    });
    Figures { save_s, file_bytes, latencies, save_under_load_s }
}

/// Saves in the background; seconds until the file is in its place.
fn save(server: &Server, file: &Path) -> f64 {
    if let Err(error) = std::fs::remove_file(file) {
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}");
    }
    let mut client = server.client();
    let started = Instant::now();
    assert_eq!(client.run("BGSAVE"), "+Background saving started");
    wait_until("the file is in its place", Duration::from_millis(1), || file.exists());
    let seconds = started.elapsed().as_secs_f64();
    let done = || info_field(&client.text("INFO persistence"), "rdb_bgsave_in_progress") == Some("0");
    wait_until("the save has ended", Duration::from_millis(10), done);
    seconds
}

/// Seconds that a start spends on a file, as the server's log says.
fn load_seconds(index: usize, file: &Path) -> f64 {
    let folder = TempDir::with_prefix("redis-tls-bench-").expect("a temporary folder");
    create_certificates(folder.path());
    let link: PathBuf = folder.path().join("dump.rdb");
    std::fs::hard_link(file, &link).expect("a second name for the file");
    let server = Side::BOTH[index].start(folder.path(), &[]);
    let mut seconds = None;
    wait_until("the file is loaded", Duration::from_millis(20), || {
        let log = server.log();
        seconds = log.split("DB loaded from disk: ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
        seconds.is_some()
    });
    seconds.expect("the time that loading took")
}
