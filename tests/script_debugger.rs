//! The debugger of scripts, from a client's side: what a session says, how it ends, and what others see of it.

mod support;

use std::time::Duration;

use support::{Server, Wire};

const SCRIPT: &str =
    "EVAL \"redis.call('incr', KEYS[1])\\nredis.call('incr', KEYS[1])\\nreturn redis.call('get', KEYS[1])\" 1 k";
const FIRST_LINE: &str = "[+* Stopped at 1, stop reason = step over +-> 1   redis.call('incr', KEYS[1])]";
const ENDED: &str = "[+<endsession>]";

/// A client whose script has stopped at its first line.
fn stopped(server: &Server) -> Wire {
    let mut client = server.client();
    assert_eq!(client.run("SCRIPT DEBUG SYNC"), "+OK");
    assert_eq!(client.run(SCRIPT), FIRST_LINE);
    client
}

fn is_closed(mut client: Wire) -> bool {
    client.read_to_close().is_empty()
}

#[test]
fn a_session_goes_through_a_script_and_ends_with_the_connection() {
    let server = Server::tls(&[]);
    let mut client = stopped(&server);
    assert_eq!(
        client.run("s"),
        "[+<redis> incr k +<reply> 1 +* Stopped at 2, stop reason = step over +-> 2   redis.call('incr', KEYS[1])]"
    );
    assert_eq!(
        client.run("break 3"),
        "[+-> 2   redis.call('incr', KEYS[1]) +  #3   return redis.call('get', KEYS[1])]"
    );
    assert_eq!(client.run("redis set other 5"), "[+<redis> set other 5 +<reply> \"+OK\"]");
    assert_eq!(client.run("print KEYS"), "[+<value> {\"k\"}]");
    assert_eq!(client.run("hello"), "[+<error> Unknown Redis Lua debugger command or wrong number of arguments.]");
    assert_eq!(
        client.run("continue"),
        "[+* Stopped at 3, stop reason = break point +->#3   return redis.call('get', KEYS[1])]"
    );
    // Commands that come together are done one after the other.
    client.send_raw(b"*2\r\n$1\r\ne\r\n$3\r\n1+1\r\n*1\r\n$1\r\nb\r\n*1\r\n$1\r\nc\r\n");
    assert_eq!(client.reply(), "[+<retval> 2]");
    assert_eq!(client.reply(), "[+1 breakpoints set: +->#3   return redis.call('get', KEYS[1])]");
    assert_eq!(client.reply(), ENDED);
    assert_eq!(client.reply(), "'2'");
    assert!(is_closed(client));
    assert_eq!(server.client().run("MGET k other"), "['2' '5']");
}

#[test]
fn a_session_without_a_stop_ends_too() {
    let server = Server::tls(&["--busy-reply-threshold", "0"]);
    for (script, reply) in [
        ("EVAL \"x x\" 0", "-ERR Error compiling script (new function): user_script:1: '=' expected near 'x'"),
        ("EVAL \"return 1\" 1", "-ERR Number of keys can't be greater than number of args"),
    ] {
        let mut client = server.client();
        assert_eq!(client.run("SCRIPT DEBUG sync"), "+OK");
        assert_eq!(client.run(script), ENDED, "{script}");
        assert_eq!(client.reply(), reply, "{script}");
        assert!(is_closed(client), "{script}");
    }
    let mut client = stopped(&server);
    assert_eq!(client.run("abort"), ENDED);
    assert!(client.reply().starts_with("-ERR script aborted for user request script: "));
    assert!(is_closed(client));
    assert_eq!(server.client().run("GET k"), "nil");
}

#[test]
fn a_transaction_says_its_session_before_its_reply() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    assert_eq!(client.run("SCRIPT DEBUG sync"), "+OK");
    for (line, reply) in [("MULTI", "+OK"), ("SET a 1", "+QUEUED"), ("EVAL \"return 7\" 0", "+QUEUED")] {
        assert_eq!(client.run(line), reply);
    }
    assert_eq!(client.run("EXEC"), "[+* Stopped at 1, stop reason = step over +-> 1   return 7]");
    assert_eq!(client.run("c"), ENDED);
    assert_eq!(client.reply(), "[+OK 7]");
    assert!(is_closed(client));
}

#[test]
fn others_wait_until_the_session_ends() {
    let server = Server::tls(&["--worker-threads", "2"]);
    let mut client = stopped(&server);
    // More than there are workers: some share the one whose script has stopped.
    let mut others: Vec<Wire> = (0..4).map(|_| server.client()).collect();
    for other in &mut others {
        other.send("INCR k");
    }
    assert!(others.iter_mut().all(|other| other.is_silent_for(Duration::from_millis(100))));
    assert_eq!(client.run("redis get k"), "[+<redis> get k +<reply> NULL]");
    assert_eq!(client.run("c"), ENDED);
    assert_eq!(client.reply(), "'2'");
    let mut replies: Vec<String> = others.iter_mut().map(Wire::reply).collect();
    replies.sort();
    assert_eq!(replies, ["3", "4", "5", "6"]);
}

