//! OBJECT: encoding, idle time, frequency, reference count.

use crate::catalog::{Categories, Spec, flags, keys};
use std::sync::atomic::Ordering::Relaxed;

use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::keyspace::{EMBSTR_MAX, Entry, Freshness, StrRef, ValueRef, lfu_decayed, lru_idle_ms};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "object",
            arity: -2,
            flags: flags![CONTAINER],
            since: "2.2.3",
            summary: "Groups the commands that look inside stored values.",
            complexity: "Depends on subcommand.",
            ..Spec::BASE
        },
        run: crate::commands::container,
    },
    Command {
        spec: Spec {
            name: "object|encoding",
            arity: 3,
            flags: flags![READONLY],
            categories: Categories::KEYSPACE,
            keys: keys::SECOND_RO,
            since: "2.2.3",
            summary: "Names the internal form in which a value is stored.",
            complexity: "O(1)",
            tips: &["nondeterministic_output"],
            args: "key:key",
            ..Spec::BASE
        },
        run: object_encoding,
    },
    Command {
        spec: Spec {
            name: "object|refcount",
            arity: 3,
            flags: flags![READONLY],
            categories: Categories::KEYSPACE,
            keys: keys::SECOND_RO,
            since: "2.2.3",
            summary: "Tells how many references a value has.",
            complexity: "O(1)",
            tips: &["nondeterministic_output"],
            args: "key:key",
            ..Spec::BASE
        },
        run: object_refcount,
    },
    Command {
        spec: Spec {
            name: "object|idletime",
            arity: 3,
            flags: flags![READONLY],
            categories: Categories::KEYSPACE,
            keys: keys::SECOND_RO,
            since: "2.2.3",
            summary: "Tells for how many seconds a key has not been accessed.",
            complexity: "O(1)",
            tips: &["nondeterministic_output"],
            args: "key:key",
            ..Spec::BASE
        },
        run: object_idletime,
    },
    Command {
        spec: Spec {
            name: "object|freq",
            arity: 3,
            flags: flags![READONLY],
            categories: Categories::KEYSPACE,
            keys: keys::SECOND_RO,
            since: "4.0.0",
            summary: "Reads the access frequency counter of a key.",
            complexity: "O(1)",
            tips: &["nondeterministic_output"],
            args: "key:key",
            ..Spec::BASE
        },
        run: object_freq,
    },
    Command {
        spec: Spec {
            name: "object|help",
            arity: 2,
            flags: flags![LOADING, STALE],
            categories: Categories::KEYSPACE,
            since: "6.2.0",
            summary: "Lists what OBJECT can do.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: object_help,
    },
];

/// The name of a value's encoding.
pub fn encoding(entry: &Entry) -> &'static str {
    match entry.value() {
        ValueRef::Str(StrRef::Int(_)) => "int",
        ValueRef::Str(StrRef::Bytes(bytes)) if entry.is_inline() && bytes.len() <= EMBSTR_MAX => "embstr",
        ValueRef::Str(_) => "raw",
        ValueRef::List(list) => list.encoding(),
        ValueRef::Set(set) => set.encoding(),
        ValueRef::Hash(hash) => hash.encoding(),
        ValueRef::ZSet(set) => set.encoding(),
        ValueRef::Stream(_) => "stream",
    }
}

pub(super) fn object_encoding(ctx: &mut Context<'_>) -> CommandResult {
    match ctx.keys.peek(ctx.args.at(2)).map(encoding) {
        Some(name) => ctx.reply.bulk(name.as_bytes()),
        None => ctx.reply.null(),
    }
    Ok(Outcome::Done)
}

pub(super) fn object_refcount(ctx: &mut Context<'_>) -> CommandResult {
    /// Small integers take no memory of their own: they count as shared by all, as in Redis, unless each has an age or a
    /// frequency by which it may be evicted.
    const SHARED: std::ops::Range<i64> = 0..10_000;
    let memory = &ctx.settings.memory;
    let shares = memory.maxmemory == 0 || !memory.maxmemory_policy.uses_freshness();
    match ctx.keys.peek(ctx.args.at(2)).map(Entry::value) {
        Some(ValueRef::Str(StrRef::Int(value))) if shares && SHARED.contains(&value) => {
            ctx.reply.int(i64::from(i32::MAX));
        }
        Some(_) => ctx.reply.int(1),
        None => ctx.reply.null(),
    }
    Ok(Outcome::Done)
}

pub(super) fn object_idletime(ctx: &mut Context<'_>) -> CommandResult {
    let Some(bits) = ctx.keys.peek(ctx.args.at(2)).map(|entry| entry.lru().load(Relaxed)) else {
        ctx.reply.null();
        return Ok(Outcome::Done);
    };
    if ctx.settings.memory.maxmemory_policy.is_lfu() {
        return Err(WireError::fixed(
            "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between \
             policies at runtime LRU and LFU data will take some time to adjust.",
        ));
    }
    ctx.done_int((lru_idle_ms(bits, ctx.now()) / 1000) as i64)
}

pub(super) fn object_freq(ctx: &mut Context<'_>) -> CommandResult {
    let Some(bits) = ctx.keys.peek(ctx.args.at(2)).map(|entry| entry.lru().load(Relaxed)) else {
        ctx.reply.null();
        return Ok(Outcome::Done);
    };
    let Freshness::Lfu(tuning) = crate::engine::Engine::freshness(ctx.settings) else {
        return Err(WireError::fixed(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching \
             between policies at runtime LRU and LFU data will take some time to adjust.",
        ));
    };
    ctx.done_int(i64::from(lfu_decayed(bits, ctx.now(), tuning)))
}

pub(super) fn object_help(ctx: &mut Context<'_>) -> CommandResult {
    ctx.reply.help(
        "OBJECT",
        &[
            "ENCODING <key>",
            "    Return the kind of internal representation used in order to store the value",
            "    associated with a <key>.",
            "FREQ <key>",
            "    Return the access frequency index of the <key>. The returned integer is",
            "    proportional to the logarithm of the recent access frequency of the key.",
            "IDLETIME <key>",
            "    Return the idle time of the <key>, that is the approximated number of",
            "    seconds elapsed since the last access to the key.",
            "REFCOUNT <key>",
            "    Return the number of references of the value associated with the specified",
            "    <key>.",
        ],
    );
    Ok(Outcome::Done)
}
