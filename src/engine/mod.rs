//! How any command runs: checks, locks, call, record. Knows rows, not names.

mod admit;
mod append_only;
mod blocking;
mod change;
mod client_eviction;
mod command;
mod command_logs;
mod context;
mod describe;
mod disk;
mod encoding;
mod eviction;
mod execute;
mod expiry;
mod feed;
mod feed_bytes;
mod funnel;
mod gate;
mod lookahead;
mod monitor;
mod oom_score;
mod pause;
mod permissions;
mod reclaimer;
mod reloading;
mod renaming;
mod replication;
mod reply_limit;
mod running_script;
mod saving;
mod script_host;
mod script_stack;
mod serving;
mod shutdown;
mod tls_options;
mod tracking;
mod transaction;
mod watch;

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tokio::sync::Notify;

pub use append_only::{AofFailed, AofState, AppendOnly, Log, RewriteFailed, RewriteReport, Tail};
pub use blocking::{Waiter, Waiters};
pub use change::{Change, Event, EventClass, Replay};
pub use command::{Command, CommandResult, CommandTable, Handler, Lost, NullReply, Outcome, Wait};
pub use context::Context;
pub use describe::letters;
pub use disk::DiskTrouble;
pub use encoding::encoding_limits;
pub use execute::{Flow, Run};
pub use feed::{Feed, FeedOffset, Overrun, Pin};
pub use gate::{Gate, Hold};
pub use lookahead::Lookahead;
pub use monitor::Monitors;
pub use oom_score::OomScore;
pub use pause::{Pause, PauseCause, PauseScope};
pub use reclaimer::Reclaimer;
pub use reloading::{LoadWork, PreparedLoad};
pub use replication::{
    AckWait, Applier, CopyOrigin, FailoverRequest, FullCopy, LinkPhase, LinkReport, PrimaryAddress, Replica,
    ReplicaReport, Replication, RoleReport, StreamBroken,
};
pub use running_script::{RunningReport, RunningScript};
pub use saving::{
    LoadError, LoadFigures, LoadMode, Loaded, RunningSnapshot, SaveError, SaveFigures, SaveReport, Saving,
    SnapshotFile, Ticket, written_version,
};
pub use script_host::{ScriptKind, ScriptRules};
pub use shutdown::Shutdown;
pub use tls_options::tls_options;
pub use watch::{Presence, Watches};

use crate::acl::{AclLog, AuthThrottle, Users};
use crate::base::clock::UnixMillis;
use crate::base::process;
use crate::config::Config;
use crate::keyspace::{Freshness, Keyspace, LfuTuning};
use crate::metrics::{CommandFigures, CommandLog, CommandStats, ErrorCounts, LatencyEvents, Rates, TimeOver, Totals};
use crate::peer::IdlePeers;
use crate::pubsub::PubSub;
use crate::scripting::{Libraries, Scripts};
use crate::session::Clients;
use crate::tls::counters::HandshakeCounters;
use crate::tls::live::LiveTls;
use crate::tracking::Tracking;

/// Figures of one worker.
pub struct WorkerFigures {
    /// Its totals.
    pub totals: Totals,
    /// Per command, by position in the table.
    pub commands: Box<[CommandStats]>,
}

