//! HSCAN.

use crate::base::glob;
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::commands::scan_options::ScanOptions;
use crate::data::hash::Hash;
use crate::engine::Command;
use crate::engine::{CommandResult, Context, Outcome};

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "hscan",
        arity: -3,
        flags: flags![READONLY],
        categories: Categories::HASH,
        keys: keys::FIRST_READ,
        group: Group::Hash,
        since: "2.8.0",
        summary: "Walks fields and values of a hash in steps.",
        complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the \
                cursor to return back to 0. N is the number of elements inside the collection..",
        tips: &["nondeterministic_output"],
        args: "key:key cursor:integer pattern?=MATCH:pattern count?=COUNT:integer",
        ..Spec::BASE
    },
    run: hscan,
}];

pub(super) fn hscan(ctx: &mut Context<'_>) -> CommandResult {
    if ctx.scan_of_nothing::<Hash>()? {
        return Ok(Outcome::Done);
    }
    let options = ScanOptions::parse(ctx, 2, false)?;
    let mut pairs = Vec::new();
    let next = ctx.keys.read::<Hash>(ctx.args.at(1))?.map_or(0, |hash| {
        hash.scan(options.cursor, options.count, |field, value| {
            let field = field.to_vec();
            if options.pattern.is_none_or(|pattern| glob::matches(pattern, &field)) {
                pairs.push((field, value.to_vec()));
            }
        })
    });
    ctx.reply.array(2);
    ctx.reply.bulk(next.to_string().as_bytes());
    ctx.reply.array(pairs.len() * 2);
    for (field, value) in &pairs {
        ctx.reply.bulk(field);
        ctx.reply.bulk(value);
    }
    Ok(Outcome::Done)
}
