//! JSON to Lua values. Errors name what was expected, what was found, and at which character.

use mlua::{Error, Lua, Result, Value};

use super::super::clock;
use super::super::error::text_error;
use super::settings::Settings;
use super::{NULL, number};

/// Containers nested deeper than this are refused whatever the setting says, since each level takes stack.
const MAX_DEPTH: i32 = 2000;

/// Reads one value, which must be all there is.
pub(super) fn text(lua: &Lua, settings: &Settings, text: &[u8]) -> Result<Value> {
    if let [0, _, ..] | [_, 0, ..] = text {
        return Err(text_error(lua, "JSON parser does not support UTF-16 or UTF-32"));
    }
    let mut decoder = Decoder { lua, settings, text, at: 0, depth: 0 };
    let token = decoder.token();
    let value = decoder.value(token)?;
    let token = decoder.token();
    match token.kind {
        Kind::End => Ok(value),
        _ => Err(decoder.unexpected("the end", &token)),
    }
}

enum Kind {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    String(Vec<u8>),
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    Error(&'static str),
}

struct Token {
    kind: Kind,
    /// Where it starts; of an error, where it is noticed.
    at: usize,
}

impl Kind {
    fn name(&self) -> &'static str {
        match self {
            Self::ObjectBegin => "T_OBJ_BEGIN",
            Self::ObjectEnd => "T_OBJ_END",
            Self::ArrayBegin => "T_ARR_BEGIN",
            Self::ArrayEnd => "T_ARR_END",
            Self::String(_) => "T_STRING",
            Self::Number(_) => "T_NUMBER",
            Self::Boolean(_) => "T_BOOLEAN",
            Self::Null => "T_NULL",
            Self::Colon => "T_COLON",
            Self::Comma => "T_COMMA",
            Self::End => "T_END",
            Self::Error(what) => what,
        }
    }
}

struct Decoder<'d> {
    lua: &'d Lua,
    settings: &'d Settings,
    text: &'d [u8],
    at: usize,
    depth: i32,
}

