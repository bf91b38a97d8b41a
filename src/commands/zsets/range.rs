//! Ranges: ZRANGE with all its options, its older forms, ZRANGESTORE, ZCOUNT, ZLEXCOUNT.

use crate::catalog::{Categories, Deprecated, Group, Spec, flags, keys};
use std::ops::Range;

use super::{bounds, pairs_len, reply_pair};
use crate::commands::range::clamp_elements;
use crate::data::zset::{LexBound, ScoreBound, ZSet};
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "zrange",
            arity: -4,
            flags: flags![READONLY],
            categories: Categories::SORTEDSET,
            keys: keys::FIRST_READ,
            group: Group::SortedSet,
            since: "1.2.0",
            summary: "Reads a range of a sorted set by rank, score or byte order.",
            complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of \
                elements returned.",
            history: &[("6.2.0", "Added the `REV`, `BYSCORE`, `BYLEX` and `LIMIT` options.")],
            args: "key:key start:string stop:string sortby?:(byscore=BYSCORE | bylex=BYLEX)@6.2.0 rev?=REV@6.2.0 \
                limit?=LIMIT:(offset:integer count:integer)@6.2.0 withscores?=WITHSCORES",
            ..Spec::BASE
        },
        run: zrange,
    },
    Command {
        spec: Spec {
            name: "zrevrange",
            arity: -4,
            flags: flags![READONLY],
            categories: Categories::SORTEDSET,
            keys: keys::FIRST_READ,
            group: Group::SortedSet,
            since: "1.2.0",
            summary: "Reads a range of members by rank, highest first.",
            complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of \
                elements returned.",
            deprecated: Some(Deprecated { since: "6.2.0", replaced_by: "`ZRANGE` with the `REV` argument" }),
            args: "key:key start:integer stop:integer withscores?=WITHSCORES",
            ..Spec::BASE
        },
        run: zrevrange,
    },
    Command {
        spec: Spec {
            name: "zrangebyscore",
            arity: -4,
            flags: flags![READONLY],
            categories: Categories::SORTEDSET,
            keys: keys::FIRST_READ,
            group: Group::SortedSet,
            since: "1.0.5",
            summary: "Reads the members with scores in a range, lowest first.",
            complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of \
                elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), \
                you can consider it O(log(N)).",
            history: &[("2.0.0", "Added the `WITHSCORES` modifier.")],
            deprecated: Some(Deprecated { since: "6.2.0", replaced_by: "`ZRANGE` with the `BYSCORE` argument" }),
            args: "key:key min:double max:double withscores?=WITHSCORES@2.0.0 \
                limit?=LIMIT:(offset:integer count:integer)",
            ..Spec::BASE
        },
        run: zrangebyscore,
    },
    Command {
        spec: Spec {
            name: "zrevrangebyscore",
            arity: -4,
            flags: flags![READONLY],
            categories: Categories::SORTEDSET,
            keys: keys::FIRST_READ,
            group: Group::SortedSet,
            since: "2.2.0",
            summary: "Reads the members with scores in a range, highest first.",
            complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of \
                elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), \
                you can consider it O(log(N)).",
            history: &[("2.1.6", "`min` and `max` can be exclusive.")],
            deprecated: Some(Deprecated {
                since: "6.2.0",
                replaced_by: "`ZRANGE` with the `REV` and `BYSCORE` arguments",
            }),
            args: "key:key max:double min:double withscores?=WITHSCORES limit?=LIMIT:(offset:integer count:integer)",
            ..Spec::BASE
        },
        run: zrevrangebyscore,
    },
    Command {
        spec: Spec {
            name: "zrangebylex",
            arity: -4,
            flags: flags![READONLY],
            categories: Categories::SORTEDSET,
            keys: keys::FIRST_READ,
            group: Group::SortedSet,
            since: "2.8.9",
            summary: "Reads the members between two members in byte order.",
            complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of \
                elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), \
                you can consider it O(log(N)).",
            deprecated: Some(Deprecated { since: "6.2.0", replaced_by: "`ZRANGE` with the `BYLEX` argument" }),
            args: "key:key min:string max:string limit?=LIMIT:(offset:integer count:integer)",
            ..Spec::BASE
        },
        run: zrangebylex,
    },
    Command {
        spec: Spec {
            name: "zrevrangebylex",
            arity: -4,
            flags: flags![READONLY],
            categories: Categories::SORTEDSET,
            keys: keys::FIRST_READ,
            group: Group::SortedSet,
            since: "2.8.9",
            summary: "Reads the members between two members in reverse byte order.",
            complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of \
                elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), \
                you can consider it O(log(N)).",
            deprecated: Some(Deprecated {
                since: "6.2.0",
                replaced_by: "`ZRANGE` with the `REV` and `BYLEX` arguments",
            }),
            args: "key:key max:string min:string limit?=LIMIT:(offset:integer count:integer)",
            ..Spec::BASE
        },
        run: zrevrangebylex,
    },
    Command {
        spec: Spec {
            name: "zrangestore",
            arity: -5,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::SORTEDSET,
            keys: keys::STORE_READ,
            group: Group::SortedSet,
            since: "6.2.0",
            summary: "Writes a range of a sorted set to another key.",
            complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of \
                elements stored into the destination key.",
            args: "dst:key src:key#1 min:string max:string sortby?:(byscore=BYSCORE | bylex=BYLEX) rev?=REV \
                limit?=LIMIT:(offset:integer count:integer)",
            ..Spec::BASE
        },
        run: zrangestore,
    },
    Command {
        spec: Spec {
            name: "zcount",
            arity: 4,
            flags: flags![READONLY, FAST],
            categories: Categories::SORTEDSET,
            keys: keys::FIRST_READ,
            group: Group::SortedSet,
            since: "2.0.0",
            summary: "Counts the members with scores in a range.",
            complexity: "O(log(N)) with N being the number of elements in the sorted set.",
            args: "key:key min:double max:double",
            ..Spec::BASE
        },
        run: zcount,
    },
    Command {
        spec: Spec {
            name: "zlexcount",
            arity: 4,
            flags: flags![READONLY, FAST],
            categories: Categories::SORTEDSET,
            keys: keys::FIRST_READ,
            group: Group::SortedSet,
            since: "2.8.9",
            summary: "Counts the members between two members in byte order.",
            complexity: "O(log(N)) with N being the number of elements in the sorted set.",
            args: "key:key min:string max:string",
            ..Spec::BASE
        },
        run: zlexcount,
    },
];

