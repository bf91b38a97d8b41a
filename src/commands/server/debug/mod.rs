//! DEBUG: what tests and investigations need. Runs alone: the row is exclusive.
//!
//! One command in Redis too: subcommands are words of its own, not rows, so that they come and go without notice.

mod digest;
mod help;
mod object;
mod populate;
mod protocol;
mod reload;
mod tables;

use crate::catalog::{Group, Spec, flags};
use crate::commands::subcommand::wrong_arguments;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use crate::base::allocator_control;
use crate::base::crash_report;
use crate::base::number::{parse_f64, parse_i64};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "debug",
        arity: -2,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, PROTECTED, SYSCMD, EXCLUSIVE],
        group: Group::Server,
        since: "1.0.0",
        summary: "Groups tools for testing the server itself.",
        complexity: "Depends on subcommand.",
        ..Spec::BASE
    },
    run: debug,
}];

type Run = fn(&mut Context<'_>) -> CommandResult;

/// Each subcommand with the least and the most arguments, DEBUG and the subcommand included.
const SUBCOMMANDS: &[(&str, usize, usize, Run)] = &[
    ("aof-flush-sleep", 3, 3, aof_flush_sleep),
    ("assert", 2, 2, crash),
    ("change-repl-id", 2, 2, change_history),
    ("client-eviction", 2, 2, client_eviction),
    ("config-rewrite-force-all", 2, 2, rewrite_all),
    ("digest", 2, 2, digest::dataset),
    ("digest-value", 2, usize::MAX, digest::values),
    ("drop-cluster-packet-filter", 3, 3, accepted),
    ("error", 3, 3, error),
    ("help", 2, 2, help::help),
    ("htstats", 3, usize::MAX, tables::of_database),
    ("htstats-key", 3, usize::MAX, tables::of_key),
    ("leak", 3, 3, leak),
    ("listpack", 3, 3, object::listpack),
    ("loadaof", 2, 2, reload::load_append_only),
    ("log", 3, 3, log),
    ("mallctl", 3, 3, allocator_figure),
    ("mallctl-str", 3, 4, allocator_action),
    ("object", 3, 3, object::object),
    ("oom", 2, 2, crash),
    ("panic", 2, 2, crash),
    ("pause-cron", 3, 3, pause_cron),
    ("populate", 3, 5, populate::populate),
    ("protocol", 3, 3, protocol::protocol),
    ("quicklist", 3, 4, object::quicklist),
    ("quicklist-packed-threshold", 3, 3, packed_threshold),
    ("reload", 2, usize::MAX, reload::reload),
    ("replicate", 3, usize::MAX, replicate),
    ("replybuffer", 4, 4, reply_buffer),
    ("sdslen", 3, 3, object::string_length),
    ("segfault", 2, 2, segfault),
    ("set-active-expire", 3, 3, set_active_expire),
    ("set-disable-deny-scripts", 3, 3, set_disable_deny_scripts),
    ("set-skip-checksum-validation", 3, 3, skip_checksums),
    ("sleep", 3, 3, sleep),
    ("stringmatch-test", 2, 2, tables::match_test),
    ("structsize", 2, 2, object::struct_sizes),
];

pub(super) fn debug(ctx: &mut Context<'_>) -> CommandResult {
    let (name, count) = (ctx.args.at(1), ctx.args.len());
    let fits = |(known, least, most, _): &&(&str, usize, usize, Run)| {
        known.as_bytes().eq_ignore_ascii_case(name) && (*least..=*most).contains(&count)
    };
    match SUBCOMMANDS.iter().find(fits) {
        Some((.., run)) => run(ctx),
        None => Err(wrong_arguments(ctx)),
    }
}

/// Concerns something that this server does not have or need; tests set it and go on.
fn accepted(ctx: &mut Context<'_>) -> CommandResult {
    ctx.done_ok()
}

/// Whether argument `index` is a number other than zero, as `atoi` reads it.
fn switch(ctx: &Context<'_>, index: usize) -> bool {
    parse_i64(ctx.args.at(index)).is_some_and(|value| value != 0)
}

fn sleep(ctx: &mut Context<'_>) -> CommandResult {
    let seconds = parse_f64(ctx.args.at(2)).unwrap_or(0.0);
    if let Ok(time) = Duration::try_from_secs_f64(seconds) {
        std::thread::sleep(time);
    }
    ctx.done_ok()
}

fn set_active_expire(ctx: &mut Context<'_>) -> CommandResult {
    ctx.engine.keyspace.active_expiry.store(switch(ctx, 2), Relaxed);
    ctx.done_ok()
}

fn skip_checksums(ctx: &mut Context<'_>) -> CommandResult {
    ctx.engine.skip_checksums.store(switch(ctx, 2), Relaxed);
    ctx.done_ok()
}

fn set_disable_deny_scripts(ctx: &mut Context<'_>) -> CommandResult {
    ctx.engine.running_script.allow_all_commands(switch(ctx, 2));
    ctx.done_ok()
}

fn change_history(ctx: &mut Context<'_>) -> CommandResult {
    tracing::info!("Changing replication IDs after receiving DEBUG change-repl-id");
    ctx.engine.replication.begin_history();
    ctx.done_ok()
}

fn pause_cron(ctx: &mut Context<'_>) -> CommandResult {
    ctx.engine.cron_paused.store(switch(ctx, 2), Relaxed);
    ctx.done_ok()
}

/// How large an element of a list must be to stand in a node of its own.
fn packed_threshold(ctx: &mut Context<'_>) -> CommandResult {
    const OUT_OF_RANGE: WireError =
        WireError::fixed("ERR argument must be a memory value bigger than 1 and smaller than 4gb");
    match memory_value(ctx.args.at(2)) {
        Some(bytes) if crate::data::list::set_packed_threshold(bytes) => ctx.done_ok(),
        _ => Err(OUT_OF_RANGE),
    }
}

/// A number of bytes with an optional unit: `100`, `1kb`, `2g`.
fn memory_value(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let unit = match text[digits..].to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    std::str::from_utf8(&text[..digits]).ok()?.parse::<u64>().ok()?.checked_mul(unit)
}

fn reply_buffer(ctx: &mut Context<'_>) -> CommandResult {
    let known = if ctx.args.is(2, "peak-reset-time") {
        if !ctx.args.is(3, "never") && !ctx.args.is(3, "reset") {
            ctx.int(3)?;
        }
        true
    } else {
        ctx.args.is(2, "resizing")
    };
    if known { ctx.done_ok() } else { Err(wrong_arguments(ctx)) }
}

/// An error reply with any text.
fn error(ctx: &mut Context<'_>) -> CommandResult {
    Err(WireError::quoting(&[ctx.args.at(2)]))
}

fn log(ctx: &mut Context<'_>) -> CommandResult {
    tracing::warn!("DEBUG LOG: {}", String::from_utf8_lossy(ctx.args.at(2)));
    ctx.done_ok()
}

fn leak(ctx: &mut Context<'_>) -> CommandResult {
    Box::leak(Box::<[u8]>::from(ctx.args.at(2)));
    ctx.done_ok()
}

/// Ends the process as a fault would: no saving, no farewell.
fn crash(ctx: &mut Context<'_>) -> CommandResult {
    let name = String::from_utf8_lossy(ctx.args.at(1)).to_ascii_uppercase();
    crash_report::log(&format!("aborts: DEBUG {name} was called"));
    std::process::abort()
}

/// Ends the process as an access to memory that is not its own would.
fn segfault(_: &mut Context<'_>) -> CommandResult {
    crash_report::end_by(libc::SIGSEGV)
}

fn replicate(ctx: &mut Context<'_>) -> CommandResult {
    ctx.engine.feed.append(ctx.keys.db(), std::iter::once(ctx.args.from(2)));
    ctx.done_ok()
}

fn rewrite_all(ctx: &mut Context<'_>) -> CommandResult {
    match ctx.engine.rewrite_config(true) {
        Ok(()) => ctx.done_ok(),
        Err(error) => Err(WireError::new(format!(
            "ERR CONFIG-REWRITE-FORCE-ALL failed: {}",
            error.to_string().trim_start_matches("ERR ")
        ))),
    }
}

/// Microseconds that each write to the append only file takes longer.
fn aof_flush_sleep(ctx: &mut Context<'_>) -> CommandResult {
    let sleep_us = parse_i64(ctx.args.at(2)).and_then(|value| u64::try_from(value).ok()).unwrap_or(0);
    ctx.engine.append_only.log.sleep_us.store(sleep_us, Relaxed);
    ctx.done_ok()
}

/// A figure of the allocator.
fn allocator_figure(ctx: &mut Context<'_>) -> CommandResult {
    let name = String::from_utf8_lossy(ctx.args.at(2));
    match allocator_control::read(&name) {
        Ok(value) => ctx.done_int(value),
        Err(error) => Err(WireError::new(format!("ERR {error}"))),
    }
}

/// An action of the allocator.
fn allocator_action(ctx: &mut Context<'_>) -> CommandResult {
    let name = String::from_utf8_lossy(ctx.args.at(2));
    if ctx.args.len() == 3 {
        return Err(WireError::fixed("ERR Only actions are supported, with VOID as their argument"));
    }
    if !ctx.args.is(3, "void") {
        return Err(WireError::fixed("ERR The allocator cannot be tuned while it runs"));
    }
    match allocator_control::act(&name) {
        Ok(()) => ctx.done_ok(),
        Err(error) => Err(WireError::new(format!("ERR {error}"))),
    }
}

fn client_eviction(ctx: &mut Context<'_>) -> CommandResult {
    let limits = &ctx.settings.limits;
    let Some(limit) = limits.maxmemory_clients.limit(ctx.settings.memory.maxmemory) else {
        return Err(WireError::fixed("ERR maxmemory-clients is disabled."));
    };
    let used = super::memory_overhead::Overhead::take(ctx.engine).clients_normal;
    let text = format!("limit: {limit}, tot-mem: {used}, clients: {}\n", ctx.engine.clients.len());
    ctx.reply.verbatim("txt", text.as_bytes());
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subcommands_are_sorted_and_known_once() {
        assert!(SUBCOMMANDS.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn memory_values_have_units() {
        for (text, expected) in [
            ("0", Some(0)),
            ("100b", Some(100)),
            ("2KB", Some(2048)),
            ("1g", Some(1_000_000_000)),
            ("", None),
            ("kb", None),
            ("1x", None),
            ("99999999999gb", None),
        ] {
            assert_eq!(memory_value(text.as_bytes()), expected, "{text}");
        }
    }
}
