//! Strings and counters: every command, its options and its errors.

mod support;

use redis::TypedCommands;
use support::{Server, check_all, table::Row};

const SET_AND_GET: &[Row<'_>] = &[
    ("SET k v", "+OK"),
    ("GET k", "'v'"),
    ("GET missing", "nil"),
    ("SET k w NX", "nil"),
    ("SET missing w XX", "nil"),
    ("SET k w XX GET", "'v'"),
    ("SET new w NX GET", "nil"),
    ("GET new", "'w'"),
    ("SET k x EX 100", "+OK"),
    ("TTL k", "100"),
    ("SET k y KEEPTTL", "+OK"),
    ("TTL k", "100"),
    ("SET k z", "+OK"),
    ("TTL k", "-1"),
    ("SET k z PX 100000", "+OK"),
    ("TTL k", "100"),
    ("SET k z EXAT 33177117420", "+OK"),
    ("EXPIRETIME k", "33177117420"),
    ("SET k z PXAT 33177117420000", "+OK"),
    ("PEXPIRETIME k", "33177117420000"),
    ("SET k z EX 0", "-ERR invalid expire time in 'set' command"),
    ("SET k z EX -1", "-ERR invalid expire time in 'set' command"),
    ("SET k z PX 9223372036854775807", "-ERR invalid expire time in 'set' command"),
    ("SET k z EX ten", "-ERR value is not an integer or out of range"),
    ("SET k z EX", "-ERR syntax error"),
    ("SET k z NX XX", "-ERR syntax error"),
    ("SET k z EX 1 PX 1", "-ERR syntax error"),
    ("SET k z KEEPTTL EX 1", "-ERR syntax error"),
    ("SET k z BOGUS", "-ERR syntax error"),
    ("SET k", "-ERR wrong number of arguments for 'set' command"),
    ("SET k z PXAT 1", "+OK"),
    ("EXISTS k", "0"),
    ("LPUSH l a", "1"),
    ("GET l", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ("SET l v GET", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ("SET l v", "+OK"),
    ("TYPE l", "+string"),
    ("SET \"\" empty", "+OK"),
    ("GET \"\"", "'empty'"),
    ("SET bin \"\\x00\\xff\\r\\n\"", "+OK"),
    ("GET bin", "'\\x00\\xff\\r\\n'"),
];

const VARIANTS: &[Row<'_>] = &[
    ("SETNX k v", "1"),
    ("SETNX k w", "0"),
    ("SETEX e 100 v", "+OK"),
    ("TTL e", "100"),
    ("SETEX e 0 v", "-ERR invalid expire time in 'setex' command"),
    ("PSETEX e 100000 v", "+OK"),
    ("TTL e", "100"),
    ("PSETEX e -5 v", "-ERR invalid expire time in 'psetex' command"),
    ("GETSET k new", "'v'"),
    ("GETSET other new", "nil"),
    ("GETDEL k", "'new'"),
    ("GETDEL k", "nil"),
    ("EXISTS k", "0"),
    ("SET g v", "+OK"),
    ("GETEX g EX 100", "'v'"),
    ("TTL g", "100"),
    ("GETEX g", "'v'"),
    ("TTL g", "100"),
    ("GETEX g PERSIST", "'v'"),
    ("TTL g", "-1"),
    ("GETEX g PXAT 33177117420000", "'v'"),
    ("PEXPIRETIME g", "33177117420000"),
    ("GETEX g PERSIST EX 1", "-ERR syntax error"),
    ("GETEX g EX 0", "-ERR invalid expire time in 'getex' command"),
    ("GETEX none EX 10", "nil"),
    ("MSET a 1 b 2 c 3", "+OK"),
    ("MGET a b none c", "['1' '2' nil '3']"),
    ("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command"),
    ("MSETNX a 9 z 9", "0"),
    ("EXISTS z", "0"),
    ("MSETNX y 8 z 9", "1"),
    ("MGET y z", "['8' '9']"),
    ("LPUSH l x", "1"),
    ("MGET a l", "['1' nil]"),
];

const COUNTERS: &[Row<'_>] = &[
    ("INCR n", "1"),
    ("INCRBY n 41", "42"),
    ("DECR n", "41"),
    ("DECRBY n 40", "1"),
    ("INCRBY n -5", "-4"),
    ("SET n 9223372036854775807", "+OK"),
    ("INCR n", "-ERR increment or decrement would overflow"),
    ("SET n -9223372036854775808", "+OK"),
    ("DECR n", "-ERR increment or decrement would overflow"),
    ("DECRBY n -9223372036854775808", "-ERR decrement would overflow"),
    ("INCRBY n 9223372036854775808", "-ERR value is not an integer or out of range"),
    ("SET n \" 11\"", "+OK"),
    ("INCR n", "-ERR value is not an integer or out of range"),
    ("SET n \"11 \"", "+OK"),
    ("INCR n", "-ERR value is not an integer or out of range"),
    ("SET n 012", "+OK"),
    ("INCR n", "-ERR value is not an integer or out of range"),
    ("DEL n", "1"),
    ("SET n 10.50", "+OK"),
    ("INCRBYFLOAT n 0.1", "'10.6'"),
    ("INCRBYFLOAT n -5", "'5.6'"),
    ("SET n 5.0e3", "+OK"),
    ("INCRBYFLOAT n 2.0e2", "'5200'"),
    ("INCRBYFLOAT n abc", "-ERR value is not a valid float"),
    ("INCRBYFLOAT n +inf", "-ERR increment would produce NaN or Infinity"),
    ("SET n 1", "+OK"),
    ("INCRBYFLOAT n 1.123456789", "'2.123456789'"),
    ("SET n 3", "+OK"),
    ("INCRBYFLOAT n 1.1", "'4.1'"),
    ("INCRBYFLOAT fresh 17179869184", "'17179869184'"),
    ("LPUSH l a", "1"),
    ("INCR l", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ("INCRBYFLOAT l 1", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ("SET t 5 EX 100", "+OK"),
    ("INCR t", "6"),
    ("TTL t", "100"),
];

const RANGES: &[Row<'_>] = &[
    ("APPEND k foo", "3"),
    ("APPEND k bar", "6"),
    ("STRLEN k", "6"),
    ("STRLEN none", "0"),
    ("GETRANGE k 0 2", "'foo'"),
    ("GETRANGE k -3 -1", "'bar'"),
    ("GETRANGE k 5 1", "''"),
    ("GETRANGE k -100 100", "'foobar'"),
    ("GETRANGE none 0 -1", "''"),
    ("SUBSTR k 1 3", "'oob'"),
    ("SETRANGE k 3 BAZ!", "7"),
    ("GET k", "'fooBAZ!'"),
    ("SETRANGE none 0 \"\"", "0"),
    ("EXISTS none", "0"),
    ("SETRANGE pad 3 x", "4"),
    ("GET pad", "'\\x00\\x00\\x00x'"),
    ("SETRANGE k -1 x", "-ERR offset is out of range"),
    ("SETRANGE k 536870912 x", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
    ("SET n 1234", "+OK"),
    ("GETRANGE n 1 2", "'23'"),
    ("SETRANGE n 1 9", "4"),
    ("INCR n", "1935"),
    ("APPEND n 0", "5"),
    ("INCR n", "19351"),
];

const LCS: &[Row<'_>] = &[
    ("MSET a ohmytext b mynewtext", "+OK"),
    ("LCS a b", "'mytext'"),
    ("LCS a b LEN", "6"),
    ("LCS a b IDX", "['matches' [[[4 7] [5 8]] [[2 3] [0 1]]] 'len' 6]"),
    ("LCS a b IDX MINMATCHLEN 4", "['matches' [[[4 7] [5 8]]] 'len' 6]"),
    ("LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN", "['matches' [[[4 7] [5 8] 4]] 'len' 6]"),
    ("LCS a none", "''"),
    ("LCS a none LEN", "0"),
    ("LCS a b IDX LEN", "-ERR If you want both the length and indexes, please just use IDX."),
    ("LCS a b BOGUS", "-ERR syntax error"),
];

const ENCODINGS: &[Row<'_>] = &[
    ("SET k 12345", "+OK"),
    ("OBJECT ENCODING k", "'int'"),
    ("SET k 9223372036854775808", "+OK"),
    ("OBJECT ENCODING k", "'embstr'"),
    ("SET k 01", "+OK"),
    ("OBJECT ENCODING k", "'embstr'"),
    ("SET k 01234567890123456789012345678901234567890123", "+OK"),
    ("OBJECT ENCODING k", "'embstr'"),
    ("SET k 012345678901234567890123456789012345678901234", "+OK"),
    ("OBJECT ENCODING k", "'raw'"),
    ("SET k abc", "+OK"),
    ("APPEND k d", "4"),
    ("OBJECT ENCODING k", "'raw'"),
    ("SET n 1", "+OK"),
    ("INCR n", "2"),
    ("OBJECT ENCODING n", "'int'"),
    ("APPEND n 3", "2"),
    ("OBJECT ENCODING n", "'raw'"),
];

/// What Redis 8 and Valkey 9 added.
const ADDED: &[Row<'_>] = &[
    ("SET k 1", "+OK"),
    ("SET k 2 IFEQ 0", "nil"),
    ("SET k 2 IFEQ 1", "+OK"),
    ("SET k 3 IFEQ 2 GET", "'2'"),
    ("SET k 4 GET IFEQ 2", "'3'"),
    ("GET k", "'3'"),
    ("SET k x IFEQ 3 EX 100", "+OK"),
    ("SET k y IFEQ x KEEPTTL", "+OK"),
    ("TTL k", "100"),
    ("SET none x IFEQ y", "nil"),
    ("SET none x IFEQ a GET", "nil"),
    ("EXISTS none", "0"),
    ("SET k x IFEQ", "-ERR syntax error"),
    ("SET k x NX IFEQ y", "-ERR syntax error"),
    ("SET k x IFEQ y XX", "-ERR syntax error"),
    ("LPUSH l a", "1"),
    ("SET l x IFEQ a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ("DELIFEQ k x", "0"),
    ("DELIFEQ k y", "1"),
    ("DELIFEQ k y", "0"),
    ("DELIFEQ l a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ("MSETEX 2 a 1 b 2 EX 100", "1"),
    ("MGET a b", "['1' '2']"),
    ("TTL b", "100"),
    ("MSETEX 2 b 3 c 3 NX", "0"),
    ("MSETEX 2 b 3 c 3 XX", "0"),
    ("MSETEX 2 a 3 b 3 XX KEEPTTL", "1"),
    ("TTL a", "100"),
    ("MSETEX 1 a 4", "1"),
    ("TTL a", "-1"),
    ("MSETEX 2 c 1 d 2 NX PX 50000", "1"),
    ("TTL d", "50"),
    ("MSETEX key1 val1 ex 10", "-ERR invalid numkeys value"),
    ("MSETEX 0 a 1", "-ERR invalid numkeys value"),
    ("MSETEX 2147483648 a 1", "-ERR invalid numkeys value"),
    ("MSETEX 2147483647 a 1", "-ERR wrong number of key-value pairs"),
    ("MSETEX 2 a 1 b", "-ERR wrong number of key-value pairs"),
    ("MSETEX 1 a 1 b", "-ERR syntax error"),
    ("MSETEX 1 a 1 NX XX", "-ERR syntax error"),
    ("MSETEX 1 a 1 EX 1 PX 1", "-ERR syntax error"),
    ("MSETEX 1 a 1 GET", "-ERR syntax error"),
    ("MSETEX 1 a 1 EX 0", "-ERR invalid expire time in 'msetex' command"),
];

#[test]
fn every_command_replies_as_redis_does() {
    let server = Server::tls(&[]);
    check_all(
        &mut server.client(),
        &[
            ("set and get", SET_AND_GET),
            ("variants", VARIANTS),
            ("counters", COUNTERS),
            ("ranges", RANGES),
            ("lcs", LCS),
            ("encodings", ENCODINGS),
            ("added", ADDED),
        ],
    );
}

#[test]
fn resp3_replies_have_their_types() {
    let server = Server::tls(&[]);
    let rows: &[Row<'_>] = &[
        ("SET k v", "+OK"),
        ("GET none", "_"),
        ("MGET k none", "['v' _]"),
        ("SET k w NX", "_"),
        ("MSET a ohmytext b mynewtext", "+OK"),
        ("LCS a b IDX MINMATCHLEN 4", "{'matches': [[[4 7] [5 8]]], 'len': 6}"),
        ("INCRBYFLOAT f 1.5", "'1.5'"),
    ];
    check_all(&mut server.client3(), &[("types", rows)]);
}

#[test]
fn the_redis_crate_reads_what_it_wrote() {
    let server = Server::tls(&[]);
    for mut connection in [server.redis(), server.redis3()] {
        connection.set("key", "value").unwrap();
        assert_eq!(connection.get("key").unwrap().as_deref(), Some("value"));
        assert_eq!(connection.get("missing").unwrap(), None);
        connection.del("counter").unwrap();
        assert_eq!(connection.incr("counter", 5).unwrap(), 5);
        connection.mset(&[("a", "1"), ("b", "2")]).unwrap();
        assert_eq!(connection.mget(&["a", "b", "none"]).unwrap(), [Some("1".into()), Some("2".into()), None]);
        let big = "x".repeat(3 << 20);
        connection.set("big", &big).unwrap();
        assert!(connection.get("big").unwrap().as_deref() == Some(&big));
    }
}

#[test]
fn concurrent_increments_are_all_counted() {
    let server = Server::tls(&[]);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut client = server.client();
                for _ in 0..250 {
                    client.int("INCR shared");
                }
            });
        }
    });
    assert_eq!(server.client().run("GET shared"), "'2000'");
}
