//! Looking at the clock while a script runs: from the interpreter's hook, and in the middle of work that is done for it here.
//!
//! The hook counts Lua's own instructions. One call of a library function is one of them, however long it takes; so every
//! function whose work grows with what it is given says how much it does, and the clock is looked at in between.

use std::cell::Cell;

use mlua::{Error, Lua, Result};

use super::error::{reply_error, text_error};
use super::host::{Verdict, ask};

/// The error that ends a script somebody has killed.
pub(super) const KILLED: &str = "Script killed by user with SCRIPT KILL...";

/// Work between two looks at the clock: about a byte copied, or a character looked at, each.
const WORK: usize = 1 << 20;
/// Work of handling one Lua value.
pub(super) const PER_VALUE: usize = 50;

thread_local! {
    /// Work since the last look. A script stays on its thread.
    static DONE: Cell<usize> = const { Cell::new(0) };
}

/// Says how much work is done for the script; an error ends it.
pub(super) fn work(amount: usize) -> Result<()> {
    let done = DONE.get().saturating_add(amount);
    if done < WORK {
        DONE.set(done);
        return Ok(());
    }
    DONE.set(0);
    look()
}

/// Gives the host a chance to end the script.
pub(super) fn look() -> Result<()> {
    if super::library::loading_is_late() {
        return Err(reply_error("FUNCTION LOAD timeout"));
    }
    match ask(|host| host.interrupt()) {
        Some(Verdict::Kill) => Err(reply_error(KILLED)),
        Some(Verdict::Continue) | None => Ok(()),
    }
}

/// Refuses to build something of so many bytes for a script: it would not fit into the interpreter.
pub(super) fn check_size(lua: &Lua, bytes: usize) -> Result<()> {
    if bytes > super::MAX_INTERPRETER_BYTES { Err(too_large(lua)) } else { Ok(()) }
}

/// Lua's own word for it.
fn too_large(lua: &Lua) -> Error {
    text_error(lua, "not enough memory")
}
