//! EVAL and its kin: running a script given as text, or a cached one by its digest.

use super::debugging;
use crate::catalog::{Categories, Group, KeyFlags, KeySpec, Spec, flags};
use crate::engine::{Command, CommandResult, Context, ScriptKind, ScriptRules};
use crate::resp::WireError;
use crate::scripting::{Debugger, ScriptDigest, ScriptFlags};
use crate::session::ScriptDebugging;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "eval",
            arity: -3,
            flags: flags![NOSCRIPT, STALE, SKIP_MONITOR, MAY_REPLICATE, NO_MANDATORY_KEYS, EXCLUSIVE, RUNS_TEXT],
            categories: Categories::SCRIPTING,
            keys: &[KeySpec::index(2, KeyFlags::EXCHANGE)
                .counted(0, 1, 1)
                .notes("We cannot tell how the keys will be used so we assume the worst, RW and UPDATE")],
            group: Group::Scripting,
            since: "2.6.0",
            summary: "Runs a Lua script given as text.",
            complexity: "Depends on the script that is executed.",
            args: "script:string numkeys:integer key?*:key arg?*:string",
            ..Spec::BASE
        },
        run: eval,
    },
    Command {
        spec: Spec {
            name: "eval_ro",
            arity: -3,
            flags: flags![READONLY, NOSCRIPT, STALE, SKIP_MONITOR, NO_MANDATORY_KEYS, EXCLUSIVE, RUNS_TEXT],
            categories: Categories::SCRIPTING,
            keys: &[KeySpec::index(2, KeyFlags::READ)
                .counted(0, 1, 1)
                .notes("We cannot tell how the keys will be used so we assume the worst, RO and ACCESS")],
            group: Group::Scripting,
            since: "7.0.0",
            summary: "Runs a Lua script given as text that must not write.",
            complexity: "Depends on the script that is executed.",
            args: "script:string numkeys:integer key?*:key arg?*:string",
            ..Spec::BASE
        },
        run: eval_ro,
    },
    Command {
        spec: Spec {
            name: "evalsha",
            arity: -3,
            flags: flags![NOSCRIPT, STALE, SKIP_MONITOR, MAY_REPLICATE, NO_MANDATORY_KEYS, EXCLUSIVE, RUNS_DIGEST],
            categories: Categories::SCRIPTING,
            keys: &[KeySpec::index(2, KeyFlags::EXCHANGE).counted(0, 1, 1)],
            group: Group::Scripting,
            since: "2.6.0",
            summary: "Runs a cached Lua script by its digest.",
            complexity: "Depends on the script that is executed.",
            args: "sha1:string numkeys:integer key?*:key arg?*:string",
            ..Spec::BASE
        },
        run: evalsha,
    },
    Command {
        spec: Spec {
            name: "evalsha_ro",
            arity: -3,
            flags: flags![READONLY, NOSCRIPT, STALE, SKIP_MONITOR, NO_MANDATORY_KEYS, EXCLUSIVE, RUNS_DIGEST],
            categories: Categories::SCRIPTING,
            keys: &[KeySpec::index(2, KeyFlags::READ).counted(0, 1, 1)],
            group: Group::Scripting,
            since: "7.0.0",
            summary: "Runs a cached Lua script by its digest; it must not write.",
            complexity: "Depends on the script that is executed.",
            args: "sha1:string numkeys:integer key?*:key arg?*:string",
            ..Spec::BASE
        },
        run: evalsha_ro,
    },
];

const NO_SCRIPT: WireError = WireError::fixed("NOSCRIPT No matching script. Please use EVAL.");

pub(super) fn eval(ctx: &mut Context<'_>) -> CommandResult {
    run_text(ctx, false)
}

pub(super) fn eval_ro(ctx: &mut Context<'_>) -> CommandResult {
    run_text(ctx, true)
}

pub(super) fn evalsha(ctx: &mut Context<'_>) -> CommandResult {
    run_digest(ctx, false)
}

pub(super) fn evalsha_ro(ctx: &mut Context<'_>) -> CommandResult {
    run_digest(ctx, true)
}

