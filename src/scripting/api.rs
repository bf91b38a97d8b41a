//! The table `redis`: how scripts call commands, report, and steer how they are replicated.

use mlua::{Lua, MultiValue, Result, Table, Value};

use super::arguments::{Arguments, number_of, truncate};
use super::error::{command_error, error_table, reply_error};
use super::host::{ReplicationTargets, ask};
use super::interpreter::Purpose;
use super::numbers::write_argument;
use super::{clock, debugger, digest, library, replies};
use crate::config::REDIS_VERSION;
use crate::resp::{OwnedArgs, Protocol};

/// Makes the table that scripts and functions see.
pub(super) fn library(lua: &Lua, purpose: Purpose) -> Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("call", lua.create_function(|lua, values| call(lua, values, true))?)?;
    table.raw_set("pcall", lua.create_function(|lua, values| call(lua, values, false))?)?;
    add_log(lua, &table)?;
    add_version(&table)?;
    table.raw_set("setresp", lua.create_function(set_protocol)?)?;
    table.raw_set("sha1hex", lua.create_function(sha1hex)?)?;
    table.raw_set("error_reply", lua.create_function(error_reply)?)?;
    table.raw_set("status_reply", lua.create_function(status_reply)?)?;
    table.raw_set("set_repl", lua.create_function(set_replication)?)?;
    for (name, targets) in [
        ("REPL_NONE", ReplicationTargets::empty()),
        ("REPL_AOF", ReplicationTargets::AOF),
        ("REPL_SLAVE", ReplicationTargets::REPLICAS),
        ("REPL_REPLICA", ReplicationTargets::REPLICAS),
        ("REPL_ALL", ReplicationTargets::all()),
    ] {
        table.raw_set(name, targets.bits())?;
    }
    table.raw_set("acl_check_cmd", lua.create_function(acl_check_cmd)?)?;
    if purpose == Purpose::Scripts {
        table.raw_set("breakpoint", lua.create_function(|_, _: MultiValue| Ok(debugger::stop_soon()))?)?;
        table.raw_set("debug", lua.create_function(debugger::show)?)?;
        // Effects are all that is ever replicated.
        table.raw_set("replicate_commands", lua.create_function(|_, _: MultiValue| Ok(true))?)?;
    }
    Ok(table)
}

/// Makes the table that a library sees while it is loaded.
pub(super) fn loading_library(lua: &Lua) -> Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("register_function", lua.create_function(library::register_function)?)?;
    add_log(lua, &table)?;
    add_version(&table)?;
    Ok(table)
}

fn add_version(table: &Table) -> Result<()> {
    let number = REDIS_VERSION.split('.').fold(0u32, |number, part| number << 8 | part.parse::<u32>().unwrap_or(0));
    table.raw_set("REDIS_VERSION_NUM", number)?;
    table.raw_set("REDIS_VERSION", REDIS_VERSION)
}

/// Levels of the log, by their number.
const LEVELS: [&str; 4] = ["LOG_DEBUG", "LOG_VERBOSE", "LOG_NOTICE", "LOG_WARNING"];

fn add_log(lua: &Lua, table: &Table) -> Result<()> {
    table.raw_set("log", lua.create_function(log)?)?;
    for (level, name) in LEVELS.iter().enumerate() {
        table.raw_set(*name, level)?;
    }
    Ok(())
}

/// `redis.call` and `redis.pcall`: the first throws an error of the command, the second returns it.
fn call(lua: &Lua, values: MultiValue, throw: bool) -> Result<Value> {
    clock::look()?;
    let args = command_arguments(lua, &values).inspect_err(debugger::note_error)?;
    drop(values);
    let mut reply = Vec::new();
    debugger::note_call(&args);
    let Some(called) = ask(|host| host.call(&args, &mut reply)) else {
        return Err(reply_error("redis.call can only be used while a script runs"));
    };
    debugger::note_reply(&called, &reply);
    let error = match called {
        Ok(()) if reply.first() != Some(&b'-') => return replies::to_lua(lua, &reply),
        Ok(()) => reply[1..].strip_suffix(b"\r\n").unwrap_or(&reply[1..]).to_vec(),
        Err(error) => error.text().as_bytes().to_vec(),
    };
    if throw { Err(command_error(error)) } else { error_table(lua, &error, true) }
}

/// The arguments of a command: strings as they are, numbers as Redis writes them.
fn command_arguments(lua: &Lua, values: &MultiValue) -> Result<OwnedArgs> {
    if values.is_empty() {
        return Err(reply_error("Please specify at least one argument for this redis lib call"));
    }
    let mut args = OwnedArgs::default();
    let mut number = Vec::new();
    let mut bytes = 0;
    for value in values {
        match value {
            Value::String(string) => {
                let string = string.as_bytes();
                bytes += string.len();
                clock::check_size(lua, bytes)?;
                args.push(&string);
            }
            other => {
                let wrong = "Lua redis lib command arguments must be strings or integers";
                number.clear();
                write_argument(number_of(other).ok_or_else(|| reply_error(wrong))?, &mut number);
                args.push(&number);
            }
        }
    }
    Ok(args)
}

