//! What a script returns, as a reply.
//!
//! A few tables within one another, each with many references to the next, make a reply that no machine could hold. So its size has a
//! bound, and the clock is looked at while it is written.

use mlua::{Lua, LuaString, Table, Value};

use super::arguments::{number_of, truncate};
use super::clock;
use super::host::{SharedHost, lend};
use super::interpreter::Ended;
use crate::resp::{Mark, Protocol, Reply, WireError};

/// Tables nested deeper than this end in an error, since each level takes stack.
const MAX_DEPTH: usize = 2000;
/// Bytes of a reply.
const MAX_BYTES: usize = super::MAX_INTERPRETER_BYTES;

/// Errors within one reply that are counted.
const MAX_ERRORS: usize = 1000;

/// Why a reply was not written to its end.
enum Stop {
    /// It passes its bound.
    TooLarge,
    /// The script has been killed.
    Killed,
    /// It passes the limit of the client's output.
    Futile,
}

type Written = Result<(), Stop>;

/// Errors of a script that the caller must count.
pub type Errors = Vec<WireError>;

/// Writes what a run with `host` ended with.
pub(super) fn write(lua: &Lua, name: &str, ended: &Ended, host: &SharedHost, reply: &mut Reply<'_>) -> Errors {
    let protocol = host.borrow().protocol();
    lend(host, || write_as(lua, name, ended, protocol, MAX_BYTES, reply))
}

/// Writes what a run ended with, in `most` bytes; `protocol` is the one the script chose for itself.
fn write_as(lua: &Lua, name: &str, ended: &Ended, protocol: Protocol, most: usize, reply: &mut Reply<'_>) -> Errors {
    let start = reply.position();
    let mut writer = Writer { lua, protocol, reply, start, most, errors: Vec::new() };
    match ended {
        Ended::Returned(value) => {
            if let Err(stop) = writer.value(value, 0) {
                writer.give_up(&stop, name);
            }
        }
        Ended::Failed(Value::Table(error)) => writer.failure(name, error),
        Ended::Failed(other) => {
            let text = writer.text_of(other).unwrap_or_else(|| "execution failure".into());
            let text = &text[..text.len().min(100)];
            writer.error(&[b"ERR Error running script ", name.as_bytes(), b", ", text].concat(), true);
        }
    }
    writer.errors
}

struct Writer<'w, 'r> {
    lua: &'w Lua,
    protocol: Protocol,
    reply: &'w mut Reply<'r>,
    /// Where the reply begins.
    start: usize,
    /// Bytes that it may take.
    most: usize,
    errors: Errors,
}

impl Writer<'_, '_> {
    /// Replies with an error instead of what was written so far.
    fn give_up(&mut self, stop: &Stop, name: &str) {
        let error = match stop {
            Stop::Futile => return,
            Stop::TooLarge => WireError::new(format!(
                "ERR The reply of the script would take more than {} bytes, let it return less at a time",
                self.most
            )),
            Stop::Killed => WireError::new(format!("ERR {} script: {name}", clock::KILLED)),
        };
        self.reply.rewind(self.start);
        self.errors.clear();
        self.error(error.as_bytes(), true);
    }

    /// Makes sure of room for so many bytes of a value.
    fn check(&self, bytes: usize) -> Written {
        if self.reply.is_futile() {
            return Err(Stop::Futile);
        }
        if self.reply.position() - self.start + bytes > self.most {
            return Err(Stop::TooLarge);
        }
        clock::work(clock::PER_VALUE + bytes).map_err(|_| Stop::Killed)
    }

    fn error(&mut self, text: &[u8], count: bool) {
        let end = text.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
        let error = WireError::quoting(&[&text[..end]]);
        self.reply.error(&error);
        if count && self.errors.len() < MAX_ERRORS {
            self.errors.push(error);
        }
    }

    /// A string, or a number as one.
    fn text_of(&self, value: &Value) -> Option<Vec<u8>> {
        match value {
            Value::String(_) | Value::Integer(_) | Value::Number(_) => {
                self.lua.coerce_string(value.clone()).ok().flatten().map(|text| text.as_bytes().to_vec())
            }
            _ => None,
        }
    }

    fn field(&self, table: &Table, name: &str) -> Value {
        table.raw_get(name).unwrap_or(Value::Nil)
    }

