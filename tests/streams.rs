//! Streams: the log, consumer groups, and who is woken by what.

mod support;

use std::time::{Duration, Instant};

use support::{Server, blocked, check, check_all, table::Row, wait_blocked};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const INVALID_ID: &str = "-ERR Invalid stream ID specified as stream command argument";

const ADDING: &[Row<'_>] = &[
    ("XADD s 1-1 a 1", "'1-1'"),
    ("XADD s 1-* b 2", "'1-2'"),
    ("XADD s 2 c 3 d 4", "'2-0'"),
    ("XADD s NOMKSTREAM 3-0 a 5", "'3-0'"),
    ("XADD none NOMKSTREAM * a 5", "nil"),
    ("EXISTS none", "0"),
    ("XLEN s", "4"),
    ("XLEN none", "0"),
    ("TYPE s", "+stream"),
    ("OBJECT ENCODING s", "'stream'"),
    ("XRANGE s - +", "[['1-1' ['a' '1']] ['1-2' ['b' '2']] ['2-0' ['c' '3' 'd' '4']] ['3-0' ['a' '5']]]"),
    ("XADD s 3-0 a 1", "-ERR The ID specified in XADD is equal or smaller than the target stream top item"),
    ("XADD s 0-0 a 1", "-ERR The ID specified in XADD must be greater than 0-0"),
    ("XADD s 4-0 a", "-ERR wrong number of arguments for 'xadd' command"),
    ("XADD s 4-0 a 1 b", "-ERR wrong number of arguments for 'xadd' command"),
    ("XADD s x a 1", INVALID_ID),
    ("XADD s MAXLEN 2 5-0 a 6", "'5-0'"),
    ("XRANGE s - +", "[['3-0' ['a' '5']] ['5-0' ['a' '6']]]"),
    ("XADD s MINID 5 6-0 a 7", "'6-0'"),
    ("XLEN s", "2"),
    ("XADD s MAXLEN -1 7-0 a 7", "-ERR The MAXLEN argument must be >= 0."),
    ("XADD s MAXLEN 1 LIMIT 1 7-0 a 7", "-ERR syntax error, LIMIT cannot be used without the special ~ option"),
    ("XADD s LIMIT 1 7-0 a 7", "-ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"),
    (
        "XADD s MAXLEN 1 MINID 1 7-0 a 7",
        "-ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
    ),
    ("XADD s 18446744073709551615-18446744073709551615 a z", "'18446744073709551615-18446744073709551615'"),
    ("XADD s * a z", "-ERR The stream has exhausted the last possible ID, unable to add more items"),
    ("SET string x", "+OK"),
    ("XADD string * a 1", WRONG_TYPE),
    ("XLEN string", WRONG_TYPE),
];

const READING: &[Row<'_>] = &[
    ("XADD s 1-0 n 1", "'1-0'"),
    ("XADD s 2-0 n 2", "'2-0'"),
    ("XADD s 3-0 n 3", "'3-0'"),
    ("XRANGE s (1-0 (3-0", "[['2-0' ['n' '2']]]"),
    ("XRANGE s 2 + COUNT 1", "[['2-0' ['n' '2']]]"),
    ("XRANGE s - + COUNT 0", "nil*"),
    ("XRANGE s 3 1", "[]"),
    ("XREVRANGE s + - COUNT 2", "[['3-0' ['n' '3']] ['2-0' ['n' '2']]]"),
    ("XREVRANGE s 2 -", "[['2-0' ['n' '2']] ['1-0' ['n' '1']]]"),
    ("XRANGE none - +", "[]"),
    ("XRANGE s - + COUNT", "-ERR syntax error"),
    ("XRANGE s (- +", INVALID_ID),
    ("XRANGE s - (0-0", "-ERR invalid end ID for the interval"),
    ("XRANGE s (18446744073709551615-18446744073709551615 +", "-ERR invalid start ID for the interval"),
    ("XREAD COUNT 1 STREAMS s none 1 0", "[['s' [['2-0' ['n' '2']]]]]"),
    ("XREAD STREAMS s 3", "nil*"),
    ("XREAD STREAMS s $", "nil*"),
    ("XREAD BLOCK 10 STREAMS s $", "nil*"),
    (
        "XREAD STREAMS s t 0",
        "-ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.",
    ),
    ("XREAD BLOCK -1 STREAMS s 0", "-ERR timeout is negative"),
    ("XREAD BLOCK x STREAMS s 0", "-ERR timeout is not an integer or out of range"),
    (
        "XREAD STREAMS s >",
        "-ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
    ),
    ("XREAD NOACK STREAMS s 0", "-ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead."),
];

