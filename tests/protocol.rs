//! The wire: malformed input, pipelines, requests in pieces, big values, limits.

mod support;

use std::time::Duration;

use support::wire::encode;
use support::{Server, Wire, check, eventually};

#[test]
fn malformed_input_gets_one_error_and_a_close() {
    let server = Server::tls(&[]);
    let oversized_line = vec![b'a'; 70_000];
    let oversized_count = [b"*".as_slice(), &vec![b'1'; 70_000]].concat();
    let oversized_bulk = [b"*1\r\n$".as_slice(), &vec![b'1'; 70_000]].concat();
    for (bytes, error) in [
        (&b"*3\r\n$3\r\nSET\r\nfoo\r\n"[..], "expected '$', got 'f'"),
        (b"*1\r\n:1\r\n", "expected '$', got ':'"),
        (b"*abc\r\n", "invalid multibulk length"),
        (b"*2147483648\r\n", "invalid multibulk length"),
        (b"*1\r\n$-5\r\n", "invalid bulk length"),
        (b"*1\r\n$abc\r\n", "invalid bulk length"),
        (b"*1\r\n$2000000000\r\n", "invalid bulk length"),
        (b"SET \"open\r\n", "unbalanced quotes in request"),
        (&oversized_line, "too big inline request"),
        (&oversized_count, "too big mbulk count string"),
        (&oversized_bulk, "too big bulk count string"),
    ] {
        let mut client = server.client();
        client.send_raw(bytes);
        let reply = String::from_utf8(client.read_to_close()).unwrap();
        assert_eq!(
            reply,
            format!("-ERR Protocol error: {error}\r\n"),
            "{}",
            bytes[..bytes.len().min(40)].escape_ascii()
        );
    }
    assert_eq!(server.client().run("PING"), "+PONG");
}

#[test]
fn what_came_before_the_malformed_part_is_answered() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    client.send_raw(b"SET k v\r\nGET k\r\n*1\r\n$x\r\nPING\r\n");
    let reply = String::from_utf8(client.read_to_close()).unwrap();
    assert_eq!(reply, "+OK\r\n$1\r\nv\r\n-ERR Protocol error: invalid bulk length\r\n");
}

#[test]
fn nothing_is_answered_to_empty_requests() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    client.send_raw(b"\r\n*0\r\n*-1\r\n   \r\nPING\r\n");
    assert_eq!(client.reply(), "+PONG");
    assert!(client.is_silent_for(Duration::from_millis(50)));
}

#[test]
fn strangers_can_send_little() {
    let server = Server::tls(&["--requirepass", "secret"]);
    for (bytes, error) in
        [(&b"*100\r\n"[..], "unauthenticated multibulk length"), (b"*1\r\n$20000\r\n", "unauthenticated bulk length")]
    {
        let mut client = server.client();
        client.send_raw(bytes);
        let reply = String::from_utf8(client.read_to_close()).unwrap();
        assert_eq!(reply, format!("-ERR Protocol error: {error}\r\n"));
    }
}

#[test]
fn what_a_browser_is_made_to_send_ends_the_connection() {
    let server = Server::plain(&[]);
    for request in ["POST / HTTP/1.1\r\nHost: x\r\n\r\nFLUSHALL\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\nPING\r\n"] {
        let mut client = server.client();
        client.send_raw(request.as_bytes());
        let said = String::from_utf8(client.read_to_close()).unwrap();
        assert!(!said.contains("OK") && !said.contains("PONG") && !said.contains("HTTP"), "{said}");
    }
    assert!(server.log().contains("Possible SECURITY ATTACK detected"));
}

#[test]
fn bytes_are_quoted_as_they_came() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    check(
        &mut client,
        &[
            (
                "\"\\xff\\x00x\" \"a\\xfe\" \"b\\x00c\"",
                "-ERR unknown command \\'\\xff\\', with args beginning with: \\'a\\xfe\\' \\'b\\' ",
            ),
            ("CONFIG \"\\xff\\x00\"", "-ERR unknown subcommand \\'\\xff\\'. Try CONFIG HELP."),
            ("FUNCTION LIST \"\\xff\\x00\"", "-ERR Unknown argument \\xff"),
            ("EVAL \"return redis.error_reply(ARGV[1])\" 0 \"\\xff\"", "-ERR \\xff"),
            (
                "SCRIPT LOAD \"return \\xff\"",
                "-ERR Error compiling script (new function): user_script:1: unexpected symbol near \\'\\xff\\'",
            ),
        ],
    );
}

#[test]
fn inline_requests_know_quotes() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    client.send_raw(b"SET k \"a\\x41\\n\"\r\nGET k\nSET k 'it\\'s'\r\nGET k\r\n");
    for reply in ["+OK", "'aA\\n'", "+OK", "'it's'"] {
        assert_eq!(client.reply(), reply);
    }
}

#[test]
fn a_request_in_single_bytes_is_the_same_request() {
    for server in [Server::tls(&[]), Server::plain(&[])] {
        let mut client = server.client();
        for byte in encode(&[b"SET", b"k", b"a\r\nb"]).iter().chain(b"GET k\r\n") {
            client.send_raw(&[*byte]);
        }
        assert_eq!(client.reply(), "+OK");
        assert_eq!(client.reply(), "'a\\r\\nb'");
    }
}

