//! The library `cjson`: JSON, with the settings and the error texts of lua-cjson.

mod decode;
mod encode;
mod number;
mod settings;

use std::sync::Arc;

use mlua::{LightUserData, Lua, Result, Table, Value};
use parking_lot::Mutex;

use super::arguments::Arguments;
use settings::Settings;

/// How JSON's null appears in Lua: unlike nil it can be an element of a table.
const NULL: Value = Value::LightUserData(LightUserData(std::ptr::null_mut()));

/// Makes a table like `cjson`, with settings of its own.
pub(super) fn library(lua: &Lua) -> Result<Table> {
    let settings = Arc::new(Mutex::new(Settings::default()));
    let table = lua.create_table()?;
    let shared = Arc::clone(&settings);
    table.raw_set(
        "encode",
        lua.create_function(move |lua, values| {
            let args = Arguments::new(lua, values);
            args.check(args.len() == 1, 1, "expected 1 argument")?;
            let settings = *shared.lock();
            let mut out = Vec::new();
            encode::value(lua, &settings, args.get(1).unwrap_or(&Value::Nil), &mut out)?;
            lua.create_string(out)
        })?,
    )?;
    let shared = Arc::clone(&settings);
    table.raw_set(
        "decode",
        lua.create_function(move |lua, values| {
            let args = Arguments::new(lua, values);
            args.check(args.len() == 1, 1, "expected 1 argument")?;
            let text = args.string(1)?;
            let settings = *shared.lock();
            decode::text(lua, &settings, &text.as_bytes())
        })?,
    )?;
    settings::register(lua, &table, &settings)?;
    table.raw_set("new", lua.create_function(|lua, ()| library(lua))?)?;
    table.raw_set("null", NULL)?;
    table.raw_set("_NAME", "cjson")?;
    table.raw_set("_VERSION", "2.1.0")?;
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lua() -> Lua {
        let lua = Lua::new();
        let table = library(&lua).unwrap();
        lua.globals().set("cjson", table).unwrap();
        lua
    }

    #[test]
    fn values_encode() {
        let lua = lua();
        for (value, text) in [
            ("100", "100"),
            ("0.1", "0.1"),
            ("1/3", "0.33333333333333"),
            ("1e20", "1e+20"),
            ("-0.0", "-0"),
            ("123456789012345", "1.2345678901234e+14"),
            ("nil", "null"),
            ("cjson.null", "null"),
            ("{true,false}", "[true,false]"),
            ("{}", "{}"),
            ("{1,nil,3}", "[1,null,3]"),
            ("{[3]=1}", "[null,null,1]"),
            ("{[0.5]=1}", "{\"0.5\":1}"),
            ("{a={b={}}}", "{\"a\":{\"b\":{}}}"),
            ("'a/\\n\\1\\127\"\\\\'", "\"a\\/\\n\\u0001\\u007f\\\"\\\\\""),
        ] {
            let encoded: String = lua.load(format!("return cjson.encode({value})")).eval().unwrap();
            assert_eq!(encoded, text, "{value}");
        }
    }

    #[test]
    fn texts_decode() {
        let lua = lua();
        for code in [
            "return cjson.decode('[1, 2.5, -3e2]')[3] == -300",
            "return cjson.decode('{\"a\" : {\"b\":[null]}}').a.b[1] == cjson.null",
            "return cjson.decode([=[\"\\u00e9\\ud83d\\ude00\\n\\/\"]=]) == '\\195\\169\\240\\159\\152\\128\\n/'",
            "return cjson.decode(' true ') == true",
            "return cjson.decode('\"a\\0b\"') == nil",
            "return cjson.decode('NaN') ~= cjson.decode('nan')",
            "return cjson.decode('0x10') == 16",
            "return cjson.decode('-Infinity') == -math.huge",
            "return cjson.decode('12') == 12",
            "return cjson.decode(12) == 12",
        ] {
            match lua.load(code).eval::<bool>() {
                Ok(holds) => assert!(holds, "{code}"),
                Err(error) => assert!(error.to_string().contains("unexpected end of string"), "{code}: {error}"),
            }
        }
    }

    #[test]
    fn errors_have_the_librarys_texts() {
        let lua = lua();
        for (code, message) in [
            ("cjson.decode('')", "Expected value but found T_END at character 1"),
            ("cjson.decode('[1,]')", "Expected value but found T_ARR_END at character 4"),
            ("cjson.decode('[1 2]')", "Expected comma or array end but found T_NUMBER at character 4"),
            ("cjson.decode('{1:2}')", "Expected object key string but found T_NUMBER at character 2"),
            ("cjson.decode('{\"a\" 2}')", "Expected colon but found T_NUMBER at character 6"),
            ("cjson.decode('x')", "Expected value but found invalid token at character 1"),
            ("cjson.decode('1 1')", "Expected the end but found T_NUMBER at character 3"),
            ("cjson.decode('\"abc')", "Expected value but found unexpected end of string at character 5"),
            ("cjson.decode([[\"\\u12\"]])", "Expected value but found invalid unicode escape code at character 2"),
            ("cjson.decode([[\"\\x\"]])", "Expected value but found invalid escape code at character 2"),
            ("cjson.decode(string.rep('[', 1001))", "Found too many nested data structures (1001) at character 1001"),
            ("cjson.decode('\\0\\0')", "JSON parser does not support UTF-16 or UTF-32"),
            ("cjson.encode(0/0)", "Cannot serialise number: must not be NaN or Inf"),
            ("cjson.encode({[true]=1})", "Cannot serialise boolean: table key must be a number or string"),
            ("cjson.encode({[1000]=1})", "Cannot serialise table: excessively sparse array"),
            ("cjson.encode(print)", "Cannot serialise function: type not supported"),
            ("local t = {} t[1] = t cjson.encode(t)", "Cannot serialise, excessive nesting (1001)"),
            ("cjson.encode_max_depth(0)", "expected integer between 1 and 2147483647"),
            ("cjson.encode(1, 2)", "expected 1 argument"),
            ("cjson.encode_invalid_numbers('x')", "invalid option 'x'"),
        ] {
            let error = lua.load(code).exec().expect_err(code).to_string();
            assert!(error.contains(message), "{code}: {error}");
        }
    }

    #[test]
    fn settings_return_what_holds() {
        let lua = lua();
        for code in [
            "return cjson.encode_max_depth() == 1000 and cjson.encode_max_depth(5) == 5",
            "local a, b, c = cjson.encode_sparse_array(true, 0, 5) return a == true and b == 0 and c == 5",
            "cjson.encode_sparse_array(true, 2, 10) return cjson.encode({[1000]=1}) == '{\"1000\":1}'",
            "cjson.encode_number_precision(3) return cjson.encode(1/3) == '0.333'",
            "return cjson.encode_invalid_numbers('null') == 'null' and cjson.encode(0/0) == 'null'",
            "return cjson.encode_invalid_numbers(true) == true and cjson.encode(-math.huge) == '-inf'",
            "cjson.decode_invalid_numbers(false) return pcall(cjson.decode, '0x1') == false",
            "return cjson.new().encode_max_depth() == 1000",
        ] {
            assert_eq!(lua.load(code).eval::<bool>().map_err(|e| e.to_string()), Ok(true), "{code}");
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic() {
        use rand::{Rng, SeedableRng};
        let lua = lua();
        let decode: mlua::Function = lua.load("return function(s) return pcall(cjson.decode, s) end").eval().unwrap();
        let alphabet = b"[]{}\",:\\u0d8 truefalsn-+.eE\0x\xff";
        let mut random = rand::rngs::SmallRng::seed_from_u64(11);
        for _ in 0..20_000 {
            let length = random.random_range(0..30);
            let bytes: Vec<u8> = (0..length).map(|_| alphabet[random.random_range(0..alphabet.len())]).collect();
            decode.call::<mlua::MultiValue>(lua.create_string(&bytes).unwrap()).unwrap();
        }
    }
}
