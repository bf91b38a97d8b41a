//! ZSCAN.

use crate::base::number::{format_f64, format_score};
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::commands::scan_options::Scanned;
use crate::data::zset::ZSet;
use crate::engine::{Command, CommandResult, Context};

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
                cursor to return back to 0. N is the number of elements inside the collection.",
        tips: &["nondeterministic_output"],
        args: "key:key cursor:integer pattern?=MATCH:pattern count?=COUNT:integer",
        ..Spec::BASE
    },
    run: zscan,
}];

pub(super) fn zscan(ctx: &mut Context<'_>) -> CommandResult {
    ctx.scan_elements(Scanned::Members, |set: &ZSet, cursor, count, found| {
        // A packed set shows the text it stores.
        let write_score = if set.encoding() == "listpack" { format_score } else { format_f64 };
        set.scan(cursor, count, |member, score| {
            if found.take(member) {
                // A bulk string in both protocols.
                let mut text = Vec::new();
                write_score(score, &mut text);
                found.take_value(text);
            }
        })
    })
}
