//! Rates for INFO: how fast a counter has grown lately, from sixteen samples.

use parking_lot::Mutex;

const SAMPLES: usize = 16;

#[derive(Default)]
struct State {
    last: Option<(i64, u64)>,
    samples: [u64; SAMPLES],
    next: usize,
}

/// The rate of one counter.
#[derive(Default)]
pub struct Rate(Mutex<State>);

impl Rate {
    /// Takes a reading of the counter at a time in milliseconds.
    pub fn sample(&self, now_ms: i64, value: u64) {
        let mut state = self.0.lock();
        if let Some((then, before)) = state.last {
            let elapsed = (now_ms - then).max(1) as u64;
            let (next, rate) = (state.next, value.saturating_sub(before) * 1000 / elapsed);
            state.samples[next] = rate;
            state.next = (next + 1) % SAMPLES;
        }
        state.last = Some((now_ms, value));
    }

    /// The mean of the samples, per second.
    pub fn per_second(&self) -> u64 {
        self.0.lock().samples.iter().sum::<u64>() / SAMPLES as u64
    }

    /// Starts anew.
    pub fn clear(&self) {
        *self.0.lock() = State::default();
    }
}

/// The rates INFO shows.
#[derive(Default)]
pub struct Rates {
    /// Commands.
    pub commands: Rate,
    /// Bytes read, from clients and the primary.
    pub input: Rate,
    /// Bytes sent, to clients and replicas.
    pub output: Rate,
    /// Bytes read from the primary.
    pub replica_input: Rate,
    /// Bytes sent to replicas.
    pub replica_output: Rate,
}

impl Rates {
    /// Starts anew.
    pub fn clear(&self) {
        [&self.commands, &self.input, &self.output, &self.replica_input, &self.replica_output]
            .iter()
            .for_each(|rate| rate.clear());
    }
}
