//! Several sets at once: SINTER, SUNION, SDIFF, their storing forms, SINTERCARD.

use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::catalog::{KeyFlags, KeySpec};
use crate::commands::limit::intersection_limit;
use std::collections::HashSet;

use crate::data::set::Set;
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "sinter",
            arity: -2,
            flags: flags![READONLY],
            categories: Categories::SET,
            keys: keys::ALL_READ,
            group: Group::Set,
            since: "1.0.0",
            summary: "Computes which members all the sets share.",
            complexity: "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.",
            tips: &["nondeterministic_output_order"],
            args: "key*:key",
            ..Spec::BASE
        },
        run: sinter,
    },
    Command {
        spec: Spec {
            name: "sunion",
            arity: -2,
            flags: flags![READONLY],
            categories: Categories::SET,
            keys: keys::ALL_READ,
            group: Group::Set,
            since: "1.0.0",
            summary: "Computes which members are in any of the sets.",
            complexity: "O(N) where N is the total number of elements in all given sets.",
            tips: &["nondeterministic_output_order"],
            args: "key*:key",
            ..Spec::BASE
        },
        run: sunion,
    },
    Command {
        spec: Spec {
            name: "sdiff",
            arity: -2,
            flags: flags![READONLY],
            categories: Categories::SET,
            keys: keys::ALL_READ,
            group: Group::Set,
            since: "1.0.0",
            summary: "Computes which members of the first set are in no other.",
            complexity: "O(N) where N is the total number of elements in all given sets.",
            tips: &["nondeterministic_output_order"],
            args: "key*:key",
            ..Spec::BASE
        },
        run: sdiff,
    },
    Command {
        spec: Spec {
            name: "sinterstore",
            arity: -3,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::SET,
            keys: &[KeySpec::index(1, KeyFlags::CHANGE), KeySpec::index(2, KeyFlags::READ).range(-1, 1, 0)],
            group: Group::Set,
            since: "1.0.0",
            summary: "Writes the intersection of sets to a key.",
            complexity: "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.",
            args: "destination:key key*:key#1",
            ..Spec::BASE
        },
        run: sinterstore,
    },
    Command {
        spec: Spec {
            name: "sunionstore",
            arity: -3,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::SET,
            keys: keys::STORE_ALL,
            group: Group::Set,
            since: "1.0.0",
            summary: "Writes the union of sets to a key.",
            complexity: "O(N) where N is the total number of elements in all given sets.",
            args: "destination:key key*:key#1",
            ..Spec::BASE
        },
        run: sunionstore,
    },
    Command {
        spec: Spec {
            name: "sdiffstore",
            arity: -3,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::SET,
            keys: keys::STORE_ALL,
            group: Group::Set,
            since: "1.0.0",
            summary: "Writes the difference of sets to a key.",
            complexity: "O(N) where N is the total number of elements in all given sets.",
            args: "destination:key key*:key#1",
            ..Spec::BASE
        },
        run: sdiffstore,
    },
    Command {
        spec: Spec {
            name: "sintercard",
            arity: -3,
            flags: flags![READONLY],
            categories: Categories::SET,
            keys: keys::COUNTED_READ,
            group: Group::Set,
            since: "7.0.0",
            summary: "Counts the members that all the sets share.",
            complexity: "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.",
            args: "numkeys:integer key*:key limit?=LIMIT:integer",
            ..Spec::BASE
        },
        run: sintercard,
    },
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Inter,
    Union,
    Diff,
}

/// The members of the combination of the sets at some keys, at most `limit`.
fn run(
    ctx: &Context<'_>,
    operation: Operation,
    keys: std::ops::Range<usize>,
    limit: usize,
) -> Result<Vec<Vec<u8>>, WireError> {
    let sets = keys.map(|index| ctx.keys.read::<Set>(ctx.args.at(index))).collect::<Result<Vec<_>, _>>()?;
    Ok(match operation {
        Operation::Union => {
            let mut seen = HashSet::new();
            for set in sets.into_iter().flatten() {
                seen.extend(set.iter().map(|member| member.to_vec()));
            }
            seen.into_iter().collect()
        }
        Operation::Inter => {
            let Some(mut sets) = sets.into_iter().collect::<Option<Vec<&Set>>>() else { return Ok(Vec::new()) };
            // From the smallest on: what is not there need not be looked up elsewhere.
            sets.sort_by_key(|set| set.len());
            let Some((smallest, others)) = sets.split_first() else { return Ok(Vec::new()) };
            let members = smallest.iter().map(|member| member.to_vec());
            members.filter(|member| others.iter().all(|set| set.contains(member))).take(limit).collect()
        }
        Operation::Diff => {
            let Some((Some(first), others)) = sets.split_first() else { return Ok(Vec::new()) };
            let members = first.iter().map(|member| member.to_vec());
            members.filter(|member| !others.iter().flatten().any(|set| set.contains(member))).collect()
        }
    })
}

fn answer(ctx: &mut Context<'_>, operation: Operation) -> CommandResult {
    let members = run(ctx, operation, 1..ctx.args.len(), usize::MAX)?;
    ctx.reply.set(members.len());
    for member in &members {
        ctx.reply.bulk(member);
    }
    Ok(Outcome::Done)
}

fn store(ctx: &mut Context<'_>, operation: Operation, event: &'static str) -> CommandResult {
    let members = run(ctx, operation, 2..ctx.args.len(), usize::MAX)?;
    let (target, limits) = (ctx.args.at(1), ctx.limits());
    if members.is_empty() {
        if ctx.keys.remove(target).is_some() {
            ctx.change.dirty(1);
            ctx.changed(EventClass::GENERIC, "del", target);
        }
        return ctx.done_int(0);
    }
    let mut set = Set::new();
    for member in &members {
        set.insert(member, limits);
    }
    ctx.keys.set_container(target, set);
    ctx.change.dirty(1);
    ctx.changed(EventClass::SET, event, target);
    ctx.done_int(members.len() as i64)
}

pub(super) fn sinter(ctx: &mut Context<'_>) -> CommandResult {
    answer(ctx, Operation::Inter)
}

pub(super) fn sunion(ctx: &mut Context<'_>) -> CommandResult {
    answer(ctx, Operation::Union)
}

pub(super) fn sdiff(ctx: &mut Context<'_>) -> CommandResult {
    answer(ctx, Operation::Diff)
}

pub(super) fn sinterstore(ctx: &mut Context<'_>) -> CommandResult {
    store(ctx, Operation::Inter, "sinterstore")
}

pub(super) fn sunionstore(ctx: &mut Context<'_>) -> CommandResult {
    store(ctx, Operation::Union, "sunionstore")
}

pub(super) fn sdiffstore(ctx: &mut Context<'_>) -> CommandResult {
    store(ctx, Operation::Diff, "sdiffstore")
}

pub(super) fn sintercard(ctx: &mut Context<'_>) -> CommandResult {
    const NUMKEYS: WireError = WireError::fixed("ERR numkeys should be greater than 0");
    let numkeys = ctx.int_in(1, 1..=i64::MAX, NUMKEYS)?;
    if numkeys > ctx.args.len() as i64 - 2 {
        return Err(WireError::fixed("ERR Number of keys can't be greater than number of args"));
    }
    let keys = 2..2 + numkeys as usize;
    let limit = intersection_limit(ctx, keys.end)?;
    let limit = if limit == 0 { usize::MAX } else { limit };
    let count = run(ctx, Operation::Inter, keys, limit)?.len();
    ctx.done_int(count as i64)
}
