//! Replies of commands as Lua values.
//!
//! RESP2: a status is a table with `ok`, an error one with `err`, null is false. RESP3 adds tables with `map`, `set`, `double`,
//! `big_number` and `verbatim_string`; its null is nil. The bytes come from this server's own commands: anything that is
//! no reply is an error of ours, which a script sees as one.

use mlua::{Lua, Result, Table, Value};

use super::error::{error_table, reply_error};

/// The value of a complete reply.
pub(super) fn to_lua(lua: &Lua, reply: &[u8]) -> Result<Value> {
    let mut reader = Reader { lua, rest: reply };
    reader.value()
}

struct Reader<'l, 'r> {
    lua: &'l Lua,
    rest: &'r [u8],
}

fn malformed() -> mlua::Error {
    reply_error("the reply of the command cannot be read")
}

impl<'r> Reader<'_, 'r> {
    fn line(&mut self) -> Result<(u8, &'r [u8])> {
        let end = self.rest.windows(2).position(|two| two == b"\r\n").ok_or_else(malformed)?;
        let (line, rest) = self.rest.split_at(end);
        self.rest = &rest[2..];
        let (kind, text) = line.split_first().ok_or_else(malformed)?;
        Ok((*kind, text))
    }

    fn value(&mut self) -> Result<Value> {
        let (kind, text) = self.line()?;
        Ok(match kind {
            b'+' => self.field("ok", Value::String(self.lua.create_string(text)?))?,
            b'-' => error_table(self.lua, text, true)?,
            b':' => Value::Number(self.number(text)? as f64),
            b'$' => match self.number(text)? {
                length @ 0.. => Value::String(self.lua.create_string(self.bytes(length)?)?),
                _ => Value::Boolean(false),
            },
            b'*' => match self.number(text)? {
                length @ 0.. => self.array(length)?,
                _ => Value::Boolean(false),
            },
            b'%' => self.map(text)?,
            b'~' => self.set(text)?,
            b'_' => Value::Nil,
            b'#' => Value::Boolean(text == b"t"),
            b',' => {
                let number = crate::base::number::parse_f64_saturating(text).unwrap_or(f64::NAN);
                self.field("double", Value::Number(number))?
            }
            b'(' => self.field("big_number", Value::String(self.lua.create_string(text)?))?,
            b'=' => self.verbatim(text)?,
            b'|' => {
                // Attributes are not shown to scripts.
                for _ in 0..self.number(text)?.max(0) * 2 {
                    self.value()?;
                }
                self.value()?
            }
            _ => return Err(malformed()),
        })
    }

    fn number(&self, text: &[u8]) -> Result<i64> {
        crate::base::number::parse_i64(text).ok_or_else(malformed)
    }

    /// Bytes of a bulk string, with the line end behind them.
    fn bytes(&mut self, length: i64) -> Result<&'r [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(length as usize).ok_or_else(malformed)?;
        self.rest = rest.strip_prefix(b"\r\n").ok_or_else(malformed)?;
        Ok(bytes)
    }

    /// A table with one field, which says what the value is.
    fn field(&self, name: &str, value: Value) -> Result<Value> {
        let table = self.lua.create_table_with_capacity(0, 1)?;
        table.raw_set(name, value)?;
        Ok(Value::Table(table))
    }

    fn array(&mut self, length: i64) -> Result<Value> {
        let table = self.lua.create_table_with_capacity(length as usize, 0)?;
        for index in 1..=length {
            table.raw_set(index, self.value()?)?;
        }
        Ok(Value::Table(table))
    }

    fn map(&mut self, text: &[u8]) -> Result<Value> {
        let table = self.lua.create_table()?;
        for _ in 0..self.number(text)? {
            let key = self.value()?;
            let value = self.value()?;
            table.raw_set(key, value)?;
        }
        self.field("map", Value::Table(table))
    }

    fn set(&mut self, text: &[u8]) -> Result<Value> {
        let table: Table = self.lua.create_table()?;
        for _ in 0..self.number(text)? {
            let element = self.value()?;
            table.raw_set(element, true)?;
        }
        self.field("set", Value::Table(table))
    }

    fn verbatim(&mut self, text: &[u8]) -> Result<Value> {
        let length = self.number(text)?;
        let bytes = self.bytes(length)?;
        let (format, text) = bytes.split_at_checked(4).ok_or_else(malformed)?;
        let table = self.lua.create_table()?;
        table.raw_set("format", self.lua.create_string(&format[..3])?)?;
        table.raw_set("string", self.lua.create_string(text)?)?;
        self.field("verbatim_string", Value::Table(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_reply_has_its_lua_form() {
        let lua = Lua::new();
        for (reply, holds) in [
            (&b"+OK\r\n"[..], "r.ok == 'OK'"),
            (b"-ERR no\r\n", "r.err == 'ERR no' and r.ignore_error_stats_update"),
            (b":-5\r\n", "r == -5"),
            (b"$2\r\nab\r\n", "r == 'ab'"),
            (b"$-1\r\n", "r == false"),
            (b"*-1\r\n", "r == false"),
            (b"*2\r\n:1\r\n*1\r\n$0\r\n\r\n", "r[1] == 1 and r[2][1] == ''"),
            (b"%1\r\n+a\r\n:1\r\n", "next(r.map).ok == 'a'"),
            (b"%1\r\n$1\r\na\r\n:1\r\n", "r.map.a == 1"),
            (b"~1\r\n$1\r\na\r\n", "r.set.a == true"),
            (b"_\r\n", "r == nil"),
            (b"#t\r\n", "r == true"),
            (b",1.5\r\n", "r.double == 1.5"),
            (b",-inf\r\n", "r.double == -math.huge"),
            (b"(123\r\n", "r.big_number == '123'"),
            (b"=6\r\ntxt:ab\r\n", "r.verbatim_string.format == 'txt' and r.verbatim_string.string == 'ab'"),
            (b"|1\r\n+a\r\n:1\r\n:7\r\n", "r == 7"),
        ] {
            lua.globals().set("r", to_lua(&lua, reply).unwrap()).unwrap();
            assert!(lua.load(format!("return {holds}")).eval::<bool>().unwrap(), "{holds}");
        }
        for bad in [&b""[..], b"$5\r\nab\r\n", b"*2\r\n:1\r\n", b"?\r\n", b"=2\r\nab\r\n"] {
            assert!(to_lua(&lua, bad).is_err());
        }
    }
}
