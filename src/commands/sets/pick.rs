//! Random members: SRANDMEMBER, SPOP.

use crate::catalog::{Categories, Group, Spec, flags, keys};
use std::collections::HashSet;

use crate::data::set::Set;
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "srandmember",
            arity: -2,
            flags: flags![READONLY],
            categories: Categories::SET,
            keys: keys::FIRST_READ,
            group: Group::Set,
            since: "1.0.0",
            summary: "Picks random members of a set, which stay there.",
            complexity: "Without the count argument O(1), otherwise O(N) where N is the absolute value of the passed \
                count.",
            history: &[("2.6.0", "Added the optional `count` argument.")],
            tips: &["nondeterministic_output"],
            args: "key:key count?:integer@2.6.0",
            ..Spec::BASE
        },
        run: srandmember,
    },
    Command {
        spec: Spec {
            name: "spop",
            arity: -2,
            flags: flags![WRITE, FAST],
            categories: Categories::SET,
            keys: keys::FIRST_TAKE,
            group: Group::Set,
            since: "1.0.0",
            summary: "Takes random members out of a set.",
            complexity: "Without the count argument O(1), otherwise O(N) where N is the value of the passed count.",
            history: &[("3.2.0", "Added the `count` argument.")],
            tips: &["nondeterministic_output"],
            args: "key:key count?:integer@3.2.0",
            ..Spec::BASE
        },
        run: spop,
    },
];

pub(super) fn srandmember(ctx: &mut Context<'_>) -> CommandResult {
    let key = ctx.args.at(1);
    if ctx.args.len() > 3 {
        return ctx.syntax();
    }
    if ctx.args.len() == 2 {
        match ctx.keys.read::<Set>(key)?.and_then(Set::random) {
            Some(member) => ctx.reply.element(member),
            None => ctx.reply.null(),
        }
        return Ok(Outcome::Done);
    }
    let count = ctx.count_of_picks(2)?;
    let Some(set) = ctx.keys.read::<Set>(key)? else {
        ctx.reply.array(0);
        return Ok(Outcome::Done);
    };
    if count < 0 {
        let wanted = count.unsigned_abs() as usize;
        ctx.reply.array(wanted);
        for member in (0..wanted).filter_map(|_| set.random()) {
            if ctx.reply.is_futile() {
                break;
            }
            ctx.reply.element(member);
        }
        return Ok(Outcome::Done);
    }
    let picks = distinct(set, count as usize);
    ctx.reply.array(picks.len());
    for member in &picks {
        ctx.reply.bulk(member);
    }
    Ok(Outcome::Done)
}

/// `wanted` different members, or all there are.
fn distinct(set: &Set, wanted: usize) -> Vec<Vec<u8>> {
    if wanted.saturating_mul(3) > set.len() {
        // Most of the set: take everything and leave some out.
        let mut all: Vec<_> = set.iter().map(|member| member.to_vec()).collect();
        while all.len() > wanted {
            all.swap_remove(rand::random_range(0..all.len()));
        }
        return all;
    }
    let mut picks = HashSet::with_capacity(wanted);
    while picks.len() < wanted
        && let Some(member) = set.random()
    {
        picks.insert(member.to_vec());
    }
    picks.into_iter().collect()
}

pub(super) fn spop(ctx: &mut Context<'_>) -> CommandResult {
    let key = ctx.args.at(1);
    if ctx.args.len() > 3 {
        return ctx.syntax();
    }
    let count = if ctx.args.len() == 3 { Some(ctx.positive(2)?) } else { None };
    let Some(set) = ctx.keys.write::<Set>(key)? else {
        match count {
            Some(_) => ctx.reply.set(0),
            None => ctx.reply.null(),
        }
        return Ok(Outcome::Done);
    };
    let mut popped = Vec::new();
    while popped.len() < count.unwrap_or(1)
        && let Some(member) = set.pop_random()
    {
        popped.push(member);
    }
    match count {
        None => ctx.reply.bulk_or_null(popped.first().map(Vec::as_slice)),
        Some(_) => {
            ctx.reply.set(popped.len());
            for member in &popped {
                ctx.reply.bulk(member);
            }
        }
    }
    if popped.is_empty() {
        return Ok(Outcome::Done);
    }
    ctx.change.dirty(popped.len());
    ctx.changed(EventClass::SET, "spop", key);
    // The choice was random: what was chosen is replayed.
    let emptied = ctx.keys.remove_if_empty::<Set>(key);
    if emptied {
        ctx.notify(EventClass::GENERIC, "del", key);
    }
    if emptied && count.is_some() {
        ctx.change.replay_as(&[b"DEL", key]);
    } else {
        let mut command: Vec<&[u8]> = vec![b"SREM", key];
        command.extend(popped.iter().map(Vec::as_slice));
        ctx.change.replay_as(&command);
    }
    Ok(Outcome::Done)
}

impl Context<'_> {
    /// Argument `index` as a number of random picks: negative for picks that may repeat.
    pub(in crate::commands) fn count_of_picks(&self, index: usize) -> Result<i64, WireError> {
        const RANGE: WireError = WireError::fixed(
            "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        );
        self.int(index).and_then(|count| if count == i64::MIN { Err(RANGE) } else { Ok(count) })
    }
}
