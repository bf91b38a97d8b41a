//! Libraries of functions.

use super::super::{Joining, Libraries};
use super::host;
use crate::resp::{Protocol, Reply};

fn call(libraries: &Libraries, function: &str) -> String {
    let mut out = Vec::new();
    let mut reply = Reply::new(&mut out, Protocol::Resp2);
    match libraries.run(function.as_bytes(), &[b"k"], &[b"a"], &host(), &mut reply) {
        Ok(_) => String::from_utf8_lossy(&out).replace("\r\n", " ").trim_end().to_owned(),
        Err(error) => format!("-{error}"),
    }
}

fn load(libraries: &Libraries, code: &str, replace: bool) -> String {
    libraries.load(code.as_bytes(), replace, false).unwrap_or_else(|error| error.text().to_owned())
}

const TWO: &str = "#!lua name=two\nlocal n = 0\nredis.register_function('f', function(k, a) n = n + 1 return {k[1], a[1], n} end)\n\
                   redis.register_function{function_name='G', callback=function() return redis.call('get') end, flags={'no-writes'}}";

#[test]
fn functions_are_called_by_name_in_either_case() {
    let libraries = Libraries::new(true).unwrap();
    assert_eq!(load(&libraries, TWO, false), "two");
    assert_eq!(call(&libraries, "f"), "*3 $1 k $1 a :1");
    assert_eq!(call(&libraries, "F"), "*3 $1 k $1 a :2");
    assert_eq!(call(&libraries, "g"), "$3 get");
    assert_eq!(call(&libraries, "h"), "-ERR Function not found");
    assert_eq!(libraries.figures().functions, 2);
    assert_eq!(load(&libraries, TWO, false), "ERR Library 'two' already exists");
    assert_eq!(load(&libraries, TWO, true), "two");
    assert_eq!(call(&libraries, "f"), "*3 $1 k $1 a :1");
    assert!(libraries.delete(b"two").unwrap() && !libraries.delete(b"two").unwrap());
    assert_eq!(call(&libraries, "f"), "-ERR Function not found");
}

#[test]
fn a_library_that_does_not_load_changes_nothing() {
    let libraries = Libraries::new(true).unwrap();
    load(&libraries, TWO, false);
    for (body, error) in [
        ("x = 1", "Attempt to modify a readonly table"),
        ("return 1", "No functions registered"),
        ("while true do end", "FUNCTION LOAD timeout"),
        ("redis.call('x')", "nonexistent global variable 'call'"),
        ("pairs({})", "nonexistent global variable 'pairs'"),
        ("x x", "Error compiling function: user_function:2: '=' expected near 'x'"),
        ("redis.register_function('F', function() end)", "Function F already exists"),
        ("redis.register_function('a b', function() end)", "can only contain letters"),
        ("redis.register_function('z')", "only applicable to Lua table"),
        ("redis.register_function(nil, function() end)", "first argument to redis.register_function must be a string"),
        ("redis.register_function('z', 1)", "second argument to redis.register_function must be a function"),
        ("redis.register_function{function_name='z'}", "must get a callback argument"),
        ("redis.register_function{callback=function() end}", "must get a function name argument"),
        ("redis.register_function{function_name='z', callback=function() end, flags={'x'}}", "unknown flag given"),
        ("redis.register_function{other=1}", "unknown argument given"),
        (
            "local f = function() end redis.register_function('z', f) redis.register_function('z', f)",
            "already exists in the library",
        ),
    ] {
        let reply = load(&libraries, &format!("#!lua name=other\n{body}"), false);
        assert!(reply.contains(error), "{body}: {reply}");
        assert_eq!(libraries.figures().libraries, 1);
    }
    assert_eq!(call(&libraries, "f"), "*3 $1 k $1 a :1");
}

#[test]
fn what_loading_sees_and_what_running_sees_stay_apart() {
    let libraries = Libraries::new(true).unwrap();
    let code = "#!lua name=spy\nlocal lib = redis\n\
                redis.register_function('a', function() lib.x = redis end)\n\
                redis.register_function('b', function() lib.register_function('c', function() end) end)\n\
                redis.register_function('d', function() return redis.register_function() end)\n\
                redis.register_function('e', function() return type(string.len) end)";
    load(&libraries, code, false);
    assert!(call(&libraries, "a").contains("Attempt to modify a readonly table"));
    assert!(call(&libraries, "b").contains("can only be called on FUNCTION LOAD command"));
    assert!(call(&libraries, "d").contains("attempt to call field 'register_function' (a nil value)"));
    assert_eq!(call(&libraries, "e"), "$8 function");
}

#[test]
fn several_libraries_join_together_or_not_at_all() {
    let libraries = Libraries::new(true).unwrap();
    load(&libraries, TWO, false);
    let one = b"#!lua name=one\nredis.register_function('x', function() return 1 end)".as_slice();
    let clash = b"#!lua name=clash\nredis.register_function('f', function() return 1 end)".as_slice();
    for joining in [Joining::Append, Joining::Replace] {
        let error = libraries.join(&[one, clash], joining, true).unwrap_err();
        assert_eq!(error.text(), "ERR Function f already exists");
        assert_eq!(libraries.figures().libraries, 1);
    }
    let error = libraries.join(&[one, TWO.as_bytes()], Joining::Append, true).unwrap_err();
    assert_eq!(error.text(), "ERR Library two already exists");
    libraries.join(&[one, TWO.as_bytes()], Joining::Replace, true).unwrap();
    assert_eq!(libraries.figures().libraries, 2);
    libraries.join(&[clash], Joining::Flush, true).unwrap();
    assert_eq!((libraries.figures().libraries, call(&libraries, "f").as_str()), (1, ":1"));
}
