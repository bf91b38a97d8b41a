//! Slots over several nodes.

use crate::config::kind::{BOOL, INT_MAX, LONG_MAX, TEXT, ULONG_MAX, int, memory, one_of, text};
use crate::config::parameter::{Effect, parameters};
use crate::config::text_checks;
use crate::config::values::EndpointType;

parameters! {
    /// Slots over several nodes.
    pub struct Cluster, cluster;

    /// Be a node of a cluster.
    "cluster-enabled" => cluster_enabled: bool = "no", BOOL, [immutable()];

    /// File of the node's own records; the node writes it, nobody edits it.
    "cluster-config-file" => cluster_config_file: String = "nodes.conf", TEXT, [immutable()];

    /// Milliseconds after which a silent node is taken for failed.
    "cluster-node-timeout" => cluster_node_timeout: u64 = "15000", int(0, LONG_MAX);

    /// Port of the cluster bus, 0 for the client port plus 10000.
    "cluster-port" => cluster_port: u16 = "0", int(0, 65535), [immutable()];

    /// How old a replica's data may be, in node timeouts, for it to take over; 0 for any age.
    "cluster-replica-validity-factor" | "cluster-slave-validity-factor" => cluster_replica_validity_factor: u32 = "10",
        int(0, INT_MAX);

    /// Replicas that a primary keeps before one may move to a primary without any.
    "cluster-migration-barrier" => cluster_migration_barrier: u32 = "1", int(0, INT_MAX);

    /// Let replicas move between primaries by themselves.
    "cluster-allow-replica-migration" => cluster_allow_replica_migration: bool = "yes", BOOL;

    /// Refuse requests while some slot has no node.
    "cluster-require-full-coverage" => cluster_require_full_coverage: bool = "yes", BOOL;

    /// This replica does not take over by itself.
    "cluster-replica-no-failover" | "cluster-slave-no-failover" => cluster_replica_no_failover: bool = "no", BOOL,
        [effect(Effect::ClusterFlags)];

    /// Answer reads while the cluster is down.
    "cluster-allow-reads-when-down" => cluster_allow_reads_when_down: bool = "no", BOOL;

    /// Serve sharded channels while the cluster is down.
    "cluster-allow-pubsubshard-when-down" => cluster_allow_pubsubshard_when_down: bool = "yes", BOOL;

    /// Bytes that may wait on a link of the cluster bus, 0 for no limit.
    "cluster-link-sendbuf-limit" => cluster_link_sendbuf_limit: u64 = "0", memory(0, ULONG_MAX);

    /// Address that this node announces.
    "cluster-announce-ip" => cluster_announce_ip: String = "", TEXT, [effect(Effect::ClusterAnnounce)];

    /// Host name that this node announces.
    "cluster-announce-hostname" => cluster_announce_hostname: String = "", text(text_checks::hostname),
        [effect(Effect::ClusterAnnounce)];

    /// Name of this node for people who read logs.
    "cluster-announce-human-nodename" => cluster_announce_human_nodename: String = "", text(text_checks::nodename),
        [effect(Effect::ClusterAnnounce)];

    /// Plaintext port that this node announces, 0 for port.
    "cluster-announce-port" => cluster_announce_port: u16 = "0", int(0, 65535), [effect(Effect::ClusterAnnounce)];

    /// TLS port that this node announces, 0 for tls-port.
    "cluster-announce-tls-port" => cluster_announce_tls_port: u16 = "0", int(0, 65535),
        [effect(Effect::ClusterAnnounce)];

    /// Bus port that this node announces, 0 for the client port plus 10000.
    "cluster-announce-bus-port" => cluster_announce_bus_port: u16 = "0", int(0, 65535),
        [effect(Effect::ClusterAnnounce)];

    /// What clients are told to connect to.
    "cluster-preferred-endpoint-type" => cluster_preferred_endpoint_type: EndpointType = "ip",
        one_of::<EndpointType>();

    /// Milliseconds between pings on the cluster bus, 0 for the usual rhythm.
    "cluster-ping-interval" => cluster_ping_interval: u64 = "0", int(0, LONG_MAX), [hidden()];
}
