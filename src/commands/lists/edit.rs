//! Changing a list in the middle: LSET, LINSERT, LREM, LTRIM.

use super::read::position;
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::commands::range::clamp_elements;
use crate::data::list::List;
use crate::engine::{Command, CommandResult, Context, EventClass};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "lset",
            arity: 4,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::LIST,
            keys: keys::FIRST_CHANGE,
            group: Group::List,
            since: "1.0.0",
            summary: "Replaces one list element by position.",
            complexity: "O(N) where N is the length of the list. Setting either the first or the last element of the \
                list is O(1).",
            args: "key:key index:integer element:string",
            ..Spec::BASE
        },
        run: lset,
    },
    Command {
        spec: Spec {
            name: "linsert",
            arity: 5,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::LIST,
            keys: keys::FIRST_ADD,
            group: Group::List,
            since: "2.2.0",
            summary: "Puts an element in front of or behind another one in a list.",
            complexity: "O(N) where N is the number of elements to traverse before seeing the value pivot. This means \
                that inserting somewhere on the left end on the list (head) can be considered O(1) and inserting \
                somewhere on the right end (tail) is O(N).",
            args: "key:key where:(before=BEFORE | after=AFTER) pivot:string element:string",
            ..Spec::BASE
        },
        run: linsert,
    },
    Command {
        spec: Spec {
            name: "lrem",
            arity: 4,
            flags: flags![WRITE],
            categories: Categories::LIST,
            keys: keys::FIRST_REMOVE,
            group: Group::List,
            since: "1.0.0",
            summary: "Deletes elements of a list that equal a value.",
            complexity: "O(N+M) where N is the length of the list and M is the number of elements removed.",
            args: "key:key count:integer element:string",
            ..Spec::BASE
        },
        run: lrem,
    },
    Command {
        spec: Spec {
            name: "ltrim",
            arity: 4,
            flags: flags![WRITE],
            categories: Categories::LIST,
            keys: keys::FIRST_REMOVE,
            group: Group::List,
            since: "1.0.0",
            summary: "Keeps a range of a list and deletes the rest.",
            complexity: "O(N) where N is the number of elements to be removed by the operation.",
            args: "key:key start:integer stop:integer",
            ..Spec::BASE
        },
        run: ltrim,
    },
];

pub(super) fn lset(ctx: &mut Context<'_>) -> CommandResult {
    let (key, value, limits) = (ctx.args.at(1), ctx.args.at(3), ctx.limits());
    if ctx.keys.write::<List>(key)?.is_none() {
        return Err(WireError::NO_SUCH_KEY);
    }
    let index = ctx.int(2)?;
    let Some(list) = ctx.keys.write::<List>(key)? else { return Err(WireError::NO_SUCH_KEY) };
    let position = position(index, list.len()).ok_or(WireError::INDEX_OUT_OF_RANGE)?;
    list.set(position, value, limits);
    ctx.change.dirty(1);
    ctx.changed(EventClass::LIST, "lset", key);
    ctx.done_ok()
}

pub(super) fn linsert(ctx: &mut Context<'_>) -> CommandResult {
    let after = if ctx.args.is(2, "AFTER") {
        true
    } else if ctx.args.is(2, "BEFORE") {
        false
    } else {
        return ctx.syntax();
    };
    let (key, pivot, value, limits) = (ctx.args.at(1), ctx.args.at(3), ctx.args.at(4), ctx.limits());
    let Some(list) = ctx.keys.write::<List>(key)? else { return ctx.done_int(0) };
    let Some(found) = list.iter().position(|element| element.eq_bytes(pivot)) else { return ctx.done_int(-1) };
    list.insert(found + usize::from(after), value, limits);
    let len = list.len();
    ctx.change.dirty(1);
    ctx.changed(EventClass::LIST, "linsert", key);
    ctx.done_int(len as i64)
}

pub(super) fn lrem(ctx: &mut Context<'_>) -> CommandResult {
    let (key, count, value) = (ctx.args.at(1), ctx.int(2)?, ctx.args.at(3));
    let Some(list) = ctx.keys.write::<List>(key)? else { return ctx.done_int(0) };
    let removed = list.remove(count, value);
    if removed > 0 {
        ctx.change.dirty(removed);
        ctx.changed(EventClass::LIST, "lrem", key);
        ctx.remove_if_empty::<List>(key);
    }
    ctx.done_int(removed as i64)
}

pub(super) fn ltrim(ctx: &mut Context<'_>) -> CommandResult {
    let (key, start, end) = (ctx.args.at(1), ctx.int(2)?, ctx.int(3)?);
    let Some(list) = ctx.keys.write::<List>(key)? else { return ctx.done_ok() };
    let before = list.len();
    list.trim(clamp_elements(start, end, before).unwrap_or(0..0));
    let removed = before - list.len();
    // Redis counts trimming as a change even where nothing went.
    ctx.change.dirty(removed);
    ctx.changed(EventClass::LIST, "ltrim", key);
    ctx.remove_if_empty::<List>(key);
    ctx.done_ok()
}
