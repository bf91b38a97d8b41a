//! FUNCTION LOAD, DELETE, FLUSH: which libraries there are.

use crate::catalog::{Categories, Group, Spec, flags};
use crate::commands::subcommand::wrong_arguments;
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "function",
            arity: -2,
            flags: flags![CONTAINER],
            group: Group::Scripting,
            since: "7.0.0",
            summary: "Groups the commands about function libraries.",
            complexity: "Depends on subcommand.",
            ..Spec::BASE
        },
        run: crate::commands::container,
    },
    Command {
        spec: Spec {
            name: "function|load",
            arity: -3,
            flags: flags![WRITE, DENYOOM, NOSCRIPT, EXCLUSIVE],
            categories: Categories::SCRIPTING,
            group: Group::Scripting,
            since: "7.0.0",
            summary: "Loads a library from its source.",
            complexity: "O(1) (considering compilation time is redundant)",
            tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
            args: "replace?=REPLACE function-code:string",
            ..Spec::BASE
        },
        run: function_load,
    },
    Command {
        spec: Spec {
            name: "function|delete",
            arity: 3,
            flags: flags![WRITE, NOSCRIPT, EXCLUSIVE],
            categories: Categories::SCRIPTING,
            group: Group::Scripting,
            since: "7.0.0",
            summary: "Removes one library.",
            complexity: "O(1)",
            tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
            args: "library-name:string",
            ..Spec::BASE
        },
        run: function_delete,
    },
    Command {
        spec: Spec {
            name: "function|flush",
            arity: -2,
            flags: flags![WRITE, NOSCRIPT, EXCLUSIVE],
            categories: Categories::SCRIPTING,
            group: Group::Scripting,
            since: "7.0.0",
            summary: "Removes all libraries.",
            complexity: "O(N) where N is the number of functions deleted",
            tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
            args: "flush-type?:(async=ASYNC | sync=SYNC)",
            ..Spec::BASE
        },
        run: function_flush,
    },
];

pub(super) fn function_load(ctx: &mut Context<'_>) -> CommandResult {
    let last = ctx.args.len() - 1;
    let mut replace = false;
    for option in ctx.args.from(2).take(last - 2) {
        if !option.eq_ignore_ascii_case(b"replace") {
            return Err(WireError::quoting(&[b"ERR Unknown option given: ", option]));
        }
        replace = true;
    }
    let name = ctx.engine.libraries.load(ctx.args.at(last), replace, false)?;
    ctx.change.dirty(1);
    ctx.reply.bulk(name.as_bytes());
    Ok(Outcome::Done)
}

pub(super) fn function_delete(ctx: &mut Context<'_>) -> CommandResult {
    if !ctx.engine.libraries.delete(ctx.args.at(2))? {
        return Err(WireError::fixed("ERR Library not found"));
    }
    ctx.change.dirty(1);
    ctx.done_ok()
}

pub(super) fn function_flush(ctx: &mut Context<'_>) -> CommandResult {
    match ctx.args.len() {
        2 => {}
        3 if ctx.args.is(2, "SYNC") || ctx.args.is(2, "ASYNC") => {}
        3 => return Err(WireError::fixed("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")),
        _ => return Err(wrong_arguments(ctx)),
    }
    ctx.engine.libraries.flush()?;
    ctx.change.dirty(1);
    ctx.done_ok()
}
