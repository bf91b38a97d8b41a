//! FUNCTION, as far as a server without loaded functions goes: there is none to list, and flushing removes none.

use crate::catalog::{Categories, Group, Spec, flags};
use crate::engine::Command;
use crate::engine::{CommandResult, Context, Outcome};
use crate::resp::WireError;

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] = &[ROWS];

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
            name: "function|flush",
            arity: -2,
            flags: flags![WRITE, NOSCRIPT],
            categories: Categories::SCRIPTING,
            group: Group::Scripting,
            since: "7.0.0",
            summary: "Removes all libraries.",
            complexity: "O(N) where N is the number of functions deleted",
            tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
            args: "async?:(async=ASYNC | sync=SYNC)",
            ..Spec::BASE
        },
        run: function_flush,
    },
    Command {
        spec: Spec {
            name: "function|list",
            arity: -2,
            flags: flags![NOSCRIPT],
            categories: Categories::SCRIPTING,
            group: Group::Scripting,
            since: "7.0.0",
            summary: "Describes the loaded libraries.",
            complexity: "O(N) where N is the number of functions",
            tips: &["nondeterministic_output_order"],
            args: "library-name-pattern?=LIBRARYNAME:string withcode?=WITHCODE",
            ..Spec::BASE
        },
        run: function_list,
    },
];

pub(super) fn function_flush(ctx: &mut Context<'_>) -> CommandResult {
    let valid = match ctx.args.len() {
        2 => true,
        3 => ctx.args.is(2, "SYNC") || ctx.args.is(2, "ASYNC"),
        _ => false,
    };
    if !valid {
        return Err(WireError::fixed("ERR FUNCTION FLUSH only supports SYNC|ASYNC option"));
    }
    ctx.done_ok()
}

pub(super) fn function_list(ctx: &mut Context<'_>) -> CommandResult {
    let mut index = 2;
    while index < ctx.args.len() {
        if ctx.args.is(index, "LIBRARYNAME") {
            if index + 1 == ctx.args.len() {
                return Err(WireError::fixed("ERR library name argument was not given"));
            }
            index += 1;
        } else if !ctx.args.is(index, "WITHCODE") {
            let word = String::from_utf8_lossy(ctx.args.at(index)).into_owned();
            return Err(WireError::new(format!("ERR Unknown argument {word}")));
        }
        index += 1;
    }
    ctx.reply.array(0);
    Ok(Outcome::Done)
}
