//! Lists, blocking commands included: who is served, in which order, and who is not.

mod support;

use std::time::{Duration, Instant};

use support::{Server, Wire, blocked, check, check_all, table::Row, wait_blocked};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";

const ENDS: &[Row<'_>] = &[
    ("RPUSH l a b", "2"),
    ("LPUSH l z y", "4"),
    ("LRANGE l 0 -1", "['y' 'z' 'a' 'b']"),
    ("LPUSHX none a", "0"),
    ("RPUSHX l c d", "6"),
    ("LPUSHX l x", "7"),
    ("LLEN l", "7"),
    ("LLEN none", "0"),
    ("LPOP l", "'x'"),
    ("RPOP l", "'d'"),
    ("LPOP l 2", "['y' 'z']"),
    ("RPOP l 2", "['c' 'b']"),
    ("LPOP l 0", "[]"),
    ("LPOP l 10", "['a']"),
    ("EXISTS l", "0"),
    ("LPOP l", "nil"),
    ("LPOP l 3", "nil*"),
    ("LPOP l -1", "-ERR value is out of range, must be positive"),
    ("LPOP l 1 2", "-ERR wrong number of arguments for 'lpop' command"),
    ("SET s x", "+OK"),
    ("LPUSH s a", WRONG_TYPE),
    ("LPOP s", WRONG_TYPE),
    ("LLEN s", WRONG_TYPE),
];

const POSITIONS: &[Row<'_>] = &[
    ("RPUSH l a b c 1 2 3 c c", "8"),
    ("LINDEX l 0", "'a'"),
    ("LINDEX l -1", "'c'"),
    ("LINDEX l 3", "'1'"),
    ("LINDEX l 99", "nil"),
    ("LINDEX l x", "-ERR value is not an integer or out of range"),
    ("LRANGE l 1 2", "['b' 'c']"),
    ("LRANGE l -3 -2", "['3' 'c']"),
    ("LRANGE l 5 1", "[]"),
    ("LRANGE none 0 -1", "[]"),
    ("LPOS l c", "2"),
    ("LPOS l c RANK 2", "6"),
    ("LPOS l c RANK -1", "7"),
    ("LPOS l c COUNT 0", "[2 6 7]"),
    ("LPOS l c COUNT 2 RANK -1", "[7 6]"),
    ("LPOS l c COUNT 0 MAXLEN 3", "[2]"),
    ("LPOS l z", "nil"),
    ("LPOS l z COUNT 1", "[]"),
    ("LPOS none a", "nil"),
    (
        "LPOS l c RANK 0",
        "-ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
    ),
    ("LPOS l c COUNT -1", "-ERR COUNT can't be negative"),
    ("LPOS l c MAXLEN -1", "-ERR MAXLEN can't be negative"),
    ("LSET l 1 B", "+OK"),
    ("LSET l -1 end", "+OK"),
    ("LSET l 99 x", "-ERR index out of range"),
    ("LSET none 0 x", "-ERR no such key"),
    ("LINSERT l BEFORE B before", "9"),
    ("LINSERT l AFTER B after", "10"),
    ("LINSERT l AFTER nothing x", "-1"),
    ("LINSERT none AFTER a x", "0"),
    ("LINSERT l AROUND a x", "-ERR syntax error"),
    ("LRANGE l 0 -1", "['a' 'before' 'B' 'after' 'c' '1' '2' '3' 'c' 'end']"),
    ("LREM l 1 c", "1"),
    ("LREM l -5 c", "1"),
    ("LREM l 0 3", "1"),
    ("LREM l 0 nothing", "0"),
    ("LTRIM l 1 -2", "+OK"),
    ("LRANGE l 0 -1", "['before' 'B' 'after' '1' '2']"),
    ("LTRIM l 5 1", "+OK"),
    ("EXISTS l", "0"),
];

const MOVING: &[Row<'_>] = &[
    ("RPUSH a 1 2 3", "3"),
    ("RPOPLPUSH a b", "'3'"),
    ("LMOVE a b LEFT RIGHT", "'1'"),
    ("LRANGE b 0 -1", "['3' '1']"),
    ("LMOVE b b LEFT RIGHT", "'3'"),
    ("LRANGE b 0 -1", "['1' '3']"),
    ("LMOVE none b LEFT RIGHT", "nil"),
    ("LMOVE a b UP RIGHT", "-ERR syntax error"),
    ("SET s x", "+OK"),
    ("RPOPLPUSH a s", WRONG_TYPE),
    ("LRANGE a 0 -1", "['2']"),
    ("LMPOP 2 none a LEFT", "['a' ['2']]"),
    ("LMPOP 2 none a LEFT", "nil*"),
    ("LMPOP 1 b RIGHT COUNT 10", "['b' ['3' '1']]"),
    ("LMPOP 0 b LEFT", "-ERR numkeys should be greater than 0"),
    ("LMPOP 1 b LEFT COUNT 0", "-ERR count should be greater than 0"),
    ("LMPOP 1 b MIDDLE", "-ERR syntax error"),
    ("RPUSH q 1", "1"),
    ("BLPOP none q 0", "['q' '1']"),
    ("BLPOP q x", "-ERR timeout is not a float or out of range"),
    ("BLPOP q -1", "-ERR timeout is negative"),
    ("BRPOP s 1", WRONG_TYPE),
    ("BLMPOP 0 1 q UP", "-ERR syntax error"),
];