const EDITING: &[Row<'_>] = &[
    ("XADD s 1-0 n 1", "'1-0'"),
    ("XADD s 2-0 n 2", "'2-0'"),
    ("XADD s 3-0 n 3", "'3-0'"),
    ("XDEL s 2-0 2-0 9-9", "1"),
    ("XDEL s 1-0 x", INVALID_ID),
    ("XDEL none 1-0", "0"),
    ("XTRIM s MAXLEN 1", "1"),
    ("XTRIM s MINID = 3", "0"),
    ("XTRIM none MAXLEN 1", "0"),
    ("XTRIM s NONSENSE 1", "-ERR syntax error"),
    ("XTRIM s LIMIT 0", "-ERR syntax error, XTRIM must be called with a trimming strategy"),
    ("XRANGE s - +", "[['3-0' ['n' '3']]]"),
    ("XSETID s 1-0", "-ERR The ID specified in XSETID is smaller than the target stream top item"),
    ("XSETID s 2-5", "-ERR The ID specified in XSETID is smaller than the target stream top item"),
    (
        "XSETID s 9-0 ENTRIESADDED 0",
        "-ERR The entries_added specified in XSETID is smaller than the target stream length",
    ),
    ("XSETID s 9-0 ENTRIESADDED 7 MAXDELETEDID 8-0", "+OK"),
    ("XSETID none 1-0", "-ERR no such key"),
    (
        "XINFO STREAM s",
        "['length' 1 'radix-tree-keys' 1 'radix-tree-nodes' 2 'last-generated-id' '9-0' 'max-deleted-entry-id' '8-0' \
         'entries-added' 7 'recorded-first-entry-id' '3-0' 'groups' 0 'first-entry' ['3-0' ['n' '3']] 'last-entry' \
         ['3-0' ['n' '3']]]",
    ),
    ("COPY s t", "1"),
    ("XDEL s 3-0", "1"),
    ("EXISTS s", "1"),
    ("XRANGE t - +", "[['3-0' ['n' '3']]]"),
    ("XINFO STREAM none", "-ERR no such key"),
    ("XINFO STREAM s PART", "-ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP."),
];

const GROUPS: &[Row<'_>] = &[
    (
        "XGROUP CREATE s g $",
        "-ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM \
         option to create an empty stream automatically.",
    ),
    ("XGROUP CREATE s g $ MKSTREAM", "+OK"),
    ("XGROUP CREATE s g $", "-BUSYGROUP Consumer Group name already exists"),
    ("XADD s 1-0 n 1", "'1-0'"),
    ("XADD s 2-0 n 2", "'2-0'"),
    ("XADD s 3-0 n 3", "'3-0'"),
    ("XREADGROUP GROUP g alice COUNT 2 STREAMS s >", "[['s' [['1-0' ['n' '1']] ['2-0' ['n' '2']]]]]"),
    ("XREADGROUP GROUP g bob STREAMS s >", "[['s' [['3-0' ['n' '3']]]]]"),
    ("XREADGROUP GROUP g bob STREAMS s >", "nil*"),
    ("XREADGROUP GROUP g bob STREAMS s 0", "[['s' [['3-0' ['n' '3']]]]]"),
    ("XPENDING s g", "[3 '1-0' '3-0' [['alice' '2'] ['bob' '1']]]"),
    ("XINFO GROUPS s", "[['name' 'g' 'consumers' 2 'pending' 3 'last-delivered-id' '3-0' 'entries-read' 3 'lag' 0]]"),
    ("XACK s g 1-0 1-0 9-0", "1"),
    ("XACK s none 1-0", "0"),
    ("XDEL s 2-0", "1"),
    ("XREADGROUP GROUP g alice STREAMS s 0", "[['s' [['2-0' nil*]]]]"),
    ("XAUTOCLAIM s g bob 0 0 COUNT 1", "['3-0' [] ['2-0']]"),
    ("XAUTOCLAIM s g alice 0 3 JUSTID", "['0-0' ['3-0'] []]"),
    ("XCLAIM s g bob 0 3-0 1-0", "[['3-0' ['n' '3']]]"),
    ("XCLAIM s g bob 0 1-0 FORCE JUSTID", "['1-0']"),
    ("XCLAIM s g bob 100000 1-0", "[]"),
    ("XCLAIM s g bob 0 1-0 BOGUS", "-ERR Unrecognized XCLAIM option 'BOGUS'"),
    ("XCLAIM s none bob 0 1-0", "-NOGROUP No such key 's' or consumer group 'none'"),
    ("XPENDING s g IDLE 0 - + 10 alice", "[]"),
    ("XPENDING s g IDLE 100000 - + 10", "[]"),
    ("XPENDING s g - + 10 nobody", "[]"),
    ("XPENDING s g -", "-ERR syntax error"),
    ("XGROUP CREATECONSUMER s g carol", "1"),
    ("XGROUP CREATECONSUMER s g carol", "0"),
    ("XGROUP DELCONSUMER s g bob", "2"),
    ("XPENDING s g", "[0 nil nil nil*]"),
    ("XGROUP SETID s g 1", "+OK"),
    ("XREADGROUP GROUP g carol NOACK STREAMS s >", "[['s' [['3-0' ['n' '3']]]]]"),
    ("XPENDING s g", "[0 nil nil nil*]"),
    ("XGROUP SETID s none 1", "-NOGROUP No such consumer group 'none' for key name 's'"),
    (
        "XREADGROUP GROUP none carol STREAMS s >",
        "-NOGROUP No such key 's' or consumer group 'none' in XREADGROUP with GROUP option",
    ),
    ("XREADGROUP STREAMS s >", "-ERR wrong number of arguments for 'xreadgroup' command"),
    ("XGROUP DESTROY s g", "1"),
    ("XGROUP DESTROY s g", "0"),
    ("XINFO GROUPS s", "[]"),
];

