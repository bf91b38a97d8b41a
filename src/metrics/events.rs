//! Latency events: spikes of named activities (`command`, `expire-cycle`, …) above a threshold, as LATENCY reports them.

use std::collections::{BTreeMap, VecDeque};

use parking_lot::Mutex;

/// Samples kept per event.
const SAMPLES: usize = 160;

#[derive(Default)]
struct Series {
    samples: VecDeque<(i64, u64)>,
    max: u64,
}

/// One event in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSummary {
    /// Its name.
    pub name: &'static str,
    /// Unix seconds of the latest spike.
    pub at: i64,
    /// The latest spike in milliseconds.
    pub latest: u64,
    /// The largest ever.
    pub max: u64,
}

/// All latency events.
#[derive(Default)]
pub struct LatencyEvents(Mutex<BTreeMap<&'static str, Series>>);

impl LatencyEvents {
    /// Notes a spike; two in one second count as the larger.
    pub fn note(&self, name: &'static str, at: i64, millis: u64) {
        let mut events = self.0.lock();
        let series = events.entry(name).or_default();
        series.max = series.max.max(millis);
        match series.samples.back_mut() {
            Some((last, value)) if *last == at => *value = (*value).max(millis),
            _ => series.samples.push_back((at, millis)),
        }
        if series.samples.len() > SAMPLES {
            series.samples.pop_front();
        }
    }

    /// The samples of an event, oldest first.
    pub fn history(&self, name: &str) -> Vec<(i64, u64)> {
        self.0.lock().get(name).map(|series| series.samples.iter().copied().collect()).unwrap_or_default()
    }

    /// Every event in short.
    pub fn latest(&self) -> Vec<EventSummary> {
        let events = self.0.lock();
        let summary = |(name, series): (&&'static str, &Series)| {
            let (at, latest) = *series.samples.back()?;
            Some(EventSummary { name, at, latest, max: series.max })
        };
        events.iter().filter_map(summary).collect()
    }

    /// Forgets one event; whether there was one.
    pub fn reset(&self, name: &str) -> bool {
        self.0.lock().remove(name).is_some()
    }

    /// Forgets all events; how many there were.
    pub fn reset_all(&self) -> usize {
        std::mem::take(&mut *self.0.lock()).len()
    }
}