/// The server behind all connections. There is one per process; it is never dropped.
pub struct Engine {
    /// The configuration.
    pub config: Config,
    /// All commands.
    pub table: CommandTable,
    /// All keys.
    pub keyspace: Keyspace,
    /// All clients.
    pub clients: Clients,
    /// All users.
    pub users: Users,
    /// What was refused.
    pub acl_log: AclLog,
    /// Slows down guessing of passwords.
    pub auth_throttle: AuthThrottle,
    /// The gate above all shards.
    pub gate: Gate,
    /// The stream of changes.
    pub feed: Feed,
    /// Whom it goes to, and whom it comes from.
    pub replication: Replication,
    /// Watched keys.
    pub watches: Watches,
    /// Clients that wait.
    pub waiters: Waiters,
    /// Cached scripts.
    pub scripts: Scripts,
    /// Libraries of functions.
    pub libraries: Libraries,
    /// The script that runs past its time.
    pub running_script: RunningScript,
    /// Who holds commands back.
    pub pause: Pause,
    /// What has been told of a disk that cannot be written.
    pub disk_trouble: DiskTrouble,
    /// Channels, patterns and who listens.
    pub pubsub: PubSub,
    /// Who caches which keys.
    pub tracking: Tracking,
    /// Clients in MONITOR mode.
    pub monitors: Monitors,
    /// Figures by worker.
    pub workers: Box<[WorkerFigures]>,
    /// Error replies by code.
    pub errors: ErrorCounts,
    /// Commands per second and the like.
    pub rates: Rates,
    /// How long eviction has not come below maxmemory.
    pub over_maxmemory: TimeOver,
    /// Slow commands.
    pub slowlog: CommandLog,
    /// Commands with large requests.
    pub large_requests: CommandLog,
    /// Commands with large replies.
    pub large_replies: CommandLog,
    /// Latency spikes.
    pub latency: LatencyEvents,
    /// Connections to other servers that wait for their next use.
    pub idle_peers: IdlePeers,
    /// Certificates and trust, in an encrypted group.
    pub tls: Option<Arc<LiveTls>>,
    /// Handshakes by outcome.
    pub handshakes: HandshakeCounters,
    /// Frees memory in the background.
    pub reclaimer: Reclaimer,
    /// Snapshots on disk.
    pub saving: Saving,
    /// The append only file.
    pub append_only: AppendOnly,
    /// Changes since the last save.
    pub dirty: AtomicU64,
    /// Highest memory use seen, in bytes.
    pub peak_memory: AtomicU64,
    /// Memory in use after start, in bytes.
    pub startup_memory: AtomicU64,
    /// Unix milliseconds when the server started.
    pub started_at: AtomicI64,
    /// 40 hexadecimal digits, new at every start.
    pub run_id: String,
    /// The configuration file, where there is one.
    pub config_file: Option<std::path::PathBuf>,
    /// Set while the periodic work is held (`DEBUG PAUSE-CRON`).
    pub cron_paused: AtomicBool,
    /// `oom-score-adj`.
    pub oom_score: OomScore,
    /// Set while checksums of payloads and files are not checked (`DEBUG SET-SKIP-CHECKSUM-VALIDATION`).
    pub skip_checksums: AtomicBool,
    /// Held while clients are closed to free memory.
    client_eviction: Mutex<()>,
    shutdown: Mutex<Option<Shutdown>>,
    /// The request that has been taken, while replicas are given time to get everything.
    closing: Mutex<Option<(Shutdown, UnixMillis)>>,
    shutdown_wanted: Notify,
    rebind: OnceLock<Rebind>,
}

/// Moves the listening sockets to what the settings name; says why not.
pub type Rebind = Box<dyn Fn(&crate::config::Settings) -> Result<(), String> + Send + Sync>;

/// What an engine is made of.
pub struct Parts {
    /// The configuration.
    pub config: Config,
    /// The configuration's file.
    pub config_file: Option<std::path::PathBuf>,
    /// The command table.
    pub table: CommandTable,
    /// All users.
    pub users: Users,
    /// Certificates and trust.
    pub tls: Option<Arc<LiveTls>>,
    /// How many workers there will be.
    pub workers: usize,
    /// Unix milliseconds now.
    pub now_ms: i64,
}

