//! The functions of Lua's `string` and `table` whose work grows with what they are given, in the place of Lua's own: those are not
//! interrupted, and some of them take stack or memory without a bound.
//!
//! `sandbox.lua` calls them, and has Lua's own functions do what is quick for sure. What calls back into the script, `gsub` with a
//! function or a table and `gmatch`, is written there too, on top of [`match_from`].

use mlua::{Lua, LuaString, MultiValue, Result, Table, Value};

use super::arguments::{Arguments, type_name};
use super::clock;
use super::error::text_error;
use super::patterns::{Capture, Failure, Matcher, is_plain};

/// The functions, under the names that their errors show.
pub(super) fn functions(lua: &Lua) -> Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("find", lua.create_function(|lua, values| search(lua, values, true))?)?;
    table.raw_set("match", lua.create_function(|lua, values| search(lua, values, false))?)?;
    table.raw_set("rep", lua.create_function(repeat)?)?;
    table.raw_set("lower", lua.create_function(|lua, values| mapped(lua, values, <[u8]>::make_ascii_lowercase))?)?;
    table.raw_set("upper", lua.create_function(|lua, values| mapped(lua, values, <[u8]>::make_ascii_uppercase))?)?;
    table.raw_set("reverse", lua.create_function(|lua, values| mapped(lua, values, <[u8]>::reverse))?)?;
    table.raw_set("concat", lua.create_function(concat)?)?;
    table.raw_set("gsub", lua.create_function(substitute)?)?;
    table.raw_set("match_from", lua.create_function(match_from)?)?;
    table.raw_set("look", lua.create_function(|_, ()| clock::look())?)?;
    table.raw_set("work", lua.create_function(|_, amount: usize| clock::work(amount))?)?;
    Ok(table)
}

fn mapped(lua: &Lua, values: MultiValue, map: fn(&mut [u8])) -> Result<LuaString> {
    let mut bytes = Arguments::new(lua, values).string(1)?.as_bytes().to_vec();
    clock::work(bytes.len())?;
    map(&mut bytes);
    lua.create_string(bytes)
}

fn repeat(lua: &Lua, values: MultiValue) -> Result<LuaString> {
    let args = Arguments::new(lua, values);
    // Lua counts in C's `int`.
    let (text, count) = (args.string(1)?, args.integer(2)? as i32);
    let text = text.as_bytes();
    let count = usize::try_from(count).unwrap_or(0);
    let length = text.len().saturating_mul(count);
    clock::check_size(lua, length)?;
    clock::work(length)?;
    lua.create_string(if length == 0 { Vec::new() } else { text.repeat(count) })
}

fn concat(lua: &Lua, values: MultiValue) -> Result<LuaString> {
    let args = Arguments::new(lua, values);
    let table = args.table(1)?;
    let separator = if args.is_nil(2) { None } else { Some(args.string(2)?) };
    let separator = separator.as_ref().map(LuaString::as_bytes);
    let first = i64::from(args.integer_or(3, 1)? as i32);
    let last = if args.is_nil(4) { table.raw_len() as i64 } else { i64::from(args.integer(4)? as i32) };
    let mut out = Vec::new();
    for index in first..=last {
        let start = out.len();
        if index > first
            && let Some(separator) = &separator
        {
            out.extend_from_slice(separator);
        }
        match table.raw_get(index)? {
            Value::String(text) => out.extend_from_slice(&text.as_bytes()),
            value @ (Value::Integer(_) | Value::Number(_)) => {
                out.extend(lua.coerce_string(value)?.iter().flat_map(|text| text.as_bytes().to_vec()));
            }
            other => {
                let kind = type_name(&other);
                let message = format!("invalid value ({kind}) at index {index} in table for 'concat'");
                return Err(text_error(lua, message));
            }
        }
        clock::check_size(lua, out.len())?;
        clock::work(clock::PER_VALUE + out.len() - start)?;
    }
    lua.create_string(out)
}

/// Turns a failure of a pattern into an error of the function that was called.
fn explained<T>(lua: &Lua, result: std::result::Result<T, Failure>) -> Result<T> {
    result.map_err(|failure| match failure {
        Failure::Pattern(message) => text_error(lua, message),
        Failure::Ended(error) => error,
    })
}

