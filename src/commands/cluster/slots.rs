//! The cluster's slots: which node serves them, and which keys are in them.

use crate::catalog::{Deprecated, Group, Spec, flags};
use crate::engine::Command;

use super::disabled;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "cluster|addslots",
            arity: -3,
            flags: flags![ADMIN, STALE, NO_ASYNC_LOADING],
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Gives slots to this node.",
            complexity: "O(N) where N is the total number of hash slot arguments",
            args: "slot*:integer",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|addslotsrange",
            arity: -4,
            flags: flags![ADMIN, STALE, NO_ASYNC_LOADING],
            group: Group::Cluster,
            since: "7.0.0",
            summary: "Gives ranges of slots to this node.",
            complexity: "O(N) where N is the total number of the slots between the start slot and end slot arguments.",
            args: "range*:(start-slot:integer end-slot:integer)",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|bumpepoch",
            arity: 2,
            flags: flags![ADMIN, STALE, NO_ASYNC_LOADING],
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Raises this node's configuration epoch.",
            complexity: "O(1)",
            tips: &["nondeterministic_output"],
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|countkeysinslot",
            arity: 3,
            flags: flags![STALE, WALKS],
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Tells how many keys a slot holds.",
            complexity: "O(1)",
            args: "slot:integer",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|delslots",
            arity: -3,
            flags: flags![ADMIN, STALE, NO_ASYNC_LOADING],
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Makes this node forget who owns some slots.",
            complexity: "O(N) where N is the total number of hash slot arguments",
            args: "slot*:integer",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|delslotsrange",
            arity: -4,
            flags: flags![ADMIN, STALE, NO_ASYNC_LOADING],
            group: Group::Cluster,
            since: "7.0.0",
            summary: "Makes this node forget who owns ranges of slots.",
            complexity: "O(N) where N is the total number of the slots between the start slot and end slot arguments.",
            args: "range*:(start-slot:integer end-slot:integer)",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|flushslots",
            arity: 2,
            flags: flags![ADMIN, STALE, NO_ASYNC_LOADING],
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Makes this node forget who owns any slot.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|getkeysinslot",
            arity: 4,
            flags: flags![STALE, WALKS],
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Lists some keys of a slot.",
            complexity: "O(N) where N is the number of requested keys",
            tips: &["nondeterministic_output"],
            args: "slot:integer count:integer",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|keyslot",
            arity: 3,
            flags: flags![STALE],
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Computes which slot a key belongs to.",
            complexity: "O(N) where N is the number of bytes in the key",
            args: "key:string",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|set-config-epoch",
            arity: 3,
            flags: flags![ADMIN, STALE, NO_ASYNC_LOADING],
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Gives a fresh node its configuration epoch.",
            complexity: "O(1)",
            args: "config-epoch:integer",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|setslot",
            arity: -4,
            flags: flags![ADMIN, STALE, NO_ASYNC_LOADING],
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Assigns a slot, or marks it as moving.",
            complexity: "O(1)",
            args: "slot:integer subcommand:(importing<node-id>=IMPORTING:string | migrating<node-id>=MIGRATING:string \
                | node<node-id>=NODE:string | stable=STABLE)",
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|shards",
            arity: 2,
            flags: flags![LOADING, STALE],
            group: Group::Cluster,
            since: "7.0.0",
            summary: "Describes the shards, their slots and nodes.",
            complexity: "O(N) where N is the total number of cluster nodes",
            tips: &["nondeterministic_output"],
            ..Spec::BASE
        },
        run: disabled,
    },
    Command {
        spec: Spec {
            name: "cluster|slots",
            arity: 2,
            flags: flags![LOADING, STALE],
            group: Group::Cluster,
            since: "3.0.0",
            summary: "Shows which nodes serve which slots.",
            complexity: "O(N) where N is the total number of Cluster nodes",
            history: &[("4.0.0", "Added node IDs."), ("7.0.0", "Added additional networking metadata field.")],
            deprecated: Some(Deprecated { since: "7.0.0", replaced_by: "`CLUSTER SHARDS`" }),
            tips: &["nondeterministic_output"],
            ..Spec::BASE
        },
        run: disabled,
    },
];
