//! MessagePack to Lua values.

use mlua::{Lua, MultiValue, Result, Value};

use super::super::arguments::{Arguments, MAX_RESULTS};
use super::super::clock;
use super::super::error::text_error;

/// Containers nested deeper than this are refused, since each takes stack.
const MAX_NESTING: usize = 2000;

/// Why input cannot be read.
enum Malformed {
    /// It ends too early.
    Missing,
    /// A byte that stands for nothing.
    BadFormat,
    /// Too many containers in one another.
    TooDeep,
    /// An error of the interpreter.
    Lua(mlua::Error),
}

impl From<mlua::Error> for Malformed {
    fn from(error: mlua::Error) -> Self {
        Self::Lua(error)
    }
}

/// `cmsgpack.unpack`: everything in a string.
pub(super) fn unpack(lua: &Lua, values: MultiValue) -> Result<MultiValue> {
    run(lua, &Arguments::new(lua, values), 0, 0)
}

/// `cmsgpack.unpack_one`: one value, preceded by where the next one starts.
pub(super) fn unpack_one(lua: &Lua, values: MultiValue) -> Result<MultiValue> {
    let args = Arguments::new(lua, values);
    let offset = args.integer_or(2, 0)?;
    run(lua, &args, 1, offset)
}

/// `cmsgpack.unpack_limit`: up to a number of values, preceded by where the next one starts.
pub(super) fn unpack_limit(lua: &Lua, values: MultiValue) -> Result<MultiValue> {
    let args = Arguments::new(lua, values);
    let (limit, offset) = (args.integer(2)?, args.integer_or(3, 0)?);
    run(lua, &args, limit, offset)
}

/// Unpacks up to `limit` values from `offset` on; everything, without the place of the next, if both are 0.
fn run(lua: &Lua, args: &Arguments<'_>, limit: i64, offset: i64) -> Result<MultiValue> {
    let input = args.string(1)?;
    let input = input.as_bytes();
    let length = input.len();
    if offset < 0 || limit < 0 {
        let message = format!("Invalid request to unpack with offset of {offset} and limit of {length}.");
        return Err(text_error(lua, message));
    }
    if offset as u64 > length as u64 {
        let message = format!("Start offset {offset} greater than input length {length}.");
        return Err(text_error(lua, message));
    }
    let all = limit == 0 && offset == 0;
    let limit = if all { i32::MAX as usize } else { limit as usize };
    let mut cursor = Cursor { lua, rest: &input[offset as usize..] };
    let mut results = Vec::new();
    while !cursor.rest.is_empty() && results.len() < limit {
        if results.len() == MAX_RESULTS {
            return Err(text_error(lua, "too many results to unpack"));
        }
        results.push(cursor.value(0).map_err(|error| match error {
            Malformed::Missing => text_error(lua, "Missing bytes in input."),
            Malformed::BadFormat => text_error(lua, "Bad data format in input."),
            Malformed::TooDeep => text_error(lua, "Too many nested containers in input."),
            Malformed::Lua(error) => error,
        })?);
    }
    if !all {
        let next = if cursor.rest.is_empty() { -1 } else { (length - cursor.rest.len()) as i64 };
        results.insert(0, Value::Integer(next));
    }
    Ok(results.into())
}

struct Cursor<'l, 'i> {
    lua: &'l Lua,
    rest: &'i [u8],
}

impl<'i> Cursor<'_, 'i> {
    fn take(&mut self, count: usize) -> std::result::Result<&'i [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Malformed::Missing)?;
        self.rest = rest;
        Ok(taken)
    }

    fn unsigned(&mut self, bytes: usize) -> std::result::Result<u64, Malformed> {
        Ok(self.take(bytes)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn signed(&mut self, bytes: usize) -> std::result::Result<Value, Malformed> {
        let unused = 64 - bytes as u32 * 8;
        Ok(Value::Integer((self.unsigned(bytes)? << unused) as i64 >> unused))
    }

    fn value(&mut self, level: usize) -> std::result::Result<Value, Malformed> {
        if level > MAX_NESTING {
            return Err(Malformed::TooDeep);
        }
        clock::work(clock::PER_VALUE)?;
        let tag = self.take(1)?[0];
        Ok(match tag {
            0x00..=0x7f => Value::Integer(tag.into()),
            0xe0..=0xff => Value::Integer((tag as i8).into()),
            0xcc => Value::Integer(self.unsigned(1)? as i64),
            0xcd => Value::Integer(self.unsigned(2)? as i64),
            0xce => Value::Integer(self.unsigned(4)? as i64),
            0xcf => Value::Integer(self.unsigned(8)? as i64),
            0xd0 => self.signed(1)?,
            0xd1 => self.signed(2)?,
            0xd2 => self.signed(4)?,
            0xd3 => self.signed(8)?,
            0xc0 => Value::Nil,
            0xc2 => Value::Boolean(false),
            0xc3 => Value::Boolean(true),
            0xca => Value::Number(f32::from_bits(self.unsigned(4)? as u32).into()),
            0xcb => Value::Number(f64::from_bits(self.unsigned(8)?)),
            0xa0..=0xbf => self.string(usize::from(tag & 0x1f))?,
            0xd9 => self.sized(1, Self::string)?,
            0xda => self.sized(2, Self::string)?,
            0xdb => self.sized(4, Self::string)?,
            0x90..=0x9f => self.array(usize::from(tag & 0xf), level)?,
            0xdc => self.sized(2, |cursor, length| cursor.array(length, level))?,
            0xdd => self.sized(4, |cursor, length| cursor.array(length, level))?,
            0x80..=0x8f => self.map(usize::from(tag & 0xf), level)?,
            0xde => self.sized(2, |cursor, length| cursor.map(length, level))?,
            0xdf => self.sized(4, |cursor, length| cursor.map(length, level))?,
            _ => return Err(Malformed::BadFormat),
        })
    }

    fn sized(
        &mut self,
        bytes: usize,
        read: impl FnOnce(&mut Self, usize) -> std::result::Result<Value, Malformed>,
    ) -> std::result::Result<Value, Malformed> {
        let length = self.unsigned(bytes)? as usize;
        read(self, length)
    }

    fn string(&mut self, length: usize) -> std::result::Result<Value, Malformed> {
        let bytes = self.take(length)?;
        clock::work(length)?;
        Ok(Value::String(self.lua.create_string(bytes)?))
    }

    /// Grows with what is read: the length in the input proves nothing.
    fn array(&mut self, length: usize, level: usize) -> std::result::Result<Value, Malformed> {
        let table = self.lua.create_table()?;
        for index in 1..=length {
            table.raw_set(index, self.value(level + 1)?)?;
        }
        Ok(Value::Table(table))
    }

    fn map(&mut self, length: usize, level: usize) -> std::result::Result<Value, Malformed> {
        let table = self.lua.create_table()?;
        for _ in 0..length {
            let key = self.value(level + 1)?;
            let value = self.value(level + 1)?;
            table.raw_set(key, value)?;
        }
        Ok(Value::Table(table))
    }
}
