//! One Lua interpreter with the globals that scripts see, and running a function in it.
//!
//! The globals are made by `sandbox.lua`; what it cannot do in Lua is done here: the error handler that notes where an
//! error happened, turning thrown objects into values, and the hook that looks at the clock.

use std::borrow::Cow;

use mlua::chunk::ChunkMode;
use mlua::state::{GcIncParams, GcMode};
use mlua::{Function, HookTriggers, Lua, LuaOptions, LuaString, MultiValue, Result, StdLib, Table, Value, VmState};

use super::arguments::Arguments;
use super::clock::{self, KILLED};
use super::debugger::{self, Debugger};
use super::error::{SANDBOX, error_table, text_error, thrown_text, value_of};
use super::host::{SharedHost, ask, lend};
use super::{api, bits, json, msgpack, random, strings, structs};

/// Memory that one interpreter may take, in bytes.
pub const MAX_BYTES: usize = 1 << 30;

/// So much is not left to the next cycle of garbage collection when a script has ended.
const UNTIDY_BYTES: usize = MAX_BYTES / 2;

/// A cycle of garbage collection begins when memory has grown to this part of what the last one left: scripts are short and
/// leave their arguments behind, so by Lua's own 200 half of an interpreter would be garbage.
const GC_PAUSE_PERCENT: i32 = 110;

/// Instructions between two looks at the clock.
const HOOK_INSTRUCTIONS: u32 = 1000;

/// What an interpreter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// EVAL: scripts, with keys and arguments in globals.
    Scripts,
    /// FUNCTION LOAD and FCALL.
    Functions,
}

/// A Lua interpreter.
pub(super) struct Interpreter {
    lua: Lua,
    run: Function,
    see: Function,
    globals: Table,
    view: Table,
    /// Lua's own `loadstring`.
    loadstring: Function,
    proxies: Vec<Table>,
    /// The names of chunks. The parser does not keep the string alive that it makes of one; these do, since equal strings are
    /// one object.
    _names: [LuaString; CHUNK_NAMES.len()],
}

/// The names of all chunks that are compiled here.
const CHUNK_NAMES: [&str; 4] = [SANDBOX, SCRIPT, LIBRARY, debugger::TYPED];
/// The source of a script.
pub(super) const SCRIPT: &str = "@user_script";
/// The source of a library.
pub(super) const LIBRARY: &str = "@user_function";

/// How a function ended: with its first result, or with an error.
pub(super) enum Ended {
    /// Its first result.
    Returned(Value),
    /// The error: a table with `err`, and where known `source` and `line`; or whatever there was no memory to describe.
    Failed(Value),
}

impl Interpreter {
    /// A new interpreter; `deprecated` says whether scripts have what `lua-enable-deprecated-api` is about.
    pub fn new(purpose: Purpose, deprecated: bool) -> Result<Self> {
        let lua = Lua::new_with(StdLib::STRING | StdLib::TABLE | StdLib::MATH, LuaOptions::new())?;
        lua.set_memory_limit(MAX_BYTES)?;
        lua.gc_set_mode(GcMode::Incremental(GcIncParams::default().pause(GC_PAUSE_PERCENT)));
        let [sandbox, script, library, typed] = CHUNK_NAMES.map(|name| lua.create_string(name));
        let names = [sandbox?, script?, library?, typed?];
        let loadstring = lua.globals().raw_get("loadstring")?;
        let sandbox: Function =
            lua.load(include_str!("sandbox.lua")).set_name(SANDBOX).set_mode(ChunkMode::Text).into_function()?;
        sandbox.set_environment(sealed_table(&lua)?)?;
        let host = host_table(&lua, purpose)?;
        host.raw_set("deprecated", deprecated)?;
        let made: Table = sandbox.call(host)?;
        let view: Table = made.raw_get("view")?;
        lua.set_globals(view.clone())?;
        watch_clock(&lua)?;
        let proxies = made.raw_get::<Table>("proxies")?.sequence_values().collect::<Result<_>>()?;
        let (run, see, globals) = (made.raw_get("run")?, made.raw_get("see")?, made.raw_get("globals")?);
        Ok(Self { lua, run, see, globals, view, loadstring, proxies, _names: names })
    }

    /// The interpreter's state.
    pub fn lua(&self) -> &Lua {
        &self.lua
    }

    /// Compiles source text of one of the [`CHUNK_NAMES`]; an error is Lua's message.
    pub fn compile(&self, source: &[u8], name: &'static str) -> std::result::Result<Function, Vec<u8>> {
        self.lua.set_globals(self.view.clone()).map_err(|error| error.to_string().into_bytes())?;
        self.lua.load(source).set_name(name).set_mode(ChunkMode::Text).into_function().map_err(|error| match error {
            mlua::Error::SyntaxError { message, .. } => {
                self.quoting_message(source, name).unwrap_or_else(|| message.into_bytes())
            }
            other => other.to_string().into_bytes(),
        })
    }

