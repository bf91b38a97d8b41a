//! COMMANDLOG: slow commands, large requests, large replies.

mod support;

use support::{Server, check, table::Row};

const LOGS: &[Row<'_>] = &[
    ("CONFIG GET commandlog-request-larger-than", "['commandlog-request-larger-than' '1048576']"),
    (
        "CONFIG SET commandlog-request-larger-than 200 commandlog-reply-larger-than 200 slowlog-log-slower-than -1",
        "+OK",
    ),
    ("CONFIG GET commandlog-execution-slower-than", "['commandlog-execution-slower-than' '-1']"),
    ("COMMANDLOG LEN large-request", "0"),
    ("SETRANGE k 1000 x", "1001"),
    ("COMMANDLOG LEN large-request", "0"),
    ("COMMANDLOG LEN LARGE-REPLY", "0"),
    ("STRLEN k", "1001"),
    ("GETRANGE k 0 300", "'\\x00…"),
    ("COMMANDLOG LEN large-reply", "1"),
    ("COMMANDLOG LEN large-request", "0"),
    ("COMMANDLOG LEN slow", "0"),
    ("COMMANDLOG GET 10 large-reply", "[[0 …"),
    ("COMMANDLOG GET 0 large-reply", "[]"),
    ("COMMANDLOG RESET large-reply", "+OK"),
    ("COMMANDLOG LEN large-reply", "0"),
    ("COMMANDLOG GET 10 huge", "-ERR type should be one of the following: slow, large-request, large-reply"),
    ("COMMANDLOG LEN huge", "-ERR type should be one of the following: slow, large-request, large-reply"),
    ("COMMANDLOG GET -2 slow", "-ERR count should be greater than or equal to -1"),
    ("COMMANDLOG GET 1", "-ERR wrong number of arguments for 'commandlog|get' command"),
    ("COMMANDLOG BOGUS", "-ERR unknown subcommand 'BOGUS'. Try COMMANDLOG HELP."),
    ("CONFIG SET commandlog-reply-larger-than -1", "+OK"),
];

#[test]
fn large_commands_are_kept_by_kind() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    check(&mut client, LOGS);
    client.run(&format!("SET large {}", "x".repeat(300)));
    let entry = client.run("COMMANDLOG GET -1 large-request");
    let size: u64 = entry.split(' ').nth(2).and_then(|size| size.parse().ok()).unwrap_or_default();
    assert!((308..350).contains(&size), "{entry}");
    assert!(entry.contains("'large'") && entry.contains("... (172 more bytes)"), "{entry}");
    client.run("CONFIG SET commandlog-large-request-max-len 1");
    client.run(&format!("SET larger {}", "x".repeat(300)));
    assert_eq!(client.run("COMMANDLOG LEN large-request"), "1");
    assert!(client.run("COMMANDLOG GET 1 large-request").contains("'larger'"));
}

#[test]
fn the_slow_log_has_two_names() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    client.run("CONFIG SET commandlog-execution-slower-than 0");
    client.run("PING");
    client.run("CONFIG SET slowlog-log-slower-than -1");
    let length = client.run("SLOWLOG LEN");
    assert_eq!(client.run("COMMANDLOG LEN slow"), length);
    assert_eq!(client.run("COMMANDLOG GET 1 slow"), client.run("SLOWLOG GET 1"));
    client.run("COMMANDLOG RESET slow");
    assert_eq!(client.run("SLOWLOG LEN"), "0");
}
