//! redis-tls: a TLS-native, Redis-compatible server.
//!
//! The modules, bottom to top; imports point down only.
//!
//! | floor | module | what it is |
//! |---|---|---|
//! | 7 | [`server`] | assembles the daemon, starts and stops it; the subcommands of the program |
//! | 6 | [`network`], [`tasks`] | sockets, handshakes, workers, one connection; background loops |
//! | 5 | [`commands`] | rows and handlers, one folder per group of commands |
//! | 4 | [`engine`] | how any command runs: checks, locks, call, record; transactions, blocking, eviction |
//! | 3 | [`persistence`], [`replication`] | the bytes of snapshots, of DUMP and of the append only file; what primary and replica say to each other |
//! | 2 | [`keyspace`], [`acl`], [`session`], [`pubsub`], [`tracking`], [`scripting`], [`peer`] | sharded keys with expiry; users and their rules; what the server knows of a client; channels; who caches which keys; Lua; calls to other servers |
//! | 1 | [`resp`], [`catalog`], [`data`], [`config`], [`tls`], [`metrics`], [`group`] | requests and replies; what a command is; value types; parameters; identity and trust; figures; the data folder's identity |
//! | 0 | [`base`] | clock, glob, number formats, allocator |
//!
//! The life of a request: a connection on its worker reads and decrypts a batch (`network::connection`), the parser slices it into arguments
//! (`resp::parser`), the engine finds the row, checks, locks the row's keys and calls the handler (`engine::execute`), the handler reads and writes keys
//! and the reply, the engine passes the change on (`engine::funnel`), and the batch's replies leave in one write.

pub mod acl;
pub mod base;
pub mod catalog;
pub mod commands;
pub mod config;
pub mod data;
pub mod engine;
pub mod group;
pub mod keyspace;
pub mod metrics;
pub mod network;
pub mod peer;
pub mod persistence;
pub mod pubsub;
pub mod replication;
pub mod resp;
pub mod scripting;
pub mod server;
pub mod session;
pub mod tasks;
pub mod tls;
pub mod tracking;
