//! From one list to another: LMOVE, RPOPLPUSH, BLMOVE, BRPOPLPUSH.

use super::End;
use crate::catalog::{Categories, Deprecated, Group, Spec, flags, keys};
use crate::data::list::List;
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome, Wait};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "lmove",
            arity: 5,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::LIST,
            keys: keys::TAKE_ADD,
            group: Group::List,
            since: "6.2.0",
            summary: "Moves an element from one end of a list to an end of another.",
            complexity: "O(1)",
            args: "source:key destination:key#1 wherefrom:(left=LEFT | right=RIGHT) whereto:(left=LEFT | right=RIGHT)",
            ..Spec::BASE
        },
        run: lmove,
    },
    Command {
        spec: Spec {
            name: "rpoplpush",
            arity: 3,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::LIST,
            keys: keys::TAKE_ADD,
            group: Group::List,
            since: "1.2.0",
            summary: "Moves a list's tail to the head of the same or another list.",
            complexity: "O(1)",
            deprecated: Some(Deprecated {
                since: "6.2.0",
                replaced_by: "`LMOVE` with the `RIGHT` and `LEFT` arguments",
            }),
            args: "source:key destination:key#1",
            ..Spec::BASE
        },
        run: rpoplpush,
    },
    Command {
        spec: Spec {
            name: "blmove",
            arity: 6,
            flags: flags![WRITE, DENYOOM, NOSCRIPT_IN_70, BLOCKING],
            categories: Categories::LIST,
            keys: keys::TAKE_ADD,
            group: Group::List,
            since: "6.2.0",
            summary: "Moves an element between list ends, waiting for one to come.",
            complexity: "O(1)",
            args: "source:key destination:key#1 wherefrom:(left=LEFT | right=RIGHT) whereto:(left=LEFT | right=RIGHT) \
                timeout:double",
            ..Spec::BASE
        },
        run: blmove,
    },
    Command {
        spec: Spec {
            name: "brpoplpush",
            arity: 4,
            flags: flags![WRITE, DENYOOM, NOSCRIPT_IN_70, BLOCKING],
            categories: Categories::LIST,
            keys: keys::TAKE_ADD,
            group: Group::List,
            since: "2.2.0",
            summary: "Moves a list's tail to another's head, waiting for one to come.",
            complexity: "O(1)",
            history: &[("6.0.0", "`timeout` is interpreted as a double instead of an integer.")],
            deprecated: Some(Deprecated {
                since: "6.2.0",
                replaced_by: "`BLMOVE` with the `RIGHT` and `LEFT` arguments",
            }),
            args: "source:key destination:key#1 timeout:double",
            ..Spec::BASE
        },
        run: brpoplpush,
    },
];

pub(super) fn lmove(ctx: &mut Context<'_>) -> CommandResult {
    let ends = (End::parse(ctx.args.at(3))?, End::parse(ctx.args.at(4))?);
    if !transfer(ctx, ends)? {
        ctx.reply.null();
    }
    Ok(Outcome::Done)
}

pub(super) fn rpoplpush(ctx: &mut Context<'_>) -> CommandResult {
    if !transfer(ctx, (End::Right, End::Left))? {
        ctx.reply.null();
    }
    Ok(Outcome::Done)
}

pub(super) fn blmove(ctx: &mut Context<'_>) -> CommandResult {
    let ends = (End::parse(ctx.args.at(3))?, End::parse(ctx.args.at(4))?);
    blocking_transfer(ctx, ends, 5)
}

pub(super) fn brpoplpush(ctx: &mut Context<'_>) -> CommandResult {
    blocking_transfer(ctx, (End::Right, End::Left), OLD_FORM)
}

/// Where the timeout stands in the form that does not name the ends.
const OLD_FORM: usize = 3;

fn blocking_transfer(ctx: &mut Context<'_>, ends: (End, End), timeout: usize) -> CommandResult {
    let deadline = ctx.deadline(timeout)?;
    if transfer(ctx, ends)? {
        // The blocking form must not wait where it is replayed.
        let (source, target) = (ctx.args.at(1), ctx.args.at(2));
        if timeout == OLD_FORM {
            ctx.change.replay_as(&[b"RPOPLPUSH", source, target]);
        } else {
            ctx.change.replay_as(&[b"LMOVE", source, target, ends.0.word(), ends.1.word()]);
        }
        return Ok(Outcome::Done);
    }
    if !ctx.may_wait {
        // Inside a transaction the null is that of LMOVE, not that of a timeout.
        ctx.reply.null();
        return Ok(Outcome::Done);
    }
    let keys = vec![ctx.args.at(1).into()];
    ctx.wait(Wait { keys, type_name: "list", deadline, ..Wait::BASE })
}

/// Moves one element and writes it; `false` when the source is empty.
fn transfer(ctx: &mut Context<'_>, (from, to): (End, End)) -> Result<bool, WireError> {
    let (source, target) = (ctx.args.at(1), ctx.args.at(2));
    if ctx.keys.write::<List>(source)?.is_none() {
        return Ok(false);
    }
    ctx.keys.write::<List>(target)?;
    let limits = ctx.limits();
    let Some(list) = ctx.keys.write::<List>(source)? else { return Ok(false) };
    let value = if from == End::Left { list.pop_front() } else { list.pop_back() };
    let value = value.unwrap_or_default();
    // The element is put back before the source could be dropped as empty: source and target may be one list.
    let list = ctx.keys.write_or_create::<List>(target)?;
    match to {
        End::Left => list.push_front(&value, limits),
        End::Right => list.push_back(&value, limits),
    }
    ctx.change.dirty(1);
    ctx.changed(EventClass::LIST, to.push_event(), target);
    ctx.changed(EventClass::LIST, from.pop_event(), source);
    ctx.remove_if_empty::<List>(source);
    ctx.reply.bulk(&value);
    Ok(true)
}