#[test]
fn every_command_replies_as_redis_does() {
    let server = Server::tls(&[]);
    check_all(
        &mut server.client(),
        &[("adding", ADDING), ("reading", READING), ("editing", EDITING), ("groups", GROUPS)],
    );
}

#[test]
fn resp3_reads_are_maps() {
    let server = Server::tls(&[]);
    check(
        &mut server.client3(),
        &[
            ("XADD s 1-0 n 1", "'1-0'"),
            ("XREAD STREAMS s 0", "{'s': [['1-0' ['n' '1']]]}"),
            ("XREAD STREAMS s 1", "_"),
            ("XGROUP CREATE s g 0", "+OK"),
            ("XREADGROUP GROUP g c STREAMS s >", "{'s': [['1-0' ['n' '1']]]}"),
            ("XRANGE s - + COUNT 0", "_"),
        ],
    );
}

#[test]
fn an_entry_wakes_who_waits_behind_it() {
    let server = Server::tls(&[]);
    let mut other = server.client();
    for wait in ["XREAD BLOCK 0 STREAMS none s $ $", "XREAD BLOCK 20000 STREAMS s 1-0", "XREAD BLOCK 0 STREAMS s $"] {
        other.run("FLUSHALL");
        other.run("XADD s 1-0 old 1");
        let mut waiting = blocked(&server, 1, wait);
        check(&mut other, &[("XADD s 2-0 new 2", "'2-0'"), ("XADD s 3-0 new 3", "'3-0'")]);
        assert_eq!(waiting.reply(), "[['s' [['2-0' ['new' '2']]]]]", "{wait}");
        wait_blocked(&server, 0);
    }
}

#[test]
fn members_of_a_group_are_served_in_turn() {
    let server = Server::tls(&[]);
    let mut other = server.client();
    other.run("XGROUP CREATE s g $ MKSTREAM");
    let mut first = blocked(&server, 1, "XREADGROUP GROUP g a BLOCK 0 STREAMS s >");
    let mut second = blocked(&server, 2, "XREADGROUP GROUP g b BLOCK 0 STREAMS s >");
    other.run("XADD s 1-0 n 1");
    assert_eq!(first.reply(), "[['s' [['1-0' ['n' '1']]]]]");
    wait_blocked(&server, 1);
    other.run("XADD s 2-0 n 2");
    assert_eq!(second.reply(), "[['s' [['2-0' ['n' '2']]]]]");
    assert_eq!(other.run("XPENDING s g"), "[2 '1-0' '2-0' [['a' '1'] ['b' '1']]]");
}

