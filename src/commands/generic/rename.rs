//! RENAME, RENAMENX, MOVE.

use super::databases::parse_db;
use crate::catalog::{Categories, Spec, flags, keys};
use crate::catalog::{KeyFlags, KeySpec};
use crate::engine::{Command, CommandResult, Context, EventClass};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "rename",
            arity: 3,
            flags: flags![WRITE],
            categories: Categories::KEYSPACE,
            keys: &[KeySpec::index(1, KeyFlags::TAKE), KeySpec::index(2, KeyFlags::STORE)],
            since: "1.0.0",
            summary: "Gives a key another name, replacing what has that name.",
            complexity: "O(1)",
            args: "key:key newkey:key#1",
            ..Spec::BASE
        },
        run: rename,
    },
    Command {
        spec: Spec {
            name: "renamenx",
            arity: 3,
            flags: flags![WRITE, FAST],
            categories: Categories::KEYSPACE,
            keys: &[KeySpec::index(1, KeyFlags::TAKE), KeySpec::index(2, KeyFlags::OW.union(KeyFlags::INSERT))],
            since: "1.0.0",
            summary: "Gives a key another name unless that name is taken.",
            complexity: "O(1)",
            history: &[(
                "3.2.0",
                "The command no longer returns an error when source and destination names are the same.",
            )],
            args: "key:key newkey:key#1",
            ..Spec::BASE
        },
        run: renamenx,
    },
    Command {
        spec: Spec {
            name: "move",
            arity: 3,
            flags: flags![WRITE, FAST, OTHER_DB],
            categories: Categories::KEYSPACE,
            keys: keys::FIRST_EXCHANGE,
            since: "1.0.0",
            summary: "Carries a key over to another database.",
            complexity: "O(1)",
            args: "key:key db:integer",
            ..Spec::BASE
        },
        run: move_,
    },
];

pub(super) fn rename(ctx: &mut Context<'_>) -> CommandResult {
    if !run(ctx, false)? {
        return Err(WireError::NO_SUCH_KEY);
    }
    ctx.done_ok()
}

pub(super) fn renamenx(ctx: &mut Context<'_>) -> CommandResult {
    let renamed = run(ctx, true)?;
    ctx.done_int(i64::from(renamed))
}

fn run(ctx: &mut Context<'_>, only_new: bool) -> Result<bool, WireError> {
    let (from, to) = (ctx.args.at(1), ctx.args.at(2));
    if !ctx.keys.exists(from) {
        return Err(WireError::NO_SUCH_KEY);
    }
    if from == to {
        return Ok(!only_new);
    }
    if only_new && ctx.keys.exists(to) {
        return Ok(false);
    }
    // The target goes first, so that its removal is not mistaken for an overwrite in place.
    if let Some(old) = ctx.keys.remove(to)
        && ctx.settings.memory.lazyfree_lazy_server_del
    {
        ctx.engine.reclaimer.drop_entry(old);
    }
    let Some(entry) = ctx.keys.remove(from) else { return Ok(false) };
    let expiry = entry.expiry();
    ctx.keys.set_owned(to, entry.into_value(), expiry);
    ctx.change.dirty(1);
    ctx.changed(EventClass::GENERIC, "rename_from", from);
    ctx.changed(EventClass::GENERIC, "rename_to", to);
    Ok(true)
}

pub(super) fn move_(ctx: &mut Context<'_>) -> CommandResult {
    let key = ctx.args.at(1);
    let target = parse_db(ctx, 2)?;
    let source = ctx.keys.db();
    if target == source {
        return Err(WireError::SAME_OBJECT);
    }
    if !ctx.keys.exists(key) {
        return ctx.done_int(0);
    }
    ctx.keys.select(target);
    let taken = ctx.keys.entry_mut(key).is_some();
    ctx.keys.select(source);
    if taken {
        return ctx.done_int(0);
    }
    let Some(entry) = ctx.keys.remove(key) else { return ctx.done_int(0) };
    let expiry = entry.expiry();
    ctx.keys.select(target);
    ctx.keys.set_owned(key, entry.into_value(), expiry);
    ctx.keys.select(source);
    ctx.changed(EventClass::GENERIC, "move_from", key);
    ctx.keys.select(target);
    ctx.changed(EventClass::GENERIC, "move_to", key);
    ctx.keys.select(source);
    ctx.change.dirty(1);
    ctx.done_int(1)
}
