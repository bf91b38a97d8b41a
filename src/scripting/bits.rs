//! The library `bit`: operations on 32-bit integers, with the interface of Lua BitOp.

use mlua::{Lua, Result, Table};

use super::arguments::Arguments;

/// Added to a number it leaves the number's integer, modulo 2^32, in the low bits of the sum.
const ROUNDING: f64 = 6_755_399_441_055_744.0;

fn to_bits(number: f64) -> u32 {
    (number + ROUNDING).to_bits() as u32
}

fn result(bits: u32) -> f64 {
    f64::from(bits as i32)
}

fn argument(args: &Arguments<'_>, index: usize) -> Result<u32> {
    args.number(index).map(to_bits)
}

fn unary(lua: &Lua, table: &Table, name: &str, operation: fn(u32) -> u32) -> Result<()> {
    let function =
        lua.create_function(move |lua, values| Ok(result(operation(argument(&Arguments::new(lua, values), 1)?))))?;
    table.raw_set(name, function)
}

fn fold(lua: &Lua, table: &Table, name: &str, operation: fn(u32, u32) -> u32) -> Result<()> {
    let function = lua.create_function(move |lua, values| {
        let args = Arguments::new(lua, values);
        let mut bits = argument(&args, 1)?;
        for index in 2..=args.len() {
            bits = operation(bits, argument(&args, index)?);
        }
        Ok(result(bits))
    })?;
    table.raw_set(name, function)
}

fn shift(lua: &Lua, table: &Table, name: &str, operation: fn(u32, u32) -> u32) -> Result<()> {
    let function = lua.create_function(move |lua, values| {
        let args = Arguments::new(lua, values);
        Ok(result(operation(argument(&args, 1)?, argument(&args, 2)? & 31)))
    })?;
    table.raw_set(name, function)
}

/// The last digits of a number in hexadecimal; a negative count asks for capital letters.
fn to_hex(bits: u32, digits: i32) -> String {
    let count = digits.unsigned_abs().min(8) as usize;
    let text = if digits < 0 { format!("{bits:08X}") } else { format!("{bits:08x}") };
    text[8 - count..].to_owned()
}

/// Makes the table `bit`.
pub(super) fn library(lua: &Lua) -> Result<Table> {
    let table = lua.create_table()?;
    unary(lua, &table, "tobit", |bits| bits)?;
    unary(lua, &table, "bnot", |bits| !bits)?;
    unary(lua, &table, "bswap", u32::swap_bytes)?;
    fold(lua, &table, "band", |a, b| a & b)?;
    fold(lua, &table, "bor", |a, b| a | b)?;
    fold(lua, &table, "bxor", |a, b| a ^ b)?;
    shift(lua, &table, "lshift", |bits, by| bits << by)?;
    shift(lua, &table, "rshift", |bits, by| bits >> by)?;
    shift(lua, &table, "arshift", |bits, by| (bits as i32 >> by) as u32)?;
    shift(lua, &table, "rol", u32::rotate_left)?;
    shift(lua, &table, "ror", u32::rotate_right)?;
    table.raw_set(
        "tohex",
        lua.create_function(|lua, values| {
            let args = Arguments::new(lua, values);
            let digits = if args.is_nil(2) { 8 } else { argument(&args, 2)? as i32 };
            Ok(to_hex(argument(&args, 1)?, digits))
        })?,
    )?;
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_wrap_and_round() {
        for (number, bits) in
            [(0.0, 0), (-1.0, u32::MAX), (4_294_967_297.0, 1), (1.5, 2), (2.5, 2), (-2_147_483_648.0, 1 << 31)]
        {
            assert_eq!(to_bits(number), bits, "{number}");
        }
        assert_eq!(result(u32::MAX), -1.0);
    }

    #[test]
    fn hexadecimal_has_the_digits_asked_for() {
        for (digits, text) in
            [(8, "0000ffff"), (4, "ffff"), (-4, "FFFF"), (0, ""), (i32::MIN, "0000FFFF"), (99, "0000ffff")]
        {
            assert_eq!(to_hex(0xffff, digits), text);
        }
    }
}
