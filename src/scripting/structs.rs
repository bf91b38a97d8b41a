//! The library `struct`: values to bytes and back, by a format of one letter per value.

use mlua::{Lua, MultiValue, Result, Table, Value};

use super::arguments::{Arguments, MAX_RESULTS, truncate};
use super::clock;
use super::error::{argument_error, text_error};

/// Most bytes of an integer.
const MAX_INTEGER: usize = 32;
/// The largest alignment that `!` sets without a number.
const MAX_ALIGNMENT: usize = 8;

/// A format, read letter by letter.
struct Format<'f> {
    lua: &'f Lua,
    rest: &'f [u8],
    little_endian: bool,
    alignment: usize,
}

/// One letter of a format.
struct Item {
    letter: u8,
    size: usize,
}

impl<'f> Format<'f> {
    fn new(lua: &'f Lua, text: &'f [u8]) -> Self {
        // A NUL ends the text, as it ends a C string.
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        Self { lua, rest: &text[..end], little_endian: cfg!(target_endian = "little"), alignment: 1 }
    }

    fn next(&mut self) -> Result<Option<Item>> {
        let [letter, rest @ ..] = self.rest else { return Ok(None) };
        self.rest = rest;
        let size = match letter {
            b'b' | b'B' | b'x' => 1,
            b'h' | b'H' => 2,
            b'l' | b'L' | b'T' | b'd' => 8,
            b'f' => 4,
            b'c' => self.count(1)?,
            b'i' | b'I' => {
                let size = self.count(4)?;
                if size > MAX_INTEGER {
                    let message = format!("integral size {size} is larger than limit of {MAX_INTEGER}");
                    return Err(text_error(self.lua, message));
                }
                size
            }
            _ => 0,
        };
        Ok(Some(Item { letter: *letter, size }))
    }

    /// A number in the format, or `default` without one.
    fn count(&mut self, default: usize) -> Result<usize> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return Ok(default);
        }
        let mut value = 0i32;
        for digit in &self.rest[..digits] {
            value = value
                .checked_mul(10)
                .and_then(|value| value.checked_add(i32::from(digit - b'0')))
                .ok_or_else(|| text_error(self.lua, "integral size overflow"))?;
        }
        self.rest = &self.rest[digits..];
        Ok(value as usize)
    }

    /// Bytes in front of an item at `position`.
    fn padding(&self, position: usize, item: &Item) -> usize {
        if item.size == 0 || item.letter == b'c' {
            return 0;
        }
        let size = item.size.min(self.alignment);
        size.wrapping_sub(position & size.wrapping_sub(1)) & size.wrapping_sub(1)
    }

    /// A letter that stands for no value.
    fn control(&mut self, letter: u8) -> Result<()> {
        match letter {
            b' ' => {}
            b'>' => self.little_endian = false,
            b'<' => self.little_endian = true,
            b'!' => {
                let alignment = self.count(MAX_ALIGNMENT)?;
                if !alignment.is_power_of_two() {
                    return Err(text_error(self.lua, format!("alignment {alignment} is not a power of 2")));
                }
                self.alignment = alignment;
            }
            other => {
                let message = format!("invalid format option '{}'", char::from(other));
                return Err(argument_error(self.lua, 1, &message));
            }
        }
        Ok(())
    }

    fn put(&self, out: &mut Vec<u8>, little_endian: impl DoubleEndedIterator<Item = u8>) {
        if self.little_endian {
            out.extend(little_endian);
        } else {
            out.extend(little_endian.rev());
        }
    }

    fn take<const N: usize>(&self, bytes: &[u8]) -> [u8; N] {
        let mut array = [0; N];
        array.copy_from_slice(&bytes[..N]);
        if !self.little_endian {
            array.reverse();
        }
        array
    }
}

