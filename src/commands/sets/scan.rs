//! SSCAN.

use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::commands::scan_options::Scanned;
use crate::data::set::Set;
use crate::engine::{Command, CommandResult, Context};

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
                cursor to return back to 0. N is the number of elements inside the collection.",
        tips: &["nondeterministic_output"],
        args: "key:key cursor:integer pattern?=MATCH:pattern count?=COUNT:integer",
        ..Spec::BASE
    },
    run: sscan,
}];

pub(super) fn sscan(ctx: &mut Context<'_>) -> CommandResult {
    ctx.scan_elements(Scanned::Members, |set: &Set, cursor, count, found| {
        set.scan(cursor, count, |member| {
            found.take(member);
        })
    })
}
