//! Figures about the server: counters, per-command statistics, latency histograms, logs of commands and latency events.
//!
//! Each worker counts in its own place, with plain stores; INFO adds up. Knows no command: rows are positions in
//! the table.

mod command_log;
mod command_stats;
mod events;
mod histogram;
mod rate;
mod time_over;
mod totals;

pub use command_log::{CommandLog, LogEntry};
pub use command_stats::{CommandFigures, CommandStats};
pub use events::{EventSummary, LatencyEvents};
pub use histogram::Histogram;
pub use rate::{Rate, Rates};
pub use time_over::TimeOver;
pub use totals::{ErrorCounts, Totals};
