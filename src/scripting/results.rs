//! What a script returns, as a reply.

use mlua::{Lua, LuaString, Table, Value};

use super::arguments::{number_of, truncate};
use super::interpreter::Ended;
use crate::resp::{Protocol, Reply, WireError};

/// Tables nested deeper than this end in an error, since each level takes stack.
const MAX_DEPTH: usize = 2000;

/// Errors of a script that the caller must count.
pub type Errors = Vec<WireError>;

/// Writes what a run ended with; `protocol` is the one the script chose for itself.
pub(super) fn write(lua: &Lua, name: &str, ended: &Ended, protocol: Protocol, reply: &mut Reply<'_>) -> Errors {
    let mut writer = Writer { lua, protocol, reply, errors: Vec::new() };
    match ended {
        Ended::Returned(value) => writer.value(value, 0),
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
    errors: Errors,
}

impl Writer<'_, '_> {
    fn error(&mut self, text: &[u8], count: bool) {
        let end = text.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
        let error = WireError::quoting(&[&text[..end]]);
        self.reply.error(&error);
        if count {
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

    fn value(&mut self, value: &Value, depth: usize) {
        if depth > MAX_DEPTH {
            self.error(b"ERR reached lua stack limit", true);
            return;
        }
        match value {
            Value::String(string) => self.reply.bulk(&string.as_bytes()),
            Value::Integer(number) => self.reply.int(*number),
            Value::Number(number) => self.reply.int(truncate(*number)),
            Value::Boolean(value) => match (self.protocol, value) {
                (Protocol::Resp3, value) => self.reply.bool(*value),
                (Protocol::Resp2, true) => self.reply.int(1),
                (Protocol::Resp2, false) => self.reply.null(),
            },
            Value::Table(table) => self.table(table, depth),
            _ => self.reply.null(),
        }
    }

    /// A table is what its first telling field says; without one it is an array.
    fn table(&mut self, table: &Table, depth: usize) {
        if let Value::String(_) = self.field(table, "err") {
            let (text, count) = self.error_text(table);
            self.error(&text, count);
        } else if let Value::String(text) = self.field(table, "ok") {
            self.simple(b"+", &text);
        } else if let Some(number) = number_of(&self.field(table, "double")) {
            self.reply.double(number);
        } else if let Value::String(digits) = self.field(table, "big_number") {
            self.reply.big_number(&one_line(&digits));
        } else if let Some((format, text)) = self.verbatim(table) {
            self.reply.verbatim(&format, &text.as_bytes());
        } else if let Value::Table(map) = self.field(table, "map") {
            let mark = self.reply.deferred();
            let mut pairs = 0;
            for (key, value) in map.pairs::<Value, Value>().flatten() {
                self.value(&key, depth + 1);
                self.value(&value, depth + 1);
                pairs += 1;
            }
            self.reply.end_map(mark, pairs);
        } else if let Value::Table(set) = self.field(table, "set") {
            let mark = self.reply.deferred();
            let mut elements = 0;
            for (element, _) in set.pairs::<Value, Value>().flatten() {
                self.value(&element, depth + 1);
                elements += 1;
            }
            self.reply.end_set(mark, elements);
        } else {
            self.array(table, depth);
        }
    }

    /// The elements up to the first nil.
    fn array(&mut self, table: &Table, depth: usize) {
        let mark = self.reply.deferred();
        let mut length = 0;
        loop {
            let value = table.raw_get(length + 1).unwrap_or(Value::Nil);
            if value.is_nil() {
                break;
            }
            self.value(&value, depth + 1);
            length += 1;
        }
        self.reply.end_array(mark, length);
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

    fn written(code: &str, script: Protocol, client: Protocol) -> String {
        let lua = Lua::new();
        let value = lua.load(format!("return {code}")).eval().unwrap();
        let mut out = Vec::new();
        write(&lua, "f", &Ended::Returned(value), script, &mut Reply::new(&mut out, client));
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
    fn a_table_within_itself_ends_in_an_error() {
        let reply = written("(function() local t = {} t[1] = t return t end)()", Protocol::Resp2, Protocol::Resp2);
        assert!(reply.starts_with("*1\r\n*1\r\n") && reply.ends_with("*1\r\n-ERR reached lua stack limit\r\n"));
    }
}
