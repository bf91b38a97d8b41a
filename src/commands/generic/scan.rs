//! SCAN.

use crate::base::glob;
use crate::catalog::{Categories, Spec, flags};
use crate::commands::scan_options::{ScanOptions, Scanned};
use crate::engine::{Command, CommandResult, Context, Outcome};

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "scan",
        arity: -2,
        flags: flags![READONLY, TOUCHES_ARBITRARY_KEYS, WALKS],
        categories: Categories::KEYSPACE,
        since: "2.8.0",
        summary: "Walks the key names of the database in steps.",
        complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the \
                cursor to return back to 0. N is the number of elements inside the collection.",
        history: &[("6.0.0", "Added the `TYPE` subcommand.")],
        tips: &["nondeterministic_output", "request_policy:special", "response_policy:special"],
        args: "cursor:integer pattern?=MATCH:pattern count?=COUNT:integer type?=TYPE:string@6.0.0",
        ..Spec::BASE
    },
    run: scan,
}];

pub(super) fn scan(ctx: &mut Context<'_>) -> CommandResult {
    let options = ScanOptions::parse(ctx, 1, Scanned::Keys)?;
    let mut keys: Vec<u8> = Vec::new();
    let mut found = 0;
    let mut inner = crate::resp::Reply::new(&mut keys, ctx.reply.protocol);
    let next = ctx.keys.scan(options.cursor, options.count, |entry| {
        let fits = options.pattern.is_none_or(|pattern| glob::matches(pattern, entry.key()))
            && options.type_name.is_none_or(|name| entry.value().type_name().as_bytes().eq_ignore_ascii_case(name));
        if fits {
            inner.bulk(entry.key());
            found += 1;
        }
    });
    ctx.reply.array(2);
    ctx.reply.bulk(next.to_string().as_bytes());
    ctx.reply.array(found);
    ctx.reply.raw(&keys);
    Ok(Outcome::Done)
}
