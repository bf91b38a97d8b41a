//! Adding at the ends: LPUSH, RPUSH, LPUSHX, RPUSHX.

use super::End;
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::data::list::List;
use crate::engine::{Command, CommandResult, Context, EventClass};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "lpush",
            arity: -3,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::LIST,
            keys: keys::FIRST_ADD,
            group: Group::List,
            since: "1.0.0",
            summary: "Adds elements at the head of a list, creating it if needed.",
            complexity: "O(1) for each element added, so O(N) to add N elements when the command is called with \
                multiple arguments.",
            history: &[("2.4.0", "Accepts multiple `element` arguments.")],
            args: "key:key element*:string",
            ..Spec::BASE
        },
        run: lpush,
    },
    Command {
        spec: Spec {
            name: "rpush",
            arity: -3,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::LIST,
            keys: keys::FIRST_ADD,
            group: Group::List,
            since: "1.0.0",
            summary: "Adds elements at the tail of a list, creating it if needed.",
            complexity: "O(1) for each element added, so O(N) to add N elements when the command is called with \
                multiple arguments.",
            history: &[("2.4.0", "Accepts multiple `element` arguments.")],
            args: "key:key element*:string",
            ..Spec::BASE
        },
        run: rpush,
    },
    Command {
        spec: Spec {
            name: "lpushx",
            arity: -3,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::LIST,
            keys: keys::FIRST_ADD,
            group: Group::List,
            since: "2.2.0",
            summary: "Adds elements at the head of a list that is already there.",
            complexity: "O(1) for each element added, so O(N) to add N elements when the command is called with \
                multiple arguments.",
            history: &[("4.0.0", "Accepts multiple `element` arguments.")],
            args: "key:key element*:string",
            ..Spec::BASE
        },
        run: lpushx,
    },
    Command {
        spec: Spec {
            name: "rpushx",
            arity: -3,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::LIST,
            keys: keys::FIRST_ADD,
            group: Group::List,
            since: "2.2.0",
            summary: "Adds elements at the tail of a list that is already there.",
            complexity: "O(1) for each element added, so O(N) to add N elements when the command is called with \
                multiple arguments.",
            history: &[("4.0.0", "Accepts multiple `element` arguments.")],
            args: "key:key element*:string",
            ..Spec::BASE
        },
        run: rpushx,
    },
];

pub(super) fn lpush(ctx: &mut Context<'_>) -> CommandResult {
    push(ctx, End::Left, false)
}

pub(super) fn rpush(ctx: &mut Context<'_>) -> CommandResult {
    push(ctx, End::Right, false)
}

pub(super) fn lpushx(ctx: &mut Context<'_>) -> CommandResult {
    push(ctx, End::Left, true)
}

pub(super) fn rpushx(ctx: &mut Context<'_>) -> CommandResult {
    push(ctx, End::Right, true)
}

fn push(ctx: &mut Context<'_>, end: End, only_existing: bool) -> CommandResult {
    let (key, limits) = (ctx.args.at(1), ctx.limits());
    let values = ctx.args.from(2);
    if only_existing && ctx.keys.write::<List>(key)?.is_none() {
        return ctx.done_int(0);
    }
    let list = ctx.keys.write_or_create::<List>(key)?;
    let count = values.len();
    for value in values {
        match end {
            End::Left => list.push_front(value, limits),
            End::Right => list.push_back(value, limits),
        }
    }
    let len = list.len();
    ctx.change.dirty(count);
    ctx.changed(EventClass::LIST, end.push_event(), key);
    ctx.done_int(len as i64)
}
