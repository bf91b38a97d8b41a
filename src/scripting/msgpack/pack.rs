//! Lua values to MessagePack: every value in its shortest form, tables down to a fixed depth.

use mlua::{Lua, LuaString, MultiValue, Result, Table, Value};

use super::super::arguments::truncate;
use super::super::clock;
use super::super::error::argument_error;

/// Tables nested deeper than this are packed as nil, so that circular ones have an end.
const MAX_NESTING: usize = 16;

/// `cmsgpack.pack`: all arguments, one behind the other.
pub(super) fn pack(lua: &Lua, values: MultiValue) -> Result<LuaString> {
    if values.is_empty() {
        return Err(argument_error(lua, 0, "MessagePack pack needs input."));
    }
    let mut out = Vec::new();
    for value in &values {
        put_value(lua, &mut out, value, 0)?;
    }
    lua.create_string(out)
}

fn put_value(lua: &Lua, out: &mut Vec<u8>, value: &Value, level: usize) -> Result<()> {
    let bytes = value.as_string().map_or(0, |string| string.as_bytes().len());
    clock::check_size(lua, out.len() + bytes)?;
    clock::work(clock::PER_VALUE + bytes)?;
    match value {
        Value::Boolean(value) => out.push(if *value { 0xc3 } else { 0xc2 }),
        Value::Integer(value) => put_integer(out, *value),
        Value::Number(value) => put_number(out, *value),
        Value::String(string) => put_bytes(out, &string.as_bytes()),
        Value::Table(table) if level < MAX_NESTING => return put_table(lua, out, table, level),
        _ => out.push(0xc0),
    }
    Ok(())
}

fn put_number(out: &mut Vec<u8>, value: f64) {
    let integer = truncate(value);
    if value.is_finite() && integer as f64 == value {
        put_integer(out, integer);
    } else if f64::from(value as f32) == value {
        out.push(0xca);
        out.extend_from_slice(&(value as f32).to_be_bytes());
    } else {
        out.push(0xcb);
        out.extend_from_slice(&value.to_be_bytes());
    }
}

fn put_integer(out: &mut Vec<u8>, value: i64) {
    match value {
        -32..=0x7f => out.push(value as u8),
        0x80..=0xff => out.extend_from_slice(&[0xcc, value as u8]),
        0x100..=0xffff => put_wide(out, 0xcd, &(value as u16).to_be_bytes()),
        0x1_0000..=0xffff_ffff => put_wide(out, 0xce, &(value as u32).to_be_bytes()),
        0x1_0000_0000.. => put_wide(out, 0xcf, &value.to_be_bytes()),
        -128..=-33 => out.extend_from_slice(&[0xd0, value as u8]),
        -0x8000..=-129 => put_wide(out, 0xd1, &(value as i16).to_be_bytes()),
        -0x8000_0000..=-0x8001 => put_wide(out, 0xd2, &(value as i32).to_be_bytes()),
        _ => put_wide(out, 0xd3, &value.to_be_bytes()),
    }
}

fn put_wide(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    out.extend_from_slice(bytes);
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes.len() {
        length @ 0..=31 => out.push(0xa0 | length as u8),
        length @ 32..=0xff => out.extend_from_slice(&[0xd9, length as u8]),
        length @ 0x100..=0xffff => put_wide(out, 0xda, &(length as u16).to_be_bytes()),
        length => put_wide(out, 0xdb, &(length as u32).to_be_bytes()),
    }
    out.extend_from_slice(bytes);
}

/// The head of an array or a map: short, 16 bits or 32 bits.
fn put_length(out: &mut Vec<u8>, length: usize, [short, medium, long]: [u8; 3]) {
    match length {
        0..=15 => out.push(short | length as u8),
        16..=0xffff => put_wide(out, medium, &(length as u16).to_be_bytes()),
        _ => put_wide(out, long, &(length as u32).to_be_bytes()),
    }
}

fn put_table(lua: &Lua, out: &mut Vec<u8>, table: &Table, level: usize) -> Result<()> {
    if is_array(table)? {
        let length = table.raw_len();
        put_length(out, length, [0x90, 0xdc, 0xdd]);
        for index in 1..=length {
            put_value(lua, out, &table.get(index)?, level + 1)?;
        }
        return Ok(());
    }
    let mut pairs = 0;
    table.for_each(|_: Value, _: Value| {
        pairs += 1;
        Ok(())
    })?;
    put_length(out, pairs, [0x80, 0xde, 0xdf]);
    table.for_each(|key: Value, value: Value| {
        put_value(lua, out, &key, level + 1)?;
        put_value(lua, out, &value, level + 1)
    })
}

/// Whether the keys of a table are the integers from 1 to how many there are.
fn is_array(table: &Table) -> Result<bool> {
    let (mut count, mut max, mut plain) = (0i64, 0i64, true);
    table.for_each(|key: Value, _: Value| {
        clock::work(clock::PER_VALUE)?;
        match key {
            Value::Integer(key) if key > 0 && key <= i64::from(i32::MAX) => {
                count += 1;
                max = max.max(key);
            }
            _ => plain = false,
        }
        Ok(())
    })?;
    Ok(plain && max == count)
}