#[test]
fn a_member_is_told_that_its_group_is_lost() {
    let server = Server::tls(&[]);
    let mut other = server.client();
    let no_stream = "-UNBLOCKED the stream key no longer exists";
    for (losing, reply) in [
        ("XGROUP DESTROY s g", "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option"),
        ("DEL s", no_stream),
        ("UNLINK s", no_stream),
        ("FLUSHALL", no_stream),
        ("FLUSHDB ASYNC", no_stream),
        ("SWAPDB 0 1", no_stream),
        ("RENAME s t", no_stream),
        ("MOVE s 1", no_stream),
        ("PEXPIRE s 20", no_stream),
        ("PEXPIREAT s 1", no_stream),
        ("SET s x", no_stream),
        ("SUNIONSTORE s set", no_stream),
    ] {
        check(&mut other, &[("FLUSHALL", "+OK"), ("SADD set member", "1"), ("XGROUP CREATE s g $ MKSTREAM", "+OK")]);
        let mut waiting = blocked(&server, 1, "XREADGROUP GROUP g a BLOCK 0 STREAMS s >");
        let info = other.text("INFO clients");
        assert_eq!(support::info_field(&info, "total_blocking_keys_on_nokey"), Some("1"));
        let answer = other.run(losing);
        assert!(!answer.starts_with('-'), "{losing}: {answer}");
        assert_eq!(waiting.reply(), reply, "{losing}");
        wait_blocked(&server, 0);
    }
}

#[test]
fn a_reader_outside_groups_waits_for_the_stream_to_come_back() {
    let server = Server::tls(&[]);
    let mut other = server.client();
    other.run("XADD s 5-0 n 1");
    let mut waiting = blocked(&server, 1, "XREAD BLOCK 0 STREAMS s $");
    check(
        &mut other,
        &[("DEL s", "1"), ("SET s x", "+OK"), ("DEL s", "1"), ("XADD s 4-0 n 4", "'4-0'"), ("XADD s 6-0 n 6", "'6-0'")],
    );
    assert_eq!(waiting.reply(), "[['s' [['6-0' ['n' '6']]]]]", "`$` was 5-0");
}

#[test]
fn a_timeout_ends_the_wait_with_null() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    client.run("XGROUP CREATE s g $ MKSTREAM");
    for line in ["XREAD BLOCK 100 STREAMS s $", "XREADGROUP GROUP g c BLOCK 100 STREAMS s >"] {
        let start = Instant::now();
        assert_eq!(client.run(line), "nil*");
        assert!(start.elapsed() >= Duration::from_millis(100), "{line}");
    }
    check(
        &mut client,
        &[("MULTI", "+OK"), ("XREAD BLOCK 0 STREAMS s $", "+QUEUED"), ("EXEC", "[nil*]"), ("PING", "+PONG")],
    );
}

#[test]
fn long_streams_keep_their_order_through_trimming() {
    let server = Server::tls(&[]);
    let mut redis = server.redis();
    for n in 1..=3000 {
        redis::cmd("XADD").arg("s").arg(format!("{n}-0")).arg("n").arg(n).exec(&mut redis).unwrap();
    }
    let length = |redis: &mut redis::Connection| -> usize { redis::cmd("XLEN").arg("s").query(redis).unwrap() };
    let removed: usize = redis::cmd("XTRIM").arg("s").arg("MAXLEN").arg("~").arg(1050).query(&mut redis).unwrap();
    assert_eq!((removed, length(&mut redis)), (1900, 1100), "whole nodes of a hundred entries go");
    let removed: usize = redis::cmd("XTRIM").arg("s").arg("MINID").arg(2050).query(&mut redis).unwrap();
    assert_eq!((removed, length(&mut redis)), (149, 951));
    type Entry = (String, (String, usize));
    let entries: Vec<Entry> = redis::cmd("XRANGE").arg("s").arg("-").arg("+").query(&mut redis).unwrap();
    assert!(entries.iter().map(|(_, (_, n))| *n).eq(2050..=3000));
    let entries: Vec<Entry> = redis::cmd("XREVRANGE").arg("s").arg(2101).arg(2099).query(&mut redis).unwrap();
    assert!(entries.iter().map(|(_, (_, n))| *n).eq([2101, 2100, 2099]));
}
