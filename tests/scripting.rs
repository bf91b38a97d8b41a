//! Scripts and functions: what they reach, what they may not, what others are told while one runs too long, and how one ends.

mod support;

use support::{Server, Wire, check_all, eventually, info_field, table::Row};

const EVAL: &[Row<'_>] = &[
    ("EVAL \"return 1\" 0", "1"),
    ("EVAL \"return redis.call('set', KEYS[1], ARGV[1])\" 1 k v", "+OK"),
    ("EVAL \"return redis.call('get', KEYS[1])\" 1 k", "'v'"),
    ("EVAL \"return {1, 'a', {2, false}, nil, 3}\" 0", "[1 'a' [2 nil]]"),
    ("EVAL \"return 1\" x", "-ERR value is not an integer or out of range"),
    ("EVAL \"return 1\" 1", "-ERR Number of keys can't be greater than number of args"),
    ("EVAL \"return 1\" -1", "-ERR Number of keys can't be negative"),
    ("EVAL \"return redis.call('incr', 'k')\" 0", "-ERR value is not an integer or out of range script: …"),
    ("EVAL \"return redis.pcall('incr', 'k')\" 0", "-ERR value is not an integer or out of range"),
    ("EVAL \"return redis.call('get')\" 0", "-ERR Wrong number of args calling Redis command from script script: …"),
    ("EVAL \"return redis.call('nosuch')\" 0", "-ERR Unknown Redis command called from script script: …"),
    ("EVAL \"return redis.call('multi')\" 0", "-ERR This Redis command is not allowed from script script: …"),
    ("EVAL \"redis.call('select', 3) return redis.call('set', 'x', 1)\" 0", "+OK"),
    ("EXISTS x", "0"),
    ("SELECT 3", "+OK"),
    ("EXISTS x", "1"),
    ("SELECT 0", "+OK"),
    ("EVAL_RO \"return redis.call('get', 'k')\" 0", "'v'"),
    (
        "EVAL_RO \"return redis.call('set', 'k', 1)\" 0",
        "-ERR Write commands are not allowed from read-only scripts. script: …",
    ),
    ("EVAL_RO \"#!lua\\nreturn 1\" 0", "-ERR Can not execute a script with write flag using *_ro command."),
    (
        "EVAL \"#!lua flags=no-writes\\nreturn redis.call('del', 'k')\" 0",
        "-ERR Write commands are not allowed from read-only…",
    ),
];

