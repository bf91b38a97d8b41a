//! Filling a server, and a load of batches, each sent as soon as the replies to the one before are there.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::super::support::{Server, Stream};
use super::data;

/// Connections that fill.
const FILLERS: u64 = 4;
/// Requests that are sent before their replies are read, in filling.
const FILL_BATCH: usize = 500;

/// What is sent over and over.
pub struct Workload {
    /// Batches of requests, of which a connection takes one after the other.
    pub batches: Vec<Vec<u8>>,
    /// Requests of a batch.
    pub pipeline: usize,
    /// Bytes of the replies to a batch.
    pub reply_bytes: usize,
}

/// Makes all keys up to a number.
pub fn fill(server: &Server, keys: u64) {
    std::thread::scope(|scope| {
        for connection in 0..FILLERS {
            let mut stream = server.stream();
            scope.spawn(move || {
                let numbers: Vec<u64> = (0..keys).skip(connection as usize).step_by(FILLERS as usize).collect();
                for batch in numbers.chunks(FILL_BATCH) {
                    let mut requests = Vec::new();
                    batch.iter().for_each(|n| data::request(*n, &mut requests));
                    stream.write_all(&requests).expect("send");
                    stream.flush().expect("send");
                    (0..batch.len()).for_each(|_| read_line(&mut stream));
                }
            });
        }
    });
}

/// Keeps connections busy for a while; the latencies of all batches in microseconds.
pub fn keep_busy(server: &Server, connections: usize, workload: &Workload, duration: Duration) -> Histogram<u64> {
    let end = Instant::now() + duration;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|index| {
                let stream = server.stream();
                let first = index * workload.batches.len() / connections;
                scope.spawn(move || keep_one_busy(stream, workload, first, end))
            })
            .collect();
        let mut all = histogram();
        for thread in threads {
            all.add(thread.join().expect("a load thread")).expect("the same range");
        }
        all
    })
}

fn keep_one_busy(mut stream: Stream, workload: &Workload, first: usize, end: Instant) -> Histogram<u64> {
    let mut latency = histogram();
    let mut replies = vec![0; workload.reply_bytes];
    for batch in workload.batches.iter().cycle().skip(first) {
        let start = Instant::now();
        if start >= end {
            break;
        }
        stream.write_all(batch).expect("send");
        stream.flush().expect("send");
        stream.read_exact(&mut replies).expect("replies");
        assert!(matches!(replies[0], b'+' | b'$'), "an error: {}", replies.escape_ascii());
        latency.saturating_record(start.elapsed().as_micros() as u64);
    }
    latency
}

/// Reads a reply of one line that is no error.
pub fn read_line(stream: &mut Stream) {
    let mut first = [0; 1];
    stream.read_exact(&mut first).expect("a reply");
    assert!(matches!(first[0], b'+' | b':'), "the reply begins with '{}'", first.escape_ascii());
    let mut last = first;
    while last[0] != b'\n' {
        stream.read_exact(&mut last).expect("a reply");
    }
}

/// Latencies in microseconds.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 600_000_000, 3).expect("bounds")
}
