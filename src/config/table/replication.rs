//! Primary and replicas.

use crate::config::kind::{BOOL, INT_MAX, Kind, LONG_MAX, TEXT, int, memory, one_of, text};
use crate::config::parameter::{Effect, parameters};
use crate::config::text_checks;
use crate::config::values::{DisklessLoad, PropagationError, ReplicaOf, Secret};

parameters! {
    /// Primary and replicas.
    pub struct Replication, replication;

    /// Host and port of the primary to follow.
    "replicaof" | "slaveof" => replicaof: ReplicaOf = "", Kind::ReplicaOf, [immutable()];

    /// The id of the group that this node is held to, 32 hexadecimal digits: it then follows no primary of another group, and its
    /// replicas are held to the group with their first synchronisation. If empty, the data folder's id is used, and holds nobody
    /// unless it came from such a primary.
    "group-id" => group_id: String = "", text(text_checks::group_id), [effect(Effect::Group)];

    /// ACL user for the primary, the default user if empty.
    "masteruser" => masteruser: Secret = "", Kind::Secret, [sensitive()];

    /// Password for the primary.
    "masterauth" => masterauth: Secret = "", Kind::Secret, [sensitive()];

    /// Answer from old data while the primary cannot be reached.
    "replica-serve-stale-data" | "slave-serve-stale-data" => replica_serve_stale_data: bool = "yes", BOOL;

    /// Refuse writes on a replica.
    "replica-read-only" | "slave-read-only" => replica_read_only: bool = "yes", BOOL;

    /// Rank for becoming the primary, lower first, 0 for never.
    "replica-priority" | "slave-priority" => replica_priority: u32 = "100", int(0, INT_MAX);

    /// Show this replica to those who look for one.
    "replica-announced" => replica_announced: bool = "yes", BOOL;

    /// Address that the primary reports for this replica.
    "replica-announce-ip" | "slave-announce-ip" => replica_announce_ip: String = "", TEXT;

    /// Port that the primary reports for this replica.
    "replica-announce-port" | "slave-announce-port" => replica_announce_port: u16 = "0", int(0, 65535);

    /// Free the old data in the background when a full synchronisation begins.
    "replica-lazy-flush" | "slave-lazy-flush" => replica_lazy_flush: bool = "no", BOOL;

    /// Go on when a replica cannot write to its disk.
    "replica-ignore-disk-write-errors" => replica_ignore_disk_write_errors: bool = "no", BOOL;

    /// Send a full synchronisation straight to the socket.
    "repl-diskless-sync" => repl_diskless_sync: bool = "yes", BOOL;

    /// Seconds to wait for more replicas before a full synchronisation starts.
    "repl-diskless-sync-delay" => repl_diskless_sync_delay: u32 = "5", int(0, INT_MAX);

    /// Replicas that make a full synchronisation start without waiting further, 0 for none.
    "repl-diskless-sync-max-replicas" => repl_diskless_sync_max_replicas: u32 = "0", int(0, INT_MAX);

    /// How a replica loads a full synchronisation.
    "repl-diskless-load" => repl_diskless_load: DisklessLoad = "disabled", one_of::<DisklessLoad>(),
        [denied_while_loading()];

    /// Seconds between pings to replicas.
    "repl-ping-replica-period" | "repl-ping-slave-period" => repl_ping_replica_period: u32 = "10", int(1, INT_MAX);

    /// Seconds without a sign of life after which a link is closed.
    "repl-timeout" => repl_timeout: u32 = "60", int(1, INT_MAX);

    /// Send fewer, larger packets to replicas; here the stream is sent as it gathers.
    "repl-disable-tcp-nodelay" => repl_disable_tcp_nodelay: bool = "no", BOOL, [inert()];

    /// Bytes of the stream kept so that a replica can continue after an interruption.
    "repl-backlog-size" => repl_backlog_size: u64 = "1mb", memory(1, LONG_MAX), [effect(Effect::ReplBacklog)];

    /// Seconds without replicas after which the backlog is freed, 0 for never.
    "repl-backlog-ttl" => repl_backlog_ttl: u64 = "3600", int(0, LONG_MAX);

    /// Good replicas without which writes are refused.
    "min-replicas-to-write" | "min-slaves-to-write" => min_replicas_to_write: u32 = "0", int(0, INT_MAX),
        [effect(Effect::GoodReplicas)];

    /// Seconds of silence up to which a replica counts as good.
    "min-replicas-max-lag" | "min-slaves-max-lag" => min_replicas_max_lag: u32 = "10", int(0, INT_MAX),
        [effect(Effect::GoodReplicas)];

    /// What happens when a command from the primary or the append only file fails.
    "propagation-error-behavior" => propagation_error_behavior: PropagationError = "ignore",
        one_of::<PropagationError>();
}