const CACHE: &[Row<'_>] = &[
    ("SCRIPT FLUSH", "+OK"),
    ("EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0", "-NOSCRIPT No matching script. Please use EVAL."),
    ("EVALSHA short 0", "-NOSCRIPT No matching script. Please use EVAL."),
    ("SCRIPT LOAD \"return 1\"", "'e0e1f9fabfc9d4800c877a703b823ac0578ff8db'"),
    ("EVALSHA E0E1F9FABFC9D4800C877A703B823AC0578FF8DB 0", "1"),
    ("EVALSHA_RO e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0", "1"),
    ("SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db x", "[1 0]"),
    ("SCRIPT LOAD \"x x\"", "-ERR Error compiling script (new function): user_script:1: '=' expected near 'x'"),
    ("SCRIPT FLUSH SYNC", "+OK"),
    ("SCRIPT FLUSH x", "-ERR SCRIPT FLUSH only support SYNC|ASYNC option"),
    ("SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "[0]"),
    ("SCRIPT KILL", "-NOTBUSY No scripts in execution right now."),
];

const FUNCTIONS: &[Row<'_>] = &[
    ("FUNCTION FLUSH", "+OK"),
    ("FUNCTION Flush SYNC x", "-ERR unknown subcommand or wrong number of arguments for 'Flush'. Try FUNCTION HELP."),
    (
        "FUNCTION LOAD \"#!lua name=l\\nredis.register_function('f', function(k, a) return redis.call('set', k[1], a[1]) end)\"",
        "'l'",
    ),
    ("FCALL f 1 k v", "+OK"),
    ("FCALL F 1 k w", "+OK"),
    ("GET k", "'w'"),
    ("FCALL nosuch 0", "-ERR Function not found"),
    ("FCALL f x", "-ERR Bad number of keys provided"),
    ("FCALL_RO f 1 k v", "-ERR Can not execute a script with write flag using *_ro command."),
    ("FUNCTION LIST", "[['library_name' 'l' 'engine' 'LUA' 'functions' [['name' 'f' 'description' nil 'flags' []]]]]"),
    ("FUNCTION LIST LIBRARYNAME x*", "[]"),
    ("FUNCTION STATS", "['running_script' nil 'engines' ['LUA' ['libraries_count' 1 'functions_count' 1]]]"),
    ("FUNCTION KILL", "-NOTBUSY No scripts in execution right now."),
    ("FUNCTION LOAD x", "-ERR Missing library metadata"),
    ("FUNCTION LOAD a x", "-ERR Unknown option given: a"),
    ("FUNCTION DELETE x", "-ERR Library not found"),
    ("FUNCTION RESTORE x", "-ERR DUMP payload version or checksum are wrong"),
    ("FUNCTION RESTORE x y", "-ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE."),
    ("FUNCTION DELETE l", "+OK"),
    ("FUNCTION LIST", "[]"),
];

const TRANSACTION: &[Row<'_>] = &[
    ("MULTI", "+OK"),
    ("SET a 1", "+QUEUED"),
    ("EVAL \"return redis.call('incr', KEYS[1])\" 1 a", "+QUEUED"),
    ("GET a", "+QUEUED"),
    ("EXEC", "[+OK 2 '2']"),
];

#[test]
fn every_command_replies_as_redis_does() {
    let server = Server::tls(&[]);
    let tables = [("eval", EVAL), ("cache", CACHE), ("functions", FUNCTIONS), ("transaction", TRANSACTION)];
    check_all(&mut server.client(), &tables);
    let script = "EVAL \"redis.setresp(3) return redis.call('hgetall', 'h')\" 0";
    let resp3: &[Row<'_>] = &[
        ("HSET h a 1", "1"),
        (script, "{'a': '1'}"),
        ("EVAL \"return redis.call('hgetall', 'h')\" 0", "['a' '1']"),
        ("EVAL \"return {double=1.5}\" 0", ",1.5"),
        ("EVAL \"return false\" 0", "_"),
    ];
    check_all(&mut server.client3(), &[("resp3", resp3)]);
}

#[test]
fn a_dump_of_functions_comes_back() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    let code = b"#!lua name=l\nredis.register_function('f', function() return 7 end)";
    assert_eq!(client.run_args(&[b"FUNCTION", b"LOAD", code]), "'l'");
    client.send("FUNCTION DUMP");
    let dump = bulk(&mut client);
    assert_eq!(client.run_args(&[b"FUNCTION", b"RESTORE", &dump]), "-ERR Library l already exists");
    assert_eq!(client.run("FUNCTION FLUSH"), "+OK");
    assert_eq!(client.run_args(&[b"FUNCTION", b"RESTORE", &dump]), "+OK");
    assert_eq!(client.run_args(&[b"FUNCTION", b"RESTORE", &dump, b"REPLACE"]), "+OK");
    assert_eq!(client.run_args(&[b"FUNCTION", b"RESTORE", &dump, b"FLUSH"]), "+OK");
    assert_eq!(client.run("FCALL f 0"), "7");
    let mut broken = dump.clone();
    broken[5] ^= 1;
    assert_eq!(client.run_args(&[b"FUNCTION", b"RESTORE", &broken]), "-ERR DUMP payload version or checksum are wrong");
}

/// The bytes of a bulk string that was asked for.
fn bulk(client: &mut Wire) -> Vec<u8> {
    use std::io::Read;
    let mut byte = [0];
    let mut header = Vec::new();
    while !header.ends_with(b"\r\n") {
        client.stream().read_exact(&mut byte).expect("a header");
        header.push(byte[0]);
    }
    let length: usize = std::str::from_utf8(&header[1..header.len() - 2]).unwrap().parse().unwrap();
    let mut bytes = vec![0; length + 2];
    client.stream().read_exact(&mut bytes).expect("a bulk string");
    bytes.truncate(length);
    bytes
}

const BUSY: &str = "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
const BUSY_FUNCTION: &str = "-BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.";