fn pack(lua: &Lua, args: &Arguments<'_>) -> Result<Vec<u8>> {
    let text = args.string(1)?;
    let text = text.as_bytes();
    let mut format = Format::new(lua, &text);
    let mut out = Vec::new();
    let mut next = 2;
    while let Some(item) = format.next()? {
        clock::check_size(lua, out.len())?;
        clock::work(clock::PER_VALUE)?;
        let padding = format.padding(out.len(), &item);
        out.resize(out.len() + padding, 0);
        match item.letter {
            b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' => {
                let number = args.number(next)?;
                let value = if number < 0.0 { truncate(number) as u64 } else { number as u64 };
                let bytes = value.to_le_bytes();
                format.put(&mut out, (0..item.size).map(|index| bytes.get(index).copied().unwrap_or(0)));
                next += 1;
            }
            b'x' => out.push(0),
            b'f' => {
                format.put(&mut out, (args.number(next)? as f32).to_le_bytes().into_iter());
                next += 1;
            }
            b'd' => {
                format.put(&mut out, args.number(next)?.to_le_bytes().into_iter());
                next += 1;
            }
            b'c' | b's' => {
                let string = args.string(next)?;
                let bytes = string.as_bytes();
                next += 1;
                let size = if item.size == 0 { bytes.len() } else { item.size };
                args.check(bytes.len() >= size, next, "string too short")?;
                clock::check_size(lua, out.len() + size)?;
                clock::work(size)?;
                out.extend_from_slice(&bytes[..size]);
                if item.letter == b's' {
                    out.push(0);
                }
            }
            other => format.control(other)?,
        }
    }
    Ok(out)
}

/// An integer of up to 32 bytes, of which the low 8 count.
fn integer(bytes: &[u8], little_endian: bool, signed: bool) -> f64 {
    let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    let value = if little_endian { bytes.iter().rev().fold(0, fold) } else { bytes.iter().fold(0, fold) };
    if !signed {
        return value as f64;
    }
    let unused = 64u32.saturating_sub(bytes.len() as u32 * 8);
    if unused == 64 { 0.0 } else { ((value << unused) as i64 >> unused) as f64 }
}

fn unpack(lua: &Lua, args: &Arguments<'_>) -> Result<MultiValue> {
    const TOO_SHORT: &str = "data string too short";
    let (text, data) = (args.string(1)?, args.string(2)?);
    let (text, data) = (text.as_bytes(), data.as_bytes());
    let start = args.integer_or(3, 1)?;
    args.check(start != 0, 3, "offset must be 1 or greater")?;
    let mut position = (start as usize).wrapping_sub(1);
    let mut format = Format::new(lua, &text);
    let mut results: Vec<Value> = Vec::new();
    while let Some(item) = format.next()? {
        if results.len() == MAX_RESULTS {
            return Err(text_error(lua, "too many results to unpack"));
        }
        clock::work(clock::PER_VALUE)?;
        let mut size = item.size;
        position = position.wrapping_add(format.padding(position, &item));
        let fits = |position: usize, size: usize| size <= data.len() && position <= data.len() - size;
        args.check(fits(position, size), 2, TOO_SHORT)?;
        let here = &data[position..position + size];
        match item.letter {
            b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' => {
                let signed = item.letter.is_ascii_lowercase();
                results.push(Value::Number(integer(here, format.little_endian, signed)));
            }
            b'x' => {}
            b'f' => results.push(Value::Number(f32::from_le_bytes(format.take(here)).into())),
            b'd' => results.push(Value::Number(f64::from_le_bytes(format.take(here)))),
            b'c' => {
                if size == 0 {
                    let previous = results.pop().map(|value| lua.coerce_number(value)).transpose()?.flatten();
                    let Some(previous) = previous else {
                        return Err(text_error(lua, "format 'c0' needs a previous size"));
                    };
                    size = truncate(previous) as usize;
                    args.check(fits(position, size), 2, TOO_SHORT)?;
                }
                clock::work(size)?;
                results.push(Value::String(lua.create_string(&data[position..position + size])?));
            }
            b's' => {
                let Some(length) = data[position..].iter().position(|byte| *byte == 0) else {
                    return Err(text_error(lua, "unfinished string in data"));
                };
                clock::work(length)?;
                results.push(Value::String(lua.create_string(&data[position..position + length])?));
                size = length + 1;
            }
            other => format.control(other)?,
        }
        position += size;
    }
    results.push(Value::Integer(position as i64 + 1));
    Ok(results.into())
}

