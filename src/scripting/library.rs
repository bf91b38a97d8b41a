//! Loading one library: its first line, running its code once, and the functions it registers meanwhile.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use mlua::{Function, Lua, MultiValue, Result, Table, Value};
use scoped_tls::scoped_thread_local;

use super::error::reply_error;
use super::flags::{FirstLineError, ScriptFlags, first_line};
use super::interpreter::{Ended, Interpreter, LIBRARY};
use crate::resp::WireError;

/// Longest time that loading a library may take.
const LOAD_TIMEOUT: Duration = Duration::from_millis(500);

/// Whether loading may take as long as it likes; it may when the library comes from a file of ours or from our primary.
pub(super) type Unhurried = bool;

const BAD_NAME: &str = "Library names can only contain letters, numbers, or underscores(_) and must be at least one \
                        character long";

/// A function as a library registered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredFunction {
    /// Its name.
    pub name: String,
    /// What it says it does.
    pub description: Option<Vec<u8>>,
    /// What it declares about itself.
    pub flags: ScriptFlags,
}

/// What a library's code registered, with the Lua functions.
pub(super) type Registered = Vec<(RegisteredFunction, Function)>;

/// A library that is being loaded.
struct Loading {
    deadline: Option<Instant>,
    functions: RefCell<Registered>,
}

scoped_thread_local!(static LOADING: Loading);

/// Whether a library is being loaded, and has taken too long.
pub(super) fn loading_is_late() -> bool {
    LOADING.is_set() && LOADING.with(|loading| loading.deadline.is_some_and(|deadline| Instant::now() > deadline))
}

/// The name in a library's first line, and where its code begins.
pub(super) fn metadata(source: &[u8]) -> std::result::Result<(String, usize), WireError> {
    let error =
        |what: &str, word: &[u8], end: &str| Err(WireError::quoting(&[b"ERR ", what.as_bytes(), word, end.as_bytes()]));
    let (words, code) = match first_line(source) {
        Ok(Some(line)) => line,
        Ok(None) => return error("Missing library metadata", b"", ""),
        Err(FirstLineError::Endless | FirstLineError::Unreadable) => return error("Invalid library metadata", b"", ""),
    };
    let mut name: Option<&[u8]> = None;
    for word in &words[1..] {
        match word.split_at_checked(5) {
            Some((prefix, _)) if prefix.eq_ignore_ascii_case(b"name=") && name.is_some() => {
                return error("Invalid metadata value, name argument was given multiple times", b"", "");
            }
            Some((prefix, value)) if prefix.eq_ignore_ascii_case(b"name=") => name = Some(value),
            _ => return error("Invalid metadata value given: ", word, ""),
        }
    }
    let Some(name) = name else { return error("Library name was not given", b"", "") };
    let Some(name) = valid_name(name) else { return error(BAD_NAME, b"", "") };
    let engine = &words[0][2..];
    if !engine.eq_ignore_ascii_case(b"lua") {
        return error("Engine '", engine, "' not found");
    }
    Ok((name, code))
}

/// A name of letters, digits and underscores.
fn valid_name(name: &[u8]) -> Option<String> {
    let valid = !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    valid.then(|| String::from_utf8_lossy(name).into_owned())
}

/// Runs a library's code, and hands back what it registered.
pub(super) fn run(
    interpreter: &Interpreter,
    code: &[u8],
    unhurried: Unhurried,
) -> std::result::Result<Registered, WireError> {
    let function = interpreter
        .compile(code, LIBRARY)
        .map_err(|message| WireError::quoting(&[b"ERR Error compiling function: ", &message]))?;
    let deadline = (!unhurried).then(|| Instant::now() + LOAD_TIMEOUT);
    let loading = Loading { deadline, functions: RefCell::default() };
    interpreter.see_loading(true).map_err(super::scripts::no_memory)?;
    let ended = LOADING.set(&loading, || interpreter.protected(&function, None));
    interpreter.tidy();
    interpreter.see_loading(false).map_err(super::scripts::no_memory)?;
    if let Ended::Failed(error) = ended {
        let text = match &error {
            Value::Table(table) => table.raw_get::<Value>("err").unwrap_or(Value::Nil),
            other => other.clone(),
        };
        let text = text.to_string().unwrap_or_default();
        return Err(WireError::new(format!("ERR Error registering functions: {text}")));
    }
    let functions = loading.functions.into_inner();
    if functions.is_empty() {
        return Err(WireError::fixed("ERR No functions registered"));
    }
    Ok(functions)
}

