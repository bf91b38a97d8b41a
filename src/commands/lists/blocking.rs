//! Waiting for an element: BLPOP, BRPOP, BLMPOP.

use super::End;
use super::pop::{MultiPop, take_one};
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::engine::{Command, CommandResult, Context, Outcome, Wait};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "blpop",
            arity: -3,
            flags: flags![WRITE, NOSCRIPT_IN_70, BLOCKING],
            categories: Categories::LIST,
            keys: keys::ALL_BUT_LAST_TAKE,
            group: Group::List,
            since: "2.0.0",
            summary: "Takes the head of the first list that has one, waiting for it.",
            complexity: "O(N) where N is the number of provided keys.",
            history: &[("6.0.0", "`timeout` is interpreted as a double instead of an integer.")],
            args: "key*:key timeout:double",
            ..Spec::BASE
        },
        run: blpop,
    },
    Command {
        spec: Spec {
            name: "brpop",
            arity: -3,
            flags: flags![WRITE, NOSCRIPT_IN_70, BLOCKING],
            categories: Categories::LIST,
            keys: keys::ALL_BUT_LAST_TAKE,
            group: Group::List,
            since: "2.0.0",
            summary: "Takes the tail of the first list that has one, waiting for it.",
            complexity: "O(N) where N is the number of provided keys.",
            history: &[("6.0.0", "`timeout` is interpreted as a double instead of an integer.")],
            args: "key*:key timeout:double",
            ..Spec::BASE
        },
        run: brpop,
    },
    Command {
        spec: Spec {
            name: "blmpop",
            arity: -5,
            flags: flags![WRITE, BLOCKING],
            categories: Categories::LIST,
            keys: keys::SECOND_COUNTED_TAKE,
            group: Group::List,
            since: "7.0.0",
            summary: "Takes elements from the first list that has any, waiting for one.",
            complexity: "O(N+M) where N is the number of provided keys and M is the number of elements returned.",
            args: "timeout:double numkeys:integer key*:key where:(left=LEFT | right=RIGHT) count?=COUNT:integer",
            ..Spec::BASE
        },
        run: blmpop,
    },
];

pub(super) fn blpop(ctx: &mut Context<'_>) -> CommandResult {
    pop_or_wait(ctx, End::Left)
}

pub(super) fn brpop(ctx: &mut Context<'_>) -> CommandResult {
    pop_or_wait(ctx, End::Right)
}

fn pop_or_wait(ctx: &mut Context<'_>, end: End) -> CommandResult {
    let last = ctx.args.len() - 1;
    let deadline = ctx.deadline(last)?;
    for index in 1..last {
        let key = ctx.args.at(index);
        if let Some(value) = take_one(ctx, key, end)? {
            ctx.reply.array(2);
            ctx.reply.bulk(key);
            ctx.reply.bulk(&value);
            let word: &[u8] = if end == End::Left { b"LPOP" } else { b"RPOP" };
            ctx.change.replay_as(&[word, key]);
            return Ok(Outcome::Done);
        }
    }
    let keys = ctx.args.from(1).take(last - 1).map(Box::from).collect();
    ctx.wait(Wait { keys, type_name: "list", deadline, ..Wait::BASE })
}

pub(super) fn blmpop(ctx: &mut Context<'_>) -> CommandResult {
    let request = MultiPop::parse(ctx, 2)?;
    let deadline = ctx.deadline(1)?;
    if request.run(ctx)? {
        return Ok(Outcome::Done);
    }
    let keys = request.keys.map(|index| ctx.args.at(index).into()).collect();
    ctx.wait(Wait { keys, type_name: "list", deadline, ..Wait::BASE })
}
