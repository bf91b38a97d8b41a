//! A steady load of writes whose latency is measured.
//!
//! The load is open: a request is sent at its time whether the server was quick or not, and a reply that came late makes those behind it
//! late, so that a pause of the server counts for every request it held up.

use std::io::Write;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::shared::data;
use super::shared::load::{histogram, read_line};
use super::support::{Server, Stream};

/// Connections that write.
const CONNECTIONS: u64 = 4;
/// Between two requests of a connection.
const INTERVAL: Duration = Duration::from_micros(500);

/// Writes per second of the load.
pub fn rate() -> u64 {
    CONNECTIONS * 1_000_000 / INTERVAL.as_micros() as u64
}

/// What the latencies count for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Nothing.
    WarmUp,
    /// The server has nothing else to do.
    Alone,
    /// It saves.
    Saving,
    /// The load ends.
    Over,
}

/// The phase of a load that is going on.
pub struct Stage(AtomicU8);

impl Stage {
    /// Goes on to the next phase.
    pub fn enter(&self, phase: Phase) {
        self.0.store(phase as u8, Relaxed);
    }

    fn is(&self, phase: Phase) -> bool {
        self.0.load(Relaxed) == phase as u8
    }
}

/// Keeps the load up while `during` goes through the phases; the latencies in microseconds, alone and while saving.
pub fn measure(server: &Server, keys: u64, during: impl FnOnce(&Stage)) -> [Histogram<u64>; 2] {
    let stage = Stage(AtomicU8::new(Phase::WarmUp as u8));
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|seed| {
                let (stream, stage) = (server.stream(), &stage);
                scope.spawn(move || write_steadily(stream, keys, seed, stage))
            })
            .collect();
        during(&stage);
        stage.enter(Phase::Over);
        let mut all = [histogram(), histogram()];
        for thread in threads {
            let one = thread.join().expect("a load thread");
            all.iter_mut().zip(one).for_each(|(all, one)| all.add(one).expect("the same range"));
        }
        all
    })
}

fn write_steadily(mut stream: Stream, keys: u64, seed: u64, stage: &Stage) -> [Histogram<u64>; 2] {
    let mut latencies = [histogram(), histogram()];
    let mut random = SmallRng::seed_from_u64(seed);
    let mut due = Instant::now();
    while !stage.is(Phase::Over) {
        due += INTERVAL;
        // A sleep that lasts too long is not the server's fault, a reply that came too late is.
        let now = Instant::now();
        let mut from = due;
        if now < due {
            std::thread::sleep(due - now);
            from = Instant::now();
            due = from;
        }
        let request = data::overwrite(&mut random, keys);
        stream.write_all(&request).expect("send");
        stream.flush().expect("send");
        read_line(&mut stream);
        let micros = from.elapsed().as_micros() as u64;
        if stage.is(Phase::Alone) {
            latencies[0].saturating_record(micros);
        } else if stage.is(Phase::Saving) {
            latencies[1].saturating_record(micros);
        }
    }
    latencies
}
