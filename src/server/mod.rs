//! The daemon: from the command line to the first connection, and to the exit code.

mod daemon;
mod listening;
mod logging;
mod options;
mod start;
mod supervision;

pub use options::main;