fn size(lua: &Lua, args: &Arguments<'_>) -> Result<usize> {
    let text = args.string(1)?;
    let text = text.as_bytes();
    let mut format = Format::new(lua, &text);
    let mut position = 0usize;
    while let Some(item) = format.next()? {
        clock::work(1)?;
        position = position.wrapping_add(format.padding(position, &item));
        match item.letter {
            b's' => return Err(argument_error(lua, 1, "option 's' has no fixed size")),
            b'c' if item.size == 0 => return Err(argument_error(lua, 1, "option 'c0' has no fixed size")),
            other if !other.is_ascii_alphanumeric() => format.control(other)?,
            _ => {}
        }
        position = position.wrapping_add(item.size);
    }
    Ok(position)
}

/// Makes the table `struct`.
pub(super) fn library(lua: &Lua) -> Result<Table> {
    let table = lua.create_table()?;
    table.raw_set(
        "pack",
        lua.create_function(|lua, values| lua.create_string(pack(lua, &Arguments::new(lua, values))?))?,
    )?;
    table.raw_set("unpack", lua.create_function(|lua, values| unpack(lua, &Arguments::new(lua, values)))?)?;
    table.raw_set("size", lua.create_function(|lua, values| Ok(size(lua, &Arguments::new(lua, values))? as f64))?)?;
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(code: &str) -> Result<bool> {
        let lua = Lua::new();
        lua.globals().set("struct", library(&lua)?)?;
        lua.load(code).eval()
    }

    #[test]
    fn formats_pack_and_unpack() {
        for code in [
            "return struct.pack('>I2h', 258, -1) == '\\1\\2\\255\\255'",
            "return struct.pack('<i3', -2) == '\\254\\255\\255'",
            "return struct.pack('>!4 b i', 1, 2) == '\\1\\0\\0\\0\\0\\0\\0\\2'",
            "return struct.pack('sc0c2', 'ab', 'cd', 'efg') == 'ab\\0cdef'",
            "return struct.unpack('<h', '\\255\\255') == -1",
            "return struct.unpack('<H', '\\255\\255') == 65535",
            "return select(2, struct.unpack('s', 'ab\\0cd')) == 4",
            "return struct.unpack('bc0', '\\2xyz') == 'xy'",
            "return struct.unpack('>d', struct.pack('>d', 1.5)) == 1.5",
            "return struct.size('>!4bi') == 8",
            "return struct.unpack('<I32', string.rep('\\1', 32)) ~= 0",
            "return struct.pack('i0', 5) == ''",
            "return struct.unpack('i0', '') == 0",
        ] {
            assert_eq!(run(code).map_err(|e| e.to_string()), Ok(true), "{code}");
        }
    }

    #[test]
    fn bad_formats_are_errors() {
        for (code, message) in [
            ("struct.pack('i33', 1)", "integral size 33 is larger than limit of 32"),
            ("struct.pack('i99999999999', 1)", "integral size overflow"),
            ("struct.pack('!3', 1)", "alignment 3 is not a power of 2"),
            ("struct.pack('?', 1)", "invalid format option '?'"),
            ("struct.unpack('i', 'abc')", "data string too short"),
            ("struct.unpack('i', 'abcd', 2147483647)", "data string too short"),
            ("struct.unpack('i', 'abcd', -10)", "data string too short"),
            ("struct.unpack('i', 'abcd', 0)", "offset must be 1 or greater"),
            ("struct.unpack('bc0', '\\255x')", "data string too short"),
            ("struct.unpack('s', 'x')", "unfinished string in data"),
            ("struct.unpack('c0', 'x')", "format 'c0' needs a previous size"),
            ("struct.size('s')", "option 's' has no fixed size"),
            ("struct.pack('i')", "number expected, got no value"),
        ] {
            let error = run(code).expect_err(code).to_string();
            assert!(error.contains(message), "{code}: {error}");
        }
    }
}
