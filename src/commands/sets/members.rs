//! Members: SADD, SREM, SISMEMBER, SMISMEMBER, SCARD, SMEMBERS, SMOVE.

use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::data::set::Set;
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "sadd",
            arity: -3,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::SET,
            keys: keys::FIRST_ADD,
            group: Group::Set,
            since: "1.0.0",
            summary: "Puts members into a set, creating it if needed.",
            complexity: "O(1) for each element added, so O(N) to add N elements when the command is called with \
                multiple arguments.",
            history: &[("2.4.0", "Accepts multiple `member` arguments.")],
            args: "key:key member*:string",
            ..Spec::BASE
        },
        run: sadd,
    },
    Command {
        spec: Spec {
            name: "srem",
            arity: -3,
            flags: flags![WRITE, FAST],
            categories: Categories::SET,
            keys: keys::FIRST_REMOVE,
            group: Group::Set,
            since: "1.0.0",
            summary: "Takes given members out of a set.",
            complexity: "O(N) where N is the number of members to be removed.",
            history: &[("2.4.0", "Accepts multiple `member` arguments.")],
            args: "key:key member*:string",
            ..Spec::BASE
        },
        run: srem,
    },
    Command {
        spec: Spec {
            name: "sismember",
            arity: 3,
            flags: flags![READONLY, FAST],
            categories: Categories::SET,
            keys: keys::FIRST_RO,
            group: Group::Set,
            since: "1.0.0",
            summary: "Tells if a set has a member.",
            complexity: "O(1)",
            args: "key:key member:string",
            ..Spec::BASE
        },
        run: sismember,
    },
    Command {
        spec: Spec {
            name: "smismember",
            arity: -3,
            flags: flags![READONLY, FAST],
            categories: Categories::SET,
            keys: keys::FIRST_READ,
            group: Group::Set,
            since: "6.2.0",
            summary: "Tells for each of several members if a set has it.",
            complexity: "O(N) where N is the number of elements being checked for membership",
            args: "key:key member*:string",
            ..Spec::BASE
        },
        run: smismember,
    },
    Command {
        spec: Spec {
            name: "scard",
            arity: 2,
            flags: flags![READONLY, FAST],
            categories: Categories::SET,
            keys: keys::FIRST_RO,
            group: Group::Set,
            since: "1.0.0",
            summary: "Counts the members of a set.",
            complexity: "O(1)",
            args: "key:key",
            ..Spec::BASE
        },
        run: scard,
    },
    Command {
        spec: Spec {
            name: "smembers",
            arity: 2,
            flags: flags![READONLY],
            categories: Categories::SET,
            keys: keys::FIRST_READ,
            group: Group::Set,
            since: "1.0.0",
            summary: "Reads the whole set.",
            complexity: "O(N) where N is the set cardinality.",
            tips: &["nondeterministic_output_order"],
            args: "key:key",
            ..Spec::BASE
        },
        run: smembers,
    },
    Command {
        spec: Spec {
            name: "smove",
            arity: 4,
            flags: flags![WRITE, FAST],
            categories: Categories::SET,
            keys: keys::TAKE_ADD,
            group: Group::Set,
            since: "1.0.0",
            summary: "Takes a member out of one set and puts it into another.",
            complexity: "O(1)",
            args: "source:key destination:key#1 member:string",
            ..Spec::BASE
        },
        run: smove,
    },
];

pub(super) fn sadd(ctx: &mut Context<'_>) -> CommandResult {
    let (key, limits) = (ctx.args.at(1), ctx.limits());
    let members = ctx.args.from(2);
    let set = ctx.keys.write_or_create::<Set>(key)?;
    let added = members.filter(|member| set.insert(member, limits)).count();
    if added > 0 {
        ctx.change.dirty(added);
        ctx.changed(EventClass::SET, "sadd", key);
    }
    ctx.done_int(added as i64)
}

pub(super) fn srem(ctx: &mut Context<'_>) -> CommandResult {
    let key = ctx.args.at(1);
    let members = ctx.args.from(2);
    let Some(set) = ctx.keys.write::<Set>(key)? else { return ctx.done_int(0) };
    let removed = members.filter(|member| set.remove(member)).count();
    if removed > 0 {
        ctx.change.dirty(removed);
        ctx.changed(EventClass::SET, "srem", key);
        ctx.remove_if_empty::<Set>(key);
    }
    ctx.done_int(removed as i64)
}

pub(super) fn sismember(ctx: &mut Context<'_>) -> CommandResult {
    let is_member = ctx.keys.read::<Set>(ctx.args.at(1))?.is_some_and(|set| set.contains(ctx.args.at(2)));
    ctx.done_int(i64::from(is_member))
}

pub(super) fn smismember(ctx: &mut Context<'_>) -> CommandResult {
    let set = ctx.keys.read::<Set>(ctx.args.at(1))?;
    ctx.reply.array(ctx.args.len() - 2);
    for member in ctx.args.from(2) {
        ctx.reply.int(i64::from(set.is_some_and(|set| set.contains(member))));
    }
    Ok(Outcome::Done)
}

pub(super) fn scard(ctx: &mut Context<'_>) -> CommandResult {
    let len = ctx.keys.read::<Set>(ctx.args.at(1))?.map_or(0, Set::len);
    ctx.done_int(len as i64)
}

pub(super) fn smembers(ctx: &mut Context<'_>) -> CommandResult {
    match ctx.keys.read::<Set>(ctx.args.at(1))? {
        None => ctx.reply.set(0),
        Some(set) => {
            ctx.reply.set(set.len());
            for member in set.iter() {
                ctx.reply.element(member);
            }
        }
    }
    Ok(Outcome::Done)
}

pub(super) fn smove(ctx: &mut Context<'_>) -> CommandResult {
    let (source, target, member, limits) = (ctx.args.at(1), ctx.args.at(2), ctx.args.at(3), ctx.limits());
    if ctx.keys.write::<Set>(source)?.is_none() {
        return ctx.done_int(0);
    }
    ctx.keys.write::<Set>(target)?;
    let Some(set) = ctx.keys.write::<Set>(source)? else { return ctx.done_int(0) };
    if source == target {
        let is_member = set.contains(member);
        return ctx.done_int(i64::from(is_member));
    }
    if !set.remove(member) {
        return ctx.done_int(0);
    }
    ctx.changed(EventClass::SET, "srem", source);
    ctx.remove_if_empty::<Set>(source);
    ctx.change.dirty(1);
    if ctx.keys.write_or_create::<Set>(target)?.insert(member, limits) {
        ctx.change.dirty(1);
        ctx.changed(EventClass::SET, "sadd", target);
    }
    ctx.done_int(1)
}
