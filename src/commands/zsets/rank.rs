//! One member: ZCARD, ZSCORE, ZMSCORE, ZRANK, ZREVRANK.

use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::data::zset::ZSet;
use crate::engine::{Command, CommandResult, Context, Outcome};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "zcard",
            arity: 2,
            flags: flags![READONLY, FAST],
            categories: Categories::SORTEDSET,
            keys: keys::FIRST_RO,
            group: Group::SortedSet,
            since: "1.2.0",
            summary: "Counts the members of a sorted set.",
            complexity: "O(1)",
            args: "key:key",
            ..Spec::BASE
        },
        run: zcard,
    },
    Command {
        spec: Spec {
            name: "zscore",
            arity: 3,
            flags: flags![READONLY, FAST],
            categories: Categories::SORTEDSET,
            keys: keys::FIRST_READ,
            group: Group::SortedSet,
            since: "1.2.0",
            summary: "Reads the score of one member.",
            complexity: "O(1)",
            args: "key:key member:string",
            ..Spec::BASE
        },
        run: zscore,
    },
    Command {
        spec: Spec {
            name: "zmscore",
            arity: -3,
            flags: flags![READONLY, FAST],
            categories: Categories::SORTEDSET,
            keys: keys::FIRST_READ,
            group: Group::SortedSet,
            since: "6.2.0",
            summary: "Reads the scores of several members.",
            complexity: "O(N) where N is the number of members being requested.",
            args: "key:key member*:string",
            ..Spec::BASE
        },
        run: zmscore,
    },
    Command {
        spec: Spec {
            name: "zrank",
            arity: -3,
            flags: flags![READONLY, FAST],
            categories: Categories::SORTEDSET,
            keys: keys::FIRST_READ,
            group: Group::SortedSet,
            since: "2.0.0",
            summary: "Tells how many members stand below a member.",
            complexity: "O(log(N))",
            history: &[("7.2.0", "Added the optional `WITHSCORE` argument.")],
            args: "key:key member:string withscore?=WITHSCORE",
            ..Spec::BASE
        },
        run: zrank,
    },
    Command {
        spec: Spec {
            name: "zrevrank",
            arity: -3,
            flags: flags![READONLY, FAST],
            categories: Categories::SORTEDSET,
            keys: keys::FIRST_READ,
            group: Group::SortedSet,
            since: "2.0.0",
            summary: "Tells how many members stand above a member.",
            complexity: "O(log(N))",
            history: &[("7.2.0", "Added the optional `WITHSCORE` argument.")],
            args: "key:key member:string withscore?=WITHSCORE",
            ..Spec::BASE
        },
        run: zrevrank,
    },
];

pub(super) fn zcard(ctx: &mut Context<'_>) -> CommandResult {
    let len = ctx.keys.read::<ZSet>(ctx.args.at(1))?.map_or(0, ZSet::len);
    ctx.done_int(len as i64)
}

pub(super) fn zscore(ctx: &mut Context<'_>) -> CommandResult {
    let score = ctx.keys.read::<ZSet>(ctx.args.at(1))?.and_then(|set| set.score(ctx.args.at(2)));
    match score {
        Some(score) => ctx.reply.double(score),
        None => ctx.reply.null(),
    }
    Ok(Outcome::Done)
}

pub(super) fn zmscore(ctx: &mut Context<'_>) -> CommandResult {
    let set = ctx.keys.read::<ZSet>(ctx.args.at(1))?;
    ctx.reply.array(ctx.args.len() - 2);
    for member in ctx.args.from(2) {
        match set.and_then(|set| set.score(member)) {
            Some(score) => ctx.reply.double(score),
            None => ctx.reply.null(),
        }
    }
    Ok(Outcome::Done)
}

pub(super) fn zrank(ctx: &mut Context<'_>) -> CommandResult {
    rank(ctx, false)
}

pub(super) fn zrevrank(ctx: &mut Context<'_>) -> CommandResult {
    rank(ctx, true)
}

fn rank(ctx: &mut Context<'_>, reverse: bool) -> CommandResult {
    let with_score = match ctx.args.len() {
        3 => false,
        4 if ctx.args.is(3, "WITHSCORE") => true,
        4 => return ctx.syntax(),
        _ => return ctx.wrong_arity(),
    };
    let member = ctx.args.at(2);
    let set = ctx.keys.read::<ZSet>(ctx.args.at(1))?;
    let Some((set, rank)) = set.and_then(|set| Some((set, set.rank(member)?))) else {
        if with_score {
            ctx.reply.null_array();
        } else {
            ctx.reply.null();
        }
        return Ok(Outcome::Done);
    };
    let rank = if reverse { set.len() - 1 - rank } else { rank };
    if with_score {
        ctx.reply.array(2);
        ctx.reply.count(rank);
        ctx.reply.double(set.score(member).unwrap_or_default());
    } else {
        ctx.reply.count(rank);
    }
    Ok(Outcome::Done)
}
