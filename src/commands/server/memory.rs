//! MEMORY: how much is used, and for what.

use super::memory_doctor;
use super::memory_overhead::{Gap, Overhead};
use crate::base::allocator_control;
use crate::catalog::{Group, Spec, flags, keys};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::keyspace::{Entry, StrRef, ValueRef};
use crate::resp::{Reply, WireError};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "memory",
            arity: -2,
            flags: flags![CONTAINER],
            group: Group::Server,
            since: "4.0.0",
            summary: "Groups the commands about memory.",
            complexity: "Depends on subcommand.",
            ..Spec::BASE
        },
        run: crate::commands::container,
    },
    Command {
        spec: Spec {
            name: "memory|usage",
            arity: -3,
            flags: flags![READONLY],
            keys: keys::SECOND_RO,
            group: Group::Server,
            since: "4.0.0",
            summary: "Estimates how many bytes a key and its value take.",
            complexity: "O(N) where N is the number of samples.",
            args: "key:key count?=SAMPLES:integer",
            ..Spec::BASE
        },
        run: memory_usage,
    },
    Command {
        spec: Spec {
            name: "memory|stats",
            arity: 2,
            group: Group::Server,
            since: "4.0.0",
            summary: "Shows what the memory is used for.",
            complexity: "O(1)",
            tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
            ..Spec::BASE
        },
        run: memory_stats,
    },
    Command {
        spec: Spec {
            name: "memory|malloc-stats",
            arity: 2,
            group: Group::Server,
            since: "4.0.0",
            summary: "Shows the allocator's own statistics.",
            complexity: "Depends on how much memory is allocated, could be slow",
            tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
            ..Spec::BASE
        },
        run: memory_malloc_stats,
    },
    Command {
        spec: Spec {
            name: "memory|purge",
            arity: 2,
            group: Group::Server,
            since: "4.0.0",
            summary: "Makes the allocator give unused memory back.",
            complexity: "Depends on how much memory is allocated, could be slow",
            tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
            ..Spec::BASE
        },
        run: memory_purge,
    },
    Command {
        spec: Spec {
            name: "memory|doctor",
            arity: 2,
            group: Group::Server,
            since: "4.0.0",
            summary: "Explains memory problems in plain words.",
            complexity: "O(1)",
            tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
            ..Spec::BASE
        },
        run: memory_doctor,
    },
    Command {
        spec: Spec {
            name: "memory|help",
            arity: 2,
            flags: flags![LOADING, STALE],
            group: Group::Server,
            since: "4.0.0",
            summary: "Lists what MEMORY can do.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: memory_help,
    },
];

/// Bytes that a key takes in its table: a pointer and a control byte.
const SLOT_BYTES: usize = size_of::<usize>() + 1;

pub(super) fn memory_usage(ctx: &mut Context<'_>) -> CommandResult {
    let mut index = 3;
    while index < ctx.args.len() {
        if !ctx.args.is(index, "samples") || index + 1 == ctx.args.len() {
            return ctx.syntax();
        }
        // A number of samples is accepted and not needed: values know their size, or measure all of it.
        if ctx.int(index + 1)? < 0 {
            return ctx.syntax();
        }
        index += 2;
    }
    match ctx.keys.peek(ctx.args.at(2)) {
        Some(entry) => ctx.reply.count(entry_bytes(entry)),
        None => ctx.reply.null(),
    }
    Ok(Outcome::Done)
}

/// Bytes that a key and its value take, the place in the table included.
pub(super) fn entry_bytes(entry: &Entry) -> usize {
    SLOT_BYTES + entry.allocated() + value_bytes(entry)
}

/// Bytes that a value takes outside its entry.
pub(super) fn value_bytes(entry: &Entry) -> usize {
    match entry.value() {
        ValueRef::Str(StrRef::Bytes(bytes)) if !entry.is_inline() => bytes.len(),
        ValueRef::Str(_) => 0,
        ValueRef::List(list) => size_of_val(list) + list.memory_usage(),
        ValueRef::Set(set) => size_of_val(set) + set.memory_usage(),
        ValueRef::Hash(hash) => size_of_val(hash) + hash.memory_usage(),
        ValueRef::ZSet(zset) => size_of_val(zset) + zset.memory_usage(),
        ValueRef::Stream(stream) => size_of_val(stream) + stream.memory_usage(),
    }
}