const ENCODINGS: &[Row<'_>] = &[
    ("RPUSH l a", "1"),
    ("OBJECT ENCODING l", "'quicklist'"),
    ("CONFIG SET list-max-listpack-size 2", "+OK"),
    ("RPUSH m a b c d e", "5"),
    ("LRANGE m 0 -1", "['a' 'b' 'c' 'd' 'e']"),
    ("LINSERT m BEFORE c x", "6"),
    ("LREM m 1 d", "1"),
    ("LRANGE m 0 -1", "['a' 'b' 'x' 'c' 'e']"),
    ("CONFIG SET list-max-listpack-size -2", "+OK"),
];

#[test]
fn every_command_replies_as_redis_does() {
    let server = Server::tls(&[]);
    check_all(
        &mut server.client(),
        &[("ends", ENDS), ("positions", POSITIONS), ("moving", MOVING), ("encodings", ENCODINGS)],
    );
}

#[test]
fn resp3_has_one_null() {
    let server = Server::tls(&[]);
    check(
        &mut server.client3(),
        &[("LPOP none", "_"), ("LPOP none 2", "_"), ("BLPOP none 0.01", "_"), ("LPOS none a", "_")],
    );
}

#[test]
fn a_push_serves_each_blocking_command() {
    let server = Server::tls(&[]);
    let mut other = server.client();
    for (wait, wake, reply, left) in [
        ("BLPOP none k 0", "RPUSH k a b", "['k' 'a']", "['b']"),
        ("BRPOP none k 0", "RPUSH k a b", "['k' 'b']", "['a']"),
        ("BRPOPLPUSH k d 0", "LPUSH k a", "'a'", "[]"),
        ("BLMOVE k d LEFT RIGHT 0", "RPUSH k a b", "'a'", "['b']"),
        ("BLMPOP 0 2 none k RIGHT COUNT 2", "RPUSH k a b c", "['k' ['c' 'b']]", "['a']"),
        ("BLPOP k 0", "LMOVE src k LEFT LEFT", "['k' 's']", "[]"),
        ("BLPOP k 0", "RENAME src k", "['k' 's']", "[]"),
        ("BLPOP k 0", "COPY src k", "['k' 's']", "[]"),
        ("BLPOP k 0", "SORT src STORE k ALPHA", "['k' 's']", "[]"),
    ] {
        other.run("FLUSHALL");
        other.run("RPUSH src s");
        let mut waiting = blocked(&server, 1, wait);
        let woken = other.run(wake);
        assert!(!woken.starts_with('-'), "{wake}: {woken}");
        assert_eq!(waiting.reply(), reply, "{wait} after {wake}");
        assert_eq!(other.run("LRANGE k 0 -1"), left, "{wait} after {wake}");
        wait_blocked(&server, 0);
    }
}

#[test]
fn waiting_clients_are_served_in_the_order_they_came() {
    let server = Server::tls(&[]);
    let mut waiting: Vec<Wire> = (1..=4).map(|nth| blocked(&server, nth, "BLPOP k 0")).collect();
    let mut other = server.client();
    assert_eq!(other.run("RPUSH k 1 2"), "2");
    assert_eq!(other.run("RPUSH k 3"), "1", "the first two elements are gone before the next command");
    assert_eq!(other.run("RPUSH k 4 5"), "2");
    for (client, element) in waiting.iter_mut().zip(1..) {
        assert_eq!(client.reply(), format!("['k' '{element}']"));
    }
    assert_eq!(other.run("LRANGE k 0 -1"), "['5']");
}

#[test]
fn a_served_command_looks_at_its_keys_from_left_to_right() {
    let server = Server::tls(&[]);
    let mut other = server.client();
    let mut waiting = blocked(&server, 1, "BLPOP a b c 0");
    check(&mut other, &[("MULTI", "+OK"), ("RPUSH c 1", "+QUEUED"), ("RPUSH a 2", "+QUEUED"), ("EXEC", "[1 1]")]);
    let reply = waiting.reply();
    assert_eq!(reply, "['a' '2']", "as Redis does from 7.2 on, the command runs anew");
    let mut waiting = blocked(&server, 1, "BLPOP same same 0");
    assert_eq!(other.run("RPUSH same x"), "1");
    assert_eq!(waiting.reply(), "['same' 'x']");
}

