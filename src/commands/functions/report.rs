//! FUNCTION LIST, STATS, KILL, HELP: what there is, what runs, and ending it.

use crate::base::glob;
use crate::catalog::{Categories, Group, Spec, flags};
use crate::engine::{Command, CommandResult, Context, Outcome, ScriptKind};
use crate::resp::{Reply, WireError};
use crate::scripting::{LibraryReport, ScriptFlags};

/// The commands of this file.
pub const ROWS: &[Command] = &[
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
    Command {
        spec: Spec {
            name: "function|stats",
            arity: 2,
            flags: flags![NOSCRIPT, ALLOW_BUSY],
            categories: Categories::SCRIPTING,
            group: Group::Scripting,
            since: "7.0.0",
            summary: "Describes the running function and the engines.",
            complexity: "O(1)",
            tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
            ..Spec::BASE
        },
        run: function_stats,
    },
    Command {
        spec: Spec {
            name: "function|kill",
            arity: 2,
            flags: flags![NOSCRIPT, ALLOW_BUSY],
            categories: Categories::SCRIPTING,
            group: Group::Scripting,
            since: "7.0.0",
            summary: "Stops the function that is running.",
            complexity: "O(1)",
            tips: &["request_policy:all_shards", "response_policy:one_succeeded"],
            ..Spec::BASE
        },
        run: function_kill,
    },
    Command {
        spec: Spec {
            name: "function|help",
            arity: 2,
            flags: flags![LOADING, STALE],
            categories: Categories::SCRIPTING,
            group: Group::Scripting,
            since: "7.0.0",
            summary: "Lists what FUNCTION can do.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: function_help,
    },
];

pub(super) fn function_list(ctx: &mut Context<'_>) -> CommandResult {
    let (mut pattern, mut with_code) = (None, false);
    let mut index = 2;
    while index < ctx.args.len() {
        if !with_code && ctx.args.is(index, "WITHCODE") {
            with_code = true;
        } else if pattern.is_none() && ctx.args.is(index, "LIBRARYNAME") {
            index += 1;
            let given = ctx.args.get(index).ok_or(WireError::fixed("ERR library name argument was not given"))?;
            pattern = Some(given);
        } else {
            return Err(WireError::quoting(&[b"ERR Unknown argument ", ctx.args.at(index)]));
        }
        index += 1;
    }
    let mut libraries = ctx.engine.libraries.report();
    libraries.retain(|library| pattern.is_none_or(|pattern| glob::matches_nocase(pattern, library.name.as_bytes())));
    ctx.reply.array(libraries.len());
    for library in &libraries {
        show_library(&mut ctx.reply, library, with_code);
    }
    Ok(Outcome::Done)
}

fn show_library(reply: &mut Reply<'_>, library: &LibraryReport, with_code: bool) {
    reply.map(if with_code { 4 } else { 3 });
    reply.bulk(b"library_name");
    reply.bulk(library.name.as_bytes());
    reply.bulk(b"engine");
    reply.bulk(b"LUA");
    reply.bulk(b"functions");
    reply.array(library.functions.len());
    for function in &library.functions {
        reply.map(3);
        reply.bulk(b"name");
        reply.bulk(function.name.as_bytes());
        reply.bulk(b"description");
        reply.bulk_or_null(function.description.as_deref());
        reply.bulk(b"flags");
        let declared = ScriptFlags::NAMES.iter().filter(|(flag, _)| function.flags.contains(*flag));
        reply.set(declared.clone().count());
        for (_, name) in declared {
            reply.status(name);
        }
    }
    if with_code {
        reply.bulk(b"library_code");
        reply.bulk(&library.source);
    }
}

pub(super) fn function_stats(ctx: &mut Context<'_>) -> CommandResult {
    let running = ctx.engine.running_script.report();
    if running.as_ref().is_some_and(|running| running.kind == ScriptKind::Script) {
        return Err(ctx.engine.running_script.busy_error());
    }
    let reply = &mut ctx.reply;
    reply.map(2);
    reply.bulk(b"running_script");
    match running {
        None => reply.null(),
        Some(running) => {
            reply.map(3);
            reply.bulk(b"name");
            reply.bulk(running.name.as_bytes());
            reply.bulk(b"command");
            let request = running.request.as_args();
            reply.array(request.len());
            for argument in request.from(0) {
                reply.bulk(argument);
            }
            reply.bulk(b"duration_ms");
            reply.int(running.millis as i64);
        }
    }
    let figures = ctx.engine.libraries.figures();
    reply.bulk(b"engines");
    reply.map(1);
    reply.bulk(b"LUA");
    reply.map(2);
    reply.bulk(b"libraries_count");
    reply.count(figures.libraries);
    reply.bulk(b"functions_count");
    reply.count(figures.functions);
    Ok(Outcome::Done)
}

pub(super) fn function_kill(ctx: &mut Context<'_>) -> CommandResult {
    ctx.engine.running_script.kill(ScriptKind::Function)?;
    ctx.done_ok()
}

pub(super) fn function_help(ctx: &mut Context<'_>) -> CommandResult {
    ctx.reply.help(
        "FUNCTION",
        &[
            "LOAD [REPLACE] <FUNCTION CODE>",
            "    Create a new library with the given library name and code.",
            "DELETE <LIBRARY NAME>",
            "    Delete the given library.",
            "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
            "    Return general information on all the libraries:",
            "    * Library name",
            "    * The engine used to run the Library",
            "    * Library description",
            "    * Functions list",
            "    * Library code (if WITHCODE is given)",
            "    It also possible to get only function that matches a pattern using LIBRARYNAME argument.",
            "STATS",
            "    Return information about the current function running:",
            "    * Function name",
            "    * Command used to run the function",
            "    * Duration in MS that the function is running",
            "    If no function is running, return nil",
            "    In addition, returns a list of available engines.",
            "KILL",
            "    Kill the current running function.",
            "FLUSH [ASYNC|SYNC]",
            "    Delete all the libraries.",
            "    When called without the optional mode argument, the behavior is determined by the",
            "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
            "    * ASYNC: Asynchronously flush the libraries.",
            "    * SYNC: Synchronously flush the libraries.",
            "DUMP",
            "    Return a serialized payload representing the current libraries, can be restored using FUNCTION RESTORE command",
            "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
            "    Restore the libraries represented by the given payload, it is possible to give a restore policy to",
            "    control how to handle existing libraries (default APPEND):",
            "    * FLUSH: delete all existing libraries.",
            "    * APPEND: appends the restored libraries to the existing libraries. On collision, abort.",
            "    * REPLACE: appends the restored libraries to the existing libraries, On collision, replace the old",
            "      libraries with the new libraries (notice that even on this option there is a chance of failure",
            "      in case of functions name collision with another library).",
        ],
    );
    Ok(Outcome::Done)
}