#[test]
fn a_script_past_its_time_lets_others_know_and_can_be_killed() {
    for workers in ["1", "2"] {
        let server = Server::tls(&["--busy-reply-threshold", "10", "--worker-threads", workers]);
        let mut others = [server.client(), server.client(), server.client()];
        let mut runner = server.client();
        for code in
            ["while true do end", "while true do pcall(function() while true do redis.call('ping') end end) end"]
        {
            runner.send(&format!("EVAL \"{code}\" 0"));
            for other in &mut others {
                eventually("the server is busy", || other.run("PING") == BUSY);
                assert_eq!(other.run("FUNCTION KILL"), BUSY);
                assert_eq!(other.run("FUNCTION STATS"), BUSY);
                assert_eq!(other.run("SHUTDOWN"), BUSY);
                assert_eq!(other.run("MULTI"), "+OK");
                assert_eq!(other.run("GET k"), BUSY);
                assert_eq!(other.run("DISCARD"), "+OK");
            }
            assert_eq!(others[0].run("SCRIPT KILL"), "+OK");
            let reply = runner.reply();
            assert!(reply.starts_with("-ERR Script killed by user with SCRIPT KILL..."), "{reply}");
            for other in &mut others {
                eventually("the server is there again", || other.run("PING") == "+PONG");
            }
        }
        assert_eq!(runner.run("PING"), "+PONG");
    }
}

#[test]
fn a_script_can_be_killed_within_a_library_function_and_while_its_reply_is_written() {
    let server = Server::tls(&["--busy-reply-threshold", "10"]);
    let (mut runner, mut other) = (server.client(), server.client());
    let nested = "local t = {} for level = 1, 10 do local u = {} for i = 1, 30 do u[i] = t end t = u end";
    for code in [
        "return string.find(('a'):rep(3000), ('a*'):rep(20) .. 'b')",
        "return pcall(string.gsub, ('a'):rep(3000), ('a-'):rep(20) .. 'b', 'x')",
        &format!("{nested} return cjson.encode(t)"),
        &format!("{nested} return cmsgpack.pack(t)"),
        &format!("{nested} return t"),
    ] {
        runner.send(&format!("EVAL \"{code}\" 0"));
        eventually("the server is busy", || other.run("PING") == BUSY);
        assert_eq!(other.run("SCRIPT KILL"), "+OK");
        let reply = runner.reply();
        assert!(reply.starts_with("-ERR Script killed by user with SCRIPT KILL..."), "{reply}");
        eventually("the server is there again", || other.run("PING") == "+PONG");
    }
}

#[test]
fn a_function_past_its_time_is_killed_as_a_function() {
    let server = Server::tls(&["--busy-reply-threshold", "10"]);
    let (mut runner, mut other) = (server.client(), server.client());
    let code = b"#!lua name=l\nredis.register_function('f', function() while true do end end)";
    assert_eq!(runner.run_args(&[b"FUNCTION", b"LOAD", code]), "'l'");
    runner.send("FCALL f 0");
    eventually("the server is busy", || other.run("PING") == BUSY_FUNCTION);
    assert_eq!(other.run("SCRIPT KILL"), BUSY_FUNCTION);
    let stats = other.run("FUNCTION STATS");
    assert!(stats.starts_with("['running_script' ['name' 'f' 'command' ['FCALL' 'f' '0'] 'duration_ms' "), "{stats}");
    assert_eq!(other.run("FUNCTION KILL"), "+OK");
    assert!(runner.reply().starts_with("-ERR Script killed by user"));
    assert_eq!(other.run("PING"), "+PONG");
}

#[test]
fn a_script_that_wrote_cannot_be_killed_but_the_server_can_be_stopped() {
    let mut server = Server::tls(&["--busy-reply-threshold", "10"]);
    let (mut runner, mut other) = (server.client(), server.client());
    runner.send("MULTI");
    runner.send("EVAL \"redis.call('set', 'x', 1) while true do end\" 0");
    runner.send("EXEC");
    eventually("the server is busy", || other.run("PING") == BUSY);
    assert!(other.run("SCRIPT KILL").starts_with("-UNKILLABLE "));
    other.send("SHUTDOWN NOSAVE");
    assert_eq!(server.wait(), Some(0));
}