#[test]
fn every_cut_of_a_pipeline_gives_the_same_replies() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    let bytes = [encode(&[b"SET", b"k", b"0123456789"]), b"PING\r\n".to_vec(), encode(&[b"GET", b"k"])].concat();
    for cut in 1..bytes.len() {
        client.send_raw(&bytes[..cut]);
        client.send_raw(&bytes[cut..]);
        for reply in ["+OK", "+PONG", "'0123456789'"] {
            assert_eq!(client.reply(), reply, "cut at {cut}");
        }
    }
}

#[test]
fn a_long_pipeline_is_answered_in_order() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    let requests: Vec<u8> = (0..10_000).flat_map(|n| encode(&[b"ECHO", n.to_string().as_bytes()])).collect();
    client.send_raw(&requests);
    for n in 0..10_000 {
        assert_eq!(client.reply(), format!("'{n}'"));
    }
}

#[test]
fn a_client_that_only_writes_does_not_stop_the_others() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    server.client().run_args(&[b"SET", b"big", &vec![b'x'; 100_000]]);
    // Replies of some 20 MB that nobody reads yet: more than sockets hold.
    client.send_raw(&encode(&[b"GET", b"big"]).repeat(200));
    assert_eq!(server.client().run("PING"), "+PONG");
    for _ in 0..200 {
        assert_eq!(client.reply().len(), 100_002);
    }
}

#[test]
fn values_of_all_sizes_come_back_whole() {
    for server in [Server::tls(&[]), Server::plain(&[])] {
        let mut redis = server.redis();
        for size in [0, 1, 16_383, 16_384, 16_385, 65_535, 65_536, 1 << 20, 20 << 20] {
            let value: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
            redis::cmd("SET").arg("k").arg(&value).exec(&mut redis).unwrap();
            let read: Vec<u8> = redis::cmd("GET").arg("k").query(&mut redis).unwrap();
            assert!(read == value, "{size} bytes");
        }
    }
}

#[test]
fn a_value_past_the_limit_is_refused() {
    let server = Server::tls(&["--proto-max-bulk-len", "1mb"]);
    let mut client = server.client();
    check(&mut client, &[("SETRANGE k 2000000 x", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)")]);
    client.send_raw(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1048577\r\n");
    assert_eq!(client.read_to_close(), b"-ERR Protocol error: invalid bulk length\r\n");
}

#[test]
fn an_endless_query_is_cut_off() {
    let server = Server::tls(&["--client-query-buffer-limit", "1mb"]);
    let mut client = server.client();
    let head = b"*2\r\n$3\r\nGET\r\n$100000000\r\n";
    let chunk = vec![b'x'; 64 * 1024];
    let mut refused = client_write(&mut client, head).is_err();
    for _ in 0..1000 {
        refused = refused || client_write(&mut client, &chunk).is_err();
        if refused {
            break;
        }
    }
    assert!(refused, "60 MB were taken for a limit of 1 MB");
    let mut other = server.client();
    eventually("only the other client is left", || other.text("INFO clients").contains("connected_clients:1\r"));
}

fn client_write(client: &mut Wire, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    client.stream().write_all(bytes)?;
    client.stream().flush()
}

#[test]
fn a_reader_too_slow_for_the_output_limit_is_cut_off() {
    let server = Server::tls(&["--client-output-buffer-limit", "normal 1mb 0 0"]);
    let mut other = server.client();
    other.run_args(&[b"SET", b"big", &vec![b'x'; 500_000]]);
    let mut client = server.client();
    let _ = client_write(&mut client, &encode(&[b"GET", b"big"]).repeat(100));
    // The client is still held here: only the server can have closed it.
    eventually("only the other client is left", || other.text("INFO clients").contains("connected_clients:1\r"));
    drop(client);
}

#[test]
fn a_half_request_and_a_close_leave_nothing_behind() {
    let server = Server::tls(&[]);
    for cut in [&b"*2\r\n$3\r\nGE"[..], b"SET k", b"*1000000\r\n$1\r\n"] {
        server.client().send_raw(cut);
    }
    let mut client = server.client();
    eventually("only one client is left", || client.text("INFO clients").contains("connected_clients:1\r"));
}

#[test]
fn redis_cli_and_redis_benchmark_work_over_tls() {
    let server = Server::tls(&[]);
    for (args, expected) in [
        (&["PING"][..], "PONG"),
        (&["SET", "k", "v"], "OK"),
        (&["GET", "k"], "v"),
        (&["-3", "HSET", "h", "f", "v"], "1"),
        (&["-3", "--no-raw", "HGETALL", "h"], "1# \"f\" => \"v\""),
    ] {
        let output = server.redis_cli(args);
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), expected, "{args:?}: {output:?}");
    }
    let output = std::process::Command::new("redis-benchmark")
        .args(["--tls", "--cacert", &server.file("ca.crt"), "-h", "127.0.0.1", "-p", &server.port().to_string()])
        .args(["-n", "2000", "-c", "10", "-P", "8", "-q", "-t", "ping,set,get,lpush,mset"])
        .output()
        .expect("redis-benchmark is installed (tests/run sees to it)");
    assert!(output.status.success(), "{output:?}");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(report.contains("MSET (10 keys):") && !report.to_lowercase().contains("error"), "{report}");
}
