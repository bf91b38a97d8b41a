//! DUMP.

use crate::catalog::{Categories, Spec, flags, keys};
use crate::engine::{Command, CommandResult, Context, Outcome, written_version};
use crate::persistence::rdb::payload;

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "dump",
        arity: 2,
        flags: flags![READONLY],
        categories: Categories::KEYSPACE,
        keys: keys::FIRST_READ,
        since: "2.6.0",
        summary: "Serialises the value of a key for RESTORE.",
        complexity: "O(1) to access the key and additional O(N*M) to serialize it, where N is the number of Redis \
            objects composing the value and M their average size. For small string values the time complexity is \
            thus O(1)+O(1*M) where M is small, so simply O(1).",
        tips: &["nondeterministic_output"],
        args: "key:key",
        ..Spec::BASE
    },
    run: dump,
}];

pub(super) fn dump(ctx: &mut Context<'_>) -> CommandResult {
    let compression = ctx.settings.persistence.rdbcompression;
    let payload =
        ctx.keys.get(ctx.args.at(1)).map(|value| payload::dump(value, written_version(ctx.settings), compression));
    ctx.reply.bulk_or_null(payload.as_deref());
    Ok(Outcome::Done)
}
