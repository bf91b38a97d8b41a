//! Several sets at once: ZUNION, ZINTER, ZDIFF, their storing forms, ZINTERCARD. Plain sets count with score 1.

use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::commands::limit::intersection_limit;
use std::cmp::Ordering;
use std::collections::HashMap;

use super::range::{pair_array, store};
use super::reply_pair;
use crate::base::number::parse_f64;
use crate::data::Element;
use crate::data::set::Set;
use crate::data::zset::ZSet;
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::keyspace::ValueRef;
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "zunion",
            arity: -3,
            flags: flags![READONLY],
            categories: Categories::SORTEDSET,
            keys: keys::COUNTED_READ,
            group: Group::SortedSet,
            since: "6.2.0",
            summary: "Computes which members are in any of the sorted sets.",
            complexity: "O(N)+O(M*log(M)) with N being the sum of the sizes of the input sorted sets, and M being the \
                number of elements in the resulting sorted set.",
            args: "numkeys:integer key*:key weight?*=WEIGHTS:integer \
                aggregate?=AGGREGATE:(sum=SUM | min=MIN | max=MAX) withscores?=WITHSCORES",
            ..Spec::BASE
        },
        run: zunion,
    },
    Command {
        spec: Spec {
            name: "zinter",
            arity: -3,
            flags: flags![READONLY],
            categories: Categories::SORTEDSET,
            keys: keys::COUNTED_READ,
            group: Group::SortedSet,
            since: "6.2.0",
            summary: "Computes which members all the sorted sets share.",
            complexity: "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number \
                of input sorted sets and M being the number of elements in the resulting sorted set.",
            args: "numkeys:integer key*:key weight?*=WEIGHTS:integer \
                aggregate?=AGGREGATE:(sum=SUM | min=MIN | max=MAX) withscores?=WITHSCORES",
            ..Spec::BASE
        },
        run: zinter,
    },
    Command {
        spec: Spec {
            name: "zdiff",
            arity: -3,
            flags: flags![READONLY],
            categories: Categories::SORTEDSET,
            keys: keys::COUNTED_READ,
            group: Group::SortedSet,
            since: "6.2.0",
            summary: "Computes which members of the first sorted set are in no other.",
            complexity: "O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is \
                the size of the first set, and K is the size of the result set.",
            args: "numkeys:integer key*:key withscores?=WITHSCORES",
            ..Spec::BASE
        },
        run: zdiff,
    },
    Command {
        spec: Spec {
            name: "zunionstore",
            arity: -4,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::SORTEDSET,
            keys: keys::STORE_COUNTED,
            group: Group::SortedSet,
            since: "2.0.0",
            summary: "Writes the union of sorted sets to a key.",
            complexity: "O(N)+O(M log(M)) with N being the sum of the sizes of the input sorted sets, and M being the \
                number of elements in the resulting sorted set.",
            args: "destination:key numkeys:integer key*:key#1 weight?*=WEIGHTS:integer \
                aggregate?=AGGREGATE:(sum=SUM | min=MIN | max=MAX)",
            ..Spec::BASE
        },
        run: zunionstore,
    },
    Command {
        spec: Spec {
            name: "zinterstore",
            arity: -4,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::SORTEDSET,
            keys: keys::STORE_COUNTED,
            group: Group::SortedSet,
            since: "2.0.0",
            summary: "Writes the intersection of sorted sets to a key.",
            complexity: "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number \
                of input sorted sets and M being the number of elements in the resulting sorted set.",
            args: "destination:key numkeys:integer key*:key#1 weight?*=WEIGHTS:integer \
                aggregate?=AGGREGATE:(sum=SUM | min=MIN | max=MAX)",
            ..Spec::BASE
        },
        run: zinterstore,
    },
    Command {
        spec: Spec {
            name: "zdiffstore",
            arity: -4,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::SORTEDSET,
            keys: keys::STORE_COUNTED,
            group: Group::SortedSet,
            since: "6.2.0",
            summary: "Writes the difference of sorted sets to a key.",
            complexity: "O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is \
                the size of the first set, and K is the size of the result set.",
            args: "destination:key numkeys:integer key*:key#1",
            ..Spec::BASE
        },
        run: zdiffstore,
    },
    Command {
        spec: Spec {
            name: "zintercard",
            arity: -3,
            flags: flags![READONLY],
            categories: Categories::SORTEDSET,
            keys: keys::COUNTED_READ,
            group: Group::SortedSet,
            since: "7.0.0",
            summary: "Counts the members that all the sorted sets share.",
            complexity: "O(N*K) worst case with N being the smallest input sorted set, K being the number of input \
                sorted sets.",
            args: "numkeys:integer key*:key limit?=LIMIT:integer",
            ..Spec::BASE
        },
        run: zintercard,
    },
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Union,
    Inter,
    Diff,
}

#[derive(Clone, Copy, Debug, Default)]
enum Aggregate {
    #[default]
    Sum,
    Min,
    Max,
}

