//! ZSCAN.

use crate::base::glob;
use crate::base::number::{format_f64, format_score};
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::commands::scan_options::ScanOptions;
use crate::data::zset::ZSet;
use crate::engine::Command;
use crate::engine::{CommandResult, Context, Outcome};

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "zscan",
        arity: -3,
        flags: flags![READONLY],
        categories: Categories::SORTEDSET,
        keys: keys::FIRST_READ,
        group: Group::SortedSet,
        since: "2.8.0",
        summary: "Walks members and scores of a sorted set in steps.",
        complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the \
                cursor to return back to 0. N is the number of elements inside the collection..",
        tips: &["nondeterministic_output"],
        args: "key:key cursor:integer pattern?=MATCH:pattern count?=COUNT:integer",
        ..Spec::BASE
    },
    run: zscan,
}];

pub(super) fn zscan(ctx: &mut Context<'_>) -> CommandResult {
    if ctx.scan_of_nothing::<ZSet>()? {
        return Ok(Outcome::Done);
    }
    let options = ScanOptions::parse(ctx, 2, false)?;
    let set = ctx.keys.read::<ZSet>(ctx.args.at(1))?;
    let mut pairs = Vec::new();
    let next = set.map_or(0, |set| {
        set.scan(options.cursor, options.count, |member, score| {
            let member = member.to_vec();
            if options.pattern.is_none_or(|pattern| glob::matches(pattern, &member)) {
                pairs.push((member, score));
            }
        })
    });
    ctx.reply.array(2);
    ctx.reply.bulk(next.to_string().as_bytes());
    ctx.reply.array(pairs.len() * 2);
    // A packed set shows the text it stores.
    let packed = ctx.keys.read::<ZSet>(ctx.args.at(1))?.is_some_and(|set| set.encoding() == "listpack");
    let write_score = if packed { format_score } else { format_f64 };
    for (member, score) in &pairs {
        ctx.reply.bulk(member);
        // A bulk string in both protocols.
        let mut text = Vec::new();
        write_score(*score, &mut text);
        ctx.reply.bulk(&text);
    }
    Ok(Outcome::Done)
}
