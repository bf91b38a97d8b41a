//! Taking the lowest or highest members: ZPOPMIN, ZPOPMAX, ZMPOP and the blocking forms.

use super::range::pair_array;
use super::reply_pair;
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::commands::multi_pop;
use crate::data::Element;
use crate::data::zset::ZSet;
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome, Wait};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "zpopmin",
            arity: -2,
            flags: flags![WRITE, FAST],
            categories: Categories::SORTEDSET,
            keys: keys::FIRST_TAKE,
            group: Group::SortedSet,
            since: "5.0.0",
            summary: "Takes the members with the smallest scores out.",
            complexity: "O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of \
                elements popped.",
            args: "key:key count?:integer",
            ..Spec::BASE
        },
        run: zpopmin,
    },
    Command {
        spec: Spec {
            name: "zpopmax",
            arity: -2,
            flags: flags![WRITE, FAST],
            categories: Categories::SORTEDSET,
            keys: keys::FIRST_TAKE,
            group: Group::SortedSet,
            since: "5.0.0",
            summary: "Takes the members with the greatest scores out.",
            complexity: "O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of \
                elements popped.",
            args: "key:key count?:integer",
            ..Spec::BASE
        },
        run: zpopmax,
    },
    Command {
        spec: Spec {
            name: "bzpopmin",
            arity: -3,
            flags: flags![WRITE, NOSCRIPT_IN_70, BLOCKING, FAST],
            categories: Categories::SORTEDSET,
            keys: keys::ALL_BUT_LAST_TAKE,
            group: Group::SortedSet,
            since: "5.0.0",
            summary: "Takes the lowest member of the first sorted set with one, waiting.",
            complexity: "O(log(N)) with N being the number of elements in the sorted set.",
            history: &[("6.0.0", "`timeout` is interpreted as a double instead of an integer.")],
            args: "key*:key timeout:double",
            ..Spec::BASE
        },
        run: bzpopmin,
    },
    Command {
        spec: Spec {
            name: "bzpopmax",
            arity: -3,
            flags: flags![WRITE, NOSCRIPT_IN_70, BLOCKING, FAST],
            categories: Categories::SORTEDSET,
            keys: keys::ALL_BUT_LAST_TAKE,
            group: Group::SortedSet,
            since: "5.0.0",
            summary: "Takes the highest member of the first sorted set with one, waiting.",
            complexity: "O(log(N)) with N being the number of elements in the sorted set.",
            history: &[("6.0.0", "`timeout` is interpreted as a double instead of an integer.")],
            args: "key*:key timeout:double",
            ..Spec::BASE
        },
        run: bzpopmax,
    },
    Command {
        spec: Spec {
            name: "zmpop",
            arity: -4,
            flags: flags![WRITE],
            categories: Categories::SORTEDSET,
            keys: keys::COUNTED_TAKE,
            group: Group::SortedSet,
            since: "7.0.0",
            summary: "Takes the lowest or highest members of the first set with any.",
            complexity: "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in \
                the sorted set, and M being the number of elements popped.",
            args: "numkeys:integer key*:key where:(min=MIN | max=MAX) count?=COUNT:integer",
            ..Spec::BASE
        },
        run: zmpop,
    },
    Command {
        spec: Spec {
            name: "bzmpop",
            arity: -5,
            flags: flags![WRITE, BLOCKING],
            categories: Categories::SORTEDSET,
            keys: keys::SECOND_COUNTED_TAKE,
            group: Group::SortedSet,
            since: "7.0.0",
            summary: "Takes members from the first sorted set that has any, waiting.",
            complexity: "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in \
                the sorted set, and M being the number of elements popped.",
            args: "timeout:double numkeys:integer key*:key where:(min=MIN | max=MAX) count?=COUNT:integer",
            ..Spec::BASE
        },
        run: bzmpop,
    },
];

fn event(max: bool) -> &'static str {
    if max { "zpopmax" } else { "zpopmin" }
}

/// Takes up to `count` pairs out, with what that entails for the key.
fn take(ctx: &mut Context<'_>, key: &[u8], max: bool, count: usize) -> Result<Vec<(Vec<u8>, f64)>, WireError> {
    let Some(set) = ctx.keys.write::<ZSet>(key)? else { return Ok(Vec::new()) };
    let mut pairs = Vec::with_capacity(count.min(set.len()));
    while pairs.len() < count
        && let Some(pair) = set.pop(max)
    {
        pairs.push(pair);
    }
    if !pairs.is_empty() {
        ctx.change.dirty(pairs.len());
        ctx.changed(EventClass::ZSET, event(max), key);
        ctx.remove_if_empty::<ZSet>(key);
    }
    Ok(pairs)
}

