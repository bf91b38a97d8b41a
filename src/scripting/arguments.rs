//! Arguments of library functions, read as Lua's auxiliary library reads them: numbers and strings stand for each other.

use mlua::{Lua, LuaString, MultiValue, Result, Table, Value};

use super::error::argument_error;

/// Most results of a library function: Lua has no room for more of a C function.
pub(super) const MAX_RESULTS: usize = 7990;

/// The arguments of one call.
pub(super) struct Arguments<'l> {
    lua: &'l Lua,
    values: MultiValue,
}

impl<'l> Arguments<'l> {
    /// Of a call of `lua`.
    pub fn new(lua: &'l Lua, values: MultiValue) -> Self {
        Self { lua, values }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Argument `index`, counted from 1.
    pub fn get(&self, index: usize) -> Option<&Value> {
        index.checked_sub(1).and_then(|index| self.values.get(index))
    }

    /// Whether argument `index` is missing or nil.
    pub fn is_nil(&self, index: usize) -> bool {
        matches!(self.get(index), None | Some(Value::Nil))
    }

    /// Argument `index` as a number.
    pub fn number(&self, index: usize) -> Result<f64> {
        let number = match self.get(index) {
            Some(value @ Value::String(_)) => self.lua.coerce_number(value.clone())?,
            other => other.and_then(number_of),
        };
        number.ok_or_else(|| self.wrong_type(index, "number"))
    }

    /// Argument `index` as an integer; a fraction is cut off.
    pub fn integer(&self, index: usize) -> Result<i64> {
        self.number(index).map(truncate)
    }

    /// Argument `index` as an integer, or `default` without one.
    pub fn integer_or(&self, index: usize, default: i64) -> Result<i64> {
        if self.is_nil(index) { Ok(default) } else { self.integer(index) }
    }

    /// Argument `index` as a string.
    pub fn string(&self, index: usize) -> Result<LuaString> {
        let string = match self.get(index) {
            Some(Value::String(string)) => Some(string.clone()),
            Some(value @ (Value::Integer(_) | Value::Number(_))) => self.lua.coerce_string(value.clone())?,
            _ => None,
        };
        string.ok_or_else(|| self.wrong_type(index, "string"))
    }

    /// Argument `index` as a table.
    pub fn table(&self, index: usize) -> Result<Table> {
        match self.get(index) {
            Some(Value::Table(table)) => Ok(table.clone()),
            _ => Err(self.wrong_type(index, "table")),
        }
    }

    /// Refuses argument `index` unless `holds`.
    pub fn check(&self, holds: bool, index: usize, message: &str) -> Result<()> {
        if holds { Ok(()) } else { Err(self.error(index, message)) }
    }

    /// An error about argument `index`.
    pub fn error(&self, index: usize, message: &str) -> mlua::Error {
        argument_error(self.lua, index, message)
    }

    fn wrong_type(&self, index: usize, wanted: &str) -> mlua::Error {
        let given = self.get(index).map_or("no value", type_name);
        self.error(index, &format!("{wanted} expected, got {given}"))
    }
}

/// A value that is a number.
pub(super) fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(value) => Some(*value as f64),
        Value::Number(value) => Some(*value),
        _ => None,
    }
}

/// A number as C casts it to a 64-bit integer: the fraction is cut off, and what does not fit is the smallest integer.
pub(super) fn truncate(number: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&number) { number as i64 } else { i64::MIN }
}

/// The type of a value as Lua names it.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nil",
        Value::Boolean(_) => "boolean",
        Value::Integer(_) | Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Table(_) => "table",
        Value::Function(_) => "function",
        Value::Thread(_) => "thread",
        _ => "userdata",
    }
}
