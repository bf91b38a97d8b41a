//! MODULE: there are no modules, and none can be loaded. The subcommands say so as Redis does.

use crate::catalog::{Group, Spec, flags};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "module",
            arity: -2,
            flags: flags![CONTAINER],
            group: Group::Server,
            since: "4.0.0",
            summary: "Groups the commands about modules.",
            complexity: "Depends on subcommand.",
            ..Spec::BASE
        },
        run: crate::commands::container,
    },
    Command {
        spec: Spec {
            name: "module|help",
            arity: 2,
            flags: flags![LOADING, STALE],
            group: Group::Server,
            since: "5.0.0",
            summary: "Lists what MODULE can do.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: help,
    },
    Command {
        spec: Spec {
            name: "module|list",
            arity: 2,
            flags: flags![ADMIN, NOSCRIPT],
            group: Group::Server,
            since: "4.0.0",
            summary: "Describes the modules that are loaded.",
            complexity: "O(N) where N is the number of loaded modules.",
            tips: &["nondeterministic_output_order"],
            ..Spec::BASE
        },
        run: list,
    },
    Command {
        spec: Spec {
            name: "module|load",
            arity: -3,
            flags: flags![ADMIN, NOSCRIPT, PROTECTED, NO_ASYNC_LOADING],
            group: Group::Server,
            since: "4.0.0",
            summary: "Loads a module from a file.",
            complexity: "O(1)",
            args: "path:string arg?*:string",
            ..Spec::BASE
        },
        run: load,
    },
    Command {
        spec: Spec {
            name: "module|loadex",
            arity: -3,
            flags: flags![ADMIN, NOSCRIPT, PROTECTED, NO_ASYNC_LOADING],
            group: Group::Server,
            since: "7.0.0",
            summary: "Loads a module from a file, with parameters.",
            complexity: "O(1)",
            args: "path:string configs?+=CONFIG:(name:string value:string) args?*=ARGS:string",
            ..Spec::BASE
        },
        run: load,
    },
    Command {
        spec: Spec {
            name: "module|unload",
            arity: 3,
            flags: flags![ADMIN, NOSCRIPT, PROTECTED, NO_ASYNC_LOADING],
            group: Group::Server,
            since: "4.0.0",
            summary: "Removes a module.",
            complexity: "O(1)",
            args: "name:string",
            ..Spec::BASE
        },
        run: unload,
    },
];

fn list(ctx: &mut Context<'_>) -> CommandResult {
    ctx.reply.array(0);
    Ok(Outcome::Done)
}

fn load(ctx: &mut Context<'_>) -> CommandResult {
    tracing::warn!("Module {} is not loaded: this server has no modules", String::from_utf8_lossy(ctx.args.at(2)));
    Err(WireError::fixed("ERR Error loading the extension. Please check the server logs."))
}

fn unload(_: &mut Context<'_>) -> CommandResult {
    Err(WireError::fixed("ERR Error unloading module: no such module with that name"))
}

fn help(ctx: &mut Context<'_>) -> CommandResult {
    ctx.reply.help(
        "MODULE",
        &[
            "LIST",
            "    Return a list of loaded modules.",
            "LOAD <path> [<arg> ...]",
            "    Load a module library from <path>, passing to it any optional arguments.",
            "LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]",
            "    Load a module library from <path>, while passing it module configurations and optional arguments.",
            "UNLOAD <name>",
            "    Unload a module.",
        ],
    );
    Ok(Outcome::Done)
}
