//! FUNCTION DUMP and RESTORE: all libraries in one value.

use super::payload;
use crate::catalog::{Categories, Group, Spec, flags};
use crate::commands::subcommand::wrong_arguments;
use crate::engine::{Command, CommandResult, Context, Outcome, written_version};
use crate::resp::WireError;
use crate::scripting::Joining;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "function|dump",
            arity: 2,
            flags: flags![NOSCRIPT],
            categories: Categories::SCRIPTING,
            group: Group::Scripting,
            since: "7.0.0",
            summary: "Serialises all libraries for FUNCTION RESTORE.",
            complexity: "O(N) where N is the number of functions",
            ..Spec::BASE
        },
        run: function_dump,
    },
    Command {
        spec: Spec {
            name: "function|restore",
            arity: -3,
            flags: flags![WRITE, DENYOOM, NOSCRIPT, EXCLUSIVE],
            categories: Categories::SCRIPTING,
            group: Group::Scripting,
            since: "7.0.0",
            summary: "Loads the libraries that FUNCTION DUMP serialised.",
            complexity: "O(N) where N is the number of functions on the payload",
            tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
            args: "serialized-value:string policy?:(flush=FLUSH | append=APPEND | replace=REPLACE)",
            ..Spec::BASE
        },
        run: function_restore,
    },
];

pub(super) fn function_dump(ctx: &mut Context<'_>) -> CommandResult {
    let libraries = ctx.engine.libraries.report();
    let sources = libraries.iter().map(|library| library.source.as_slice());
    let compression = ctx.settings.persistence.rdbcompression;
    let payload = payload::write(sources, written_version(ctx.settings), compression);
    ctx.reply.bulk(&payload);
    Ok(Outcome::Done)
}

pub(super) fn function_restore(ctx: &mut Context<'_>) -> CommandResult {
    if ctx.args.len() > 4 {
        return Err(wrong_arguments(ctx));
    }
    let joining = match ctx.args.get(3) {
        None => Joining::Append,
        Some(_) if ctx.args.is(3, "APPEND") => Joining::Append,
        Some(_) if ctx.args.is(3, "REPLACE") => Joining::Replace,
        Some(_) if ctx.args.is(3, "FLUSH") => Joining::Flush,
        Some(_) => {
            return Err(WireError::fixed(
                "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.",
            ));
        }
    };
    let sources = payload::read(ctx.args.at(2))?;
    let sources: Vec<&[u8]> = sources.iter().map(|source| &**source).collect();
    ctx.engine.libraries.join(&sources, joining, true)?;
    ctx.change.dirty(1);
    ctx.done_ok()
}
