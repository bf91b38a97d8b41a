//! Scripts in an interpreter with a host that records what it is asked.

mod debugger;
mod functions;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::Scripts;
use super::host::{Heard, Host, ReplicationTargets, SharedHost, Verdict};
use crate::resp::{OwnedArgs, Protocol, Reply, WireError};

/// Answers every command with its arguments, counts its own, and kills after some looks at the clock. Its debugger hears some
/// lines, and nothing more.
struct Recorder {
    calls: Vec<String>,
    protocol: Protocol,
    patience: usize,
    lines: VecDeque<&'static str>,
    said: String,
}

impl Host for Recorder {
    fn call(&mut self, args: &OwnedArgs, reply: &mut Vec<u8>) -> Result<(), WireError> {
        let words: Vec<String> =
            args.as_args().from(0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        let mut reply = Reply::new(reply, self.protocol);
        match words[0].as_str() {
            "refuse" => return Err(WireError::fixed("ERR refused")),
            "fail" => reply.error(&WireError::fixed("BAD it failed")),
            _ => reply.bulk(words.join(" ").as_bytes()),
        }
        self.calls.push(words.join(" "));
        Ok(())
    }

    fn protocol(&self) -> Protocol {
        self.protocol
    }

    fn set_protocol(&mut self, protocol: Protocol) {
        self.protocol = protocol;
    }

    fn set_replication(&mut self, targets: ReplicationTargets) {
        self.calls.push(format!("{targets:?}"));
    }

    fn may_run(&self, args: &OwnedArgs) -> Option<bool> {
        (args.as_args().at(0) != b"unknown").then_some(args.as_args().len() == 1)
    }

    fn interrupt(&mut self) -> Verdict {
        self.patience = self.patience.saturating_sub(1);
        if self.patience == 0 { Verdict::Kill } else { Verdict::Continue }
    }

    fn converse(&mut self, said: Vec<u8>) -> Heard {
        self.said.push_str(&String::from_utf8_lossy(&said));
        match self.lines.pop_front() {
            None => Heard::Gone,
            Some("?") => Heard::Broken("protocol error"),
            Some(line) => Heard::Command(line.split(' ').map(str::as_bytes).collect()),
        }
    }

    fn is_killed(&self) -> bool {
        self.patience == 0
    }
}

fn recorder(lines: &[&'static str]) -> Rc<RefCell<Recorder>> {
    Rc::new(RefCell::new(Recorder {
        calls: Vec::new(),
        protocol: Protocol::Resp2,
        patience: usize::MAX,
        lines: lines.iter().copied().collect(),
        said: String::new(),
    }))
}

fn host() -> SharedHost {
    recorder(&[])
}

/// The reply of a script, on one line, without the digest.
fn eval(scripts: &Scripts, code: &str) -> String {
    eval_for(scripts, code, host())
}

/// The reply of a script that is killed when the clock has been looked at so often.
fn eval_for_looks(scripts: &Scripts, code: &str, looks: usize) -> String {
    let host = recorder(&[]);
    host.borrow_mut().patience = looks;
    eval_for(scripts, code, host)
}

fn eval_for(scripts: &Scripts, code: &str, host: SharedHost) -> String {
    let mut out = Vec::new();
    let digest = match scripts.load(code.as_bytes()) {
        Ok((digest, _)) => digest,
        Err(error) => return format!("-{error}"),
    };
    let keys: [&[u8]; 2] = [b"k1", b"k2"];
    let mut reply = Reply::new(&mut out, Protocol::Resp2);
    scripts.run(&digest, &keys, &[b"a1"], &host, &mut reply).unwrap();
    let text = String::from_utf8_lossy(&out).replace("\r\n", " ").replace(&digest.to_string(), "SHA");
    text.trim_end().to_owned()
}

#[test]
fn scripts_reach_the_host() {
    let scripts = Scripts::new(true).unwrap();
    for (code, reply) in [
        ("return redis.call('set', KEYS[1], ARGV[1])", "$9 set k1 a1"),
        ("return redis.call('n', 20, 1.5, 1e17, -0)", "$16 n 20 1.5 1e+17 0"),
        ("return {#KEYS, #ARGV}", "*2 :2 :1"),
        ("return redis.call('fail')", "-BAD it failed script: SHA, on @user_script:1."),
        ("\nreturn redis.call('refuse')", "-ERR refused script: SHA, on @user_script:2."),
        ("return redis.pcall('fail')", "-BAD it failed"),
        ("return redis.pcall('fail').err", "$13 BAD it failed"),
        ("return select(2, pcall(redis.call, 'fail'))", "$13 BAD it failed"),
        (
            "return redis.call()",
            "-ERR Please specify at least one argument for this redis lib call script: SHA, on @user_script:1.",
        ),
        ("return redis.acl_check_cmd('x')", ":1"),
        ("return redis.acl_check_cmd('x', 'y')", "$-1"),
        (
            "return redis.acl_check_cmd('unknown')",
            "-ERR Invalid command passed to redis.acl_check_cmd() script: SHA, on @user_script:1.",
        ),
        ("return redis.error_reply('-CODE text')", "-CODE text"),
        ("return redis.error_reply('text')", "-ERR text"),
        ("return redis.status_reply('fine')", "+fine"),
        ("return redis.sha1hex('')", "$40 da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ("redis.setresp(4)", "-ERR RESP version must be 2 or 3. script: SHA, on @user_script:1."),
        (
            "redis.set_repl(4)",
            "-ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE. script: SHA, on @user_script:1.",
        ),
        ("return redis.REPL_ALL + redis.LOG_WARNING", ":6"),
        ("return setmetatable(_G, {})", "-ERR Attempt to modify a readonly table script: SHA, on @user_script:1."),
        ("return getmetatable(setmetatable({}, {__len = 1})).__len", ":1"),
        ("return getmetatable(setmetatable(setmetatable({}, {}), nil)) == nil", ":1"),
        (
            "setmetatable({})",
            "-ERR user_script:1: bad argument #2 to 'setmetatable' (nil or table expected) script: SHA, on @user_script:1.",
        ),
        (
            "setmetatable(1, {})",
            "-ERR user_script:1: bad argument #1 to 'setmetatable' (table expected, got number) script: SHA, on @user_script:1.",
        ),
        (
            "setmetatable(setmetatable({}, {__metatable = 1}), {})",
            "-ERR user_script:1: cannot change a protected metatable script: SHA, on @user_script:1.",
        ),
        ("return redis.register_function", "$-1"),
    ] {
        assert_eq!(eval(&scripts, code), reply, "{code}");
    }
}

#[test]
fn globals_cannot_be_changed() {
    let scripts = Scripts::new(true).unwrap();
    for code in [
        "x = 1",
        "redis = nil",
        "redis.call = nil",
        "_G.x = 1",
        "string.len = nil",
        "coroutine.wrap = nil",
        "rawset(_G, 'x', 1)",
        "rawset(redis, 'x', 1)",
        "setmetatable(_G, {})",
        "setmetatable(cjson, {})",
        "getmetatable(_G).__index = {}",
        "getmetatable('').__index = nil",
        "getmetatable('').__index.len = nil",
        "local f, t = pairs(redis) t.call = nil",
    ] {
        assert!(
            eval(&scripts, code).contains("Attempt to modify a readonly table"),
            "{code}: {}",
            eval(&scripts, code)
        );
    }
    for (code, reply) in [
        ("table.insert(_G, 1)", "$-1"),
        ("return rawget(_G, 1)", "$-1"),
        ("setfenv(1, {x = 1}) return x", ":1"),
        ("setfenv(0, {}) return 1", ":1"),
        ("return type(redis.call)", "$8 function"),
        ("return rawget(getfenv(pcall), 'string')", "$-1"),
        ("getfenv(pcall).x = 1 return getfenv(pcall).x", "$-1"),
        ("return type(next(redis))", "$6 string"),
        ("local n = 0 for name in pairs(_G) do n = n + 1 end return n > 30", ":1"),
        ("return tostring(getmetatable(redis))", "$3 nil"),
        ("return tostring(rawget(_G, 'debug')) .. tostring(rawget(_G, 'os'))", "$6 nilnil"),
    ] {
        assert_eq!(eval(&scripts, code), reply, "{code}");
    }
}

#[test]
fn errors_say_what_and_where() {
    let scripts = Scripts::new(true).unwrap();
    for (code, reply) in [
        (
            "return nothing",
            "-ERR user_script:1: Script attempted to access nonexistent global variable 'nothing' script: SHA, on @user_script:1.",
        ),
        ("\n\nerror('x')", "-ERR user_script:3: x script: SHA, on @user_script:3."),
        ("error({err='MY e'})", "-MY e script: SHA, on @user_script:1."),
        ("error()", "-ERR nil script: SHA, on @user_script:1."),
        ("local function f() error('deep') end\nf()", "-ERR user_script:1: deep script: SHA, on @user_script:1."),
        (
            "return cjson.decode('[')",
            "-ERR user_script:1: Expected value but found T_END at character 2 script: SHA, on @user_script:1.",
        ),
        ("return 1 +", "-ERR Error compiling script (new function): user_script:1: unexpected symbol near '<eof>'"),
        ("#!js\n", "-ERR Unexpected engine in script shebang: #!js"),
        ("#!lua\nerror('x')", "-ERR user_script:2: x script: SHA, on @user_script:2."),
        ("return {pcall(error, {err='E'})}", "*2 $-1 $1 E"),
        (
            "local co = coroutine.wrap(function() redis.call('fail') end) co()",
            "-BAD it failed script: SHA, on @user_script:1.",
        ),
        (
            "return (select(2, xpcall(function() redis.call('fail') end, function(e) return e.err end)))",
            "$13 BAD it failed",
        ),
        ("return loadstring('\\27Lua')", "$-1"),
        (
            "local a = unpack({1}, -2, 2147483647)",
            "-ERR user_script:1: too many results to unpack script: SHA, on @user_script:1.",
        ),
        (
            "local a = unpack({1}, 0/0)",
            "-ERR user_script:1: too many results to unpack script: SHA, on @user_script:1.",
        ),
        ("local t = {} for i = 1, 7999 do t[i] = i end return select('#', unpack(t))", ":7999"),
        ("return {unpack({1, 2, 3}, 2)}", "*2 :2 :3"),
        ("return select('#', unpack({1}, -2147483000, -2147482999))", ":2"),
        ("return loadstring('return\\0', 'a\\0b') == nil", ":1"),
        ("return load(function() return nil end)()", "$-1"),
        ("return loadstring('return 1 + 1')()", ":2"),
        (
            "rawset(1, 2, 3)",
            "-ERR user_script:1: bad argument #1 to 'rawset' (table expected, got number) script: SHA, on @user_script:1.",
        ),
        (
            "local x = string.gsub('a', '%', 'b')",
            "-ERR user_script:1: malformed pattern (ends with '%') script: SHA, on @user_script:1.",
        ),
        (
            "local x = ('a'):gsub('a')",
            "-ERR user_script:1: bad argument #3 to 'gsub' (string/function/table expected) script: SHA, on @user_script:1.",
        ),
        (
            "local x = ('a'):gsub('a', function() return {} end)",
            "-ERR user_script:1: invalid replacement value (a table) script: SHA, on @user_script:1.",
        ),
        (
            "local x = ('a'):gsub('a', function() redis.call('fail') end)",
            "-BAD it failed script: SHA, on @user_script:1.",
        ),
        (
            "local x = table.concat({1, {}})",
            "-ERR user_script:1: invalid value (table) at index 2 in table for 'concat' script: SHA, on @user_script:1.",
        ),
        ("table.sort({2, 'x', 1})", "-ERR attempt to compare string with number script: SHA, on @user_script:1."),
        (
            "table.sort({3, 2, 1}, function() error('mine') end)",
            "-ERR user_script:1: mine script: SHA, on @user_script:1.",
        ),
        (
            "local x = string.find(('a'):rep(5000), ('a?'):rep(5000))",
            "-ERR user_script:1: pattern too complex script: SHA, on @user_script:1.",
        ),
        ("local x = ('x'):rep(2^31 - 1)", "-ERR user_script:1: not enough memory script: SHA, on @user_script:1."),
        (
            "local s, t = ('x'):rep(10000000), {} for i = 1, 7000 do t[i] = s end redis.call('set', unpack(t))",
            "-ERR user_script:1: not enough memory script: SHA, on @user_script:1.",
        ),
        (
            "local s, t = ('x'):rep(10000000), {} for i = 1, 7000 do t[i] = s end struct.pack(('s'):rep(7000), unpack(t))",
            "-ERR user_script:1: not enough memory script: SHA, on @user_script:1.",
        ),
        (
            "local x = cmsgpack.unpack(('\\1'):rep(1000000))",
            "-ERR user_script:1: too many results to unpack script: SHA, on @user_script:1.",
        ),
        (
            "local x = struct.unpack(('b'):rep(1000000), ('\\0'):rep(1000000))",
            "-ERR user_script:1: too many results to unpack script: SHA, on @user_script:1.",
        ),
    ] {
        assert_eq!(eval(&scripts, code), reply, "{code}");
    }
}

#[test]
fn functions_that_call_back_do_what_lua_does() {
    let scripts = Scripts::new(true).unwrap();
    for (code, reply) in [
        ("return {('hello world'):gsub('o', {o = '0'})}", "*2 $11 hell0 w0rld :2"),
        ("return {('hello world'):gsub('(o)(.?)', function(o, c) return c .. o end)}", "*2 $11 hell owrold :2"),
        (
            "return {('abc'):gsub('%w', function(c) if c == 'b' then return false end return c .. c end, 2)}",
            "*2 $4 aabc :2",
        ),
        ("return {('abc'):gsub('', function() return '-' end)}", "*2 $7 -a-b-c- :4"),
        ("return {('aaa'):gsub('^a', function() return 'b' end)}", "*2 $3 baa :1"),
        ("return {('abc'):gsub('()b', function(at) return at end)}", "*2 $3 a2c :1"),
        (
            "return {('$a $b'):gsub('%$(%w+)', setmetatable({}, {__index = function(_, k) return k .. k end}))}",
            "*2 $5 aa bb :2",
        ),
        ("return {(('ab'):rep(4)):gsub('a-b-b+', function(m) return #m end)}", "*2 $4 2222 :4"),
        ("return select(2, (('ab'):rep(2000)):gsub('a(b*)', function(b) return b .. b end))", ":2000"),
        ("return #(('ab'):rep(2000)):gsub('a(b*)', function(b) return b .. b end)", ":4000"),
        ("return #(('ab'):rep(2000)):gsub('(a)b*', {a = 'xyz'})", ":6000"),
        ("local n = 0 for a, b in (('ab'):rep(2000)):gmatch('(a*)(b*)') do n = n + #a + #b end return n", ":4000"),
        ("return {(12):gsub('1', {['1'] = 3})}", "-…"),
        ("return {string.gsub(12, 1, {['1'] = 3})}", "*2 $2 32 :1"),
        (
            "local t = {} for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do t[#t + 1] = k .. v end return t",
            "*2 $2 a1 $2 b2",
        ),
        ("local t = {} for w in ('abc'):gmatch('%w-') do t[#t + 1] = w end return #t", ":4"),
        ("local t = {} for w in string.gfind('a b', '%a') do t[#t + 1] = w end return t", "*2 $1 a $1 b"),
        ("local t = {5, 1, 4} table.sort(t) return t", "*3 :1 :4 :5"),
        ("local t = {5, 1, 4} table.sort(t, function(a, b) return a > b end) return t", "*3 :5 :4 :1"),
        ("return table.concat({'a', 1, 2.5}, ', ')", "$9 a, 1, 2.5"),
        ("local t = {} for i = 1, 2000 do t[i] = i % 10 end return #table.concat(t, ', ')", ":5998"),
        ("return collectgarbage('count') > 0 and collectgarbage() == 0", ":1"),
    ] {
        let got = eval(&scripts, code);
        assert!(got == reply || reply == "-…" && got.starts_with('-'), "{code}: {got}");
    }
}

#[test]
fn a_script_that_runs_for_ever_can_be_killed() {
    let scripts = Scripts::new(true).unwrap();
    for code in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do xpcall(function() while true do end end, function() end) end",
        "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "while true do redis.call('get') end",
        "return string.find(('a'):rep(3000), ('a*'):rep(20) .. 'b')",
        "return string.match(('a'):rep(3000), ('a-'):rep(20) .. 'b')",
        "return pcall(string.gsub, ('a'):rep(3000), ('a?'):rep(500) .. ('a'):rep(500) .. 'b', '')",
        "return string.gsub(('a'):rep(3000), ('a*'):rep(20) .. 'b', function() end)",
        "for word in string.gmatch(('a'):rep(3000), ('a*'):rep(20) .. 'b') do end",
        "while true do local text = ('x'):rep(10000000) end",
        "local text = ('x'):rep(10000000) while true do text = text:upper() end",
        "local t = {} for i = 1, 1000 do t[i] = ('x'):rep(10000) end while true do table.concat(t) end",
        "local t = {} for i = 1, 20000 do t[i] = -i end while true do pcall(table.sort, t) end",
        "local t = {} for level = 1, 10 do local u = {} for i = 1, 30 do u[i] = t end t = u end return cjson.encode(t)",
        "local t = {} for level = 1, 10 do local u = {} for i = 1, 30 do u[i] = t end t = u end return cmsgpack.pack(t)",
        "local t = {} for level = 1, 10 do local u = {} for i = 1, 30 do u[i] = t end t = u end return t",
        "local text = '[' .. ('0,'):rep(10000) .. '0]' while true do pcall(cjson.decode, text) end",
        "local text = ('\\0'):rep(7000) while true do local x = cmsgpack.unpack(text) end",
        "local text = ('x'):rep(10000000) while true do redis.sha1hex(text) end",
    ] {
        let reply = eval_for_looks(&scripts, code, 30);
        assert!(reply.starts_with("-ERR Script killed by user with SCRIPT KILL..."), "{code}: {reply}");
    }
    assert_eq!(eval(&scripts, "return 1"), ":1");
    // A count past 32 bits wraps, as it does in Redis.
    assert_eq!(eval(&scripts, "return #string.rep('x', 2^40)"), ":0");
}

#[test]
fn a_script_that_uses_up_all_memory_leaves_it_to_the_next_one() {
    let scripts = Scripts::new(true).unwrap();
    for code in [
        "local t = {} while true do t[#t + 1] = ('x'):rep(5000000) .. #t end",
        "local s = 'x' while true do s = s .. s end",
    ] {
        let reply = eval(&scripts, code);
        assert!(reply.ends_with("not enough memory"), "{code}: {reply}");
        assert_eq!(eval(&scripts, "local t = {} for i = 1, 100 do t[i] = {i} end return #t"), ":100");
    }
}

#[test]
fn scripts_are_forgotten_when_flushed() {
    let scripts = Scripts::new(true).unwrap();
    let (digest, _) = scripts.load(b"return 1").unwrap();
    assert!(scripts.find(&digest).is_some() && scripts.figures().count == 1);
    assert!(scripts.figures().interpreter_bytes > 10_000);
    scripts.flush().unwrap();
    assert!(scripts.find(&digest).is_none() && scripts.figures().count == 0);
}

#[test]
fn deprecated_functions_are_there_only_if_wanted() {
    let without = Scripts::new(false).unwrap();
    for name in ["setfenv", "getfenv", "newproxy"] {
        let reply = eval(&without, &format!("return {name}(1)"));
        assert!(reply.contains(&format!("nonexistent global variable '{name}'")), "{reply}");
    }
    let with = Scripts::new(true).unwrap();
    for (code, reply) in [
        ("getmetatable(newproxy(true)).__gc = function() error('late') end collectgarbage() return 1", ":1"),
        ("local p = newproxy(true) getmetatable(p).__len = function() return 7 end return #newproxy(p)", ":7"),
        ("return tostring(getmetatable(newproxy()))", "$3 nil"),
        ("return tostring(getmetatable(getmetatable(newproxy(true))))", "$5 false"),
    ] {
        assert_eq!(eval(&with, code), reply, "{code}");
    }
}
