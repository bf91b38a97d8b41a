//! ZRANDMEMBER.

use crate::catalog::{Categories, Group, Spec, flags, keys};
use std::collections::HashSet;

use super::range::pair_array;
use super::reply_pair;
use crate::data::zset::ZSet;
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::{Protocol, WireError};

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "zrandmember",
        arity: -2,
        flags: flags![READONLY],
        categories: Categories::SORTEDSET,
        keys: keys::FIRST_READ,
        group: Group::SortedSet,
        since: "6.2.0",
        summary: "Picks random members of a sorted set, which stay there.",
        complexity: "O(N) where N is the number of members returned",
        tips: &["nondeterministic_output"],
        args: "key:key options?:(count:integer withscores?=WITHSCORES)",
        ..Spec::BASE
    },
    run: zrandmember,
}];

pub(super) fn zrandmember(ctx: &mut Context<'_>) -> CommandResult {
    let key = ctx.args.at(1);
    if ctx.args.len() == 2 {
        let set = ctx.keys.read::<ZSet>(key)?;
        match set.and_then(ZSet::at_random) {
            Some((member, _)) => ctx.reply.element(member),
            None => ctx.reply.null(),
        }
        return Ok(Outcome::Done);
    }
    let count = ctx.count_of_picks(2)?;
    let with_scores = match ctx.args.len() {
        3 => false,
        4 if ctx.args.is(3, "WITHSCORES") => true,
        _ => return ctx.syntax(),
    };
    if with_scores && !(-(i64::MAX / 2)..=i64::MAX / 2).contains(&count) {
        return Err(WireError::OUT_OF_RANGE);
    }
    if count < 0 {
        return pick_anew(ctx, key, count.unsigned_abs() as usize, with_scores);
    }
    let picks = {
        let set = ctx.keys.read::<ZSet>(key)?;
        set.map_or_else(Vec::new, |set| pick(set, count as usize))
    };
    if with_scores {
        pair_array(ctx, picks.len());
    } else {
        ctx.reply.array(picks.len());
    }
    for (member, score) in &picks {
        let member = crate::data::Element::Bytes(member);
        if with_scores {
            reply_pair(&mut ctx.reply, member, *score);
        } else {
            ctx.reply.element(member);
        }
    }
    Ok(Outcome::Done)
}

/// Picks that may repeat can be many: they are written one by one.
fn pick_anew(ctx: &mut Context<'_>, key: &[u8], wanted: usize, with_scores: bool) -> CommandResult {
    let Some(set) = ctx.keys.read::<ZSet>(key)? else {
        ctx.reply.array(0);
        return Ok(Outcome::Done);
    };
    let flat = with_scores && ctx.reply.protocol == Protocol::Resp2;
    ctx.reply.array(if flat { wanted * 2 } else { wanted });
    for (member, score) in (0..wanted).filter_map(|_| set.at_random()) {
        if ctx.reply.is_futile() {
            break;
        }
        if with_scores {
            reply_pair(&mut ctx.reply, member, score);
        } else {
            ctx.reply.element(member);
        }
    }
    Ok(Outcome::Done)
}

/// Distinct members.
fn pick(set: &ZSet, wanted: usize) -> Vec<(Vec<u8>, f64)> {
    let owned = |(member, score): (crate::data::Element<'_>, f64)| (member.to_vec(), score);
    if wanted >= set.len() {
        return set.iter().map(owned).collect();
    }
    if wanted * 3 > set.len() {
        // Most of the set: take everything and leave some out.
        let mut all: Vec<_> = set.iter().map(owned).collect();
        while all.len() > wanted {
            all.swap_remove(rand::random_range(0..all.len()));
        }
        return all;
    }
    let (mut seen, mut picks) = (HashSet::new(), Vec::with_capacity(wanted));
    while picks.len() < wanted
        && let Some((member, score)) = set.at_random().map(owned)
    {
        if seen.insert(member.clone()) {
            picks.push((member, score));
        }
    }
    picks
}
