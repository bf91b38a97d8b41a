//! The library `cmsgpack`: MessagePack, as Lua scripts of Redis know it.

mod pack;
mod unpack;

use mlua::{Lua, Result, Table};

/// Makes the table `cmsgpack`.
pub(super) fn library(lua: &Lua) -> Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("pack", lua.create_function(pack::pack)?)?;
    table.raw_set("unpack", lua.create_function(unpack::unpack)?)?;
    table.raw_set("unpack_one", lua.create_function(unpack::unpack_one)?)?;
    table.raw_set("unpack_limit", lua.create_function(unpack::unpack_limit)?)?;
    table.raw_set("_NAME", "cmsgpack")?;
    table.raw_set("_VERSION", "lua-cmsgpack 0.4.0")?;
    table.raw_set("_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo")?;
    table.raw_set("_DESCRIPTION", "MessagePack C implementation for Lua")?;
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lua() -> Lua {
        let lua = Lua::new();
        let table = library(&lua).unwrap();
        lua.globals().set("cmsgpack", table).unwrap();
        let hex = "function hex(s) return (s:gsub('.', function(c) return string.format('%02x', c:byte()) end)) end";
        lua.load(hex).exec().unwrap();
        lua
    }

    #[test]
    fn values_have_the_shortest_encoding() {
        let lua = lua();
        for (value, hex) in [
            ("0.1", "cb3fb999999999999a"),
            ("0.5", "ca3f000000"),
            ("-1099511627776", "d3ffffff0000000000"),
            ("127", "7f"),
            ("128", "cc80"),
            ("65536", "ce00010000"),
            ("2^40", "cf0000010000000000"),
            ("-32", "e0"),
            ("-33", "d0df"),
            ("-32768", "d18000"),
            ("-2147483648", "d280000000"),
            ("nil", "c0"),
            ("true", "c3"),
            ("'ab'", "a26162"),
            ("{1,2}", "920102"),
            ("{}", "90"),
            ("{a=1}", "81a16101"),
        ] {
            let packed: String = lua.load(format!("return hex(cmsgpack.pack({value}))")).eval().unwrap();
            assert_eq!(packed, hex, "{value}");
        }
    }

    #[test]
    fn what_was_packed_unpacks() {
        let lua = lua();
        for code in [
            "local a, b, c = cmsgpack.unpack(cmsgpack.pack(1, 'x', {1, {2}})); return a == 1 and b == 'x' and c[2][1] == 2",
            "local at, v = cmsgpack.unpack_one(cmsgpack.pack(1, 2)); return at == 1 and v == 1",
            "local at, v = cmsgpack.unpack_limit(cmsgpack.pack(1, 2), 1, 1); return at == -1 and v == 2",
            "local s = string.rep('x', 70000); return cmsgpack.unpack(cmsgpack.pack(s)) == s",
            "local a = {}; a.a = a; return cmsgpack.unpack(cmsgpack.pack(a)).a.a.a ~= nil",
            "return cmsgpack.unpack('\\209\\128\\0') == -32768",
        ] {
            assert_eq!(lua.load(code).eval::<bool>().map_err(|e| e.to_string()), Ok(true), "{code}");
        }
        for (code, message) in [
            ("cmsgpack.unpack('\\193')", "Bad data format in input."),
            ("cmsgpack.unpack('\\221\\255\\255\\255\\255')", "Missing bytes in input."),
            ("cmsgpack.unpack('\\219\\255\\255\\255\\255a')", "Missing bytes in input."),
            ("cmsgpack.unpack_limit('a', 1, 5)", "Start offset 5 greater than input length 1."),
            ("cmsgpack.unpack_limit('a', 1, -5)", "Invalid request to unpack with offset of -5 and limit of 1."),
            ("cmsgpack.unpack(string.rep('\\145', 100000))", "nest"),
            ("cmsgpack.pack()", "MessagePack pack needs input."),
        ] {
            let error = lua.load(code).exec().expect_err(code).to_string();
            assert!(error.contains(message), "{code}: {error}");
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic() {
        use rand::{Rng, SeedableRng};
        let lua = lua();
        let unpack: mlua::Function =
            lua.load("return function(s) return pcall(cmsgpack.unpack, s) end").eval().unwrap();
        let mut random = rand::rngs::SmallRng::seed_from_u64(7);
        for _ in 0..5000 {
            let bytes: Vec<u8> = (0..random.random_range(0..40)).map(|_| random.random()).collect();
            unpack.call::<mlua::MultiValue>(lua.create_string(&bytes).unwrap()).unwrap();
        }
    }
}