#[test]
fn whoever_waits_for_a_key_is_served_after_the_script() {
    let server = Server::tls(&[]);
    let (mut waiter, mut client) = (server.client(), server.client());
    waiter.send("BRPOP list 0");
    let blocked = |client: &mut Wire| info_field(&client.text("INFO clients"), "blocked_clients") == Some("1");
    eventually("the client waits", || blocked(&mut client));
    client.run("EVAL \"redis.call('lpush', KEYS[1], 1) redis.call('lpush', KEYS[1], 2)\" 1 list");
    assert_eq!(waiter.reply(), "['list' '1']");
}

#[test]
fn scripts_are_checked_against_memory_and_users() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    client.run("CONFIG SET maxmemory 1");
    let oom = "-OOM command not allowed when used memory > 'maxmemory'.";
    for (line, reply) in [
        ("EVAL \"return redis.call('set', 'x', 1)\" 0", format!("{oom} script: …")),
        ("EVAL \"return redis.call('get', 'x')\" 0", "nil".into()),
        ("EVAL \"#!lua\\nreturn 1\" 0", oom.into()),
        ("EVAL \"#!lua flags=allow-oom\\nreturn redis.call('set', 'x', 1)\" 0", "+OK".into()),
        ("EVAL \"#!lua flags=no-writes\\nreturn 1\" 0", "1".into()),
    ] {
        support::check(&mut client, &[(line, &reply)]);
    }
    client.run("CONFIG SET maxmemory 0");
    client.run("ACL SETUSER bob on nopass +@scripting +set ~x*");
    let mut bob = server.client();
    bob.run("AUTH bob x");
    support::check(
        &mut bob,
        &[
            ("EVAL \"return redis.call('set', 'xx', 1)\" 0", "+OK"),
            ("EVAL \"return redis.call('get', 'xx')\" 0", "-ERR The user executing the script can't run …"),
            ("EVAL \"return redis.acl_check_cmd('set', 'xx', 1)\" 0", "1"),
            ("EVAL \"return redis.acl_check_cmd('set', 'yy', 1)\" 0", "nil"),
        ],
    );
}

#[test]
fn figures_show_scripts_and_functions() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    client.run("SCRIPT LOAD \"return 1\"");
    client.run_args(&[b"FUNCTION", b"LOAD", b"#!lua name=l\nredis.register_function('f', function() end)"]);
    let info = client.text("INFO memory");
    for (field, value) in
        [("number_of_cached_scripts", "1"), ("number_of_functions", "1"), ("number_of_libraries", "1")]
    {
        assert_eq!(info_field(&info, field), Some(value), "{field}");
    }
    for field in
        ["used_memory_vm_eval", "used_memory_vm_functions", "used_memory_scripts_eval", "used_memory_functions"]
    {
        assert_ne!(info_field(&info, field), Some("0"), "{field}");
    }
}

#[test]
fn a_replica_refuses_a_queue_with_a_script_that_may_write() {
    let server = Server::tls(&[]);
    let (mut client, mut other) = (server.client(), server.client());
    client.run("MULTI");
    assert_eq!(client.run("EVAL \"#!lua\\nreturn 1\" 0"), "+QUEUED");
    assert_eq!(other.run("REPLICAOF 127.0.0.1 1"), "+OK");
    assert_eq!(
        client.run("EXEC"),
        "-EXECABORT Transaction discarded because of: READONLY You can't write against a read only replica."
    );
    // A script that declares nothing is judged by its commands.
    client.run("MULTI");
    client.run("EVAL \"return 1\" 0");
    assert_eq!(client.run("EXEC"), "[1]");
}

#[test]
fn a_stale_replica_runs_only_scripts_that_say_they_do_not_mind() {
    let server = Server::tls(&["--replica-serve-stale-data", "no"]);
    let mut client = server.client();
    assert_eq!(client.run("REPLICAOF 127.0.0.1 1"), "+OK");
    let down = "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
    assert_eq!(client.run("EVAL \"return 1\" 0"), down);
    assert_eq!(client.run("EVAL \"#!lua flags=no-writes\\nreturn 1\" 0"), down);
    assert_eq!(client.run("EVAL \"#!lua flags=allow-stale,no-writes\\nreturn 1\" 0"), "1");
}