/// What a range is bounded by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Lex,
}

/// A range as asked for.
struct Request {
    by: By,
    reverse: bool,
    with_scores: bool,
    /// Offset and count.
    limit: Option<(i64, i64)>,
}

/// Bounds, read.
enum Bounds<'a> {
    Rank(i64, i64),
    Score(ScoreBound, ScoreBound),
    Lex(LexBound<'a>, LexBound<'a>),
}

impl Request {
    fn fixed(by: By, reverse: bool) -> Self {
        Self { by, reverse, with_scores: false, limit: None }
    }

    /// Reads options from argument `first` on; `open` ones may also change what bounds and direction are.
    fn parse(mut self, ctx: &Context<'_>, first: usize, open: bool, store: bool) -> Result<Self, WireError> {
        // What bounds and direction are may be said once.
        let (mut by_open, mut reverse_open) = (open, open);
        let mut index = first;
        while index < ctx.args.len() {
            if !store && ctx.args.is(index, "WITHSCORES") {
                self.with_scores = true;
            } else if ctx.args.is(index, "LIMIT") && index + 2 < ctx.args.len() {
                self.limit = Some((ctx.int(index + 1)?, ctx.int(index + 2)?));
                index += 2;
            } else if reverse_open && ctx.args.is(index, "REV") {
                (self.reverse, reverse_open) = (true, false);
            } else if by_open && ctx.args.is(index, "BYSCORE") {
                (self.by, by_open) = (By::Score, false);
            } else if by_open && ctx.args.is(index, "BYLEX") {
                (self.by, by_open) = (By::Lex, false);
            } else {
                return Err(WireError::SYNTAX);
            }
            index += 1;
        }
        // A count of -1 is what is meant without LIMIT, so it is not noticed.
        if self.limit.is_some_and(|(_, count)| count != -1) && self.by == By::Rank {
            return Err(WireError::fixed(
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
            ));
        }
        if self.with_scores && self.by == By::Lex {
            return Err(WireError::fixed("ERR syntax error, WITHSCORES not supported in combination with BYLEX"));
        }
        Ok(self)
    }

