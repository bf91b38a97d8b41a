//! Errors as scripts see them: a table as Redis's own functions throw, or a text with the place it happened at.
//!
//! A Rust function cannot throw a Lua value; what it throws arrives in Lua as an opaque object. Wherever a script could get
//! hold of one (`pcall`, `xpcall`, `coroutine.resume`, the error handler) the sandbox turns it into the value meant, here.

use mlua::{Error, Lua, Result, Value};

/// The source of the sandbox's own functions, which error messages pass over.
pub(super) const SANDBOX: &str = "=sandbox";

/// A Lua value to throw.
#[derive(Debug)]
enum Thrown {
    /// A table with an `err` field.
    Reply {
        text: Vec<u8>,
        /// Whether the error has been counted already.
        counted: bool,
    },
    /// A string.
    Text(Vec<u8>),
}

impl std::fmt::Display for Thrown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Reply { text, .. } | Self::Text(text)) = self;
        f.write_str(&String::from_utf8_lossy(text))
    }
}

impl std::error::Error for Thrown {}

/// An error of a function of the `redis` table: a table with the text, to which the code `ERR` is added.
pub(super) fn reply_error(message: &str) -> Error {
    Error::external(Thrown::Reply { text: format!("ERR {message}").into_bytes(), counted: false })
}

/// The error of a command, its code first, which has been counted when it happened.
pub(super) fn command_error(text: Vec<u8>) -> Error {
    Error::external(Thrown::Reply { text, counted: true })
}

/// An error of a library function: a text, preceded by the place of the call.
pub(super) fn text_error(lua: &Lua, message: impl AsRef<[u8]>) -> Error {
    let mut text = place(lua, 1).into_bytes();
    text.extend_from_slice(message.as_ref());
    Error::external(Thrown::Text(text))
}

/// An error that is a text, without a place.
pub(super) fn thrown_text(message: &str) -> Error {
    Error::external(Thrown::Text(message.as_bytes().to_vec()))
}

/// An error about argument `index` of the library function that is running.
pub(super) fn argument_error(lua: &Lua, index: usize, message: &str) -> Error {
    let name = lua.inspect_stack(0, |function| function.names().name.map(|name| name.into_owned())).flatten();
    text_error(lua, format!("bad argument #{index} to '{}' ({message})", name.as_deref().unwrap_or("?")))
}

/// `chunk:line: ` of the function at a level of the stack, or of the one below if that is the sandbox's, where it is Lua.
fn place(lua: &Lua, level: usize) -> String {
    for level in level.. {
        let found = lua.inspect_stack(level, |function| {
            let source = function.source();
            if source.source.as_deref() == Some(SANDBOX) {
                return None;
            }
            let place = function.current_line().zip(source.short_src);
            Some(place.map(|(line, source)| format!("{source}:{line}: ")).unwrap_or_default())
        });
        match found {
            Some(None) => {}
            other => return other.flatten().unwrap_or_default(),
        }
    }
    String::new()
}

/// The Lua value that an error stands for.
pub(super) fn value_of(lua: &Lua, error: &Error) -> Result<Value> {
    match error {
        Error::CallbackError { cause, .. } | Error::WithContext { cause, .. } => value_of(lua, cause),
        Error::ExternalError(inner) => match inner.downcast_ref::<Thrown>() {
            Some(Thrown::Reply { text, counted }) => error_table(lua, text, *counted),
            Some(Thrown::Text(text)) => Ok(Value::String(lua.create_string(text)?)),
            None => Ok(Value::String(lua.create_string(inner.to_string())?)),
        },
        Error::RuntimeError(text) => Ok(Value::String(lua.create_string(text)?)),
        Error::MemoryError(_) => Ok(Value::String(lua.create_string("not enough memory")?)),
        other => Ok(Value::String(lua.create_string(other.to_string())?)),
    }
}

/// The table that stands for an error reply.
pub(super) fn error_table(lua: &Lua, text: &[u8], counted: bool) -> Result<Value> {
    let table = lua.create_table()?;
    table.raw_set("err", lua.create_string(text)?)?;
    if counted {
        table.raw_set("ignore_error_stats_update", true)?;
    }
    Ok(Value::Table(table))
}
