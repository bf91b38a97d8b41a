//! Looking at fields: HGET, HMGET, HGETALL, HKEYS, HVALS, HLEN, HSTRLEN, HEXISTS, HRANDFIELD.

use crate::catalog::{Categories, Group, Spec, flags, keys};
use std::collections::HashSet;

use crate::data::Element;
use crate::data::hash::Hash;
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::{Protocol, WireError};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "hget",
            arity: 3,
            flags: flags![READONLY, FAST],
            categories: Categories::HASH,
            keys: keys::FIRST_READ,
            group: Group::Hash,
            since: "2.0.0",
            summary: "Reads one field.",
            complexity: "O(1)",
            args: "key:key field:string",
            ..Spec::BASE
        },
        run: hget,
    },
    Command {
        spec: Spec {
            name: "hmget",
            arity: -3,
            flags: flags![READONLY, FAST],
            categories: Categories::HASH,
            keys: keys::FIRST_READ,
            group: Group::Hash,
            since: "2.0.0",
            summary: "Reads several fields.",
            complexity: "O(N) where N is the number of fields being requested.",
            args: "key:key field*:string",
            ..Spec::BASE
        },
        run: hmget,
    },
    Command {
        spec: Spec {
            name: "hgetall",
            arity: 2,
            flags: flags![READONLY],
            categories: Categories::HASH,
            keys: keys::FIRST_READ,
            group: Group::Hash,
            since: "2.0.0",
            summary: "Reads the whole hash, fields and values.",
            complexity: "O(N) where N is the size of the hash.",
            tips: &["nondeterministic_output_order"],
            args: "key:key",
            ..Spec::BASE
        },
        run: hgetall,
    },
    Command {
        spec: Spec {
            name: "hkeys",
            arity: 2,
            flags: flags![READONLY],
            categories: Categories::HASH,
            keys: keys::FIRST_READ,
            group: Group::Hash,
            since: "2.0.0",
            summary: "Reads the names of all fields.",
            complexity: "O(N) where N is the size of the hash.",
            tips: &["nondeterministic_output_order"],
            args: "key:key",
            ..Spec::BASE
        },
        run: hkeys,
    },
    Command {
        spec: Spec {
            name: "hvals",
            arity: 2,
            flags: flags![READONLY],
            categories: Categories::HASH,
            keys: keys::FIRST_READ,
            group: Group::Hash,
            since: "2.0.0",
            summary: "Reads the values of all fields.",
            complexity: "O(N) where N is the size of the hash.",
            tips: &["nondeterministic_output_order"],
            args: "key:key",
            ..Spec::BASE
        },
        run: hvals,
    },
    Command {
        spec: Spec {
            name: "hlen",
            arity: 2,
            flags: flags![READONLY, FAST],
            categories: Categories::HASH,
            keys: keys::FIRST_RO,
            group: Group::Hash,
            since: "2.0.0",
            summary: "Counts the fields of a hash.",
            complexity: "O(1)",
            args: "key:key",
            ..Spec::BASE
        },
        run: hlen,
    },
    Command {
        spec: Spec {
            name: "hstrlen",
            arity: 3,
            flags: flags![READONLY, FAST],
            categories: Categories::HASH,
            keys: keys::FIRST_RO,
            group: Group::Hash,
            since: "3.2.0",
            summary: "Counts the bytes in a field.",
            complexity: "O(1)",
            args: "key:key field:string",
            ..Spec::BASE
        },
        run: hstrlen,
    },
    Command {
        spec: Spec {
            name: "hexists",
            arity: 3,
            flags: flags![READONLY, FAST],
            categories: Categories::HASH,
            keys: keys::FIRST_RO,
            group: Group::Hash,
            since: "2.0.0",
            summary: "Tells if a hash has a field.",
            complexity: "O(1)",
            args: "key:key field:string",
            ..Spec::BASE
        },
        run: hexists,
    },
    Command {
        spec: Spec {
            name: "hrandfield",
            arity: -2,
            flags: flags![READONLY],
            categories: Categories::HASH,
            keys: keys::FIRST_READ,
            group: Group::Hash,
            since: "6.2.0",
            summary: "Picks random fields of a hash, which stay there.",
            complexity: "O(N) where N is the number of fields returned",
            tips: &["nondeterministic_output"],
            args: "key:key options?:(count:integer withvalues?=WITHVALUES)",
            ..Spec::BASE
        },
        run: hrandfield,
    },
];

pub(super) fn hget(ctx: &mut Context<'_>) -> CommandResult {
    match ctx.keys.read::<Hash>(ctx.args.at(1))?.and_then(|hash| hash.get(ctx.args.at(2))) {
        Some(value) => ctx.reply.element(value),
        None => ctx.reply.null(),
    }
    Ok(Outcome::Done)
}

