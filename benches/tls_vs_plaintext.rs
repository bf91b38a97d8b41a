//! What encryption costs: the real binary in both modes under the same load.
//!
//! For each workload: requests per second, the latency of a batch (p50, p99), and the server's CPU time per request, from
//! `/proc/PID/stat`. Load and server share the machine, so CPU per request is the figure to compare. A chart is
//! written to `target/tls_vs_plaintext.svg`.

#[path = "../tests/support/mod.rs"]
mod support;

#[path = "shared/mod.rs"]
mod shared;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use shared::cpu_seconds;
use shared::load::{Workload, keep_busy};
use support::wire::encode;
use support::{Mode, Server};

const CONNECTIONS: usize = 16;
const WARM_UP: Duration = Duration::from_millis(500);
const MEASURED: Duration = Duration::from_secs(4);

struct Figures {
    per_second: f64,
    p50_us: u64,
    p99_us: u64,
    cpu_us_per_request: f64,
}

fn main() {
    println!("{CONNECTIONS} connections, {} s per figure\n", MEASURED.as_secs());
    println!(
        "{:<10} {:<10} {:>12} {:>9} {:>9} {:>14}",
        "workload", "mode", "requests/s", "p50 µs", "p99 µs", "CPU µs/request"
    );
    let mut rows = Vec::new();
    for (name, workload) in workloads() {
        let [tls, plain] = [Mode::Tls, Mode::Plain].map(|mode| {
            let figures = measure(mode, &workload);
            println!(
                "{:<10} {:<10} {:>12.0} {:>9} {:>9} {:>14.2}",
                name,
                format!("{mode:?}").to_lowercase(),
                figures.per_second,
                figures.p50_us,
                figures.p99_us,
                figures.cpu_us_per_request
            );
            figures
        });
        println!("{:<10} {:<10} {:>61.2}\n", "", "ratio", tls.cpu_us_per_request / plain.cpu_us_per_request);
        rows.push((name, tls.cpu_us_per_request, plain.cpu_us_per_request));
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    let path = folder.join("tls_vs_plaintext.svg");
    // The build may go elsewhere (CARGO_TARGET_DIR).
    std::fs::create_dir_all(&folder).expect("target/ can be made");
    std::fs::write(&path, chart(&rows)).expect("target/ can be written to");
    println!("chart: {}", path.display());
}

fn workloads() -> Vec<(&'static str, Workload)> {
    let key = b"key:000000000001".as_slice();
    let (small, large) = (vec![b'x'; 3], vec![b'x'; 4096]);
    let batch = |request: Vec<u8>, reply_bytes: usize, pipeline: usize| Workload {
        batches: vec![request.repeat(pipeline)],
        pipeline,
        reply_bytes: reply_bytes * pipeline,
    };
    let get = |pipeline| batch(encode(&[b"GET", key]), "$3\r\nxxx\r\n".len(), pipeline);
    let set = |value: &[u8], pipeline| batch(encode(&[b"SET", key, value]), "+OK\r\n".len(), pipeline);
    vec![
        ("get-p1", get(1)),
        ("set-p1", set(&small, 1)),
        ("get-p16", get(16)),
        ("set-p16", set(&small, 16)),
        ("get-4k", batch(encode(&[b"GET", b"large"]), "$4096\r\n".len() + 4096 + 2, 1)),
        ("set-4k", set(&large, 1)),
    ]
}

fn measure(mode: Mode, workload: &Workload) -> Figures {
    let server = Server::start(mode, &["--save", ""]);
    let mut client = server.client();
    client.run("SET key:000000000001 xxx");
    client.run_args(&[b"SET", b"large", &vec![b'x'; 4096]]);
    keep_busy(&server, CONNECTIONS, workload, WARM_UP);

    let (cpu, start) = (cpu_seconds(server.pid()), Instant::now());
    let latency = keep_busy(&server, CONNECTIONS, workload, MEASURED);
    let (cpu, elapsed) = (cpu_seconds(server.pid()) - cpu, start.elapsed());
    let requests = latency.len() as f64 * workload.pipeline as f64;
    Figures {
        per_second: requests / elapsed.as_secs_f64(),
        p50_us: latency.value_at_quantile(0.5),
        p99_us: latency.value_at_quantile(0.99),
        cpu_us_per_request: cpu * 1e6 / requests,
    }
}

/// Bars of CPU per request, TLS beside plaintext.
fn chart(rows: &[(&str, f64, f64)]) -> String {
    const LEFT: i32 = 20;
    const HEIGHT: i32 = 320;
    const SCALE_TO: f64 = 240.0;
    let largest = rows.iter().flat_map(|(_, tls, plain)| [*tls, *plain]).fold(f64::MIN_POSITIVE, f64::max);
    let width = LEFT + rows.len() as i32 * 100 + 20;
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{HEIGHT}' font-family='sans-serif' font-size='12'>\n\
         <rect width='100%' height='100%' fill='white'/>\n\
         <text x='{LEFT}' y='20' font-size='14'>Server CPU per request in µs: TLS (dark), plaintext (light)</text>\n"
    );
    for (index, (name, tls, plain)) in rows.iter().enumerate() {
        let x = LEFT + index as i32 * 100;
        for (offset, value, fill) in [(0, tls, "#1f4e79"), (38, plain, "#9dc3e6")] {
            let height = value / largest * SCALE_TO;
            let y = 290.0 - height;
            let _ = writeln!(
                svg,
                "<rect x='{}' y='{y:.1}' width='34' height='{height:.1}' fill='{fill}'/>\
                 <text x='{}' y='{:.1}' text-anchor='middle'>{value:.2}</text>",
                x + offset,
                x + offset + 17,
                y - 4.0
            );
        }
        let _ = writeln!(svg, "<text x='{}' y='308' text-anchor='middle'>{name}</text>", x + 36);
    }
    svg.push_str("</svg>\n");
    svg
}