    /// Lua's message about source text with bytes that are not UTF-8, which it may quote. Compiled code is left alone.
    fn quoting_message(&self, source: &[u8], name: &str) -> Option<Vec<u8>> {
        if source.first() == Some(&27) || std::str::from_utf8(source).is_ok() {
            return None;
        }
        let source = self.lua.create_string(source).ok()?;
        let (_, message): (Value, LuaString) = self.loadstring.call((source, name)).ok()?;
        Some(message.as_bytes().to_vec())
    }

    /// Sets a global that scripts can read.
    pub fn set_global(&self, name: &str, value: Value) -> Result<()> {
        self.globals.raw_set(name, value)
    }

    /// A table of strings.
    pub fn strings(&self, values: &[&[u8]]) -> Result<Table> {
        let table = self.lua.create_table_with_capacity(values.len(), 0)?;
        for (index, value) in values.iter().enumerate() {
            table.raw_set(index + 1, self.lua.create_string(value)?)?;
        }
        Ok(table)
    }

    /// Gives a function the globals that scripts see, should a script have taken others the last time.
    pub fn reset_environment(&self, function: &Function) -> Result<()> {
        self.lua.set_globals(self.view.clone())?;
        function.set_environment(self.view.clone()).map(drop)
    }

    /// Whether what runs next is a library that is being loaded, which sees few globals.
    pub fn see_loading(&self, loading: bool) -> Result<()> {
        self.see.call(if loading { "loading" } else { "all" })
    }

    /// Runs a function with `host` lent to it; with `arguments`, the keys and the arguments are passed to it.
    pub fn run(&self, host: &SharedHost, function: &Function, arguments: Option<(Table, Table)>) -> Ended {
        let ended = lend(host, || self.protected(function, arguments));
        // Functions that look past metatables may have put something into a proxy, where the next script would see it.
        for proxy in self.proxies.iter().filter(|proxy| !proxy.is_empty()) {
            let keys: Vec<Value> = proxy.pairs::<Value, Value>().filter_map(|pair| Some(pair.ok()?.0)).collect();
            for key in keys {
                let _ = proxy.raw_set(key, Value::Nil);
            }
        }
        ended
    }

    /// Runs a function as [`Interpreter::run`] does, under a debugger.
    pub fn debug(&self, host: &SharedHost, debugger: &Debugger, function: &Function) -> Ended {
        let triggers = HookTriggers::new().every_line().every_nth_instruction(HOOK_INSTRUCTIONS);
        let ended = debugger.attach(&self.lua, triggers, || self.run(host, function, None));
        match ended.and_then(|ended| watch_clock(&self.lua).map(|()| ended)) {
            Ok(ended) => ended,
            Err(error) => Ended::Failed(value_of(&self.lua, &error).unwrap_or(Value::Nil)),
        }
    }

    /// Runs a function without a host.
    pub fn protected(&self, function: &Function, arguments: Option<(Table, Table)>) -> Ended {
        let (keys, arguments) = arguments.unzip();
        match self.run.call::<(bool, Value)>((function, keys, arguments)) {
            Ok((true, value)) => Ended::Returned(value),
            Ok((false, error)) => Ended::Failed(error),
            Err(error) => Ended::Failed(value_of(&self.lua, &error).unwrap_or(Value::Nil)),
        }
    }

    /// Throws away what a script has left behind, if that is much. Lua collects as it makes things, and makes nothing any more once
    /// its memory is used up: nobody could run a script after one that has run out of it.
    pub fn tidy(&self) {
        if self.lua.used_memory() > UNTIDY_BYTES {
            // Collecting needs a little memory itself.
            let collected = self.lua.set_memory_limit(2 * MAX_BYTES).and_then(|_| self.lua.gc_collect());
            if let Err(error) = collected.and_then(|()| self.lua.set_memory_limit(MAX_BYTES).map(drop)) {
                tracing::warn!("The memory of scripts could not be collected: {error}");
            }
        }
    }

    /// Bytes in use.
    pub fn used_memory(&self) -> usize {
        self.lua.used_memory()
    }
}

/// What `sandbox.lua` is given.
fn host_table(lua: &Lua, purpose: Purpose) -> Result<Table> {
    let natives = lua.globals();
    let (string, table, math) = (natives.get::<Table>("string")?, natives.get::<Table>("table")?, natives.get("math")?);
    random::register(lua, &math)?;
    let libraries = lua.create_table()?;
    for (name, library) in [
        ("string", string),
        ("table", table),
        ("math", math),
        ("bit", bits::library(lua)?),
        ("cjson", json::library(lua)?),
        ("cmsgpack", msgpack::library(lua)?),
        ("struct", structs::library(lua)?),
        ("redis", api::library(lua, purpose)?),
    ] {
        libraries.raw_set(name, library)?;
    }
    let host = lua.create_table()?;
    host.raw_set("natives", natives)?;
    host.raw_set("libraries", libraries)?;
    host.raw_set("strings", strings::functions(lua)?)?;
    if purpose == Purpose::Functions {
        host.raw_set("loading", api::loading_library(lua)?)?;
    }
    host.raw_set("thrown_value", lua.create_function(thrown_value)?)?;
    host.raw_set("ending", lua.create_function(|_, ()| Ok(ending().map(|text| format!("ERR {text}"))))?)?;
    host.raw_set("describe", lua.create_function(describe)?)?;
    host.raw_set("setmetatable_but", lua.create_function(setmetatable_but)?)?;
    Ok(host)
}