pub(super) fn zpopmin(ctx: &mut Context<'_>) -> CommandResult {
    pop(ctx, false)
}

pub(super) fn zpopmax(ctx: &mut Context<'_>) -> CommandResult {
    pop(ctx, true)
}

fn pop(ctx: &mut Context<'_>, max: bool) -> CommandResult {
    if ctx.args.len() > 3 {
        return ctx.syntax();
    }
    let key = ctx.args.at(1);
    let count = if ctx.args.len() == 3 { Some(ctx.positive(2)?) } else { None };
    let pairs = take(ctx, key, max, count.unwrap_or(1))?;
    match count {
        Some(_) => {
            pair_array(ctx, pairs.len());
            for (member, score) in &pairs {
                reply_pair(&mut ctx.reply, Element::Bytes(member), *score);
            }
        }
        // Without a count the pair is flat in both protocols.
        None => {
            ctx.reply.array(pairs.len() * 2);
            for (member, score) in &pairs {
                ctx.reply.bulk(member);
                ctx.reply.double(*score);
            }
        }
    }
    Ok(Outcome::Done)
}

pub(super) fn bzpopmin(ctx: &mut Context<'_>) -> CommandResult {
    blocking_pop(ctx, false)
}

pub(super) fn bzpopmax(ctx: &mut Context<'_>) -> CommandResult {
    blocking_pop(ctx, true)
}

fn blocking_pop(ctx: &mut Context<'_>, max: bool) -> CommandResult {
    let last = ctx.args.len() - 1;
    let deadline = ctx.deadline(last)?;
    for index in 1..last {
        let key = ctx.args.at(index);
        if let Some((member, score)) = take(ctx, key, max, 1)?.pop() {
            ctx.reply.array(3);
            ctx.reply.bulk(key);
            ctx.reply.bulk(&member);
            ctx.reply.double(score);
            replay(ctx, key, max, 1);
            return Ok(Outcome::Done);
        }
    }
    let keys = ctx.args.from(1).take(last - 1).map(Box::from).collect();
    ctx.wait(Wait { keys, type_name: "zset", deadline, ..Wait::BASE })
}

fn replay(ctx: &mut Context<'_>, key: &[u8], max: bool, count: usize) {
    let word: &[u8] = if max { b"ZPOPMAX" } else { b"ZPOPMIN" };
    ctx.change.replay_as(&[word, key, itoa::Buffer::new().format(count).as_bytes()]);
}

/// The arguments of ZMPOP and BZMPOP behind a possible timeout.
struct MultiPop {
    keys: std::ops::Range<usize>,
    max: bool,
    count: usize,
}

impl MultiPop {
    fn parse(ctx: &Context<'_>, first: usize) -> Result<Self, WireError> {
        let (args, max) = multi_pop::parse(ctx, first, |word| match word {
            w if w.eq_ignore_ascii_case(b"MAX") => Ok(true),
            w if w.eq_ignore_ascii_case(b"MIN") => Ok(false),
            _ => Err(WireError::SYNTAX),
        })?;
        Ok(Self { keys: args.keys, max, count: args.count })
    }

    fn run(&self, ctx: &mut Context<'_>) -> Result<bool, WireError> {
        for index in self.keys.clone() {
            let key = ctx.args.at(index);
            let pairs = take(ctx, key, self.max, self.count)?;
            if pairs.is_empty() {
                continue;
            }
            ctx.reply.array(2);
            ctx.reply.bulk(key);
            ctx.reply.array(pairs.len());
            for (member, score) in &pairs {
                ctx.reply.array(2);
                ctx.reply.bulk(member);
                ctx.reply.double(*score);
            }
            replay(ctx, key, self.max, pairs.len());
            return Ok(true);
        }
        Ok(false)
    }
}

pub(super) fn zmpop(ctx: &mut Context<'_>) -> CommandResult {
    let request = MultiPop::parse(ctx, 1)?;
    if !request.run(ctx)? {
        ctx.reply.null_array();
    }
    Ok(Outcome::Done)
}

pub(super) fn bzmpop(ctx: &mut Context<'_>) -> CommandResult {
    let request = MultiPop::parse(ctx, 2)?;
    let deadline = ctx.deadline(1)?;
    if request.run(ctx)? {
        return Ok(Outcome::Done);
    }
    let keys = request.keys.map(|index| ctx.args.at(index).into()).collect();
    ctx.wait(Wait { keys, type_name: "zset", deadline, ..Wait::BASE })
}