fn run_text(ctx: &mut Context<'_>, read_only: bool) -> CommandResult {
    show_to_monitors(ctx);
    match ctx.session.debugging {
        ScriptDebugging::Off => load_and_run(ctx, read_only, None),
        mode => debugging::run(ctx, mode, |ctx, debugger| load_and_run(ctx, read_only, Some(debugger))),
    }
}

fn load_and_run(ctx: &mut Context<'_>, read_only: bool, debugger: Option<&Debugger>) -> CommandResult {
    let keys = key_count(ctx, WireError::NOT_INTEGER)?;
    let (digest, flags) = ctx.engine.scripts.load(ctx.args.at(1))?;
    run(ctx, digest, flags, read_only, keys, debugger)
}

fn run_digest(ctx: &mut Context<'_>, read_only: bool) -> CommandResult {
    show_to_monitors(ctx);
    let digest = ScriptDigest::given(ctx.args.at(1)).ok_or(NO_SCRIPT)?;
    if ctx.session.debugging != ScriptDebugging::Off {
        return Err(WireError::fixed("ERR Please use EVAL instead of EVALSHA for debugging"));
    }
    let keys = key_count(ctx, WireError::NOT_INTEGER)?;
    let flags = ctx.engine.scripts.find(&digest).ok_or(NO_SCRIPT)?;
    run(ctx, digest, flags, read_only, keys, None)
}

fn run(
    ctx: &mut Context<'_>,
    digest: ScriptDigest,
    flags: ScriptFlags,
    read_only: bool,
    keys: usize,
    debugger: Option<&Debugger>,
) -> CommandResult {
    let rules = rules(ctx, ScriptKind::Script, flags, read_only)?;
    let keys_and_arguments: Vec<&[u8]> = ctx.args.from(3).collect();
    let (keys, arguments) = keys_and_arguments.split_at(keys);
    let scripts = &ctx.engine.scripts;
    ctx.run_script(&digest.to_string(), rules, |host, reply| match debugger {
        None => scripts.run(&digest, keys, arguments, host, reply),
        Some(debugger) => scripts.debug(debugger, &digest, [keys, arguments], host, reply),
    })
}

/// Shown here and not by the engine, so that it comes before the commands of the script.
pub(in crate::commands) fn show_to_monitors(ctx: &Context<'_>) {
    if ctx.engine.monitors.any() {
        ctx.engine.monitors.show(
            &ctx.command.spec,
            ctx.session,
            ctx.args,
            &ctx.settings.limits.client_output_buffer_limit,
        );
    }
}

/// How many of the arguments from the third on are keys.
pub(in crate::commands) fn key_count(ctx: &Context<'_>, not_a_number: WireError) -> Result<usize, WireError> {
    let count = ctx.int(2).map_err(|_| not_a_number)?;
    if count > (ctx.args.len() - 3) as i64 {
        return Err(WireError::fixed("ERR Number of keys can't be greater than number of args"));
    }
    usize::try_from(count).map_err(|_| WireError::fixed("ERR Number of keys can't be negative"))
}

/// What a script may do, by what it declares and by how it was called.
pub(in crate::commands) fn rules(
    ctx: &Context<'_>,
    kind: ScriptKind,
    flags: ScriptFlags,
    read_only: bool,
) -> Result<ScriptRules, WireError> {
    let declares = !flags.contains(ScriptFlags::UNDECLARED);
    let writes = declares && !flags.contains(ScriptFlags::NO_WRITES);
    if declares && flags.contains(ScriptFlags::NO_CLUSTER) && ctx.settings.cluster.cluster_enabled {
        return Err(WireError::fixed("ERR Can not run script on cluster, 'no-cluster' flag is set."));
    }
    if writes && read_only {
        return Err(WireError::fixed("ERR Can not execute a script with write flag using *_ro command."));
    }
    if writes && !flags.contains(ScriptFlags::ALLOW_OOM) && ctx.session.over_memory {
        return Err(WireError::fixed(
            "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'",
        ));
    }
    Ok(ScriptRules {
        kind,
        read_only: read_only || declares && flags.contains(ScriptFlags::NO_WRITES),
        allow_oom: declares && flags.contains(ScriptFlags::ALLOW_OOM),
    })
}