#[test]
fn a_session_can_be_killed_by_others_until_its_script_has_written() {
    let server = Server::tls(&[]);
    let mut client = stopped(&server);
    let mut other = server.client();
    assert_eq!(other.run("SCRIPT KILL"), "+OK");
    assert_eq!(client.reply(), ENDED);
    assert!(client.reply().starts_with("-ERR Script killed by user with SCRIPT KILL... script: "));
    assert!(is_closed(client));
    assert_eq!(other.run("GET k"), "nil");
    let mut client = stopped(&server);
    client.run("s");
    assert!(other.run("SCRIPT KILL").starts_with("-UNKILLABLE"));
    client.run("c");
    assert_eq!(other.run("GET k"), "'2'");
}

#[test]
fn without_its_client_a_script_goes_on_to_its_end() {
    let server = Server::tls(&["--busy-reply-threshold", "200"]);
    drop(stopped(&server));
    let mut other = server.client();
    assert_eq!(other.run("GET k"), "'2'");
    let mut client = server.client();
    client.run("SCRIPT DEBUG sync");
    client.run("EVAL \"while true do\\npcall(redis.sha1hex, 'x')\\nend\" 0");
    drop(client);
    assert_eq!(other.run("GET k"), "'2'", "one that does not end is ended");
}

#[test]
fn what_is_no_command_of_a_debugger_ends_the_session() {
    let server = Server::tls(&[]);
    let long = [&b"*1\r\n$1025\r\n"[..], &[b'x'; 1025], b"\r\n"].concat();
    let large = [&b"*1024\r\n"[..], &b"$1024\r\n".iter().copied().chain([b'x'; 1024]).collect::<Vec<_>>()].concat();
    let many = [&b"*1024\r\n"[..], &[&b"$1024\r\n"[..], &[b'x'; 1024], b"\r\n"].concat().repeat(1023)].concat();
    for (bytes, error) in [
        (&b"help\r\n"[..], "-ERR protocol error"),
        (b"*0\r\n", "-ERR protocol error"),
        (b"*1\r\n$0\r\n\r\n", "-ERR protocol error"),
        (b"*1025\r\n", "-ERR protocol error"),
        (b"*x\r\n", "-ERR protocol error"),
        (b"*1\r\n+x\r\n", "-ERR protocol error"),
        (&long, "-ERR protocol error"),
        (&many, "-ERR max client buffer reached"),
    ] {
        let mut client = stopped(&server);
        client.send_raw(bytes);
        assert_eq!(client.reply(), ENDED, "{}", bytes[..bytes.len().min(20)].escape_ascii());
        assert!(client.reply().starts_with(error), "{}", bytes[..bytes.len().min(20)].escape_ascii());
        assert_eq!(server.client().run("PING"), "+PONG");
    }
    // What is not complete yet is waited for.
    let mut client = stopped(&server);
    client.send_raw(&large);
    assert!(client.is_silent_for(Duration::from_millis(50)));
}

#[test]
fn a_stopped_script_does_not_keep_the_server_from_ending() {
    let mut server = Server::tls(&["--save", "3600 1"]);
    let mut client = stopped(&server);
    server.signal("TERM");
    assert_eq!(client.reply(), ENDED);
    assert_eq!(client.reply(), "'2'");
    assert_eq!(server.wait(), Some(0));
}

#[test]
fn who_wants_changes_undone_gets_no_script_run() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    let refusal = client.run("SCRIPT DEBUG YES");
    assert!(refusal.starts_with("-ERR This server never forks") && refusal.contains("SCRIPT DEBUG SYNC"), "{refusal}");
    assert_eq!(client.run("PING"), "+PONG");
    assert_eq!(client.run(SCRIPT), ENDED);
    assert_eq!(client.reply(), refusal);
    assert!(is_closed(client));
    let mut client = server.client();
    client.run("SCRIPT DEBUG YES");
    assert_eq!(client.run("SCRIPT DEBUG maybe"), "-ERR Use SCRIPT DEBUG YES/SYNC/NO");
    assert_eq!(client.run("SCRIPT DEBUG NO"), "+OK");
    assert_eq!(client.run(SCRIPT), "'2'");
}

#[test]
fn only_eval_is_debugged_and_only_outside_a_pipeline() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    client.send_raw(b"*1\r\n$4\r\nPING\r\n*3\r\n$6\r\nSCRIPT\r\n$5\r\nDEBUG\r\n$4\r\nSYNC\r\n");
    assert_eq!(client.reply(), "+PONG");
    assert_eq!(client.reply(), "-ERR SCRIPT DEBUG must be called outside a pipeline");
    let digest = client.run("SCRIPT LOAD \"return 1\"").replace('\'', "");
    assert_eq!(client.run(&format!("EVALSHA {digest} 0")), "1");
    assert_eq!(client.run("SCRIPT DEBUG SYNC"), "+OK");
    assert_eq!(client.run(&format!("EVALSHA {digest} 0")), "-ERR Please use EVAL instead of EVALSHA for debugging");
    assert_eq!(client.run("EVAL \"return 1\" 0"), "[+* Stopped at 1, stop reason = step over +-> 1   return 1]");
}