/// Where a search begins, counted from 0: an argument that counts from 1, or backwards from the end.
fn start(args: &Arguments<'_>, index: usize, length: usize) -> Result<usize> {
    let given = args.integer_or(index, 1)?;
    let from = if given < 0 { given.saturating_add(length as i64) } else { given.saturating_sub(1) };
    Ok(usize::try_from(from).unwrap_or(0).min(length))
}

/// `string.find` and `string.match`.
fn search(lua: &Lua, values: MultiValue, find: bool) -> Result<MultiValue> {
    let args = Arguments::new(lua, values);
    let (text, pattern) = (args.string(1)?, args.string(2)?);
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let from = start(&args, 3, text.len())?;
    let plain = matches!(args.get(4), Some(value) if !matches!(value, Value::Nil | Value::Boolean(false)));
    if find && (plain || is_plain(&pattern)) {
        clock::work(text.len() - from)?;
        let found = memchr::memmem::find(&text[from..], &pattern).map(|offset| from + offset);
        return Ok(match found {
            Some(at) => positions(at, at + pattern.len()).into_iter().collect(),
            None => MultiValue::from_iter([Value::Nil]),
        });
    }
    let anchored = pattern.strip_prefix(b"^");
    let mut matcher = Matcher::new(&text, anchored.unwrap_or(&pattern));
    let Some((at, end)) = first_match(lua, &mut matcher, &text, from, anchored.is_some())? else {
        return Ok(MultiValue::from_iter([Value::Nil]));
    };
    if find {
        let mut results = MultiValue::from_iter(positions(at, end));
        results.extend(captures(lua, &text, &matcher, matcher.captures(), (at, end))?);
        return Ok(results);
    }
    captures(lua, &text, &matcher, matcher.values(), (at, end))
}

/// The first match at a place or behind it, or only there: where it begins and ends.
fn first_match(
    lua: &Lua,
    matcher: &mut Matcher<'_>,
    text: &[u8],
    from: usize,
    anchored: bool,
) -> Result<Option<(usize, usize)>> {
    let last = if anchored { from } else { text.len() };
    for at in from..=last.min(text.len()) {
        if let Some(end) = explained(lua, matcher.match_at(at))? {
            return Ok(Some((at, end)));
        }
    }
    Ok(None)
}

/// The first `count` values of the match `from..to`.
fn captures(
    lua: &Lua,
    text: &[u8],
    matcher: &Matcher<'_>,
    count: usize,
    (from, to): (usize, usize),
) -> Result<MultiValue> {
    (0..count).map(|index| capture(lua, text, explained(lua, matcher.value(index, from, to))?)).collect()
}

/// What begins and ends here, as Lua counts.
fn positions(from: usize, to: usize) -> [Value; 2] {
    [Value::Integer(from as i64 + 1), Value::Integer(to as i64)]
}

fn capture(lua: &Lua, text: &[u8], capture: Capture) -> Result<Value> {
    match capture {
        Capture::Text(from, to) => Ok(Value::String(lua.create_string(&text[from..to])?)),
        Capture::Position(at) | Capture::Open(at) => Ok(Value::Integer(at as i64 + 1)),
    }
}

/// The first match at or behind a place: where it begins and ends, counted from 0, and its captures or itself. Nothing without one.
/// The last argument says whether the pattern may be anchored.
fn match_from(lua: &Lua, values: MultiValue) -> Result<MultiValue> {
    let args = Arguments::new(lua, values);
    let (text, pattern) = (args.string(1)?, args.string(2)?);
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let from = usize::try_from(args.integer(3)?).unwrap_or(0);
    let anchored = pattern.strip_prefix(b"^").filter(|_| matches!(args.get(4), Some(Value::Boolean(true))));
    let mut matcher = Matcher::new(&text, anchored.unwrap_or(&pattern));
    let Some((at, end)) = first_match(lua, &mut matcher, &text, from, anchored.is_some())? else {
        return Ok(MultiValue::new());
    };
    let mut results = MultiValue::from_iter([Value::Integer(at as i64), Value::Integer(end as i64)]);
    results.extend(captures(lua, &text, &matcher, matcher.values(), (at, end))?);
    Ok(results)
}

