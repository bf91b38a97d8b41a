//! Being there or not: DEL, UNLINK, EXISTS, TOUCH, TYPE, KEYS, RANDOMKEY, DBSIZE.

use crate::base::glob;
use crate::catalog::{Categories, Group, Spec, categories, flags, keys};
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome};
use crate::keyspace::Entry;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "del",
            arity: -2,
            flags: flags![WRITE],
            categories: Categories::KEYSPACE,
            keys: keys::ALL_RM,
            since: "1.0.0",
            summary: "Removes keys at once.",
            complexity: "O(N) where N is the number of keys that will be removed. When a key to remove holds a value \
                other than a string, the individual complexity for this key is O(M) where M is the number of elements \
                in the list, set, sorted set or hash. Removing a single key that holds a string value is O(1).",
            tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
            args: "key*:key",
            ..Spec::BASE
        },
        run: del,
    },
    Command {
        spec: Spec {
            name: "unlink",
            arity: -2,
            flags: flags![WRITE, FAST],
            categories: Categories::KEYSPACE,
            keys: keys::ALL_RM,
            since: "4.0.0",
            summary: "Removes keys at once and frees their memory in the background.",
            complexity: "O(1) for each key removed regardless of its size. Then the command does O(N) work in a \
                different thread in order to reclaim memory, where N is the number of allocations the deleted objects \
                where composed of.",
            tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
            args: "key*:key",
            ..Spec::BASE
        },
        run: unlink,
    },
    Command {
        spec: Spec {
            name: "exists",
            arity: -2,
            flags: flags![READONLY, FAST],
            categories: Categories::KEYSPACE,
            keys: keys::ALL_RO,
            since: "1.0.0",
            summary: "Counts how many of the given keys are there.",
            complexity: "O(N) where N is the number of keys to check.",
            history: &[("3.0.3", "Accepts multiple `key` arguments.")],
            tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
            args: "key*:key",
            ..Spec::BASE
        },
        run: exists,
    },
    Command {
        spec: Spec {
            name: "touch",
            arity: -2,
            flags: flags![READONLY, FAST, TOUCHES],
            categories: Categories::KEYSPACE,
            keys: keys::ALL_RO,
            since: "3.2.1",
            summary: "Marks keys as just accessed and counts those that are there.",
            complexity: "O(N) where N is the number of keys that will be touched.",
            tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
            args: "key*:key",
            ..Spec::BASE
        },
        run: touch,
    },
    Command {
        spec: Spec {
            name: "type",
            arity: 2,
            flags: flags![READONLY, FAST],
            categories: Categories::KEYSPACE,
            keys: keys::FIRST_RO,
            since: "1.0.0",
            summary: "Names the data type that a key holds.",
            complexity: "O(1)",
            args: "key:key",
            ..Spec::BASE
        },
        run: type_,
    },
    Command {
        spec: Spec {
            name: "keys",
            arity: 2,
            flags: flags![READONLY, WALKS],
            categories: categories![KEYSPACE, DANGEROUS],
            since: "1.0.0",
            summary: "Lists the key names that fit a pattern.",
            complexity: "O(N) with N being the number of keys in the database, under the assumption that the key \
                names in the database and the given pattern have limited length.",
            tips: &["request_policy:all_shards", "nondeterministic_output_order"],
            args: "pattern:pattern",
            ..Spec::BASE
        },
        run: keys,
    },
    Command {
        spec: Spec {
            name: "randomkey",
            arity: 1,
            flags: flags![READONLY, TOUCHES_ARBITRARY_KEYS, WALKS],
            categories: Categories::KEYSPACE,
            since: "1.0.0",
            summary: "Picks any key of the database.",
            complexity: "O(1)",
            tips: &["request_policy:all_shards", "response_policy:special", "nondeterministic_output"],
            ..Spec::BASE
        },
        run: randomkey,
    },
    Command {
        spec: Spec {
            name: "dbsize",
            arity: 1,
            flags: flags![READONLY, FAST],
            categories: Categories::KEYSPACE,
            group: Group::Server,
            since: "1.0.0",
            summary: "Counts the keys of the database.",
            complexity: "O(1)",
            tips: &["request_policy:all_shards", "response_policy:agg_sum"],
            ..Spec::BASE
        },
        run: dbsize,
    },
];

pub(super) fn del(ctx: &mut Context<'_>) -> CommandResult {
    let lazy = ctx.settings.memory.lazyfree_lazy_user_del;
    remove(ctx, lazy)
}

pub(super) fn unlink(ctx: &mut Context<'_>) -> CommandResult {
    remove(ctx, true)
}

fn remove(ctx: &mut Context<'_>, lazy: bool) -> CommandResult {
    let args = ctx.args;
    let mut removed = 0;
    for key in args.from(1) {
        let Some(entry) = ctx.keys.remove(key) else { continue };
        removed += 1;
        ctx.changed(EventClass::GENERIC, "del", key);
        if lazy {
            ctx.engine.reclaimer.drop_entry(entry);
        }
    }
    ctx.change.dirty(removed);
    ctx.done_int(removed as i64)
}

pub(super) fn exists(ctx: &mut Context<'_>) -> CommandResult {
    let count = ctx.args.from(1).filter(|key| ctx.keys.look(key).is_some()).count();
    ctx.done_int(count as i64)
}

pub(super) fn touch(ctx: &mut Context<'_>) -> CommandResult {
    let count = ctx.args.from(1).filter(|key| ctx.keys.get(key).is_some()).count();
    ctx.done_int(count as i64)
}

pub(super) fn type_(ctx: &mut Context<'_>) -> CommandResult {
    let name = ctx.keys.look(ctx.args.at(1)).map_or("none", |entry| entry.value().type_name());
    ctx.reply.status(name);
    Ok(Outcome::Done)
}

pub(super) fn keys(ctx: &mut Context<'_>) -> CommandResult {
    let pattern = ctx.args.at(1);
    let mark = ctx.reply.deferred();
    let mut count = 0;
    let reply = &mut ctx.reply;
    ctx.keys.for_each(|entry: &Entry| {
        if !reply.is_futile() && (pattern == b"*" || glob::matches(pattern, entry.key())) {
            reply.bulk(entry.key());
            count += 1;
        }
    });
    ctx.reply.end_array(mark, count);
    Ok(Outcome::Done)
}

pub(super) fn randomkey(ctx: &mut Context<'_>) -> CommandResult {
    let key = ctx.keys.random_key();
    ctx.reply.bulk_or_null(key.as_deref());
    Ok(Outcome::Done)
}

pub(super) fn dbsize(ctx: &mut Context<'_>) -> CommandResult {
    let len = ctx.keys.database().len();
    ctx.done_int(len as i64)
}