fn acl_check_cmd(lua: &Lua, values: MultiValue) -> Result<bool> {
    let args = command_arguments(lua, &values)?;
    let allowed = ask(|host| host.may_run(&args)).flatten();
    allowed.ok_or_else(|| reply_error("Invalid command passed to redis.acl_check_cmd()"))
}

fn sha1hex(lua: &Lua, values: MultiValue) -> Result<String> {
    if values.len() != 1 {
        return Err(reply_error("wrong number of arguments"));
    }
    let text = lua.coerce_string(values[0].clone())?;
    let bytes = text.as_ref().map(|text| text.as_bytes());
    clock::work(bytes.as_ref().map_or(0, |bytes| bytes.len()))?;
    Ok(digest::sha1hex(bytes.as_deref().unwrap_or_default()).to_string())
}

/// The one argument of a function that wants exactly one string.
fn only_string(values: &MultiValue) -> Option<&mlua::LuaString> {
    if values.len() == 1 { values[0].as_string() } else { None }
}

/// `redis.error_reply`: a table that is an error when it is returned. A text without a code gets one.
fn error_reply(lua: &Lua, values: MultiValue) -> Result<Value> {
    let Some(text) = only_string(&values) else {
        return error_table(lua, b"ERR wrong number or type of arguments", false);
    };
    let text = text.as_bytes();
    let text = text.strip_prefix(b"-").unwrap_or(&text);
    let trimmed = text.trim_ascii_end();
    if trimmed.contains(&b' ') {
        error_table(lua, trimmed, false)
    } else {
        error_table(lua, &[b"ERR ", trimmed].concat(), false)
    }
}

/// `redis.status_reply`: a table that is a status when it is returned.
fn status_reply(lua: &Lua, values: MultiValue) -> Result<Value> {
    let Some(text) = only_string(&values) else {
        return error_table(lua, b"ERR wrong number or type of arguments", false);
    };
    let table = lua.create_table()?;
    table.raw_set("ok", text)?;
    Ok(Value::Table(table))
}

/// The one argument of a function as a whole number; what is no number is 0.
fn only_number(lua: &Lua, values: &MultiValue) -> Result<Option<i64>> {
    if values.len() != 1 {
        return Ok(None);
    }
    Ok(Some(lua.coerce_number(values[0].clone())?.map_or(0, truncate)))
}

fn set_replication(lua: &Lua, values: MultiValue) -> Result<()> {
    let Some(number) = only_number(lua, &values)? else {
        return Err(reply_error("redis.set_repl() requires one argument."));
    };
    let targets = u8::try_from(number).ok().and_then(ReplicationTargets::from_bits);
    let Some(targets) = targets else {
        let message = "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.";
        return Err(reply_error(message));
    };
    ask(|host| host.set_replication(targets));
    Ok(())
}

fn set_protocol(lua: &Lua, values: MultiValue) -> Result<()> {
    let protocol = match only_number(lua, &values)? {
        None => return Err(reply_error("redis.setresp() requires one argument.")),
        Some(2) => Protocol::Resp2,
        Some(3) => Protocol::Resp3,
        Some(_) => return Err(reply_error("RESP version must be 2 or 3.")),
    };
    ask(|host| host.set_protocol(protocol));
    Ok(())
}

/// Bytes of the log that a line of a script may take; the rest is cut off.
const MAX_LINE_BYTES: usize = 1024;

/// `redis.log`: a line in the server's log.
fn log(lua: &Lua, values: MultiValue) -> Result<()> {
    let args = Arguments::new(lua, values);
    if args.len() < 2 {
        return Err(reply_error("redis.log() requires two arguments or more."));
    }
    let Ok(level) = args.integer(1) else {
        return Err(reply_error("First argument must be a number (log level)."));
    };
    let mut line = Vec::new();
    for index in 2..=args.len() {
        let Ok(text) = args.string(index) else { continue };
        if !line.is_empty() {
            line.push(b' ');
        }
        let (text, room) = (text.as_bytes(), MAX_LINE_BYTES.saturating_sub(line.len()));
        line.extend_from_slice(&text[..text.len().min(room)]);
    }
    let line = String::from_utf8_lossy(&line);
    match level {
        0 => tracing::debug!("{line}"),
        1 | 2 => tracing::info!("{line}"),
        3 => tracing::warn!("{line}"),
        _ => return Err(reply_error("Invalid debug level.")),
    }
    Ok(())
}
