//! HSCAN.

use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::commands::scan_options::Scanned;
use crate::data::hash::Hash;
use crate::engine::{Command, CommandResult, Context};

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
                cursor to return back to 0. N is the number of elements inside the collection.",
        tips: &["nondeterministic_output"],
        args: "key:key cursor:integer pattern?=MATCH:pattern count?=COUNT:integer",
        ..Spec::BASE
    },
    run: hscan,
}];

pub(super) fn hscan(ctx: &mut Context<'_>) -> CommandResult {
    ctx.scan_elements(Scanned::Fields, |hash: &Hash, cursor, count, found| {
        hash.scan(cursor, count, |field, value| {
            if found.take(field) {
                found.take_value(value.to_vec());
            }
        })
    })
}
