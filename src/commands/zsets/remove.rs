//! Removing members: ZREM and by range.

use super::range::{RemoveBy, remove_range};
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::data::zset::ZSet;
use crate::engine::{Command, CommandResult, Context, EventClass};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "zrem",
            arity: -3,
            flags: flags![WRITE, FAST],
            categories: Categories::SORTEDSET,
            keys: keys::FIRST_REMOVE,
            group: Group::SortedSet,
            since: "1.2.0",
            summary: "Takes given members out of a sorted set.",
            complexity: "O(M*log(N)) with N being the number of elements in the sorted set and M the number of \
                elements to be removed.",
            history: &[("2.4.0", "Accepts multiple elements.")],
            args: "key:key member*:string",
            ..Spec::BASE
        },
        run: zrem,
    },
    Command {
        spec: Spec {
            name: "zremrangebyrank",
            arity: 4,
            flags: flags![WRITE],
            categories: Categories::SORTEDSET,
            keys: keys::FIRST_REMOVE,
            group: Group::SortedSet,
            since: "2.0.0",
            summary: "Deletes a range of members by rank.",
            complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of \
                elements removed by the operation.",
            args: "key:key start:integer stop:integer",
            ..Spec::BASE
        },
        run: zremrangebyrank,
    },
    Command {
        spec: Spec {
            name: "zremrangebyscore",
            arity: 4,
            flags: flags![WRITE],
            categories: Categories::SORTEDSET,
            keys: keys::FIRST_REMOVE,
            group: Group::SortedSet,
            since: "1.2.0",
            summary: "Deletes the members with scores in a range.",
            complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of \
                elements removed by the operation.",
            args: "key:key min:double max:double",
            ..Spec::BASE
        },
        run: zremrangebyscore,
    },
    Command {
        spec: Spec {
            name: "zremrangebylex",
            arity: 4,
            flags: flags![WRITE],
            categories: Categories::SORTEDSET,
            keys: keys::FIRST_REMOVE,
            group: Group::SortedSet,
            since: "2.8.9",
            summary: "Deletes the members between two members in byte order.",
            complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of \
                elements removed by the operation.",
            args: "key:key min:string max:string",
            ..Spec::BASE
        },
        run: zremrangebylex,
    },
];

pub(super) fn zrem(ctx: &mut Context<'_>) -> CommandResult {
    let key = ctx.args.at(1);
    let members = ctx.args.from(2);
    let Some(set) = ctx.keys.write::<ZSet>(key)? else { return ctx.done_int(0) };
    let removed = members.filter(|member| set.remove(member).is_some()).count();
    if removed > 0 {
        ctx.change.dirty(removed);
        ctx.changed(EventClass::ZSET, "zrem", key);
        ctx.remove_if_empty::<ZSet>(key);
    }
    ctx.done_int(removed as i64)
}

pub(super) fn zremrangebyrank(ctx: &mut Context<'_>) -> CommandResult {
    remove_range(ctx, RemoveBy::Rank)
}

pub(super) fn zremrangebyscore(ctx: &mut Context<'_>) -> CommandResult {
    remove_range(ctx, RemoveBy::Score)
}

pub(super) fn zremrangebylex(ctx: &mut Context<'_>) -> CommandResult {
    remove_range(ctx, RemoveBy::Lex)
}
