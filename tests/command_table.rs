//! What the server says of its commands, and `rename-command`: commands under other names, or under none.

mod support;

use support::server::{create_certificates, run, text};
use support::table::Row;
use support::{Mode, Server, check, free_port};
use tempfile::TempDir;

const SAID: &[Row<'_>] = &[
    ("COMMAND COUNT", "256"),
    ("COMMAND LIST FILTERBY PATTERN xau*", "['xautoclaim']"),
    ("COMMAND LIST FILTERBY MODULE nosuch", "[]"),
    ("COMMAND LIST FILTERBY ACLCAT nosuch", "[]"),
    ("COMMAND LIST FILTERBY PATTERN nosuch", "[]"),
    ("COMMAND LIST FILTERBY NOSUCH x", "-ERR syntax error"),
    ("COMMAND INFO nosuch", "[nil]"),
    (
        "COMMAND INFO get",
        "[['get' 2 [+readonly +fast] 1 1 1 [+@read +@string +@fast] [] [['flags' [+RO +access] 'begin_search' ['type' \
         'index' 'spec' ['index' 1]] 'find_keys' ['type' 'range' 'spec' ['lastkey' 0 'keystep' 1 'limit' 0]]]] []]]",
    ),
    (
        "COMMAND INFO config|set",
        "[['config|set' -4 [+admin +noscript +loading +stale] 0 0 0 [+@admin +@slow +@dangerous] \
         ['request_policy:all_nodes' 'response_policy:all_succeeded'] [] []]]",
    ),
    (
        "COMMAND DOCS setnx",
        "['setnx' ['summary' 'Writes a string unless the key is taken.' 'since' '1.0.0' 'group' 'string' 'complexity' \
         'O(1)' 'doc_flags' [+deprecated] 'deprecated_since' '2.6.12' 'replaced_by' '`SET` with the `NX` argument' \
         'arguments' [['name' 'key' 'type' 'key' 'display_text' 'key' 'key_spec_index' 0] ['name' 'value' 'type' \
         'string' 'display_text' 'value']]]]",
    ),
    ("COMMAND DOCS nosuch", "[]"),
    (
        "ACL CAT",
        "['keyspace' 'read' 'write' 'set' 'sortedset' 'list' 'hash' 'string' 'bitmap' 'hyperloglog' 'geo' 'stream' \
         'pubsub' 'admin' 'fast' 'slow' 'blocking' 'dangerous' 'connection' 'transaction' 'scripting']",
    ),
    ("ACL CAT transaction", "any ['discard' 'exec' 'multi' 'unwatch' 'watch']"),
];

#[test]
fn commands_describe_themselves() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    check(&mut client, SAID);
    client.run("HELLO 3");
    check(
        &mut client,
        &[
            (
                "COMMAND INFO get",
                "[['get' 2 ~[+readonly +fast] 1 1 1 ~[+@read +@string +@fast] ~[] ~[{'flags': ~[+RO +access], \
                 'begin_search': {'type': 'index', 'spec': {'index': 1}}, 'find_keys': {'type': 'range', 'spec': \
                 {'lastkey': 0, 'keystep': 1, 'limit': 0}}}] ~[]]]",
            ),
            ("COMMAND INFO nosuch", "[_]"),
            ("COMMAND DOCS nosuch", "{}"),
        ],
    );
}

const RENAMED: &[&str] =
    &["--rename-command", "FLUSHALL", "", "--rename-command", "config", "Settings", "--rename-command", "get", "fetch"];

#[test]
fn commands_have_the_names_the_configuration_gives() {
    let server = Server::tls(RENAMED);
    let mut client = server.client();
    check(
        &mut client,
        &[
            ("SET k v", "+OK"),
            ("GET k", "-ERR unknown command 'GET', with args beginning with: 'k' "),
            ("FETCH k", "'v'"),
            ("flushall", "-ERR unknown command 'flushall', with args beginning with: "),
            ("CONFIG GET hz", "-ERR unknown command 'CONFIG', with args beginning with: 'GET' 'hz' "),
            ("SETTINGS GET hz", "['hz' '10']"),
            ("SETTINGS NOSUCH", "-ERR unknown subcommand 'NOSUCH'. Try CONFIG HELP."),
            ("FETCH", "-ERR wrong number of arguments for 'get' command"),
            ("EVAL \"return redis.call('fetch', KEYS[1])\" 1 k", "'v'"),
            ("EVAL \"return redis.pcall('get', KEYS[1]).err\" 1 k", "'ERR Unknown Redis command called from script'"),
            ("COMMAND COUNT", "255"),
            ("COMMAND LIST FILTERBY PATTERN flush*", "['flushdb']"),
            ("COMMAND INFO get flushall", "[nil nil]"),
            ("COMMAND GETKEYS fetch k", "['k']"),
            ("ACL SETUSER joe on nopass +get +config|get ~*", "+OK"),
            ("AUTH joe x", "+OK"),
            ("FETCH k", "'v'"),
            ("SETTINGS GET hz", "['hz' '10']"),
            ("SETTINGS SET hz 10", "-NOPERM this user has no permissions to run the 'config|set' command"),
        ],
    );
}

#[test]
fn what_was_written_before_a_command_was_renamed_is_understood() {
    let folder = TempDir::with_prefix("redis-tls-test-").unwrap();
    create_certificates(folder.path());
    const LOGGED: &[&str] = &["--appendonly", "yes", "--save", ""];
    let server = Server::start_in(folder.path(), Mode::Tls, LOGGED);
    let mut client = server.client();
    check(&mut client, &[("SET k 1", "+OK"), ("FLUSHALL", "+OK"), ("SET l 1", "+OK"), ("INCR l", "2")]);
    drop(server);
    let renamed = [LOGGED, &["--rename-command", "flushall", "", "--rename-command", "INCR", "inc"]].concat();
    for expected in ["3", "4"] {
        let server = Server::start_in(folder.path(), Mode::Tls, &renamed);
        let mut client = server.client();
        check(&mut client, &[("INCR l", "-ERR unknown command 'INCR'…"), ("INC l", expected), ("DBSIZE", "1")]);
    }
}

#[test]
fn names_that_cannot_be_given_are_refused() {
    let folder = TempDir::with_prefix("redis-tls-test-").unwrap();
    let port = free_port().to_string();
    for (line, reason) in [
        ("rename-command nosuch x", "No such command in rename-command"),
        ("rename-command config|get x", "No such command in rename-command"),
        ("rename-command get SET", "Target command name already exists"),
        ("rename-command get a|b", "The name of a command cannot contain '|'"),
        ("rename-command get", "Bad directive or wrong number of arguments"),
    ] {
        std::fs::write(folder.path().join("redis.conf"), format!("port {port}\n{line}\n")).unwrap();
        let output = run(folder.path(), &["redis.conf"]);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(1), "{line}: {said}");
        let expected = format!("at line 2\n>>> '{line}'\n{reason}\n");
        assert!(said.contains(&expected), "{line}: {said}");
    }
}
