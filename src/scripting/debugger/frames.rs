//! The functions that are running, as they stand on Lua's stack when the script has stopped: where they are, and their local
//! variables.
//!
//! Only functions of the script itself are looked at. Local variables can be reached by Lua's `debug.getlocal` alone, which
//! scripts must never see: it is taken from a library of that name that nobody else gets.

use mlua::{Function, Lua, Result, Table, Value};

use crate::scripting::interpreter::SCRIPT;

/// Reading of local variables.
pub(super) struct Locals {
    getlocal: Function,
}

/// A function that runs.
pub(super) struct Frame {
    /// How many calls above the innermost one it stands.
    level: usize,
    /// What its caller calls it.
    pub name: Option<String>,
    /// The line it is at.
    pub line: usize,
}

/// How deep the stack is looked at: each look counts from its top.
const MAX_FRAMES: usize = 1000;

/// The functions of the script that run, the innermost first.
pub(super) fn frames(lua: &Lua) -> impl Iterator<Item = Frame> + '_ {
    let look = |level| {
        lua.inspect_stack(level, |function| {
            let own = function.source().source.is_some_and(|source| source == SCRIPT);
            own.then(|| Frame {
                level,
                name: function.names().name.map(|name| name.into_owned()),
                line: function.current_line().unwrap_or(0),
            })
        })
    };
    (0..MAX_FRAMES).map_while(look).flatten()
}

impl Locals {
    /// Of an interpreter.
    pub fn new(lua: &Lua) -> Result<Self> {
        // SAFETY: this is a function of Lua itself with the signature of one; what it makes stays here, and of that only
        // `getlocal`, which reads and does not write.
        let open = unsafe { lua.create_c_function(mlua::ffi::luaopen_debug) }?;
        // It leaves a global behind, which nobody is to see.
        let globals = lua.globals();
        lua.set_globals(lua.create_table()?)?;
        let opened = open.call::<Table>(());
        lua.set_globals(globals)?;
        Ok(Self { getlocal: opened?.raw_get("getlocal")? })
    }

    /// The variables of a function, in the order they were declared in; those without a name are left out. Must be called
    /// from where `frame` was found.
    pub fn of<'l>(&'l self, frame: &'l Frame) -> impl Iterator<Item = (String, Value)> + 'l {
        // `getlocal` itself is the innermost function then.
        let get = |index: usize| self.getlocal.call::<(Option<String>, Value)>((frame.level + 1, index)).ok();
        let all = (1..).map_while(move |index| get(index).and_then(|(name, value)| Some((name?, value))));
        all.filter(|(name, _)| !name.contains("(*temporary)"))
    }
}
