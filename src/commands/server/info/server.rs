//! INFO's section on the process and its listeners.

use super::text::Text;
use crate::base::clock::unix_micros;
use crate::config::values::Choice;
use crate::config::{REDIS_VERSION, Settings};
use crate::engine::Context;

const DAY_S: i64 = 24 * 3600;
/// The LRU clock counts seconds in 24 bits.
const LRU_CLOCK: i64 = (1 << 24) - 1;

pub(super) fn write(ctx: &Context<'_>, text: &mut Text) {
    let Context { engine, settings, .. } = ctx;
    let now_s = ctx.now().seconds();
    let started_s = engine.started_at.load(std::sync::atomic::Ordering::Relaxed).div_euclid(1000);
    let uptime_s = (now_s - started_s).max(0);
    text.section("Server");
    text.field("redis_version", REDIS_VERSION);
    text.field("redis_tls_version", env!("CARGO_PKG_VERSION"));
    text.field("redis_git_sha1", "00000000");
    text.field("redis_git_dirty", 0);
    text.field("redis_build_id", 0);
    text.field("redis_mode", if settings.cluster.cluster_enabled { "cluster" } else { "standalone" });
    text.field("os", os());
    text.field("arch_bits", usize::BITS);
    text.field("monotonic_clock", "POSIX clock_gettime");
    text.field("multiplexing_api", "epoll");
    text.field("atomicvar_api", "rust-core");
    // No C compiler was involved.
    text.field("gcc_version", "0.0.0");
    text.field("process_id", std::process::id());
    text.field("process_supervised", settings.general.supervised.name());
    text.field("run_id", &engine.run_id);
    text.field("tcp_port", tcp_port(settings));
    text.field("server_time_usec", unix_micros());
    text.field("uptime_in_seconds", uptime_s);
    text.field("uptime_in_days", uptime_s / DAY_S);
    if let Some(until) = ctx.engine.closing_until() {
        text.field("shutdown_in_milliseconds", (until.0 - ctx.now().0).max(0));
    }
    text.field("hz", settings.general.hz);
    text.field("configured_hz", settings.general.hz);
    text.field("lru_clock", now_s & LRU_CLOCK);
    text.field("executable", std::env::current_exe().unwrap_or_default().display());
    text.field("config_file", engine.config_file.as_deref().unwrap_or(std::path::Path::new("")).display());
    // Every worker reads, runs and writes: there are no threads for input and output alone.
    text.field("io_threads_active", 0);
    for (index, listener) in listeners(settings).iter().enumerate() {
        text.field(format_args!("listener{index}"), listener);
    }
}

/// The port clients come to: the one of the group's mode.
fn tcp_port(settings: &Settings) -> u16 {
    if settings.network.port != 0 { settings.network.port } else { settings.network.tls_port }
}

/// System, release and machine, as uname(1) names them.
fn os() -> String {
    let read = |name| std::fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap_or_default();
    format!("{} {} {}", read("ostype").trim(), read("osrelease").trim(), std::env::consts::ARCH)
}

/// Each listener: its kind, addresses and port.
fn listeners(settings: &Settings) -> Vec<String> {
    let network = &settings.network;
    let addresses: String = network.bind.0.iter().map(|address| format!(",bind={address}")).collect();
    let mut listeners = Vec::new();
    for (name, port) in [("tcp", network.port), ("tls", network.tls_port)] {
        if port != 0 {
            listeners.push(format!("name={name}{addresses},port={port}"));
        }
    }
    if !network.unixsocket.is_empty() {
        listeners.push(format!("name=unix,bind={}", network.unixsocket));
    }
    listeners
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_name_kind_addresses_and_port() {
        let mut settings = Settings::default();
        settings.network.port = 0;
        settings.network.tls_port = 6380;
        settings.network.unixsocket = "/run/s".into();
        assert_eq!(listeners(&settings), ["name=tls,bind=*,bind=-::*,port=6380", "name=unix,bind=/run/s"]);
        assert_eq!(tcp_port(&settings), 6380);
    }
}