pub(super) fn hmget(ctx: &mut Context<'_>) -> CommandResult {
    let hash = ctx.keys.read::<Hash>(ctx.args.at(1))?;
    ctx.reply.array(ctx.args.len() - 2);
    for field in ctx.args.from(2) {
        match hash.and_then(|hash| hash.get(field)) {
            Some(value) => ctx.reply.element(value),
            None => ctx.reply.null(),
        }
    }
    Ok(Outcome::Done)
}

pub(super) fn hgetall(ctx: &mut Context<'_>) -> CommandResult {
    let hash = ctx.keys.read::<Hash>(ctx.args.at(1))?;
    ctx.reply.map(hash.map_or(0, Hash::len));
    for (field, value) in hash.iter().flat_map(|hash| hash.iter()) {
        ctx.reply.element(field);
        ctx.reply.element(value);
    }
    Ok(Outcome::Done)
}

pub(super) fn hkeys(ctx: &mut Context<'_>) -> CommandResult {
    list(ctx, |(field, _)| field)
}

pub(super) fn hvals(ctx: &mut Context<'_>) -> CommandResult {
    list(ctx, |(_, value)| value)
}

fn list(ctx: &mut Context<'_>, of: impl for<'e> Fn((Element<'e>, Element<'e>)) -> Element<'e>) -> CommandResult {
    let hash = ctx.keys.read::<Hash>(ctx.args.at(1))?;
    ctx.reply.array(hash.map_or(0, Hash::len));
    for pair in hash.iter().flat_map(|hash| hash.iter()) {
        ctx.reply.element(of(pair));
    }
    Ok(Outcome::Done)
}

pub(super) fn hlen(ctx: &mut Context<'_>) -> CommandResult {
    let len = ctx.keys.read::<Hash>(ctx.args.at(1))?.map_or(0, Hash::len);
    ctx.done_int(len as i64)
}

pub(super) fn hstrlen(ctx: &mut Context<'_>) -> CommandResult {
    let value = ctx.keys.read::<Hash>(ctx.args.at(1))?.and_then(|hash| hash.get(ctx.args.at(2)));
    let len = value.map_or(0, |value| value.len());
    ctx.done_int(len as i64)
}

pub(super) fn hexists(ctx: &mut Context<'_>) -> CommandResult {
    let exists = ctx.keys.read::<Hash>(ctx.args.at(1))?.is_some_and(|hash| hash.contains(ctx.args.at(2)));
    ctx.done_int(i64::from(exists))
}

pub(super) fn hrandfield(ctx: &mut Context<'_>) -> CommandResult {
    let key = ctx.args.at(1);
    if ctx.args.len() == 2 {
        let hash = ctx.keys.read::<Hash>(key)?;
        match hash.and_then(|hash| hash.at(rand::random_range(0..hash.len()))) {
            Some((field, _)) => ctx.reply.element(field),
            None => ctx.reply.null(),
        }
        return Ok(Outcome::Done);
    }
    let count = ctx.count_of_picks(2)?;
    let with_values = match ctx.args.len() {
        3 => false,
        4 if ctx.args.is(3, "WITHVALUES") => true,
        _ => return ctx.syntax(),
    };
    if with_values && !(-(i64::MAX / 2)..=i64::MAX / 2).contains(&count) {
        return Err(WireError::OUT_OF_RANGE);
    }
    let Some(hash) = ctx.keys.read::<Hash>(key)? else {
        ctx.reply.array(0);
        return Ok(Outcome::Done);
    };
    let nested = with_values && ctx.reply.protocol == Protocol::Resp3;
    let (len, wanted) = (hash.len(), count.unsigned_abs() as usize);
    // Picks that may repeat can be many: they are made one by one.
    let picks: Box<dyn Iterator<Item = usize>> = match count < 0 {
        true => Box::new((0..wanted).map(move |_| rand::random_range(0..len))),
        false => Box::new(distinct(len, wanted).into_iter()),
    };
    let pairs = if count < 0 { wanted } else { wanted.min(len) };
    ctx.reply.array(if with_values && !nested { pairs * 2 } else { pairs });
    for (field, value) in picks.filter_map(|position| hash.at(position)) {
        if ctx.reply.is_futile() {
            break;
        }
        if nested {
            ctx.reply.array(2);
        }
        ctx.reply.element(field);
        if with_values {
            ctx.reply.element(value);
        }
    }
    Ok(Outcome::Done)
}

/// Different positions picked at random from `0..len`.
fn distinct(len: usize, wanted: usize) -> Vec<usize> {
    if wanted >= len {
        return (0..len).collect();
    }
    if wanted * 3 > len {
        let mut all: Vec<usize> = (0..len).collect();
        while all.len() > wanted {
            all.swap_remove(rand::random_range(0..all.len()));
        }
        return all;
    }
    let mut picks = HashSet::with_capacity(wanted);
    while picks.len() < wanted {
        picks.insert(rand::random_range(0..len));
    }
    picks.into_iter().collect()
}