#[test]
fn a_timeout_ends_the_wait_with_null() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    for line in ["BLPOP none 0.1", "BRPOP none 0.1", "BLMPOP 0.1 1 none LEFT", "BLMOVE none d LEFT LEFT 0.1"] {
        let start = Instant::now();
        let reply = client.run(line);
        let waited = start.elapsed();
        assert!(reply == "nil*" || (reply == "nil" && line.starts_with("BLMOVE")), "{line}: {reply}");
        assert!(waited >= Duration::from_millis(100) && waited < Duration::from_secs(5), "{line}: {waited:?}");
    }
    assert_eq!(client.run("PING"), "+PONG", "and the connection goes on");
    wait_blocked(&server, 0);
}

#[test]
fn client_unblock_ends_the_wait_in_both_ways() {
    let server = Server::tls(&[]);
    let mut other = server.client();
    let mut client = server.client();
    let id = client.int("CLIENT ID");
    for (how, reply) in
        [("", "nil*"), (" TIMEOUT", "nil*"), (" ERROR", "-UNBLOCKED client unblocked via CLIENT UNBLOCK")]
    {
        client.send("BLPOP none 0");
        wait_blocked(&server, 1);
        assert_eq!(other.run(&format!("CLIENT UNBLOCK {id}{how}")), "1");
        assert_eq!(client.reply(), reply, "CLIENT UNBLOCK{how}");
    }
    assert_eq!(other.run(&format!("CLIENT UNBLOCK {id}")), "0", "nobody waits any more");
    assert_eq!(
        other.run(&format!("CLIENT UNBLOCK {id} MAYBE")),
        "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"
    );
}

#[test]
fn inside_a_transaction_nothing_blocks() {
    let server = Server::tls(&[]);
    check(
        &mut server.client(),
        &[
            ("MULTI", "+OK"),
            ("BLPOP none 0", "+QUEUED"),
            ("BLMOVE none d LEFT LEFT 0", "+QUEUED"),
            ("BLMPOP 0 1 none LEFT", "+QUEUED"),
            ("EXEC", "[nil* nil nil*]"),
        ],
    );
}

#[test]
fn requests_behind_a_blocking_one_wait_their_turn() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    client.send_raw(b"BLPOP k 0\r\nPING after\r\n");
    wait_blocked(&server, 1);
    assert!(client.is_silent_for(Duration::from_millis(50)));
    server.client().run("RPUSH k v");
    assert_eq!(client.reply(), "['k' 'v']");
    assert_eq!(client.reply(), "'after'");
}

#[test]
fn a_client_that_left_is_not_served() {
    let server = Server::tls(&[]);
    drop(blocked(&server, 1, "BLPOP k 0"));
    wait_blocked(&server, 0);
    let mut waiting = blocked(&server, 1, "BLPOP k 0");
    assert_eq!(server.client().run("RPUSH k v"), "1");
    assert_eq!(waiting.reply(), "['k' 'v']", "the element went to the client that is still there");
}

#[test]
fn a_value_of_another_type_wakes_nobody() {
    let server = Server::tls(&[]);
    let mut waiting = blocked(&server, 1, "BLPOP k 0");
    check(&mut server.client(), &[("SADD k a", "1"), ("DEL k", "1"), ("RPUSH k v", "1")]);
    assert_eq!(waiting.reply(), "['k' 'v']");
}

#[test]
fn chained_moves_pass_an_element_on() {
    let server = Server::tls(&[]);
    let mut first = blocked(&server, 1, "BLMOVE a b LEFT RIGHT 0");
    let mut second = blocked(&server, 2, "BLMOVE b c LEFT RIGHT 0");
    let mut other = server.client();
    other.run("RPUSH a x");
    assert_eq!(first.reply(), "'x'");
    assert_eq!(second.reply(), "'x'");
    assert_eq!(other.run("LRANGE c 0 -1"), "['x']");
}

#[test]
fn long_lists_keep_their_order() {
    let server = Server::tls(&[]);
    let mut redis = server.redis();
    let model: Vec<String> = (0..5000).map(|n| format!("element-{n}")).collect();
    for chunk in model.chunks(100) {
        redis::cmd("RPUSH").arg("l").arg(chunk).exec(&mut redis).unwrap();
    }
    let all: Vec<String> = redis::cmd("LRANGE").arg("l").arg(0).arg(-1).query(&mut redis).unwrap();
    assert_eq!(all, model);
    for index in [0, 1, 127, 128, 2500, 4999] {
        let element: String = redis::cmd("LINDEX").arg("l").arg(index).query(&mut redis).unwrap();
        assert_eq!(element, model[index]);
    }
}