impl Decoder<'_> {
    fn unexpected(&self, expected: &str, token: &Token) -> Error {
        let message = format!("Expected {expected} but found {} at character {}", token.kind.name(), token.at + 1);
        text_error(self.lua, message)
    }

    /// The byte at an offset from here; past the end a NUL, which ends a text wherever it stands.
    fn peek(&self, offset: usize) -> u8 {
        self.text.get(self.at + offset).copied().unwrap_or(0)
    }

    fn token(&mut self) -> Token {
        while matches!(self.peek(0), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        let at = self.at;
        let single = match self.peek(0) {
            b'{' => Kind::ObjectBegin,
            b'}' => Kind::ObjectEnd,
            b'[' => Kind::ArrayBegin,
            b']' => Kind::ArrayEnd,
            b',' => Kind::Comma,
            b':' => Kind::Colon,
            0 => return Token { kind: Kind::End, at },
            b'"' => {
                let kind = self.string();
                let at = if matches!(kind, Kind::Error(_)) { self.at } else { at };
                return Token { kind, at };
            }
            b'f' | b'i' | b'I' | b'n' | b'N' | b't' | b'+' | b'-' | b'0'..=b'9' => {
                return Token { kind: self.word_or_number(), at };
            }
            _ => return Token { kind: Kind::Error("invalid token"), at },
        };
        self.at += 1;
        Token { kind: single, at }
    }

    fn word_or_number(&mut self) -> Kind {
        let rest = &self.text[self.at..];
        if matches!(rest[0], b'-' | b'0'..=b'9') {
            return if !self.settings.decode_invalid && self.is_invalid_number() {
                Kind::Error("invalid number")
            } else {
                self.number()
            };
        }
        for (word, kind) in [("true", Kind::Boolean(true)), ("false", Kind::Boolean(false)), ("null", Kind::Null)] {
            if rest.starts_with(word.as_bytes()) {
                self.at += word.len();
                return kind;
            }
        }
        if self.settings.decode_invalid && self.is_invalid_number() {
            return self.number();
        }
        Kind::Error("invalid token")
    }

    /// Whether what stands here is a number for C, but none for JSON.
    fn is_invalid_number(&self) -> bool {
        if self.peek(0) == b'+' {
            return true;
        }
        let rest = &self.text[self.at + usize::from(self.peek(0) == b'-')..];
        match rest {
            [b'0', next, ..] => next.eq_ignore_ascii_case(&b'x') || next.is_ascii_digit(),
            [first, ..] if *first <= b'9' => false,
            _ => {
                rest.get(..3).is_some_and(|word| word.eq_ignore_ascii_case(b"inf") || word.eq_ignore_ascii_case(b"nan"))
            }
        }
    }

    fn number(&mut self) -> Kind {
        match number::read(&self.text[self.at..]) {
            Some((value, length)) => {
                self.at += length;
                Kind::Number(value)
            }
            None => Kind::Error("invalid number"),
        }
    }

    fn string(&mut self) -> Kind {
        self.at += 1;
        let mut out = Vec::new();
        loop {
            match self.peek(0) {
                b'"' => break,
                0 => return Kind::Error("unexpected end of string"),
                b'\\' => {
                    let plain = match self.peek(1) {
                        byte @ (b'"' | b'\\' | b'/') => byte,
                        b'b' => 8,
                        b't' => b'\t',
                        b'n' => b'\n',
                        b'f' => 12,
                        b'r' => b'\r',
                        b'u' => match self.unicode_escape() {
                            Some(character) => {
                                out.extend_from_slice(&character);
                                continue;
                            }
                            None => return Kind::Error("invalid unicode escape code"),
                        },
                        _ => return Kind::Error("invalid escape code"),
                    };
                    out.push(plain);
                    self.at += 2;
                }
                byte => {
                    out.push(byte);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        Kind::String(out)
    }

    /// `\uXXXX`, or two of them for a character outside the basic plane, as UTF-8.
    fn unicode_escape(&mut self) -> Option<Vec<u8>> {
        let unit = self.hex4(2)?;
        let (code, length) = if unit & 0xf800 == 0xd800 {
            let low = (self.peek(6) == b'\\' && self.peek(7) == b'u').then(|| self.hex4(8)).flatten()?;
            if unit & 0x400 != 0 || low & 0xfc00 != 0xdc00 {
                return None;
            }
            (((unit & 0x3ff) << 10 | low & 0x3ff) + 0x1_0000, 12)
        } else {
            (unit, 6)
        };
        self.at += length;
        Some(char::from_u32(code)?.to_string().into_bytes())
    }

    fn hex4(&self, offset: usize) -> Option<u32> {
        (0..4).try_fold(0, |value, digit| Some(value << 4 | char::from(self.peek(offset + digit)).to_digit(16)?))
    }

    fn descend(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth <= self.settings.decode_max_depth.min(MAX_DEPTH) {
            return Ok(());
        }
        let message = format!("Found too many nested data structures ({}) at character {}", self.depth, self.at);
        Err(text_error(self.lua, message))
    }

    fn value(&mut self, token: Token) -> Result<Value> {
        clock::work(clock::PER_VALUE + self.at - token.at)?;
        Ok(match token.kind {
            Kind::String(bytes) => Value::String(self.lua.create_string(bytes)?),
            Kind::Number(value) => Value::Number(value),
            Kind::Boolean(value) => Value::Boolean(value),
            Kind::Null => NULL,
            Kind::ObjectBegin => self.object()?,
            Kind::ArrayBegin => self.array()?,
            _ => return Err(self.unexpected("value", &token)),
        })
    }

    fn object(&mut self) -> Result<Value> {
        self.descend()?;
        let table = self.lua.create_table()?;
        let mut token = self.token();
        if !matches!(token.kind, Kind::ObjectEnd) {
            loop {
                let Kind::String(key) = token.kind else { return Err(self.unexpected("object key string", &token)) };
                let colon = self.token();
                if !matches!(colon.kind, Kind::Colon) {
                    return Err(self.unexpected("colon", &colon));
                }
                let first = self.token();
                let value = self.value(first)?;
                table.raw_set(self.lua.create_string(key)?, value)?;
                let next = self.token();
                match next.kind {
                    Kind::ObjectEnd => break,
                    Kind::Comma => token = self.token(),
                    _ => return Err(self.unexpected("comma or object end", &next)),
                }
            }
        }
        self.depth -= 1;
        Ok(Value::Table(table))
    }

    fn array(&mut self) -> Result<Value> {
        self.descend()?;
        let table = self.lua.create_table()?;
        let mut token = self.token();
        if !matches!(token.kind, Kind::ArrayEnd) {
            for index in 1.. {
                let value = self.value(token)?;
                table.raw_set(index, value)?;
                let next = self.token();
                match next.kind {
                    Kind::ArrayEnd => break,
                    Kind::Comma => token = self.token(),
                    _ => return Err(self.unexpected("comma or array end", &next)),
                }
            }
        }
        self.depth -= 1;
        Ok(Value::Table(table))
    }
}
