//! Adding members and changing scores: ZADD, ZINCRBY.

use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::data::zset::{Inserted, ZSet};
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "zadd",
            arity: -4,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::SORTEDSET,
            keys: keys::FIRST_CHANGE,
            group: Group::SortedSet,
            since: "1.2.0",
            summary: "Puts members with scores into a sorted set, or rescores them.",
            complexity: "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
            history: &[
                ("2.4.0", "Accepts multiple elements."),
                ("3.0.2", "Added the `XX`, `NX`, `CH` and `INCR` options."),
                ("6.2.0", "Added the `GT` and `LT` options."),
            ],
            args: "key:key condition?:(nx=NX | xx=XX)@3.0.2 comparison?:(gt=GT | lt=LT)@6.2.0 change?=CH@3.0.2 \
                increment?=INCR@3.0.2 data*:(score:double member:string)",
            ..Spec::BASE
        },
        run: zadd,
    },
    Command {
        spec: Spec {
            name: "zincrby",
            arity: 4,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::SORTEDSET,
            keys: keys::FIRST_EXCHANGE,
            group: Group::SortedSet,
            since: "1.2.0",
            summary: "Adds to the score of a member.",
            complexity: "O(log(N)) where N is the number of elements in the sorted set.",
            args: "key:key increment:integer member:string",
            ..Spec::BASE
        },
        run: zincrby,
    },
];

const NAN: WireError = WireError::fixed("ERR resulting score is not a number (NaN)");

/// The options of ZADD.
#[derive(Clone, Copy, Default)]
pub struct Options {
    /// NX
    pub only_new: bool,
    /// XX
    pub only_existing: bool,
    only_greater: bool,
    only_less: bool,
    /// CH
    pub count_changed: bool,
    increment: bool,
}

impl Options {
    /// Reads the options; also the position of the first score.
    fn parse(ctx: &Context<'_>) -> Result<(Self, usize), WireError> {
        let mut options = Self::default();
        let mut index = 2;
        while let Some(word) = ctx.args.get(index) {
            let option = match word.to_ascii_uppercase().as_slice() {
                b"NX" => &mut options.only_new,
                b"XX" => &mut options.only_existing,
                b"GT" => &mut options.only_greater,
                b"LT" => &mut options.only_less,
                b"CH" => &mut options.count_changed,
                b"INCR" => &mut options.increment,
                _ => break,
            };
            *option = true;
            index += 1;
        }
        let pairs = ctx.args.len() - index;
        if pairs == 0 || !pairs.is_multiple_of(2) {
            return Err(WireError::SYNTAX);
        }
        if options.only_new && options.only_existing {
            return Err(WireError::fixed("ERR XX and NX options at the same time are not compatible"));
        }
        let directions = u8::from(options.only_new) + u8::from(options.only_greater) + u8::from(options.only_less);
        if directions > 1 {
            return Err(WireError::fixed("ERR GT, LT, and/or NX options at the same time are not compatible"));
        }
        if options.increment && pairs > 2 {
            return Err(WireError::fixed("ERR INCR option supports a single increment-element pair"));
        }
        Ok((options, index))
    }

    /// Whether a member may go from its old score (`None`: new) to a new one.
    fn allow(self, old: Option<f64>, new: f64) -> bool {
        match old {
            None => !self.only_existing,
            Some(old) => !self.only_new && (!self.only_greater || new > old) && (!self.only_less || new < old),
        }
    }
}

pub(super) fn zadd(ctx: &mut Context<'_>) -> CommandResult {
    let (options, first) = Options::parse(ctx)?;
    run(ctx, options, first)
}

pub(super) fn zincrby(ctx: &mut Context<'_>) -> CommandResult {
    // It reads the options of ZADD too, though its arity leaves them no room.
    let (options, first) = Options::parse(ctx)?;
    run(ctx, Options { increment: true, ..options }, first)
}

fn run(ctx: &mut Context<'_>, options: Options, first: usize) -> CommandResult {
    let members = ctx.args.from(first + 1).step_by(2);
    // All scores are checked before anything is changed.
    let pairs: smallvec::SmallVec<[(f64, &[u8]); 4]> = (first..ctx.args.len())
        .step_by(2)
        .zip(members)
        .map(|(index, member)| Ok((ctx.float(index)?, member)))
        .collect::<Result<_, WireError>>()?;
    put_scores(ctx, options, &pairs)
}

/// Puts members with scores into the sorted set at the first argument.
pub fn put_scores(ctx: &mut Context<'_>, options: Options, pairs: &[(f64, &[u8])]) -> CommandResult {
    let (key, limits) = (ctx.args.at(1), ctx.limits());
    if ctx.keys.write::<ZSet>(key)?.is_none() {
        if options.only_existing {
            return reply(ctx, options, 0, None);
        }
        let longest = pairs.iter().map(|(_, member)| member.len()).max().unwrap_or(0);
        ctx.keys.write_or_create::<ZSet>(key)?.prepare(
            1.max(pairs.len().min(limits.zset_max_listpack_entries)),
            longest,
            limits,
        );
    }
    let Some(set) = ctx.keys.write::<ZSet>(key)? else { return Err(WireError::NO_SUCH_KEY) };
    let (mut added, mut updated, mut result) = (0, 0, None);
    for (score, member) in pairs.iter().copied() {
        let old = set.score(member);
        let score = if options.increment { old.unwrap_or(0.0) + score } else { score };
        if score.is_nan() {
            return Err(NAN);
        }
        if !options.allow(old, score) {
            continue;
        }
        result = Some(score);
        match set.insert(member, score, limits) {
            Inserted::Added => added += 1,
            Inserted::Updated => updated += 1,
            Inserted::Same => {}
        }
    }
    if added + updated > 0 {
        ctx.change.dirty(added + updated);
        ctx.changed(EventClass::ZSET, if options.increment { "zincr" } else { "zadd" }, key);
    }
    let count = if options.count_changed { added + updated } else { added };
    reply(ctx, options, count, result)
}

fn reply(ctx: &mut Context<'_>, options: Options, count: usize, score: Option<f64>) -> CommandResult {
    match (options.increment, score) {
        (false, _) => ctx.reply.count(count),
        (true, Some(score)) => ctx.reply.double(score),
        (true, None) => ctx.reply.null(),
    }
    Ok(Outcome::Done)
}
