//! The server itself: INFO, CONFIG, COMMAND, DEBUG, and what measures and explains.

pub mod command_docs;
pub mod command_info;
pub mod command_keys;
pub mod command_list;
pub mod commandlog;
pub mod config;
pub mod config_effects;
pub mod debug;
pub mod info;
pub mod latency;
pub mod latency_histogram;
pub mod latency_report;
pub mod lolwut;
pub mod memory;
pub mod memory_doctor;
pub mod memory_overhead;
pub mod module;
pub mod slowlog;
pub mod time;

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] = &[
    command_docs::ROWS,
    command_info::ROWS,
    command_keys::ROWS,
    command_list::ROWS,
    commandlog::ROWS,
    config::ROWS,
    debug::ROWS,
    info::ROWS,
    latency::ROWS,
    latency_histogram::ROWS,
    lolwut::ROWS,
    memory::ROWS,
    module::ROWS,
    slowlog::ROWS,
    time::ROWS,
];