/// `string.gsub` with a text as the replacement.
fn substitute(lua: &Lua, values: MultiValue) -> Result<(LuaString, usize)> {
    let args = Arguments::new(lua, values);
    let (text, pattern) = (args.string(1)?, args.string(2)?);
    args.check(
        matches!(args.get(3), Some(Value::String(_) | Value::Integer(_) | Value::Number(_))),
        3,
        "string/function/table expected",
    )?;
    let replacement = args.string(3)?;
    let (text, pattern, replacement) = (text.as_bytes(), pattern.as_bytes(), replacement.as_bytes());
    let most = i64::from(args.integer_or(4, text.len() as i64 + 1)? as i32);
    let anchored = pattern.strip_prefix(b"^");
    let mut matcher = Matcher::new(&text, anchored.unwrap_or(&pattern));
    let (mut out, mut at, mut count) = (Vec::new(), 0, 0);
    while (count as i64) < most {
        let matched = explained(lua, matcher.match_at(at))?;
        if let Some(end) = matched {
            count += 1;
            let start = out.len();
            explained(lua, replace(&mut out, &replacement, &matcher, &text, (at, end)))?;
            clock::check_size(lua, out.len())?;
            clock::work(out.len() - start)?;
        }
        match matched {
            Some(end) if end > at => at = end,
            _ if at < text.len() => {
                out.push(text[at]);
                at += 1;
            }
            _ => break,
        }
        if anchored.is_some() {
            break;
        }
    }
    out.extend_from_slice(&text[at..]);
    Ok((lua.create_string(out)?, count))
}