    /// The text of an error's table, and whether it has yet to be counted.
    fn error_text(&self, error: &Table) -> (Vec<u8>, bool) {
        let text = self.text_of(&self.field(error, "err")).unwrap_or_else(|| "ERR unknown error".into());
        let counted = matches!(self.field(error, "ignore_error_stats_update"), Value::Boolean(true));
        (text, !counted)
    }

    /// An error that ended the script: its text, and where it happened.
    fn failure(&mut self, name: &str, error: &Table) {
        let (mut text, count) = self.error_text(error);
        let place = [self.field(error, "source"), self.field(error, "line")].map(|part| self.text_of(&part));
        if let [Some(source), Some(line)] = place {
            let name = name.as_bytes();
            text = [&text, &b" script: "[..], name, b", on ", &source, b":", &line, b"."].concat();
        }
        self.error(&text, count);
    }

    fn value(&mut self, value: &Value, depth: usize) -> Written {
        if depth > MAX_DEPTH {
            self.check(0)?;
            self.error(b"ERR reached lua stack limit", true);
            return Ok(());
        }
        match value {
            Value::String(string) => {
                let string = string.as_bytes();
                self.check(string.len())?;
                self.reply.bulk(&string);
                return Ok(());
            }
            Value::Table(table) => return self.table(table, depth),
            _ => self.check(0)?,
        }
        match value {
            Value::Integer(number) => self.reply.int(*number),
            Value::Number(number) => self.reply.int(truncate(*number)),
            Value::Boolean(value) => match (self.protocol, value) {
                (Protocol::Resp3, value) => self.reply.bool(*value),
                (Protocol::Resp2, true) => self.reply.int(1),
                (Protocol::Resp2, false) => self.reply.null(),
            },
            _ => self.reply.null(),
        }
        Ok(())
    }

    /// A table is what its first telling field says; without one it is an array.
    fn table(&mut self, table: &Table, depth: usize) -> Written {
        if let Value::String(text) = self.field(table, "err") {
            self.check(text.as_bytes().len())?;
            let (text, count) = self.error_text(table);
            self.error(&text, count);
        } else if let Value::String(text) = self.field(table, "ok") {
            self.check(text.as_bytes().len())?;
            self.simple(b"+", &text);
        } else if let Some(number) = number_of(&self.field(table, "double")) {
            self.check(0)?;
            self.reply.double(number);
        } else if let Value::String(digits) = self.field(table, "big_number") {
            self.check(digits.as_bytes().len())?;
            self.reply.big_number(&one_line(&digits));
        } else if let Some((format, text)) = self.verbatim(table) {
            self.check(text.as_bytes().len())?;
            self.reply.verbatim(&format, &text.as_bytes());
        } else if let Value::Table(map) = self.field(table, "map") {
            let mark = self.reply.deferred();
            let mut pairs = 0;
            for (key, value) in map.pairs::<Value, Value>().flatten() {
                self.value(&key, depth + 1)?;
                self.value(&value, depth + 1)?;
                pairs += 1;
            }
            self.moved_since(&mark)?;
            self.reply.end_map(mark, pairs);
        } else if let Value::Table(set) = self.field(table, "set") {
            let mark = self.reply.deferred();
            let mut elements = 0;
            for (element, _) in set.pairs::<Value, Value>().flatten() {
                self.value(&element, depth + 1)?;
                elements += 1;
            }
            self.moved_since(&mark)?;
            self.reply.end_set(mark, elements);
        } else {
            return self.array(table, depth);
        }
        Ok(())
    }

    /// The elements up to the first nil.
    fn array(&mut self, table: &Table, depth: usize) -> Written {
        let mark = self.reply.deferred();
        let mut length = 0;
        loop {
            let value = table.raw_get(length + 1).unwrap_or(Value::Nil);
            if value.is_nil() {
                break;
            }
            self.value(&value, depth + 1)?;
            length += 1;
        }
        self.moved_since(&mark)?;
        self.reply.end_array(mark, length);
        Ok(())
    }

    /// Room for an aggregate's length is made by moving what has been written of it.
    fn moved_since(&self, mark: &Mark) -> Written {
        self.check(0)?;
        clock::work(self.reply.position() - mark.position()).map_err(|_| Stop::Killed)
    }

