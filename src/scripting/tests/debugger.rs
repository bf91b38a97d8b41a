//! Scripts with a debugger on them.

use std::time::Duration;

use super::super::host::SharedHost;
use super::super::{Debugger, Scripts};
use super::{eval, recorder};
use crate::resp::{Protocol, Reply};

/// What a debugger says of a script, line by line, while it hears `lines`, and the script's reply.
fn debug(scripts: &Scripts, code: &str, patience: Duration, lines: &[&'static str]) -> (Vec<String>, String) {
    let mut out = Vec::new();
    let (digest, _) = scripts.load(code.as_bytes()).unwrap();
    let debugger = Debugger::new(code.as_bytes(), patience);
    let recorder = recorder(lines);
    let host: SharedHost = recorder.clone();
    let mut reply = Reply::new(&mut out, Protocol::Resp2);
    scripts.debug(&debugger, &digest, [&[b"k1"], &[b"a1", b"a2"]], &host, &mut reply).unwrap();
    let said = recorder.borrow().said.clone() + &String::from_utf8(debugger.farewell()).unwrap();
    let lines = said.split_terminator("\r\n").filter(|line| !line.starts_with('*')).map(|line| line[1..].to_owned());
    let reply = String::from_utf8_lossy(&out).replace("\r\n", " ").replace(&digest.to_string(), "SHA");
    (lines.collect(), reply.trim_end().to_owned())
}

const LONG: Duration = Duration::from_secs(3600);

#[test]
fn a_debugger_stops_shows_and_goes_on() {
    let scripts = Scripts::new(true).unwrap();
    let code = "local function double(number)
  local twice = number * 2
  return twice
end
local caught = pcall(redis.call, 'fail')
local key = KEYS[1]
local got = redis.call('get', key)
redis.debug(key, {1, 2}, nil)
local sum = double(4) + double(5)
redis.breakpoint()
return sum";
    let lines = [
        "p",
        "s",
        "s",
        "p",
        "p caught",
        "s",
        "b 3",
        "p key",
        "s",
        "c",
        "t",
        "p",
        "p key",
        "p number",
        "b 0",
        "e KEYS[1] .. 1",
        "e x x",
        "e redis.call('fail')",
        "r get a b",
        "c",
        "p sum",
        "p twice",
        "p ARGV",
        "c",
    ];
    let (said, reply) = debug(&scripts, code, LONG, &lines);
    assert_eq!(reply, ":18");
    let expected = [
        "* Stopped at 4, stop reason = step over",
        "-> 4   end",
        "No local variables in the current context.",
        "* Stopped at 5, stop reason = step over",
        "-> 5   local caught = pcall(redis.call, 'fail')",
        "<redis> fail",
        "<error> -BAD it failed",
        "<reply> \"-BAD it failed\"",
        "* Stopped at 6, stop reason = step over",
        "-> 6   local key = KEYS[1]",
        "<value> double = \"function@…",
        "<value> caught = false",
        "<value> false",
        "* Stopped at 7, stop reason = step over",
        "-> 7   local got = redis.call('get', key)",
        "   2     local twice = number * 2",
        "  #3     return twice",
        "   4   end",
        "<value> \"k1\"",
        "<redis> get k1",
        "<reply> \"get k1\"",
        "* Stopped at 8, stop reason = step over",
        "-> 8   redis.debug(key, {1, 2}, nil)",
        "<debug> line 8: \"k1\", {1; 2}, nil",
        "* Stopped at 3, stop reason = break point",
        "->#3     return twice",
        "In double:",
        "->#3     return twice",
        "From top level:",
        "   9   local sum = double(4) + double(5)",
        "<value> number = 4",
        "<value> twice = 8",
        "<value> \"k1\"",
        "<value> 4",
        "All breakpoints removed.",
        "<retval> \"k11\"",
        "<error> ldb_eval:1: '=' expected near 'x'",
        "<error> BAD it failed",
        "<redis> get a b",
        "<reply> \"get a b\"",
        "* Stopped at 11, stop reason = redis.breakpoint() called",
        "-> 11  return sum",
        "<value> 18",
        "No such variable.",
        "<value> {\"a1\"; \"a2\"}",
        "<endsession>",
    ];
    for (line, expected) in said.iter().zip(expected) {
        let matches = expected.strip_suffix('…').map_or(line == expected, |start| line.starts_with(start));
        assert!(matches, "{line}\n{expected}\n{said:#?}");
    }
    assert_eq!(said.len(), expected.len(), "{said:#?}");
    assert_eq!(eval(&scripts, "return {redis.breakpoint(), redis.debug(1)}"), "*1 $-1", "nobody debugs this one");
}

#[test]
fn a_script_cannot_catch_the_end_of_its_session() {
    let scripts = Scripts::new(true).unwrap();
    let body = "while true do pcall(function()\nwhile true do\nend end) end";
    let aborted = "-ERR script aborted for user request script: SHA, on @user_script:1.";
    assert_eq!(debug(&scripts, body, LONG, &["a"]).1, aborted);
    assert_eq!(debug(&scripts, body, LONG, &["s", "abort"]).1, aborted.replace(":1.", ":3."));
    assert_eq!(debug(&scripts, body, LONG, &["?"]).1, "-ERR protocol error script: SHA, on @user_script:1.");
    let in_coroutine = format!("coroutine.wrap(function()\n{body}\nend)()");
    let (said, reply) = debug(&scripts, &in_coroutine, LONG, &["s", "s", "p", "a"]);
    assert!(reply.starts_with("-ERR script aborted for user request"), "{reply}");
    assert!(said.contains(&"No local variables in the current context.".to_owned()), "{said:?}");
    let (said, reply) = debug(&scripts, body, Duration::ZERO, &["c", "c"]);
    assert!(said.iter().any(|line| line.ends_with("timeout reached, infinite loop?")), "{said:?}");
    assert!(reply.starts_with("-ERR timeout during Lua debugging with client closing connection"), "{reply}");
    assert_eq!(debug(&scripts, "return\n7", LONG, &[]).1, ":7", "without its client a script goes on");
}

#[test]
fn typed_code_comes_to_an_end_and_leaves_the_script_alone() {
    let scripts = Scripts::new(true).unwrap();
    let lines = ["e while true do pcall(function() while true do end end) end", "p", "e coroutine.yield(5)", "c"];
    let (said, reply) = debug(&scripts, "local a\nlocal b = 1\nreturn 3", Duration::ZERO, &lines);
    assert_eq!(reply, ":3");
    assert!(said.contains(&"<error> ERR the code runs for too long".to_owned()), "{said:?}");
    assert!(said.contains(&"<value> a = nil".to_owned()) || said.contains(&"<retval> 5".to_owned()), "{said:?}");
    assert_eq!(
        eval(&scripts, "return debug"),
        "-ERR user_script:1: Script attempted to access nonexistent global variable \
        'debug' script: SHA, on @user_script:1."
    );
    assert_eq!(eval(&scripts, "return redis.debug('x')"), "$-1");
}
