//! The process and its background work.

use crate::config::kind::{BOOL, INT_MAX, Kind, TEXT, int, one_of, text};
use crate::config::parameter::{Effect, parameters};
use crate::config::text_checks;
use crate::config::values::{OomScoreAdj, OomScores, ShutdownFlags, Supervised};

parameters! {
    /// The process and its background work.
    pub struct General, general;

    /// Directory of the data: snapshots, append only files, and the record of the group's mode.
    "dir" => dir: String = "./", Kind::Directory, [protected(), denied_while_loading(), effect(Effect::Directory)];

    /// Run in the background.
    "daemonize" => daemonize: bool = "no", BOOL, [immutable()];

    /// File for the process id, written at the start and removed at the end.
    "pidfile" => pidfile: String = "", TEXT, [immutable()];

    /// Which supervisor is told about readiness.
    "supervised" => supervised: Supervised = "no", one_of::<Supervised>(), [immutable()];

    /// Number of logical databases; 1 in a cluster.
    "databases" => databases: u32 = "16", int(1, INT_MAX), [immutable()];

    /// Background rounds per second, from 1 to 500.
    "hz" => hz: u32 = "10", int(0, INT_MAX), [effect(Effect::Hz)];

    /// Adapt hz to the number of clients.
    "dynamic-hz" => dynamic_hz: bool = "yes", BOOL, [inert()];

    /// Milliseconds after which a running script or function lets other clients be told that the server is busy.
    "busy-reply-threshold" | "lua-time-limit" => busy_reply_threshold: u64 = "5000", int(0, i64::MAX as i128);

    /// Let scripts use setfenv, getfenv and newproxy, which reach further than scripts should.
    "lua-enable-deprecated-api" => lua_enable_deprecated_api: bool = "no", BOOL, [immutable(), hidden()];

    /// Seconds that a shutdown waits for replicas to catch up.
    "shutdown-timeout" => shutdown_timeout: u32 = "10", int(0, INT_MAX);

    /// How SIGINT shuts the server down.
    "shutdown-on-sigint" => shutdown_on_sigint: ShutdownFlags = "default", Kind::EnumSet(ShutdownFlags::NAMES);

    /// How SIGTERM shuts the server down.
    "shutdown-on-sigterm" => shutdown_on_sigterm: ShutdownFlags = "default", Kind::EnumSet(ShutdownFlags::NAMES);

    /// Adjust the kernel's out-of-memory score of this process.
    "oom-score-adj" => oom_score_adj: OomScoreAdj = "no", one_of::<OomScoreAdj>(), [effect(Effect::OomScore)];

    /// Scores of a primary, a replica, and background work.
    "oom-score-adj-values" => oom_score_adj_values: OomScores = "0 200 800", Kind::OomScores,
        [effect(Effect::OomScore)];

    /// Turn transparent huge pages off for this process.
    "disable-thp" => disable_thp: bool = "yes", BOOL, [immutable()];

    /// Change the process title.
    "set-proc-title" => set_proc_title: bool = "yes", BOOL, [immutable()];

    /// Template of the process title.
    "proc-title-template" => proc_title_template: String = "{title} {listen-addr} {server-mode}",
        text(text_checks::title_template), [effect(Effect::ProcessTitle)];

    /// Show a logo at the start even without a terminal.
    "always-show-logo" => always_show_logo: bool = "no", BOOL, [immutable(), inert()];

    /// Locale for SORT ALPHA; strings are compared by their bytes here.
    "locale-collate" => locale_collate: String = "", TEXT, [inert()];

    /// Warnings that do not stop the start.
    "ignore-warnings" => ignore_warnings: String = "", TEXT, [inert()];

    /// Cores for serving clients.
    "server_cpulist" => server_cpulist: String = "", TEXT, [immutable(), inert()];

    /// Cores for background threads.
    "bio_cpulist" => bio_cpulist: String = "", TEXT, [immutable(), inert()];

    /// Cores for rewriting the append only file.
    "aof_rewrite_cpulist" => aof_rewrite_cpulist: String = "", TEXT, [immutable(), inert()];

    /// Cores for saving in the background.
    "bgsave_cpulist" => bgsave_cpulist: String = "", TEXT, [immutable(), inert()];

    /// Milliseconds without a sign of life after which the log says which thread hangs; 0: nobody watches. Less than 200 counts as 200.
    "watchdog-period" => watchdog_period: u32 = "0", int(0, INT_MAX), [hidden()];
}