impl Aggregate {
    fn of(self, a: f64, b: f64) -> f64 {
        match self {
            // Infinities of both signs add up to zero here.
            Self::Sum => not_nan(a + b),
            // Of equal ones the first stays, which tells zeroes of different sign apart.
            Self::Min => {
                if b < a {
                    b
                } else {
                    a
                }
            }
            Self::Max => {
                if b > a {
                    b
                } else {
                    a
                }
            }
        }
    }
}

fn not_nan(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value }
}

/// One input.
#[derive(Clone, Copy)]
enum Source<'a> {
    Missing,
    Plain(&'a Set),
    Sorted(&'a ZSet),
}

impl Source<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Missing => 0,
            Self::Plain(set) => set.len(),
            Self::Sorted(set) => set.len(),
        }
    }

    fn score(&self, member: &[u8]) -> Option<f64> {
        match self {
            Self::Missing => None,
            Self::Plain(set) => set.contains(member).then_some(1.0),
            Self::Sorted(set) => set.score(member),
        }
    }

    fn for_each(&self, mut visit: impl FnMut(Vec<u8>, f64)) {
        match self {
            Self::Missing => {}
            Self::Plain(set) => set.iter().for_each(|member| visit(member.to_vec(), 1.0)),
            Self::Sorted(set) => set.iter().for_each(|(member, score)| visit(member.to_vec(), score)),
        }
    }
}

/// The arguments of one request.
struct Request {
    operation: Operation,
    /// Positions of the input keys.
    keys: std::ops::Range<usize>,
    weights: Vec<f64>,
    aggregate: Aggregate,
    with_scores: bool,
    /// ZINTERCARD's LIMIT; 0 is none.
    limit: usize,
}

impl Request {
    /// Reads `numkeys key …` at argument `first`, then options.
    fn parse(ctx: &Context<'_>, operation: Operation, first: usize, stores: bool) -> Result<Self, WireError> {
        let keys = Self::keys(ctx, first)?;
        Self::check_types(ctx, keys.clone())?;
        let mut request = Self {
            operation,
            weights: vec![1.0; keys.len()],
            keys,
            aggregate: Aggregate::Sum,
            with_scores: false,
            limit: 0,
        };
        let mut index = request.keys.end;
        let weighs = operation != Operation::Diff;
        while index < ctx.args.len() {
            let left = ctx.args.len() - index - 1;
            if weighs && ctx.args.is(index, "WEIGHTS") && left >= request.weights.len() {
                for weight in &mut request.weights {
                    index += 1;
                    *weight =
                        parse_f64(ctx.args.at(index)).ok_or(WireError::fixed("ERR weight value is not a float"))?;
                }
            } else if weighs && ctx.args.is(index, "AGGREGATE") && left >= 1 {
                index += 1;
                request.aggregate = match ctx.args.at(index).to_ascii_uppercase().as_slice() {
                    b"SUM" => Aggregate::Sum,
                    b"MIN" => Aggregate::Min,
                    b"MAX" => Aggregate::Max,
                    _ => return Err(WireError::SYNTAX),
                };
            } else if !stores && ctx.args.is(index, "WITHSCORES") {
                request.with_scores = true;
            } else {
                return Err(WireError::SYNTAX);
            }
            index += 1;
        }
        Ok(request)
    }

    /// The positions that `numkeys` at argument `first` says.
    fn keys(ctx: &Context<'_>, first: usize) -> Result<std::ops::Range<usize>, WireError> {
        let numkeys = ctx.int(first)?;
        if numkeys < 1 {
            let name = ctx.command.spec.name;
            return Err(WireError::new(format!("ERR at least 1 input key is needed for '{name}' command")));
        }
        let left = ctx.args.len() - first - 1;
        match usize::try_from(numkeys) {
            Ok(numkeys) if numkeys <= left => Ok(first + 1..first + 1 + numkeys),
            _ => Err(WireError::SYNTAX),
        }
    }

    /// Refuses keys of other types; that comes before options are looked at.
    fn check_types(ctx: &Context<'_>, keys: std::ops::Range<usize>) -> Result<(), WireError> {
        let mut values = keys.filter_map(|index| ctx.keys.peek(ctx.args.at(index)));
        let fit = values.all(|entry| matches!(entry.value(), ValueRef::Set(_) | ValueRef::ZSet(_)));
        if fit { Ok(()) } else { Err(WireError::WRONG_TYPE) }
    }

    /// Computes the members and their scores.
    fn run(&self, ctx: &Context<'_>) -> Result<HashMap<Vec<u8>, f64>, WireError> {
        let mut sources = Vec::with_capacity(self.keys.len());
        for (index, weight) in self.keys.clone().zip(&self.weights) {
            let source = match ctx.keys.get(ctx.args.at(index)) {
                None => Source::Missing,
                Some(ValueRef::Set(set)) => Source::Plain(set),
                Some(ValueRef::ZSet(set)) => Source::Sorted(set),
                Some(_) => return Err(WireError::WRONG_TYPE),
            };
            sources.push((source, *weight));
        }
        Ok(match self.operation {
            Operation::Union => self.union(sources),
            Operation::Inter => self.inter(sources),
            Operation::Diff => self.diff(&sources),
        })
    }