    fn simple(&mut self, kind: &[u8], text: &LuaString) {
        self.reply.raw(kind);
        self.reply.raw(&one_line(text));
        self.reply.raw(b"\r\n");
    }

    /// The three characters of the format, and the text.
    fn verbatim(&self, table: &Table) -> Option<(String, LuaString)> {
        let Value::Table(inner) = self.field(table, "verbatim_string") else { return None };
        let (Value::String(format), Value::String(text)) = (self.field(&inner, "format"), self.field(&inner, "string"))
        else {
            return None;
        };
        let format: String =
            format.to_string_lossy().chars().filter(char::is_ascii).chain("   ".chars()).take(3).collect();
        Some((format, text))
    }
}

/// A text without line breaks, which would end it.
fn one_line(text: &LuaString) -> Vec<u8> {
    text.as_bytes().iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 1 << 20;

    fn written(code: &str, script: Protocol, client: Protocol) -> String {
        let lua = Lua::new();
        let value = lua.load(format!("return {code}")).eval().unwrap();
        let mut out = Vec::new();
        write_as(&lua, "f", &Ended::Returned(value), script, MOST, &mut Reply::new(&mut out, client));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_kind_of_value_has_its_reply() {
        use Protocol::{Resp2, Resp3};
        for (code, script, client, reply) in [
            ("'ab'", Resp2, Resp2, "$2\r\nab\r\n"),
            ("3.99", Resp2, Resp2, ":3\r\n"),
            ("-3.99", Resp2, Resp2, ":-3\r\n"),
            ("0/0", Resp2, Resp2, ":-9223372036854775808\r\n"),
            ("true", Resp2, Resp3, ":1\r\n"),
            ("false", Resp2, Resp3, "_\r\n"),
            ("false", Resp3, Resp2, ":0\r\n"),
            ("true", Resp3, Resp3, "#t\r\n"),
            ("nil", Resp2, Resp2, "$-1\r\n"),
            ("print", Resp2, Resp2, "$-1\r\n"),
            ("{1,2,nil,4}", Resp2, Resp2, "*2\r\n:1\r\n:2\r\n"),
            ("{ok='a\\nb'}", Resp2, Resp2, "+a b\r\n"),
            ("{err='My error'}", Resp2, Resp2, "-My error\r\n"),
            ("{double=1.5}", Resp2, Resp3, ",1.5\r\n"),
            ("{big_number='1\\r2'}", Resp2, Resp3, "(1 2\r\n"),
            ("{verbatim_string={format='t', string='x'}}", Resp2, Resp3, "=5\r\nt  :x\r\n"),
            ("{map={a=1}}", Resp2, Resp3, "%1\r\n$1\r\na\r\n:1\r\n"),
            ("{map={a=1}}", Resp2, Resp2, "*2\r\n$1\r\na\r\n:1\r\n"),
            ("{set={a=true}}", Resp2, Resp3, "~1\r\n$1\r\na\r\n"),
        ] {
            assert_eq!(written(code, script, client), reply, "{code}");
        }
    }

    #[test]
    fn a_reply_beyond_its_bound_is_an_error() {
        for code in [
            "(function() local t = {} for i = 1, 300 do t[i] = t end return t end)()",
            "(function() local s, t = ('x'):rep(10000), {} for i = 1, 2000 do t[i] = s end return t end)()",
            "(function() local s, m = ('x'):rep(10000), {} for i = 1, 2000 do m[i] = s end return {map = m} end)()",
            "(function() local s, t = ('x'):rep(10000), {} for i = 1, 2000 do t[i] = {ok = s} end return t end)()",
        ] {
            let reply = written(code, Protocol::Resp2, Protocol::Resp2);
            assert!(reply.starts_with("-ERR The reply of the script would take more than 1048576 bytes"), "{code}");
            assert_eq!(reply.lines().count(), 1);
        }
    }

    #[test]
    fn a_table_within_itself_ends_in_an_error() {
        let reply = written("(function() local t = {} t[1] = t return t end)()", Protocol::Resp2, Protocol::Resp2);
        assert!(reply.starts_with("*1\r\n*1\r\n") && reply.ends_with("*1\r\n-ERR reached lua stack limit\r\n"));
    }
}
