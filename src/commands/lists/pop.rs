//! Taking from the ends: LPOP, RPOP, LMPOP.

use super::End;
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::commands::multi_pop;
use crate::data::list::List;
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "lpop",
            arity: -2,
            flags: flags![WRITE, FAST],
            categories: Categories::LIST,
            keys: keys::FIRST_TAKE,
            group: Group::List,
            since: "1.0.0",
            summary: "Takes elements off the head of a list.",
            complexity: "O(N) where N is the number of elements returned",
            history: &[("6.2.0", "Added the `count` argument.")],
            args: "key:key count?:integer@6.2.0",
            ..Spec::BASE
        },
        run: lpop,
    },
    Command {
        spec: Spec {
            name: "rpop",
            arity: -2,
            flags: flags![WRITE, FAST],
            categories: Categories::LIST,
            keys: keys::FIRST_TAKE,
            group: Group::List,
            since: "1.0.0",
            summary: "Takes elements off the tail of a list.",
            complexity: "O(N) where N is the number of elements returned",
            history: &[("6.2.0", "Added the `count` argument.")],
            args: "key:key count?:integer@6.2.0",
            ..Spec::BASE
        },
        run: rpop,
    },
    Command {
        spec: Spec {
            name: "lmpop",
            arity: -4,
            flags: flags![WRITE],
            categories: Categories::LIST,
            keys: keys::COUNTED_TAKE,
            group: Group::List,
            since: "7.0.0",
            summary: "Takes elements from the first of several lists that has any.",
            complexity: "O(N+M) where N is the number of provided keys and M is the number of elements returned.",
            args: "numkeys:integer key*:key where:(left=LEFT | right=RIGHT) count?=COUNT:integer",
            ..Spec::BASE
        },
        run: lmpop,
    },
];

pub(super) fn lpop(ctx: &mut Context<'_>) -> CommandResult {
    pop(ctx, End::Left)
}

pub(super) fn rpop(ctx: &mut Context<'_>) -> CommandResult {
    pop(ctx, End::Right)
}

fn pop(ctx: &mut Context<'_>, end: End) -> CommandResult {
    let key = ctx.args.at(1);
    if ctx.args.len() > 3 {
        return ctx.wrong_arity();
    }
    let count = if ctx.args.len() == 3 { Some(ctx.positive(2)?) } else { None };
    let Some(len) = ctx.keys.write::<List>(key)?.map(|list| list.len()) else {
        match count {
            Some(_) => ctx.reply.null_array(),
            None => ctx.reply.null(),
        }
        return Ok(Outcome::Done);
    };
    match count {
        None => {
            let value = take_one(ctx, key, end)?;
            ctx.reply.bulk_or_null(value.as_deref());
        }
        Some(0) => ctx.reply.array(0),
        Some(count) => {
            ctx.reply.array(count.min(len));
            take_many(ctx, key, end, count)?;
        }
    }
    Ok(Outcome::Done)
}

/// Takes one element, with what that entails for the key.
pub(super) fn take_one(ctx: &mut Context<'_>, key: &[u8], end: End) -> Result<Option<Vec<u8>>, WireError> {
    let Some(list) = ctx.keys.write::<List>(key)? else { return Ok(None) };
    let value = match end {
        End::Left => list.pop_front(),
        End::Right => list.pop_back(),
    };
    ctx.change.dirty(1);
    ctx.changed(EventClass::LIST, end.pop_event(), key);
    ctx.remove_if_empty::<List>(key);
    Ok(value)
}

/// Takes up to `count` elements and writes them.
fn take_many(ctx: &mut Context<'_>, key: &[u8], end: End, count: usize) -> Result<usize, WireError> {
    let Some(list) = ctx.keys.write::<List>(key)? else { return Ok(0) };
    let count = count.min(list.len());
    for _ in 0..count {
        let value = match end {
            End::Left => list.pop_front(),
            End::Right => list.pop_back(),
        };
        ctx.reply.bulk_or_null(value.as_deref());
    }
    ctx.change.dirty(count);
    ctx.changed(EventClass::LIST, end.pop_event(), key);
    ctx.remove_if_empty::<List>(key);
    Ok(count)
}

/// The arguments of LMPOP and BLMPOP behind a possible timeout.
pub(super) struct MultiPop {
    /// Positions of the keys.
    pub keys: std::ops::Range<usize>,
    pub end: End,
    pub count: usize,
}

impl MultiPop {
    /// Reads `numkeys key … LEFT|RIGHT [COUNT n]` from argument `first` on.
    pub(super) fn parse(ctx: &Context<'_>, first: usize) -> Result<Self, WireError> {
        let (args, end) = multi_pop::parse(ctx, first, End::parse)?;
        Ok(Self { keys: args.keys, end, count: args.count })
    }

    /// Takes from the first list that is there; `false` when none is.
    pub(super) fn run(&self, ctx: &mut Context<'_>) -> Result<bool, WireError> {
        for index in self.keys.clone() {
            let key = ctx.args.at(index);
            let Some(len) = ctx.keys.write::<List>(key)?.map(|list| list.len()) else { continue };
            ctx.reply.array(2);
            ctx.reply.bulk(key);
            let count = self.count.min(len);
            ctx.reply.array(count);
            take_many(ctx, key, self.end, count)?;
            let word: &[u8] = if self.end == End::Left { b"LPOP" } else { b"RPOP" };
            ctx.change.replay_as(&[word, key, itoa::Buffer::new().format(count).as_bytes()]);
            return Ok(true);
        }
        Ok(false)
    }
}

pub(super) fn lmpop(ctx: &mut Context<'_>) -> CommandResult {
    let request = MultiPop::parse(ctx, 1)?;
    if !request.run(ctx)? {
        ctx.reply.null_array();
    }
    Ok(Outcome::Done)
}
