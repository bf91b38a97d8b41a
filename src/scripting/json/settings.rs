//! The settings of a `cjson` table, and the functions that read and change them.

use std::sync::Arc;

use mlua::{Lua, MultiValue, Result, Table, Value};
use parking_lot::Mutex;

use super::super::arguments::Arguments;

/// What to do with numbers that JSON cannot express.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InvalidNumbers {
    /// An error.
    Refuse,
    /// Written as C writes them.
    Allow,
    /// Written as `null`.
    Null,
}

/// The settings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// Whether excessively sparse arrays become objects; otherwise they are errors.
    pub sparse_convert: bool,
    /// An array is excessively sparse with more than this many places for each element; 0: never.
    pub sparse_ratio: i32,
    /// Arrays up to this length are never excessively sparse.
    pub sparse_safe: i32,
    /// Most containers in one another when encoding.
    pub encode_max_depth: i32,
    /// Most containers in one another when decoding.
    pub decode_max_depth: i32,
    /// Significant digits of a number.
    pub precision: i32,
    /// Whether the buffer stays allocated. Has no effect here, but scripts may ask.
    pub keep_buffer: bool,
    /// When encoding.
    pub encode_invalid: InvalidNumbers,
    /// Whether numbers that are not JSON are read.
    pub decode_invalid: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sparse_convert: false,
            sparse_ratio: 2,
            sparse_safe: 10,
            encode_max_depth: 1000,
            decode_max_depth: 1000,
            precision: 14,
            keep_buffer: true,
            encode_invalid: InvalidNumbers::Refuse,
            decode_invalid: true,
        }
    }
}

type Shared = Arc<Mutex<Settings>>;
type Change = fn(&Lua, &Arguments<'_>, &mut Settings) -> Result<MultiValue>;

/// Puts the functions for settings into a `cjson` table.
pub(super) fn register(lua: &Lua, table: &Table, settings: &Shared) -> Result<()> {
    let functions: [(&str, usize, Change); 7] = [
        ("encode_sparse_array", 3, |_, args, settings| {
            let convert = boolean(args, 1, &mut settings.sparse_convert)?;
            let ratio = integer(args, 2, &mut settings.sparse_ratio, 0, i32::MAX)?;
            let safe = integer(args, 3, &mut settings.sparse_safe, 0, i32::MAX)?;
            Ok(MultiValue::from_iter([convert, ratio, safe]))
        }),
        ("encode_max_depth", 1, |_, args, settings| one(integer(args, 1, &mut settings.encode_max_depth, 1, i32::MAX))),
        ("decode_max_depth", 1, |_, args, settings| one(integer(args, 1, &mut settings.decode_max_depth, 1, i32::MAX))),
        ("encode_number_precision", 1, |_, args, settings| one(integer(args, 1, &mut settings.precision, 1, 14))),
        ("encode_keep_buffer", 1, |_, args, settings| one(boolean(args, 1, &mut settings.keep_buffer))),
        ("encode_invalid_numbers", 1, |lua, args, settings| {
            one(invalid_numbers(lua, args, &mut settings.encode_invalid))
        }),
        ("decode_invalid_numbers", 1, |_, args, settings| one(boolean(args, 1, &mut settings.decode_invalid))),
    ];
    for (name, most, change) in functions {
        let settings = Arc::clone(settings);
        let function = lua.create_function(move |lua, values| {
            let args = Arguments::new(lua, values);
            args.check(args.len() <= most, most + 1, "found too many arguments")?;
            change(lua, &args, &mut settings.lock())
        })?;
        table.raw_set(name, function)?;
    }
    Ok(())
}

fn one(value: Result<Value>) -> Result<MultiValue> {
    value.map(|value| MultiValue::from_iter([value]))
}

fn integer(args: &Arguments<'_>, index: usize, setting: &mut i32, min: i32, max: i32) -> Result<Value> {
    if !args.is_nil(index) {
        let value = args.integer(index)? as i32;
        args.check((min..=max).contains(&value), 1, &format!("expected integer between {min} and {max}"))?;
        *setting = value;
    }
    Ok(Value::Integer((*setting).into()))
}

/// A word of a list, by its position.
fn option(args: &Arguments<'_>, index: usize, words: &[&str]) -> Result<usize> {
    let given = args.string(index)?;
    let given = given.as_bytes();
    let found = words.iter().position(|word| word.as_bytes() == &*given);
    found.ok_or_else(|| args.error(index, &format!("invalid option '{}'", String::from_utf8_lossy(&given))))
}

fn boolean(args: &Arguments<'_>, index: usize, setting: &mut bool) -> Result<Value> {
    match args.get(index) {
        None | Some(Value::Nil) => {}
        Some(Value::Boolean(value)) => *setting = *value,
        Some(_) => *setting = option(args, index, &["off", "on"])? == 1,
    }
    Ok(Value::Boolean(*setting))
}

fn invalid_numbers(lua: &Lua, args: &Arguments<'_>, setting: &mut InvalidNumbers) -> Result<Value> {
    const CHOICES: [InvalidNumbers; 3] = [InvalidNumbers::Refuse, InvalidNumbers::Allow, InvalidNumbers::Null];
    match args.get(1) {
        None | Some(Value::Nil) => {}
        Some(Value::Boolean(value)) => *setting = CHOICES[usize::from(*value)],
        Some(_) => *setting = CHOICES[option(args, 1, &["off", "on", "null"])?],
    }
    Ok(match setting {
        InvalidNumbers::Refuse => Value::Boolean(false),
        InvalidNumbers::Allow => Value::Boolean(true),
        InvalidNumbers::Null => Value::String(lua.create_string("null")?),
    })
}
