//! Lua values as the debugger shows them.

use mlua::{Table, Value};

use super::dump::Dump;
use crate::scripting::arguments::number_of;

/// Tables within tables that are shown.
const MAX_DEPTH: usize = 10;

/// Adds a value.
pub(super) fn show(value: &Value, dump: &mut Dump) {
    show_nested(value, dump, 0);
}

fn show_nested(value: &Value, dump: &mut Dump, depth: usize) {
    if dump.is_full() {
        return;
    }
    if depth == MAX_DEPTH {
        dump.add(b"<max recursion level reached! Nested table?>");
        return;
    }
    match value {
        Value::Nil => dump.add(b"nil"),
        Value::Boolean(value) => dump.add(if *value { b"true" } else { b"false" }),
        Value::String(text) => dump.add_quoted(&text.as_bytes()),
        Value::Table(table) => show_table(table, dump, depth + 1),
        other => match number_of(other) {
            Some(number) => dump.add(short_number(number).as_bytes()),
            None => {
                let kind = match other {
                    Value::Function(_) => "function",
                    Value::Thread(_) => "thread",
                    Value::LightUserData(_) => "light-userdata",
                    _ => "userdata",
                };
                dump.add(format!("\"{kind}@{:p}\"", other.to_pointer()).as_bytes());
            }
        },
    }
}

/// The values alone where the table is an array, else keys too.
fn show_table(table: &Table, dump: &mut Dump, depth: usize) {
    let mut pairs = table.pairs::<Value, Value>().flatten();
    let is_array = (1..).map(f64::from).zip(&mut pairs).all(|(index, (key, _))| number_of(&key) == Some(index));
    dump.add(b"{");
    for (index, (key, value)) in table.pairs::<Value, Value>().flatten().enumerate() {
        if dump.is_full() {
            return;
        }
        if index > 0 {
            dump.add(b"; ");
        }
        if !is_array {
            dump.add(b"[");
            show_nested(&key, dump, depth);
            dump.add(b"]=");
        }
        show_nested(&value, dump, depth);
    }
    dump.add(b"}");
}

/// A number with six digits, as C's `%g` writes it.
fn short_number(number: f64) -> String {
    const DIGITS: i32 = 6;
    if !number.is_finite() {
        let sign = if number.is_sign_negative() { "-" } else { "" };
        return format!("{sign}{}", if number.is_nan() { "nan" } else { "inf" });
    }
    let scientific = format!("{number:.*e}", DIGITS as usize - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..DIGITS).contains(&exponent) {
        return without_zeros(&format!("{number:.*}", (DIGITS - 1 - exponent) as usize)).to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", without_zeros(mantissa), exponent.abs())
}

/// A decimal without the zeros at its end that say nothing.
fn without_zeros(decimal: &str) -> &str {
    if decimal.contains('.') { decimal.trim_end_matches('0').trim_end_matches('.') } else { decimal }
}

#[cfg(test)]
mod tests {
    use mlua::Lua;

    use super::*;

    fn shown(lua: &Lua, code: &str, room: usize) -> String {
        let mut dump = Dump::new("", room);
        show(&lua.load(code).eval().unwrap(), &mut dump);
        String::from_utf8(dump.into_text()).unwrap()
    }

    #[test]
    fn every_kind_of_value_is_shown() {
        let lua = Lua::new();
        for (code, text) in [
            ("nil", "nil"),
            ("true", "true"),
            ("1", "1"),
            ("-0.5", "-0.5"),
            ("1e6", "1e+06"),
            ("123456", "123456"),
            ("123456.7", "123457"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("1/3", "0.333333"),
            ("999999.5", "1e+06"),
            ("1e300", "1e+300"),
            ("1/0", "inf"),
            ("-1/0", "-inf"),
            ("0", "0"),
            ("'a\\nb\"'", "\"a\\nb\\\"\""),
            ("{}", "{}"),
            ("{1,2,{3,'x'}}", "{1; 2; {3; \"x\"}}"),
            ("{a=1}", "{[\"a\"]=1}"),
            ("{1,nil,3}", "{[1]=1; [3]=3}"),
            ("{[true]={}}", "{[true]={}}"),
        ] {
            assert_eq!(shown(&lua, code, 1000), text, "{code}");
        }
        assert!(shown(&lua, "print", 100).starts_with("\"function@0x"));
        assert!(shown(&lua, "coroutine.create(function() end)", 100).starts_with("\"thread@0x"));
    }

    #[test]
    fn tables_without_end_come_to_one() {
        let lua = Lua::new();
        let nested = shown(&lua, "(function() local t = {} t[1] = t return t end)()", 1000);
        assert_eq!(nested, format!("{}<max recursion level reached! Nested table?>{}", "{".repeat(10), "}".repeat(10)));
        let wide = "(function() local t = {} for i = 1, 200 do t[i] = t end return t end)()";
        assert_eq!(shown(&lua, wide, 1000).len(), 1001);
    }
}
