//! SCRIPT: the cache of scripts, and ending one that runs.

use crate::catalog::{Categories, Group, Spec, flags};
use crate::engine::{Command, CommandResult, Context, Outcome, ScriptKind};
use crate::resp::WireError;
use crate::scripting::ScriptDigest;
use crate::session::ScriptDebugging;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "script",
            arity: -2,
            flags: flags![CONTAINER],
            group: Group::Scripting,
            since: "2.6.0",
            summary: "Groups the commands about cached scripts.",
            complexity: "Depends on subcommand.",
            ..Spec::BASE
        },
        run: crate::commands::container,
    },
    Command {
        spec: Spec {
            name: "script|debug",
            arity: 3,
            flags: flags![NOSCRIPT],
            categories: Categories::SCRIPTING,
            group: Group::Scripting,
            since: "3.2.0",
            summary: "Switches the debugger for scripts of this connection.",
            complexity: "O(1)",
            args: "mode:(yes=YES | sync=SYNC | no=NO)",
            ..Spec::BASE
        },
        run: script_debug,
    },
    Command {
        spec: Spec {
            name: "script|exists",
            arity: -3,
            flags: flags![NOSCRIPT],
            categories: Categories::SCRIPTING,
            group: Group::Scripting,
            since: "2.6.0",
            summary: "Tells for each digest if its script is cached.",
            complexity: "O(N) with N being the number of scripts to check (so checking a single script is an O(1) \
                operation).",
            tips: &["request_policy:all_shards", "response_policy:agg_logical_and"],
            args: "sha1*:string",
            ..Spec::BASE
        },
        run: script_exists,
    },
    Command {
        spec: Spec {
            name: "script|flush",
            arity: -2,
            flags: flags![NOSCRIPT, EXCLUSIVE],
            categories: Categories::SCRIPTING,
            group: Group::Scripting,
            since: "2.6.0",
            summary: "Empties the script cache.",
            complexity: "O(N) with N being the number of scripts in cache",
            history: &[("6.2.0", "Added the `ASYNC` and `SYNC` flushing mode modifiers.")],
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            args: "flush-type?:(async=ASYNC | sync=SYNC)@6.2.0",
            ..Spec::BASE
        },
        run: script_flush,
    },
    Command {
        spec: Spec {
            name: "script|help",
            arity: 2,
            flags: flags![LOADING, STALE],
            categories: Categories::SCRIPTING,
            group: Group::Scripting,
            since: "5.0.0",
            summary: "Lists what SCRIPT can do.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: script_help,
    },
    Command {
        spec: Spec {
            name: "script|kill",
            arity: 2,
            flags: flags![NOSCRIPT, ALLOW_BUSY],
            categories: Categories::SCRIPTING,
            group: Group::Scripting,
            since: "2.6.0",
            summary: "Stops the script that is running.",
            complexity: "O(1)",
            tips: &["request_policy:all_shards", "response_policy:one_succeeded"],
            ..Spec::BASE
        },
        run: script_kill,
    },
    Command {
        spec: Spec {
            name: "script|load",
            arity: 3,
            flags: flags![NOSCRIPT, STALE, EXCLUSIVE],
            categories: Categories::SCRIPTING,
            group: Group::Scripting,
            since: "2.6.0",
            summary: "Caches a script and returns its digest.",
            complexity: "O(N) with N being the length in bytes of the script body.",
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            args: "script:string",
            ..Spec::BASE
        },
        run: script_load,
    },
];

/// What is said to whoever wants a script's changes undone.
pub(super) const NO_FORK: WireError = WireError::fixed(
    "ERR This server never forks, so it cannot undo what a debugged script changes: use SCRIPT DEBUG SYNC (redis-cli \
     --ldb-sync-mode), which holds the server and keeps the changes",
);

pub(super) fn script_load(ctx: &mut Context<'_>) -> CommandResult {
    let (digest, _) = ctx.engine.scripts.load(ctx.args.at(2))?;
    ctx.reply.bulk(digest.as_bytes());
    Ok(Outcome::Done)
}

pub(super) fn script_exists(ctx: &mut Context<'_>) -> CommandResult {
    ctx.reply.array(ctx.args.len() - 2);
    for digest in ctx.args.from(2) {
        let known = ScriptDigest::given(digest).is_some_and(|digest| ctx.engine.scripts.find(&digest).is_some());
        ctx.reply.int(i64::from(known));
    }
    Ok(Outcome::Done)
}

pub(super) fn script_flush(ctx: &mut Context<'_>) -> CommandResult {
    let valid = match ctx.args.len() {
        2 => true,
        3 => ctx.args.is(2, "SYNC") || ctx.args.is(2, "ASYNC"),
        _ => false,
    };
    if !valid {
        return Err(WireError::fixed("ERR SCRIPT FLUSH only support SYNC|ASYNC option"));
    }
    ctx.engine.scripts.flush()?;
    ctx.done_ok()
}

pub(super) fn script_kill(ctx: &mut Context<'_>) -> CommandResult {
    ctx.engine.running_script.kill(ScriptKind::Script)?;
    ctx.done_ok()
}

pub(super) fn script_debug(ctx: &mut Context<'_>) -> CommandResult {
    // The debugger talks to whoever waits for a reply, and nobody else's reply may come between.
    if ctx.reply.position() > 0 {
        return Err(WireError::fixed("ERR SCRIPT DEBUG must be called outside a pipeline"));
    }
    ctx.session.debugging = if ctx.args.is(2, "NO") {
        ScriptDebugging::Off
    } else if ctx.args.is(2, "SYNC") {
        ScriptDebugging::On
    } else if ctx.args.is(2, "YES") {
        ctx.session.debugging = ScriptDebugging::Refused;
        return Err(NO_FORK);
    } else {
        return Err(WireError::fixed("ERR Use SCRIPT DEBUG YES/SYNC/NO"));
    };
    ctx.done_ok()
}

pub(super) fn script_help(ctx: &mut Context<'_>) -> CommandResult {
    ctx.reply.help(
        "SCRIPT",
        &[
            "DEBUG (YES|SYNC|NO)",
            "    Set the debug mode for subsequent scripts executed.",
            "EXISTS <sha1> [<sha1> ...]",
            "    Return information about the existence of the scripts in the script cache.",
            "FLUSH [ASYNC|SYNC]",
            "    Flush the Lua scripts cache. Very dangerous on replicas.",
            "    When called without the optional mode argument, the behavior is determined by the",
            "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
            "    * ASYNC: Asynchronously flush the scripts cache.",
            "    * SYNC: Synchronously flush the scripts cache.",
            "KILL",
            "    Kill the currently executing Lua script.",
            "LOAD <script>",
            "    Load a script into the scripts cache without executing it.",
        ],
    );
    Ok(Outcome::Done)
}
