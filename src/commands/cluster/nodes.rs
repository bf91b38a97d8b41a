//! The cluster's nodes, and what a client may do on this one.

use crate::catalog::{Categories, Deprecated, Group, Spec, flags};
use crate::engine::Command;

use super::disabled;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "asking",
            arity: 1,
            flags: flags![FAST],
            categories: Categories::CONNECTION,
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Lets the next command reach a slot that is being imported.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster",
            arity: -2,
            flags: flags![CONTAINER],
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Groups the commands about the cluster.",
            complexity: "Depends on subcommand.",
            ..Spec::BASE
        },
        run: crate::commands::container,
    },
    Command {
        spec: Spec {
            name: "cluster|count-failure-reports",
            arity: 3,
            flags: flags![ADMIN, STALE],
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Counts the live reports that a node has failed.",
            complexity: "O(N) where N is the number of failure reports",
            tips: &["nondeterministic_output"],
            args: "node-id:string",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|failover",
            arity: -2,
            flags: flags![ADMIN, STALE, NO_ASYNC_LOADING],
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Makes this replica take its primary's place.",
            complexity: "O(1)",
            args: "options?:(force=FORCE | takeover=TAKEOVER)",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|forget",
            arity: 3,
            flags: flags![ADMIN, STALE, NO_ASYNC_LOADING],
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Strikes a node off this node's list.",
            complexity: "O(1)",
            args: "node-id:string",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|help",
            arity: 2,
            flags: flags![LOADING, STALE],
            group: Group::Cluster,
            since: "5.0.0",
            summary: "Lists what CLUSTER can do.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|info",
            arity: 2,
            flags: flags![STALE],
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Reports the state of the cluster as this node sees it.",
            complexity: "O(1)",
            tips: &["nondeterministic_output"],
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|links",
            arity: 2,
            flags: flags![STALE],
            group: Group::Cluster,
            since: "7.0.0",
            summary: "Describes the connections to the other nodes.",
            complexity: "O(N) where N is the total number of Cluster nodes",
            tips: &["nondeterministic_output"],
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|meet",
            arity: -4,
            flags: flags![ADMIN, STALE, NO_ASYNC_LOADING],
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Introduces another node to the cluster.",
            complexity: "O(1)",
            history: &[("4.0.0", "Added the optional `cluster_bus_port` argument.")],
            args: "ip:string port:integer cluster-bus-port?:integer@4.0.0",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|myid",
            arity: 2,
            flags: flags![STALE],
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Reads this node's ID.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|myshardid",
            arity: 2,
            flags: flags![STALE],
            group: Group::Cluster,
            since: "7.2.0",
            summary: "Reads the ID of this node's shard.",
            complexity: "O(1)",
            tips: &["nondeterministic_output"],
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|nodes",
            arity: 2,
            flags: flags![STALE],
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Describes all nodes, in the form of the nodes file.",
            complexity: "O(N) where N is the total number of Cluster nodes",
            tips: &["nondeterministic_output"],
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|replicas",
            arity: 3,
            flags: flags![ADMIN, STALE],
            group: Group::Cluster,
            since: "5.0.0",
            summary: "Describes the replicas of a primary.",
            complexity: "O(N) where N is the number of replicas.",
            tips: &["nondeterministic_output"],
            args: "node-id:string",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|replicate",
            arity: 3,
            flags: flags![ADMIN, STALE, NO_ASYNC_LOADING],
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Makes this node the replica of a given primary.",
            complexity: "O(1)",
            args: "node-id:string",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|reset",
            arity: -2,
            flags: flags![ADMIN, NOSCRIPT, STALE, EXCLUSIVE],
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Makes this node leave its cluster and start afresh.",
            complexity: "O(N) where N is the number of known nodes. The command may execute a FLUSHALL as a side \
                effect.",
            args: "reset-type?:(hard=HARD | soft=SOFT)",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|saveconfig",
            arity: 2,
            flags: flags![ADMIN, STALE, NO_ASYNC_LOADING],
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Writes the nodes file to disk.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|slaves",
            arity: 3,
            flags: flags![ADMIN, STALE],
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Former name of CLUSTER REPLICAS.",
            complexity: "O(N) where N is the number of replicas.",
            deprecated: Some(Deprecated { since: "5.0.0", replaced_by: "`CLUSTER REPLICAS`" }),
            tips: &["nondeterministic_output"],
            args: "node-id:string",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "readonly",
            arity: 1,
            flags: flags![LOADING, STALE, FAST],
            categories: Categories::CONNECTION,
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Lets this connection read from a cluster replica.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "readwrite",
            arity: 1,
            flags: flags![LOADING, STALE, FAST],
            categories: Categories::CONNECTION,
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Sends this connection's reads to the primary again.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: disabled,
    },
];