/// `redis.register_function`, with a name and a function or with a table of named arguments.
pub(super) fn register_function(lua: &Lua, values: MultiValue) -> Result<()> {
    if !LOADING.is_set() {
        return Err(reply_error("redis.register_function can only be called on FUNCTION LOAD command"));
    }
    let (name, callback, description, flags) = match values.len() {
        1 => named_arguments(lua, &values[0])?,
        2 => positional_arguments(lua, &values)?,
        _ => return Err(reply_error("wrong number of arguments to redis.register_function")),
    };
    let name = valid_name(&name).ok_or_else(|| reply_error(BAD_NAME))?;
    LOADING.with(|loading| {
        let mut functions = loading.functions.borrow_mut();
        if functions.iter().any(|(known, _)| known.name == name) {
            return Err(reply_error("Function already exists in the library"));
        }
        functions.push((RegisteredFunction { name, description, flags }, callback));
        Ok(())
    })
}

type FunctionArguments = (Vec<u8>, Function, Option<Vec<u8>>, ScriptFlags);

fn text(lua: &Lua, value: &Value) -> Result<Option<Vec<u8>>> {
    match value {
        Value::String(_) | Value::Integer(_) | Value::Number(_) => {
            Ok(lua.coerce_string(value.clone())?.map(|text| text.as_bytes().to_vec()))
        }
        _ => Ok(None),
    }
}

fn positional_arguments(lua: &Lua, values: &MultiValue) -> Result<FunctionArguments> {
    let Some(name) = text(lua, &values[0])? else {
        return Err(reply_error("first argument to redis.register_function must be a string"));
    };
    let Some(callback) = values[1].as_function() else {
        return Err(reply_error("second argument to redis.register_function must be a function"));
    };
    Ok((name, callback.clone(), None, ScriptFlags::empty()))
}

fn named_arguments(lua: &Lua, value: &Value) -> Result<FunctionArguments> {
    let Value::Table(table) = value else {
        return Err(reply_error(
            "calling redis.register_function with a single argument is only applicable to Lua table (representing named \
             arguments).",
        ));
    };
    let (mut name, mut callback, mut description, mut flags) = (None, None, None, ScriptFlags::empty());
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        let Some(key) = text(lua, &key)? else {
            return Err(reply_error("named argument key given to redis.register_function is not a string"));
        };
        match key.to_ascii_lowercase().as_slice() {
            b"function_name" => {
                let wrong = "function_name argument given to redis.register_function must be a string";
                name = Some(text(lua, &value)?.ok_or_else(|| reply_error(wrong))?);
            }
            b"description" => {
                let wrong = "description argument given to redis.register_function must be a string";
                description = Some(text(lua, &value)?.ok_or_else(|| reply_error(wrong))?);
            }
            b"callback" => {
                let wrong = "callback argument given to redis.register_function must be a function";
                callback = Some(value.as_function().cloned().ok_or_else(|| reply_error(wrong))?);
            }
            b"flags" => {
                let wrong = "flags argument to redis.register_function must be a table representing function flags";
                let table = value.as_table().ok_or_else(|| reply_error(wrong))?;
                flags = read_flags(table)?;
            }
            _ => return Err(reply_error("unknown argument given to redis.register_function")),
        }
    }
    let name = name.ok_or_else(|| reply_error("redis.register_function must get a function name argument"))?;
    let callback = callback.ok_or_else(|| reply_error("redis.register_function must get a callback argument"))?;
    Ok((name, callback, description, flags))
}

fn read_flags(table: &Table) -> Result<ScriptFlags> {
    let mut flags = ScriptFlags::empty();
    for index in 1.. {
        let name: Value = table.raw_get(index)?;
        if name.is_nil() {
            break;
        }
        let flag = name.as_string().and_then(|name| ScriptFlags::named(&name.as_bytes().to_ascii_lowercase()));
        flags |= flag.ok_or_else(|| reply_error("unknown flag given"))?;
    }
    Ok(flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_line_names_engine_and_library() {
        let read = |text: &str| metadata(text.as_bytes()).map_err(|error| error.text().to_owned());
        assert_eq!(read("#!lua name=a_1\nx"), Ok(("a_1".into(), 14)));
        assert_eq!(read("#!LUA NAME=\"foo\"\nx"), Ok(("foo".into(), 16)));
        for (text, error) in [
            ("return 1", "ERR Missing library metadata"),
            ("#!lua name=a", "ERR Invalid library metadata"),
            ("#! name=a\n", "ERR Engine '' not found"),
            ("#!js name=a\n", "ERR Engine 'js' not found"),
            ("#!lua\n", "ERR Library name was not given"),
            ("#!lua name=a name=b\n", "ERR Invalid metadata value, name argument was given multiple times"),
            ("#!lua name=a foo=bar\n", "ERR Invalid metadata value given: foo=bar"),
        ] {
            assert_eq!(read(text), Err(error.to_owned()), "{text}");
        }
        assert!(read("#!lua name=a-b\n").unwrap_err().contains("Library names can only contain"));
    }
}
