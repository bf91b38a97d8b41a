//! SSCAN.

use crate::base::glob;
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::commands::scan_options::ScanOptions;
use crate::data::set::Set;
use crate::engine::Command;
use crate::engine::{CommandResult, Context, Outcome};

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "sscan",
        arity: -3,
        flags: flags![READONLY],
        categories: Categories::SET,
        keys: keys::FIRST_READ,
        group: Group::Set,
        since: "2.8.0",
        summary: "Walks the members of a set in steps.",
        complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the \
                cursor to return back to 0. N is the number of elements inside the collection..",
        tips: &["nondeterministic_output"],
        args: "key:key cursor:integer pattern?=MATCH:pattern count?=COUNT:integer",
        ..Spec::BASE
    },
    run: sscan,
}];

pub(super) fn sscan(ctx: &mut Context<'_>) -> CommandResult {
    if ctx.scan_of_nothing::<Set>()? {
        return Ok(Outcome::Done);
    }
    let options = ScanOptions::parse(ctx, 2, false)?;
    let mut members = Vec::new();
    let next = ctx.keys.read::<Set>(ctx.args.at(1))?.map_or(0, |set| {
        set.scan(options.cursor, options.count, |member| {
            let member = member.to_vec();
            if options.pattern.is_none_or(|pattern| glob::matches(pattern, &member)) {
                members.push(member);
            }
        })
    });
    ctx.reply.array(2);
    ctx.reply.bulk(next.to_string().as_bytes());
    ctx.reply.array(members.len());
    for member in &members {
        ctx.reply.bulk(member);
    }
    Ok(Outcome::Done)
}
