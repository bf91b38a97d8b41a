//! FCALL and FCALL_RO: calling a function of a loaded library.

use super::super::scripting::{key_count, rules, show_to_monitors};
use crate::catalog::{Categories, Group, KeyFlags, KeySpec, Spec, flags};
use crate::engine::{Command, CommandResult, Context, ScriptKind};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "fcall",
            arity: -3,
            flags: flags![NOSCRIPT, STALE, SKIP_MONITOR, MAY_REPLICATE, NO_MANDATORY_KEYS, EXCLUSIVE, RUNS_FUNCTION],
            categories: Categories::SCRIPTING,
            keys: &[KeySpec::index(2, KeyFlags::EXCHANGE)
                .counted(0, 1, 1)
                .notes("We cannot tell how the keys will be used so we assume the worst, RW and UPDATE")],
            group: Group::Scripting,
            since: "7.0.0",
            summary: "Calls a function of a loaded library.",
            complexity: "Depends on the function that is executed.",
            args: "function:string numkeys:integer key?*:key arg?*:string",
            ..Spec::BASE
        },
        run: fcall,
    },
    Command {
        spec: Spec {
            name: "fcall_ro",
            arity: -3,
            flags: flags![READONLY, NOSCRIPT, STALE, SKIP_MONITOR, NO_MANDATORY_KEYS, EXCLUSIVE, RUNS_FUNCTION],
            categories: Categories::SCRIPTING,
            keys: &[KeySpec::index(2, KeyFlags::READ)
                .counted(0, 1, 1)
                .notes("We cannot tell how the keys will be used so we assume the worst, RO and ACCESS")],
            group: Group::Scripting,
            since: "7.0.0",
            summary: "Calls a function that must not write.",
            complexity: "Depends on the function that is executed.",
            args: "function:string numkeys:integer key?*:key arg?*:string",
            ..Spec::BASE
        },
        run: fcall_ro,
    },
];

pub(super) fn fcall(ctx: &mut Context<'_>) -> CommandResult {
    run(ctx, false)
}

pub(super) fn fcall_ro(ctx: &mut Context<'_>) -> CommandResult {
    run(ctx, true)
}

fn run(ctx: &mut Context<'_>, read_only: bool) -> CommandResult {
    show_to_monitors(ctx);
    let function = ctx.args.at(1);
    let libraries = &ctx.engine.libraries;
    let flags = libraries.find(function).ok_or(WireError::fixed("ERR Function not found"))?;
    let keys = key_count(ctx, WireError::fixed("ERR Bad number of keys provided"))?;
    let rules = rules(ctx, ScriptKind::Function, flags, read_only)?;
    let keys_and_arguments: Vec<&[u8]> = ctx.args.from(3).collect();
    let (keys, arguments) = keys_and_arguments.split_at(keys);
    let name = String::from_utf8_lossy(function).into_owned();
    ctx.run_script(&name, rules, |host, reply| libraries.run(function, keys, arguments, host, reply))
}