/// What ends the script, if it may not go on whatever it does.
fn ending() -> Option<&'static str> {
    debugger::ending().or_else(|| ask(|host| host.is_killed()).unwrap_or(false).then_some(KILLED))
}

/// An empty table that stays empty.
fn sealed_table(lua: &Lua) -> Result<Table> {
    let metatable = lua.create_table()?;
    metatable.raw_set("__newindex", lua.create_function(|_, _: MultiValue| Ok(()))?)?;
    metatable.raw_set("__metatable", false)?;
    let table = lua.create_table()?;
    table.set_metatable(Some(metatable))?;
    Ok(table)
}

/// The value that was thrown, where Lua sees an object.
fn thrown_value(lua: &Lua, value: Value) -> Result<Value> {
    match &value {
        Value::Error(error) => value_of(lua, error),
        _ => Ok(value),
    }
}

/// Lua's `setmetatable`, which refuses the tables in `refused`. No function of Lua, for `return setmetatable(t, m)` would leave the
/// script then, and nobody could tell where an error happened.
fn setmetatable_but(lua: &Lua, (refused, message): (Table, String)) -> Result<Function> {
    lua.create_function(move |lua, values: MultiValue| {
        let args = Arguments::new(lua, values);
        let table = args.table(1)?;
        let metatable = match args.get(2) {
            Some(Value::Table(metatable)) => Some(metatable.clone()),
            other => {
                args.check(matches!(other, Some(Value::Nil)), 2, "nil or table expected")?;
                None
            }
        };
        if !refused.raw_get::<Value>(&table)?.is_nil() {
            return Err(thrown_text(&message));
        }
        if let Some(old) = table.metatable()
            && !old.raw_get::<Value>("__metatable")?.is_nil()
        {
            return Err(text_error(lua, "cannot change a protected metatable"));
        }
        table.set_metatable(metatable)?;
        Ok(table)
    })
}

/// The error handler of a run: an error becomes a table, with the place in the script where it happened.
fn describe(lua: &Lua, value: Value) -> Result<Value> {
    let value = match thrown_value(lua, value)? {
        value @ Value::Table(_) => value,
        other => {
            let mut text = b"ERR ".to_vec();
            match lua.coerce_string(other.clone())? {
                Some(string) => text.extend_from_slice(&placed_in_script(lua, &string.as_bytes())),
                None => text.extend_from_slice(other.to_string().unwrap_or_default().as_bytes()),
            }
            error_table(lua, &text, false)?
        }
    };
    if let (Value::Table(table), Some((source, line))) = (&value, place(lua)) {
        table.raw_set("source", source)?;
        table.raw_set("line", line)?;
    }
    Ok(value)
}

/// A message with the place in the script instead of one in the sandbox, which would tell nobody anything.
fn placed_in_script<'m>(lua: &Lua, message: &'m [u8]) -> Cow<'m, [u8]> {
    let placed = message.strip_prefix(&SANDBOX.as_bytes()[1..]).and_then(|rest| rest.strip_prefix(b":"));
    let digits = |rest: &[u8]| rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = placed.and_then(|rest| rest[digits(rest)..].strip_prefix(b": "));
    match (text, place(lua)) {
        (Some(text), Some((source, line))) => {
            Cow::Owned([format!("{}:{line}: ", source.trim_start_matches('@')).as_bytes(), text].concat())
        }
        _ => Cow::Borrowed(message),
    }
}

/// The innermost function of the script itself: its source and line.
fn place(lua: &Lua) -> Option<(String, i64)> {
    for level in 1.. {
        let found = lua.inspect_stack(level, |function| {
            let source = function.source();
            let text = source.source?.into_owned();
            // A function that was left by a tail call is not there any more.
            let passed_over = matches!(source.what, "C" | "tail") || text == SANDBOX;
            (!passed_over).then(|| (text, function.current_line().map_or(-1, |line| line as i64)))
        });
        match found {
            Some(Some(place)) => return Some(place),
            Some(None) => {}
            None => return None,
        }
    }
    None
}

/// Has the clock looked at from time to time.
fn watch_clock(lua: &Lua) -> Result<()> {
    lua.set_global_hook(HookTriggers::new().every_nth_instruction(HOOK_INSTRUCTIONS), |_, _| {
        clock::look().map(|()| VmState::Continue)
    })
}
