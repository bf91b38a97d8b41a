//! Log, slow log, latency.

use crate::config::kind::{BOOL, Kind, LONG_MAX, TEXT, int, one_of};
use crate::config::parameter::{Effect, parameters};
use crate::config::values::{EventClasses, LogLevel, Percentiles, SyslogFacility};

parameters! {
    /// Log, slow log, latency.
    pub struct Logging, logging;

    /// How much the log says.
    "loglevel" => loglevel: LogLevel = "notice", one_of::<LogLevel>(), [effect(Effect::LogLevel)];

    /// File of the log, standard output if empty.
    "logfile" => logfile: String = "", TEXT, [immutable()];

    /// Also log to syslog.
    "syslog-enabled" => syslog_enabled: bool = "no", BOOL, [immutable(), inert()];

    /// Name of this server in syslog.
    "syslog-ident" => syslog_ident: String = "redis", TEXT, [immutable(), inert()];

    /// Facility of this server in syslog.
    "syslog-facility" => syslog_facility: SyslogFacility = "local0", one_of::<SyslogFacility>(),
        [immutable(), inert()];

    /// Microseconds above which a command goes to the slow log, 0 for all, -1 for none.
    "slowlog-log-slower-than" | "commandlog-execution-slower-than" => slowlog_log_slower_than: i64 = "10000", int(-1, LONG_MAX);

    /// Entries kept by the slow log.
    "slowlog-max-len" | "commandlog-slow-execution-max-len" => slowlog_max_len: u64 = "128", int(0, LONG_MAX);

    /// Bytes of a request from which on a command goes to the log of large requests, -1 for none.
    "commandlog-request-larger-than" => commandlog_request_larger_than: i64 = "1048576", int(-1, LONG_MAX);

    /// Entries kept by the log of large requests.
    "commandlog-large-request-max-len" => commandlog_large_request_max_len: u64 = "128", int(0, LONG_MAX);

    /// Bytes of a reply from which on a command goes to the log of large replies, -1 for none.
    "commandlog-reply-larger-than" => commandlog_reply_larger_than: i64 = "1048576", int(-1, LONG_MAX);

    /// Entries kept by the log of large replies.
    "commandlog-large-reply-max-len" => commandlog_large_reply_max_len: u64 = "128", int(0, LONG_MAX);

    /// Milliseconds above which events are kept for LATENCY, 0 for none.
    "latency-monitor-threshold" => latency_monitor_threshold: u64 = "0", int(0, LONG_MAX);

    /// Measure the latency of each command for LATENCY HISTOGRAM and INFO.
    "latency-tracking" => latency_tracking: bool = "yes", BOOL;

    /// Percentiles that INFO latencystats shows.
    "latency-tracking-info-percentiles" => latency_tracking_info_percentiles: Percentiles = "50 99 99.9",
        Kind::Percentiles;

    /// Which keyspace events are published: K and E choose the channels, g $ l s h z x e t m d n or A the events.
    "notify-keyspace-events" => notify_keyspace_events: EventClasses = "", Kind::Events;

    /// Write a report when the server crashes.
    "crash-log-enabled" => crash_log_enabled: bool = "yes", BOOL, [inert()];

    /// Test the memory after a crash.
    "crash-memcheck-enabled" => crash_memcheck_enabled: bool = "yes", BOOL, [inert()];

    /// Exit instead of aborting when the server finds itself broken, for tests.
    "use-exit-on-panic" => use_exit_on_panic: bool = "no", BOOL, [hidden(), inert()];
}