/// Appends the replacement of the match `from..to`, in which `%` and a digit stand for a capture.
fn replace(
    out: &mut Vec<u8>,
    replacement: &[u8],
    matcher: &Matcher<'_>,
    text: &[u8],
    (from, to): (usize, usize),
) -> std::result::Result<(), Failure> {
    let mut rest = replacement;
    while let Some(percent) = memchr::memchr(b'%', rest) {
        out.extend_from_slice(&rest[..percent]);
        // Behind the last byte stands the NUL that ends a C string.
        let escaped = rest.get(percent + 1).copied().unwrap_or(0);
        rest = rest.get(percent + 2..).unwrap_or_default();
        match escaped {
            b'0' => out.extend_from_slice(&text[from..to]),
            b'1'..=b'9' => match matcher.value(usize::from(escaped - b'1'), from, to)? {
                Capture::Text(from, to) => out.extend_from_slice(&text[from..to]),
                Capture::Position(at) | Capture::Open(at) => {
                    out.extend_from_slice(itoa::Buffer::new().format(at + 1).as_bytes());
                }
            },
            other => out.push(other),
        }
    }
    out.extend_from_slice(rest);
    Ok(())
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    /// An interpreter that has Lua's own functions in `lua`, and these in `string` and `table`.
    fn interpreter() -> Lua {
        let lua = Lua::new();
        lua.load("lua = {} for k, v in pairs(string) do lua[k] = v end lua.concat = table.concat").exec().unwrap();
        lua.globals().set("ours", functions(&lua).unwrap()).unwrap();
        lua.load("for k, v in pairs(ours) do (k == 'concat' and table or string)[k] = v end").exec().unwrap();
        lua
    }

    /// What a call returns, or the error's text without where it happened.
    fn outcome(lua: &Lua, function: &str, args: &[Value]) -> String {
        let function: mlua::Function = lua.load(format!("return {function}")).eval().unwrap();
        match function.call::<MultiValue>(MultiValue::from_iter(args.iter().cloned())) {
            Ok(values) => values.iter().map(|value| format!("{:?},", value.to_string())).collect(),
            Err(error) => {
                let text = error.to_string();
                let known = [
                    "malformed pattern",
                    "unfinished capture",
                    "invalid capture index",
                    "invalid pattern capture",
                    "missing '['",
                    "unbalanced pattern",
                    "too many captures",
                    "expected",
                    "invalid value",
                ];
                let known = known.into_iter().find(|known| text.contains(known));
                known.unwrap_or_else(|| panic!("{text}")).to_owned()
            }
        }
    }

    #[test]
    fn arbitrary_patterns_do_what_they_do_in_lua() {
        let lua = interpreter();
        let mut random = SmallRng::seed_from_u64(11);
        const ITEMS: &[&str] = &[
            "a", "b", ".", "%a", "%d", "%S", "[ab]", "[^a]", "[a-c%d]", "[]]", "[%]a-]", "*", "+", "-", "?", "(", ")",
            "()", "%1", "%2", "%b()", "%f[a]", "%f[^%z]", "^", "$", "%", "[", "%z", "\0", "%%", "1", ".-", "(a*)",
            "(.-)", "%w+", "[%w_]",
        ];
        const BYTES: &[u8] = b"aaabbc1( )\0\xff]%-_";
        for round in 0..20_000 {
            let pattern: String =
                (0..random.random_range(0..6)).map(|_| ITEMS[random.random_range(0..ITEMS.len())]).collect();
            let text: Vec<u8> =
                (0..random.random_range(0..12)).map(|_| BYTES[random.random_range(0..BYTES.len())]).collect();
            let replacement = ["x", "%0%0", "%1", "<%2>", "%", "%%a", "%9"][random.random_range(0..7)];
            let string = |bytes: &[u8]| Value::String(lua.create_string(bytes).unwrap());
            let (text, pattern_value) = (string(&text), string(pattern.as_bytes()));
            let start = Value::Integer(random.random_range(-14..14));
            let searched = [text.clone(), pattern_value.clone(), start.clone()];
            let replaced = [text.clone(), pattern_value, string(replacement.as_bytes()), start];
            for (name, args) in
                [("find", &searched[..]), ("match", &searched), ("gsub", &replaced), ("gsub", &replaced[..3])]
            {
                let (ours, theirs) =
                    (outcome(&lua, &format!("string.{name}"), args), outcome(&lua, &format!("lua.{name}"), args));
                assert_eq!(
                    ours, theirs,
                    "round {round}: {name} {pattern:?} in {text:?} by {replacement:?} from {args:?}"
                );
            }
        }
    }

    #[test]
    fn the_rest_does_what_it_does_in_lua() {
        let lua = interpreter();
        for args in ["'ab', 3", "'ab', -1", "'ab', 0", "12, 2.9", "'a'", "{}, 1", "'a', 'x'"] {
            check(&lua, "string.rep", "lua.rep", args);
        }
        for args in ["'aB\\0c'", "''", "12", "nil", ""] {
            for name in ["upper", "lower", "reverse"] {
                check(&lua, &format!("string.{name}"), &format!("lua.{name}"), args);
            }
        }
        for args in [
            "{1, 'a', 2.5, 1e100, -0.1}",
            "{1, 2, 3}, ', '",
            "{1, 2, 3}, 5, 2",
            "{1, 2, 3}, '', 2, 3",
            "{}",
            "{1}, 'x', 2, 1",
            "{1, {}, 3}",
            "{1}, '', 1, 2",
            "5",
            "{1}, {}",
            "{true}",
        ] {
            check(&lua, "table.concat", "lua.concat", args);
        }
        check(&lua, "string.find", "lua.find", "'a.b', '.', 2, true");
        check(&lua, "string.find", "lua.find", "'a\\0b.', 'a\\0b.'");
    }

    fn check(lua: &Lua, ours: &str, theirs: &str, args: &str) {
        let args: MultiValue = lua.load(format!("return {args}")).eval().unwrap();
        let args: Vec<Value> = args.into_iter().collect();
        assert_eq!(outcome(lua, ours, &args), outcome(lua, theirs, &args), "{ours} {args:?}");
    }

    #[test]
    fn a_pattern_that_would_take_too_much_stack_is_refused() {
        let lua = interpreter();
        for (function, pattern) in [
            ("find", "string.rep('a?', 100000)"),
            ("match", "string.rep('a-', 100000)"),
            ("find", "string.rep('()', 20) .. string.rep('a*', 2000)"),
        ] {
            let error =
                lua.load(format!("return string.{function}(string.rep('a', 100000), {pattern})")).exec().unwrap_err();
            assert!(error.to_string().contains("pattern too complex"), "{error}");
        }
        let found: bool =
            lua.load("return string.find(string.rep('a', 100000), string.rep('a', 99999) .. '$') == 2").eval().unwrap();
        assert!(found);
    }
}
