//! The daemon: from the command line to the first connection, and to the exit code.

mod check_aof;
mod check_rdb;
mod daemon;
mod listening;
mod loading;
mod logging;
mod migrate;
mod options;
mod start;
mod stopping;
mod supervision;
mod tally;
mod terminal;

pub use options::main;