pub(super) fn memory_stats(ctx: &mut Context<'_>) -> CommandResult {
    let overhead = Overhead::take(ctx.engine);
    let aof_buffer = ctx.engine.aof_buffer_bytes();
    let mut pairs = Pairs { count: 0, reply: &mut ctx.reply };
    let mark = pairs.reply.deferred();
    pairs.bytes("peak.allocated", overhead.peak);
    pairs.bytes("total.allocated", overhead.used);
    pairs.bytes("startup.allocated", overhead.startup);
    pairs.bytes("replication.backlog", overhead.backlog);
    pairs.bytes("clients.slaves", overhead.clients_replicas);
    pairs.bytes("clients.normal", overhead.clients_normal);
    pairs.bytes("cluster.links", 0);
    pairs.bytes("aof.buffer", aof_buffer);
    pairs.bytes("lua.caches", ctx.engine.scripts.figures().script_bytes as u64);
    pairs.bytes("functions.caches", ctx.engine.libraries.figures().library_bytes as u64);
    for database in &overhead.databases {
        pairs.name(&format!("db.{}", database.db.0));
        pairs.reply.map(3);
        pairs.inner("overhead.hashtable.main", database.main);
        pairs.inner("overhead.hashtable.expires", database.expires);
        pairs.inner("overhead.hashtable.slot-to-keys", 0);
    }
    pairs.bytes("overhead.total", overhead.total());
    pairs.bytes("keys.count", overhead.keys);
    pairs.bytes("keys.bytes-per-key", overhead.bytes_per_key());
    pairs.bytes("dataset.bytes", overhead.dataset());
    pairs.number("dataset.percentage", overhead.dataset_percent());
    pairs.number("peak.percentage", overhead.peak_percent());
    pairs.bytes("allocator.allocated", overhead.process.allocated);
    pairs.bytes("allocator.active", overhead.process.active);
    pairs.bytes("allocator.resident", overhead.process.resident);
    pairs.gap("allocator-fragmentation.ratio", "allocator-fragmentation.bytes", overhead.fragmentation());
    pairs.gap("allocator-rss.ratio", "allocator-rss.bytes", overhead.retained());
    pairs.gap("rss-overhead.ratio", "rss-overhead.bytes", overhead.beyond_allocator());
    pairs.gap("fragmentation", "fragmentation.bytes", overhead.overall());
    let count = pairs.count;
    ctx.reply.end_map(mark, count);
    Ok(Outcome::Done)
}

/// Writes a map of names and figures, and counts them.
struct Pairs<'r, 'a> {
    count: usize,
    reply: &'r mut Reply<'a>,
}

impl Pairs<'_, '_> {
    fn name(&mut self, name: &str) {
        self.count += 1;
        self.reply.bulk(name.as_bytes());
    }

    fn bytes(&mut self, name: &str, bytes: u64) {
        self.name(name);
        self.reply.int(bytes as i64);
    }

    fn number(&mut self, name: &str, value: f64) {
        self.name(name);
        self.reply.double(value);
    }

    fn gap(&mut self, ratio: &str, bytes: &str, gap: Gap) {
        self.number(ratio, gap.ratio);
        self.name(bytes);
        self.reply.int(gap.bytes);
    }

    /// A pair of a map inside the map.
    fn inner(&mut self, name: &str, bytes: u64) {
        self.reply.bulk(name.as_bytes());
        self.reply.int(bytes as i64);
    }
}

pub(super) fn memory_malloc_stats(ctx: &mut Context<'_>) -> CommandResult {
    let report = allocator_report()
        .map_err(|error| WireError::new(format!("ERR the allocator's statistics cannot be read: {error}")))?;
    ctx.reply.verbatim("txt", report.as_bytes());
    Ok(Outcome::Done)
}

/// The allocator's statistics, a line each.
fn allocator_report() -> Result<String, tikv_jemalloc_ctl::Error> {
    use tikv_jemalloc_ctl::{arenas, epoch, stats, version};
    epoch::advance()?;
    Ok(format!(
        "jemalloc {}\narenas: {}\nallocated: {}\nactive: {}\nmetadata: {}\nresident: {}\nmapped: {}\nretained: {}\n",
        version::read()?,
        arenas::narenas::read()?,
        stats::allocated::read()?,
        stats::active::read()?,
        stats::metadata::read()?,
        stats::resident::read()?,
        stats::mapped::read()?,
        stats::retained::read()?,
    ))
}

pub(super) fn memory_purge(ctx: &mut Context<'_>) -> CommandResult {
    allocator_control::purge().map_err(|_| WireError::fixed("ERR Error purging dirty pages"))?;
    ctx.done_ok()
}

pub(super) fn memory_doctor(ctx: &mut Context<'_>) -> CommandResult {
    let clients = ctx.engine.clients.len() as u64;
    let report = memory_doctor::report(&Overhead::take(ctx.engine), clients);
    ctx.reply.verbatim("txt", report.as_bytes());
    Ok(Outcome::Done)
}

pub(super) fn memory_help(ctx: &mut Context<'_>) -> CommandResult {
    ctx.reply.help(
        "MEMORY",
        &[
            "DOCTOR",
            "    Return memory problems reports.",
            "MALLOC-STATS",
            "    Return internal statistics report from the memory allocator.",
            "PURGE",
            "    Attempt to purge dirty pages for reclamation by the allocator.",
            "STATS",
            "    Return information about the memory usage of the server.",
            "USAGE <key> [SAMPLES <count>]",
            "    Return memory in bytes used by <key> and its value. Nested values are",
            "    sampled up to <count> times (default: 5, 0 means sample all).",
        ],
    );
    Ok(Outcome::Done)
}