    /// Reads the bounds at argument `first`; reversed ranges name the maximum first, except by rank.
    fn bounds<'a>(&self, ctx: &Context<'a>, first: usize) -> Result<Bounds<'a>, WireError> {
        let (min, max) = if self.reverse { (first + 1, first) } else { (first, first + 1) };
        Ok(match self.by {
            By::Rank => Bounds::Rank(ctx.int(first)?, ctx.int(first + 1)?),
            By::Score => Bounds::Score(bounds::score(ctx.args.at(min))?, bounds::score(ctx.args.at(max))?),
            By::Lex => Bounds::Lex(bounds::lex(ctx.args.at(min))?, bounds::lex(ctx.args.at(max))?),
        })
    }

    /// The positions the range takes in a set.
    fn positions(&self, set: &ZSet, bounds: &Bounds<'_>) -> Range<usize> {
        let len = set.len();
        let range = match bounds {
            Bounds::Rank(start, end) => {
                let range = clamp_elements(*start, *end, len).unwrap_or(0..0);
                if self.reverse { len - range.end..len - range.start } else { range }
            }
            Bounds::Score(min, max) => set.score_range(*min, *max),
            Bounds::Lex(min, max) => set.lex_range(min, max),
        };
        let Some((offset, count)) = self.limit.filter(|_| self.by != By::Rank) else { return range };
        let Ok(offset) = usize::try_from(offset) else { return 0..0 };
        let offset = offset.min(range.len());
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(range.len() - offset);
        if self.reverse {
            range.end - offset - count..range.end - offset
        } else {
            range.start + offset..range.start + offset + count
        }
    }
}

fn reply_range(ctx: &mut Context<'_>, request: &Request) -> CommandResult {
    let bounds = request.bounds(ctx, 2)?;
    let Some(set) = ctx.keys.read::<ZSet>(ctx.args.at(1))? else {
        ctx.reply.array(0);
        return Ok(Outcome::Done);
    };
    let range = request.positions(set, &bounds);
    if request.with_scores {
        let protocol = ctx.reply.protocol;
        let length = if protocol == crate::resp::Protocol::Resp3 { range.len() } else { range.len() * 2 };
        ctx.reply.array(length);
        for (member, score) in set.range(range, request.reverse) {
            reply_pair(&mut ctx.reply, member, score);
        }
    } else {
        ctx.reply.array(range.len());
        for (member, _) in set.range(range, request.reverse) {
            ctx.reply.element(member);
        }
    }
    Ok(Outcome::Done)
}

pub(super) fn zrange(ctx: &mut Context<'_>) -> CommandResult {
    let request = Request::fixed(By::Rank, false).parse(ctx, 4, true, false)?;
    reply_range(ctx, &request)
}

pub(super) fn zrevrange(ctx: &mut Context<'_>) -> CommandResult {
    let request = Request::fixed(By::Rank, true).parse(ctx, 4, false, false)?;
    reply_range(ctx, &request)
}

pub(super) fn zrangebyscore(ctx: &mut Context<'_>) -> CommandResult {
    let request = Request::fixed(By::Score, false).parse(ctx, 4, false, false)?;
    reply_range(ctx, &request)
}

