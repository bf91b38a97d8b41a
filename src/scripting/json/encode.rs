//! Lua values to JSON.

use mlua::{Error, Lua, Result, Table, Value};

use super::super::arguments::type_name;
use super::super::clock;
use super::super::error::text_error;
use super::number;
use super::settings::{InvalidNumbers, Settings};

/// Tables nested deeper than this are refused whatever the setting says, since each level takes stack.
const MAX_DEPTH: i32 = 2000;

/// Appends the JSON of a value.
pub(super) fn value(lua: &Lua, settings: &Settings, value: &Value, out: &mut Vec<u8>) -> Result<()> {
    Encoder { lua, settings, out }.put(value, 0)
}

struct Encoder<'e> {
    lua: &'e Lua,
    settings: &'e Settings,
    out: &'e mut Vec<u8>,
}

impl Encoder<'_> {
    fn put(&mut self, value: &Value, depth: i32) -> Result<()> {
        // A sparse array takes few bytes and makes many.
        clock::check_size(self.lua, self.out.len())?;
        clock::work(clock::PER_VALUE)?;
        match value {
            Value::String(string) => return self.string(&string.as_bytes()),
            Value::Integer(number) => return self.number(*number as f64),
            Value::Number(number) => return self.number(*number),
            Value::Boolean(true) => self.out.extend_from_slice(b"true"),
            Value::Boolean(false) => self.out.extend_from_slice(b"false"),
            Value::Table(table) => return self.table(table, depth + 1),
            Value::Nil => self.out.extend_from_slice(b"null"),
            Value::LightUserData(pointer) if pointer.0.is_null() => self.out.extend_from_slice(b"null"),
            other => return Err(self.refuse(type_name(other), "type not supported")),
        }
        Ok(())
    }

    fn refuse(&self, what: &str, why: &str) -> Error {
        text_error(self.lua, format!("Cannot serialise {what}: {why}"))
    }

    fn string(&mut self, bytes: &[u8]) -> Result<()> {
        clock::check_size(self.lua, self.out.len() + bytes.len())?;
        clock::work(bytes.len())?;
        self.out.push(b'"');
        for byte in bytes {
            match byte {
                b'"' | b'\\' | b'/' => self.out.extend_from_slice(&[b'\\', *byte]),
                8 => self.out.extend_from_slice(b"\\b"),
                b'\t' => self.out.extend_from_slice(b"\\t"),
                b'\n' => self.out.extend_from_slice(b"\\n"),
                12 => self.out.extend_from_slice(b"\\f"),
                b'\r' => self.out.extend_from_slice(b"\\r"),
                0..=31 | 127 => self.out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
                _ => self.out.push(*byte),
            }
        }
        self.out.push(b'"');
        Ok(())
    }

    fn number(&mut self, number: f64) -> Result<()> {
        if !number.is_finite() {
            match self.settings.encode_invalid {
                InvalidNumbers::Refuse => return Err(self.refuse("number", "must not be NaN or Inf")),
                InvalidNumbers::Null => {
                    self.out.extend_from_slice(b"null");
                    return Ok(());
                }
                InvalidNumbers::Allow => {}
            }
        }
        number::write(self.out, number, self.settings.precision);
        Ok(())
    }

    fn table(&mut self, table: &Table, depth: i32) -> Result<()> {
        if depth > self.settings.encode_max_depth.min(MAX_DEPTH) {
            return Err(text_error(self.lua, format!("Cannot serialise, excessive nesting ({depth})")));
        }
        match self.array_length(table)? {
            Some(length @ 1..) => self.array(table, length, depth),
            _ => self.object(table, depth),
        }
    }

    /// The highest index of a table that has only positive integers as keys, unless it is excessively sparse.
    fn array_length(&self, table: &Table) -> Result<Option<i64>> {
        let (mut max, mut items, mut plain) = (0i64, 0i64, true);
        for pair in table.pairs::<Value, Value>() {
            clock::work(clock::PER_VALUE)?;
            match pair?.0 {
                Value::Integer(key @ 1..) => {
                    max = max.max(key);
                    items += 1;
                }
                Value::Number(key) if key >= 1.0 && key.fract() == 0.0 => {
                    max = i64::from(i32::MAX);
                    items += 1;
                }
                _ => {
                    plain = false;
                    break;
                }
            }
        }
        if !plain {
            return Ok(None);
        }
        let settings = self.settings;
        let too_many = max > items.saturating_mul(settings.sparse_ratio.into()) && max > settings.sparse_safe.into();
        if settings.sparse_ratio > 0 && too_many {
            return if settings.sparse_convert {
                Ok(None)
            } else {
                Err(self.refuse("table", "excessively sparse array"))
            };
        }
        Ok(Some(max.min(i32::MAX.into())))
    }

    fn array(&mut self, table: &Table, length: i64, depth: i32) -> Result<()> {
        self.out.push(b'[');
        for index in 1..=length {
            if index > 1 {
                self.out.push(b',');
            }
            self.put(&table.raw_get(index)?, depth)?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn object(&mut self, table: &Table, depth: i32) -> Result<()> {
        self.out.push(b'{');
        let mut first = true;
        for pair in table.pairs::<Value, Value>() {
            let (key, value) = pair?;
            if !std::mem::take(&mut first) {
                self.out.push(b',');
            }
            match &key {
                Value::Integer(_) | Value::Number(_) => {
                    self.out.push(b'"');
                    self.put(&key, depth)?;
                    self.out.push(b'"');
                }
                Value::String(string) => self.string(&string.as_bytes())?,
                other => return Err(self.refuse(type_name(other), "table key must be a number or string")),
            }
            self.out.push(b':');
            self.put(&value, depth)?;
        }
        self.out.push(b'}');
        Ok(())
    }
}
