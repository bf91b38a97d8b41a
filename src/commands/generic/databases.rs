//! Whole databases: SELECT, SWAPDB, FLUSHDB, FLUSHALL.

use crate::catalog::{Categories, Group, Spec, categories, flags};
use std::sync::atomic::Ordering::Relaxed;

use crate::engine::{Command, CommandResult, Context, Presence, Ticket};
use crate::keyspace::DbIndex;
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "select",
            arity: 2,
            flags: flags![WALKS, LOADING, STALE, FAST],
            categories: Categories::CONNECTION,
            group: Group::Connection,
            since: "1.0.0",
            summary: "Chooses the database for this connection.",
            complexity: "O(1)",
            args: "index:integer",
            ..Spec::BASE
        },
        run: select,
    },
    Command {
        spec: Spec {
            name: "swapdb",
            arity: 3,
            flags: flags![WRITE, FAST, EXCLUSIVE],
            categories: categories![KEYSPACE, DANGEROUS],
            group: Group::Server,
            since: "4.0.0",
            summary: "Exchanges the contents of two databases.",
            complexity: "O(N) where N is the count of clients watching or blocking on keys from both databases.",
            args: "index1:integer index2:integer",
            ..Spec::BASE
        },
        run: swapdb,
    },
    Command {
        spec: Spec {
            name: "flushdb",
            arity: -1,
            flags: flags![WRITE, EXCLUSIVE],
            categories: categories![KEYSPACE, DANGEROUS],
            group: Group::Server,
            since: "1.0.0",
            summary: "Empties the database of this connection.",
            complexity: "O(N) where N is the number of keys in the selected database",
            history: &[
                ("4.0.0", "Added the `ASYNC` flushing mode modifier."),
                ("6.2.0", "Added the `SYNC` flushing mode modifier."),
            ],
            tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
            args: "flush-type?:(async=ASYNC@4.0.0 | sync=SYNC@6.2.0)",
            ..Spec::BASE
        },
        run: flushdb,
    },
    Command {
        spec: Spec {
            name: "flushall",
            arity: -1,
            flags: flags![WRITE, EXCLUSIVE],
            categories: categories![KEYSPACE, DANGEROUS],
            group: Group::Server,
            since: "1.0.0",
            summary: "Empties every database.",
            complexity: "O(N) where N is the total number of keys in all databases",
            history: &[
                ("4.0.0", "Added the `ASYNC` flushing mode modifier."),
                ("6.2.0", "Added the `SYNC` flushing mode modifier."),
            ],
            tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
            args: "flush-type?:(async=ASYNC@4.0.0 | sync=SYNC@6.2.0)",
            ..Spec::BASE
        },
        run: flushall,
    },
];

/// Argument `index` as a database number.
pub(super) fn parse_db(ctx: &Context<'_>, index: usize) -> Result<DbIndex, WireError> {
    const RANGE: WireError =
        WireError::fixed("ERR value is out of range, value must between -2147483648 and 2147483647");
    let number = ctx.int(index)?;
    if i32::try_from(number).is_err() {
        return Err(RANGE);
    }
    in_range(ctx, number)
}

fn in_range(ctx: &Context<'_>, number: i64) -> Result<DbIndex, WireError> {
    let valid = (0..i64::from(ctx.keys.keyspace().count())).contains(&number);
    valid.then_some(DbIndex(number as u32)).ok_or(WireError::DB_OUT_OF_RANGE)
}

pub(super) fn select(ctx: &mut Context<'_>) -> CommandResult {
    let db = parse_db(ctx, 1)?;
    ctx.session.db = db;
    ctx.session.client.db.store(db.0, Relaxed);
    ctx.done_ok()
}

/// What is at a key of a database.
fn presence(ctx: &mut Context<'_>, db: DbIndex, key: &[u8]) -> Presence {
    let before = ctx.keys.select(db);
    let presence = if ctx.keys.holds_expired(key) {
        Presence::Stale
    } else if ctx.keys.exists(key) {
        Presence::Live
    } else {
        Presence::Missing
    };
    ctx.keys.select(before);
    presence
}

pub(super) fn swapdb(ctx: &mut Context<'_>) -> CommandResult {
    const INT: std::ops::RangeInclusive<i64> = i32::MIN as i64..=i32::MAX as i64;
    let first = ctx.int_in(1, INT, WireError::fixed("ERR invalid first DB index"))?;
    let second = ctx.int_in(2, INT, WireError::fixed("ERR invalid second DB index"))?;
    let (first, second) = (in_range(ctx, first)?, in_range(ctx, second)?);
    if first != second {
        // A database holds its own keys before the swap, and the other's after it.
        for (db, key) in ctx.engine.watches.watched_in(&[first, second]) {
            let other = if db == first { second } else { first };
            ctx.engine.watches.replaced(db, &key, presence(ctx, db, &key), presence(ctx, other, &key));
        }
        ctx.keys.keyspace().swap(first, second);
        for db in [first, second] {
            wake_all(ctx, db);
        }
    }
    ctx.change.dirty(1);
    ctx.done_ok()
}

/// Every client that waits for a key of a database looks at it again.
fn wake_all(ctx: &mut Context<'_>, db: DbIndex) {
    for key in ctx.engine.waiters.keys_of(db) {
        ctx.keys.put_back(crate::keyspace::Effect::Woken(db, key));
    }
}

/// SYNC or ASYNC behind the command's name; whether memory is to be freed in the background.
fn flush_mode(ctx: &Context<'_>) -> Result<bool, WireError> {
    match ctx.args.len() {
        1 => Ok(ctx.settings.memory.lazyfree_lazy_user_flush),
        2 if ctx.args.is(1, "ASYNC") => Ok(true),
        2 if ctx.args.is(1, "SYNC") => Ok(false),
        _ => Err(WireError::SYNTAX),
    }
}

/// Empties databases, under the exclusive gate; how many keys there were.
pub fn flush(ctx: &mut Context<'_>, dbs: &[DbIndex], lazy: bool) -> usize {
    let before = ctx.keys.db();
    let mut removed = 0;
    let keyspace = ctx.keys.keyspace();
    for db in dbs.iter().filter(|db| keyspace.is_built(**db)) {
        ctx.keys.select(*db);
        for (db, key) in ctx.engine.watches.watched_in(&[*db]) {
            ctx.engine.watches.replaced(db, &key, presence(ctx, db, &key), Presence::Missing);
        }
        let (count, tables) = ctx.keys.clear();
        removed += count;
        wake_all(ctx, *db);
        if lazy {
            ctx.engine.reclaimer.drop_tables(tables, count);
        }
    }
    ctx.keys.select(before);
    ctx.engine.database_emptied(ctx.settings);
    removed
}

pub(super) fn flushdb(ctx: &mut Context<'_>) -> CommandResult {
    let lazy = flush_mode(ctx)?;
    let removed = flush(ctx, &[ctx.keys.db()], lazy);
    ctx.change.dirty(removed.max(1));
    ctx.done_ok()
}

pub(super) fn flushall(ctx: &mut Context<'_>) -> CommandResult {
    let lazy = flush_mode(ctx)?;
    let all: Vec<DbIndex> = ctx.keys.keyspace().indices().collect();
    let mut removed = flush(ctx, &all, lazy);
    // The snapshot that is being saved would bring back what is gone.
    ctx.engine.saving.give_up();
    let saves = !ctx.settings.persistence.save.0.is_empty();
    if saves && ctx.engine.save_now(ctx.settings, &Ticket::default()).is_ok() {
        removed = 0;
    }
    ctx.change.dirty(removed);
    ctx.change.replay_always();
    ctx.done_ok()
}