pub(super) fn zrevrangebyscore(ctx: &mut Context<'_>) -> CommandResult {
    let request = Request::fixed(By::Score, true).parse(ctx, 4, false, false)?;
    reply_range(ctx, &request)
}

pub(super) fn zrangebylex(ctx: &mut Context<'_>) -> CommandResult {
    let request = Request::fixed(By::Lex, false).parse(ctx, 4, false, false)?;
    reply_range(ctx, &request)
}

pub(super) fn zrevrangebylex(ctx: &mut Context<'_>) -> CommandResult {
    let request = Request::fixed(By::Lex, true).parse(ctx, 4, false, false)?;
    reply_range(ctx, &request)
}

pub(super) fn zrangestore(ctx: &mut Context<'_>) -> CommandResult {
    let request = Request::fixed(By::Rank, false).parse(ctx, 5, true, true)?;
    let bounds = request.bounds(ctx, 3)?;
    let (target, source, limits) = (ctx.args.at(1), ctx.args.at(2), ctx.limits());
    let mut result = ZSet::new();
    if let Some(set) = ctx.keys.read::<ZSet>(source)? {
        for (member, score) in set.range(request.positions(set, &bounds), request.reverse) {
            result.insert(&member.to_vec(), score, limits);
        }
    }
    store(ctx, target, result, "zrangestore")
}

/// Puts a result at a key (or removes the key if the result is empty) and answers its size.
pub(super) fn store(ctx: &mut Context<'_>, target: &[u8], result: ZSet, event: &'static str) -> CommandResult {
    let len = result.len();
    if len == 0 {
        if ctx.keys.remove(target).is_some() {
            ctx.change.dirty(1);
            ctx.changed(EventClass::GENERIC, "del", target);
        }
        return ctx.done_int(0);
    }
    ctx.keys.set_container(target, result);
    ctx.change.dirty(1);
    ctx.changed(EventClass::ZSET, event, target);
    ctx.done_int(len as i64)
}

pub(super) fn zcount(ctx: &mut Context<'_>) -> CommandResult {
    count(ctx, By::Score)
}

pub(super) fn zlexcount(ctx: &mut Context<'_>) -> CommandResult {
    count(ctx, By::Lex)
}

fn count(ctx: &mut Context<'_>, by: By) -> CommandResult {
    let request = Request::fixed(by, false);
    let bounds = request.bounds(ctx, 2)?;
    let set = ctx.keys.read::<ZSet>(ctx.args.at(1))?;
    let count = set.map_or(0, |set| request.positions(set, &bounds).len());
    ctx.done_int(count as i64)
}

/// The removal of a range by what `by` names, from arguments 2 and 3.
pub(super) fn remove_range(ctx: &mut Context<'_>, by: RemoveBy) -> CommandResult {
    let (by, event) = match by {
        RemoveBy::Rank => (By::Rank, "zremrangebyrank"),
        RemoveBy::Score => (By::Score, "zremrangebyscore"),
        RemoveBy::Lex => (By::Lex, "zremrangebylex"),
    };
    let key = ctx.args.at(1);
    let request = Request::fixed(by, false);
    let bounds = request.bounds(ctx, 2)?;
    let Some(set) = ctx.keys.write::<ZSet>(key)? else { return ctx.done_int(0) };
    let range = request.positions(set, &bounds);
    let removed = range.len();
    set.remove_range(range);
    if removed > 0 {
        ctx.change.dirty(removed);
        ctx.changed(EventClass::ZSET, event, key);
        ctx.remove_if_empty::<ZSet>(key);
    }
    ctx.done_int(removed as i64)
}

/// What ZREMRANGEBY… removes by.
#[derive(Clone, Copy, Debug)]
pub(super) enum RemoveBy {
    Rank,
    Score,
    Lex,
}

/// Length of an array of pairs, for commands outside this file.
pub(super) fn pair_array(ctx: &mut Context<'_>, pairs: usize) {
    let length = pairs_len(ctx, pairs);
    ctx.reply.array(length);
}