    fn union(&self, mut sources: Vec<(Source<'_>, f64)>) -> HashMap<Vec<u8>, f64> {
        // In Redis's order, the smallest first.
        sources.sort_by_key(|(source, _)| source.len());
        let mut result = HashMap::new();
        for (source, weight) in sources {
            source.for_each(|member, score| {
                let score = not_nan(score * weight);
                let sum = result.entry(member);
                sum.and_modify(|old| *old = self.aggregate.of(*old, score)).or_insert(score);
            });
        }
        result
    }

    fn inter(&self, mut sources: Vec<(Source<'_>, f64)>) -> HashMap<Vec<u8>, f64> {
        // From the smallest on: what is not there need not be looked up elsewhere.
        sources.sort_by_key(|(source, _)| source.len());
        let mut result = HashMap::new();
        let Some(((smallest, weight), others)) = sources.split_first() else { return result };
        smallest.for_each(|member, score| {
            if self.limit > 0 && result.len() >= self.limit {
                return;
            }
            let mut sum = not_nan(score * weight);
            for (other, weight) in others {
                let Some(score) = other.score(&member) else { return };
                // Only the first product is looked at alone, as in Redis: infinity times 0 makes a sum 0 here.
                sum = self.aggregate.of(sum, score * weight);
            }
            result.insert(member, sum);
        });
        result
    }

    fn diff(&self, sources: &[(Source<'_>, f64)]) -> HashMap<Vec<u8>, f64> {
        let mut result = HashMap::new();
        let Some(((first, _), others)) = sources.split_first() else { return result };
        first.for_each(|member, score| {
            if others.iter().all(|(other, _)| other.score(&member).is_none()) {
                result.insert(member, score);
            }
        });
        result
    }
}

fn to_zset(ctx: &Context<'_>, result: HashMap<Vec<u8>, f64>) -> ZSet {
    let limits = ctx.limits();
    let mut set = ZSet::new();
    set.prepare(result.len(), result.keys().map(Vec::len).max().unwrap_or(0), limits);
    for (member, score) in result {
        set.insert(&member, score, limits);
    }
    set
}

fn answer(ctx: &mut Context<'_>, operation: Operation) -> CommandResult {
    let request = Request::parse(ctx, operation, 1, false)?;
    let result = request.run(ctx)?;
    // Not by way of a sorted set: a packed one knows no -0.
    let mut members: Vec<(Vec<u8>, f64)> = result.into_iter().collect();
    members.sort_unstable_by(|(a, x), (b, y)| x.partial_cmp(y).unwrap_or(Ordering::Equal).then_with(|| a.cmp(b)));
    if request.with_scores {
        pair_array(ctx, members.len());
    } else {
        ctx.reply.array(members.len());
    }
    for (member, score) in &members {
        let (member, score) = (Element::Bytes(member), *score);
        if request.with_scores {
            reply_pair(&mut ctx.reply, member, score);
        } else {
            ctx.reply.element(member);
        }
    }
    Ok(Outcome::Done)
}

fn store_result(ctx: &mut Context<'_>, operation: Operation, event: &'static str) -> CommandResult {
    let request = Request::parse(ctx, operation, 2, true)?;
    let result = request.run(ctx)?;
    let set = to_zset(ctx, result);
    store(ctx, ctx.args.at(1), set, event)
}

pub(super) fn zunion(ctx: &mut Context<'_>) -> CommandResult {
    answer(ctx, Operation::Union)
}

pub(super) fn zinter(ctx: &mut Context<'_>) -> CommandResult {
    answer(ctx, Operation::Inter)
}

pub(super) fn zdiff(ctx: &mut Context<'_>) -> CommandResult {
    answer(ctx, Operation::Diff)
}

pub(super) fn zunionstore(ctx: &mut Context<'_>) -> CommandResult {
    store_result(ctx, Operation::Union, "zunionstore")
}

pub(super) fn zinterstore(ctx: &mut Context<'_>) -> CommandResult {
    store_result(ctx, Operation::Inter, "zinterstore")
}

pub(super) fn zdiffstore(ctx: &mut Context<'_>) -> CommandResult {
    store_result(ctx, Operation::Diff, "zdiffstore")
}

pub(super) fn zintercard(ctx: &mut Context<'_>) -> CommandResult {
    let keys = Request::keys(ctx, 1)?;
    Request::check_types(ctx, keys.clone())?;
    let limit = intersection_limit(ctx, keys.end)?;
    let weights = vec![1.0; keys.len()];
    let request =
        Request { operation: Operation::Inter, keys, weights, aggregate: Aggregate::Sum, with_scores: false, limit };
    let count = request.run(ctx)?.len();
    ctx.done_int(count as i64)
}
