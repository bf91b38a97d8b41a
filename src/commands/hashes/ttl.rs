//! Asking when fields expire: HTTL, HPTTL, HEXPIRETIME, HPEXPIRETIME.

use super::fields::{NOT_POSITIVE, first_field};
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::commands::expire_time::TimeUnit;
use crate::data::hash::Hash;
use crate::engine::{Command, CommandResult, Context, Outcome};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "httl",
            arity: -5,
            flags: flags![READONLY, FAST],
            categories: Categories::HASH,
            keys: keys::FIRST_READ,
            group: Group::Hash,
            since: "7.4.0",
            summary: "Tells for how many seconds fields of a hash will live.",
            complexity: "O(N) where N is the number of specified fields",
            args: "key:key fields=FIELDS:(numfields:integer field*:string)",
            ..Spec::BASE
        },
        run: httl,
    },
    Command {
        spec: Spec {
            name: "hpttl",
            arity: -5,
            flags: flags![READONLY, FAST],
            categories: Categories::HASH,
            keys: keys::FIRST_READ,
            group: Group::Hash,
            since: "7.4.0",
            summary: "Tells for how many milliseconds fields of a hash will live.",
            complexity: "O(N) where N is the number of specified fields",
            tips: &["nondeterministic_output"],
            args: "key:key fields=FIELDS:(numfields:integer field*:string)",
            ..Spec::BASE
        },
        run: hpttl,
    },
    Command {
        spec: Spec {
            name: "hexpiretime",
            arity: -5,
            flags: flags![READONLY, FAST],
            categories: Categories::HASH,
            keys: keys::FIRST_READ,
            group: Group::Hash,
            since: "7.4.0",
            summary: "Tells until which Unix time in seconds fields of a hash live.",
            complexity: "O(N) where N is the number of specified fields",
            args: "key:key fields=FIELDS:(numfields:integer field*:string)",
            ..Spec::BASE
        },
        run: hexpiretime,
    },
    Command {
        spec: Spec {
            name: "hpexpiretime",
            arity: -5,
            flags: flags![READONLY, FAST],
            categories: Categories::HASH,
            keys: keys::FIRST_READ,
            group: Group::Hash,
            since: "7.4.0",
            summary: "Tells until which Unix time in milliseconds fields of a hash live.",
            complexity: "O(N) where N is the number of specified fields",
            args: "key:key fields=FIELDS:(numfields:integer field*:string)",
            ..Spec::BASE
        },
        run: hpexpiretime,
    },
];

pub(super) fn httl(ctx: &mut Context<'_>) -> CommandResult {
    answer(ctx, TimeUnit { seconds: true, absolute: false })
}

pub(super) fn hpttl(ctx: &mut Context<'_>) -> CommandResult {
    answer(ctx, TimeUnit { seconds: false, absolute: false })
}

pub(super) fn hexpiretime(ctx: &mut Context<'_>) -> CommandResult {
    answer(ctx, TimeUnit { seconds: true, absolute: true })
}

pub(super) fn hpexpiretime(ctx: &mut Context<'_>) -> CommandResult {
    answer(ctx, TimeUnit { seconds: false, absolute: true })
}

fn answer(ctx: &mut Context<'_>, unit: TimeUnit) -> CommandResult {
    const NO_FIELD: i64 = -2;
    const NO_EXPIRY: i64 = -1;
    let hash = ctx.keys.read::<Hash>(ctx.args.at(1))?;
    let fields = ctx.args.from(first_field(ctx.args, 2, NOT_POSITIVE)?);
    let origin = if unit.absolute { 0 } else { ctx.now().0 };
    ctx.reply.array(fields.len());
    for field in fields {
        let expiry = hash.filter(|hash| hash.contains(field)).map(|hash| hash.expiry(field));
        ctx.reply.int(match expiry {
            None => NO_FIELD,
            Some(None) => NO_EXPIRY,
            Some(Some(when)) if unit.seconds => (when.0 - origin + 999) / 1000,
            Some(Some(when)) => when.0 - origin,
        });
    }
    Ok(Outcome::Done)
}