impl Engine {
    /// A server without connections.
    pub fn new(parts: Parts) -> Self {
        let settings = parts.config.snapshot();
        let rows = parts.table.rows().len();
        let worker = || WorkerFigures {
            totals: Totals::default(),
            commands: (0..rows).map(|_| CommandStats::default()).collect(),
        };
        let deprecated_lua = settings.general.lua_enable_deprecated_api;
        let saving = Saving::default();
        saving.saves.update(|report| report.last_saved_at = parts.now_ms.div_euclid(1000));
        Self {
            keyspace: Keyspace::new(settings.general.databases),
            feed: Feed::new(settings.replication.repl_backlog_size as usize),
            replication: Replication::default(),
            table: parts.table,
            clients: Clients::default(),
            users: parts.users,
            acl_log: AclLog::default(),
            auth_throttle: AuthThrottle::default(),
            gate: Gate::default(),
            watches: Watches::default(),
            waiters: Waiters::default(),
            scripts: Scripts::new(deprecated_lua).expect("memory for an interpreter"),
            libraries: Libraries::new(deprecated_lua).expect("memory for an interpreter"),
            running_script: RunningScript::default(),
            pause: Pause::default(),
            disk_trouble: DiskTrouble::default(),
            pubsub: PubSub::default(),
            tracking: Tracking::default(),
            monitors: Monitors::default(),
            // One place more than workers: background tasks count there.
            workers: (0..=parts.workers).map(|_| worker()).collect(),
            errors: ErrorCounts::default(),
            rates: Rates::default(),
            over_maxmemory: TimeOver::default(),
            slowlog: CommandLog::default(),
            large_requests: CommandLog::default(),
            large_replies: CommandLog::default(),
            latency: LatencyEvents::default(),
            idle_peers: IdlePeers::default(),
            tls: parts.tls,
            saving,
            append_only: AppendOnly::default(),
            dirty: AtomicU64::new(0),
            peak_memory: AtomicU64::new(0),
            startup_memory: AtomicU64::new(0),
            started_at: AtomicI64::new(parts.now_ms),
            run_id: run_id(),
            config_file: parts.config_file,
            cron_paused: AtomicBool::new(false),
            oom_score: OomScore::default(),
            skip_checksums: AtomicBool::new(false),
            client_eviction: Mutex::new(()),
            shutdown: Mutex::new(None),
            closing: Mutex::new(None),
            shutdown_wanted: Notify::new(),
            rebind: OnceLock::new(),
            handshakes: HandshakeCounters::default(),
            reclaimer: Reclaimer::default(),
            config: parts.config,
        }
    }

    /// Notes that background work took long, if it did by `latency-monitor-threshold`.
    pub fn note_latency(&self, event: &'static str, took: std::time::Duration) {
        let threshold = self.config.settings().logging.latency_monitor_threshold;
        let millis = took.as_millis() as u64;
        if threshold > 0 && millis >= threshold {
            self.latency.note(event, crate::base::clock::UnixMillis::now().seconds(), millis);
        }
    }

    /// The place where background tasks count.
    pub fn background_worker(&self) -> usize {
        self.workers.len() - 1
    }

    /// Totals of all workers together.
    pub fn totals(&self) -> Totals {
        let sum = Totals::default();
        for worker in &self.workers {
            sum.add(&worker.totals);
        }
        sum
    }

    /// Figures of the command at a position, of all workers together.
    pub fn command_figures(&self, command: usize) -> CommandFigures {
        let mut sum = CommandFigures::default();
        for worker in &self.workers {
            worker.commands[command].add_to(&mut sum);
        }
        sum
    }

    /// What reads and writes record for eviction, under the current policy.
    pub fn freshness(settings: &crate::config::Settings) -> Freshness {
        if settings.memory.maxmemory_policy.is_lfu() {
            Freshness::Lfu(LfuTuning {
                log_factor: settings.memory.lfu_log_factor,
                decay_minutes: settings.memory.lfu_decay_time,
            })
        } else {
            Freshness::Lru
        }
    }

    /// Shows the process title that the settings want.
    pub fn show_title(&self, settings: &crate::config::Settings) {
        if !settings.general.set_proc_title {
            return;
        }
        let file = self.config_file.as_deref().map(|path| path.display().to_string());
        let title = crate::config::process_title(settings, process::name(), file.as_deref());
        if let Err(error) = process::set_title(&title) {
            tracing::debug!("set-proc-title: {error}");
        }
    }

    /// Says how listening sockets are moved.
    pub fn set_rebind(&self, rebind: Rebind) {
        // Set once, by the server that owns the sockets.
        let _ = self.rebind.set(rebind);
    }

    /// Moves the listening sockets to what the settings name.
    pub fn rebind(&self, settings: &crate::config::Settings) -> Result<(), String> {
        self.rebind.get().map_or(Ok(()), |rebind| rebind(settings))
    }
}

fn run_id() -> String {
    let bytes: [u8; 20] = rand::random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
