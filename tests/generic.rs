//! Commands on keys of any type: expiry, SCAN, SORT, COPY, RENAME, MOVE, OBJECT.

mod support;

use std::collections::HashSet;

use redis::TypedCommands;
use support::{Server, check, check_all, eventually, table::Row};

const EXISTENCE: &[Row<'_>] = &[
    ("MSET a 1 b 2 c 3", "+OK"),
    ("EXISTS a a b none", "3"),
    ("TOUCH a none", "1"),
    ("DEL a none", "1"),
    ("UNLINK b c none", "2"),
    ("DBSIZE", "0"),
    ("TYPE none", "+none"),
    ("RPUSH l a", "1"),
    ("SADD s a", "1"),
    ("ZADD z 1 a", "1"),
    ("HSET h a 1", "1"),
    ("TYPE l", "+list"),
    ("TYPE s", "+set"),
    ("TYPE z", "+zset"),
    ("TYPE h", "+hash"),
    ("KEYS *", "any ['l' 's' 'z' 'h']"),
    ("KEYS [ls]", "any ['l' 's']"),
    ("KEYS [^ls]", "any ['z' 'h']"),
    ("KEYS x*", "[]"),
    ("RANDOMKEY", "'…"),
    ("FLUSHDB", "+OK"),
    ("RANDOMKEY", "nil"),
];

const EXPIRY: &[Row<'_>] = &[
    ("SET k v", "+OK"),
    ("TTL k", "-1"),
    ("TTL none", "-2"),
    ("PTTL none", "-2"),
    ("EXPIRETIME k", "-1"),
    ("PEXPIRETIME none", "-2"),
    ("EXPIRE k 100", "1"),
    ("TTL k", "100"),
    ("EXPIRE none 100", "0"),
    ("EXPIRE k 200 NX", "0"),
    ("EXPIRE k 200 XX", "1"),
    ("EXPIRE k 100 GT", "0"),
    ("EXPIRE k 300 GT", "1"),
    ("EXPIRE k 400 LT", "0"),
    ("EXPIRE k 50 LT", "1"),
    ("TTL k", "50"),
    ("PERSIST k", "1"),
    ("PERSIST k", "0"),
    ("EXPIRE k 100 GT", "0"),
    ("EXPIRE k 100 LT", "1"),
    ("PEXPIRE k 100000", "1"),
    ("TTL k", "100"),
    ("EXPIREAT k 33177117420", "1"),
    ("EXPIRETIME k", "33177117420"),
    ("PEXPIREAT k 33177117420000", "1"),
    ("PEXPIRETIME k", "33177117420000"),
    ("EXPIRE k 1 NX XX", "-ERR NX and XX, GT or LT options at the same time are not compatible"),
    ("EXPIRE k 1 GT LT", "-ERR GT and LT options at the same time are not compatible"),
    ("EXPIRE k 1 SOON", "-ERR Unsupported option SOON"),
    ("EXPIRE k x", "-ERR value is not an integer or out of range"),
    ("EXPIRE k 9223372036854775807", "-ERR invalid expire time in 'expire' command"),
    ("PEXPIRE k 9223372036854775807", "-ERR invalid expire time in 'pexpire' command"),
    ("EXPIRE k -1", "1"),
    ("EXISTS k", "0"),
    ("SET k v EX 100", "+OK"),
    ("RENAME k moved", "+OK"),
    ("TTL moved", "100"),
    ("COPY moved copied", "1"),
    ("TTL copied", "100"),
    ("SADD s a", "1"),
    ("EXPIRE s 100", "1"),
    ("SADD s b", "1"),
    ("TTL s", "100"),
    ("SUNIONSTORE s s", "2"),
    ("TTL s", "-1"),
];

const RENAMING: &[Row<'_>] = &[
    ("SET a 1", "+OK"),
    ("RENAME a b", "+OK"),
    ("GET b", "'1'"),
    ("RENAME none b", "-ERR no such key"),
    ("RENAME b b", "+OK"),
    ("SET c 2", "+OK"),
    ("RENAMENX b c", "0"),
    ("RENAMENX b d", "1"),
    ("RENAMENX none d", "-ERR no such key"),
    ("RENAME c d", "+OK"),
    ("GET d", "'2'"),
    ("COPY d e", "1"),
    ("COPY d e", "0"),
    ("COPY d e REPLACE", "1"),
    ("COPY none e", "0"),
    ("COPY d d", "-ERR source and destination objects are the same"),
    ("COPY d d DB 1", "1"),
    ("COPY d e DB 99", "-ERR DB index is out of range"),
    ("RPUSH l a b", "2"),
    ("COPY l m", "1"),
    ("RPUSH m c", "3"),
    ("LLEN l", "2"),
    ("MOVE d 1", "0"),
    ("MOVE e 1", "1"),
    ("EXISTS e", "0"),
    ("MOVE l 0", "-ERR source and destination objects are the same"),
    ("MOVE l 99", "-ERR DB index is out of range"),
    ("SELECT 1", "+OK"),
    ("MGET d e", "['2' '2']"),
    ("SELECT 0", "+OK"),
    ("SWAPDB 0 1", "+OK"),
    ("EXISTS e", "1"),
    ("SWAPDB 0 99", "-ERR DB index is out of range"),
    ("SWAPDB x 1", "-ERR invalid first DB index"),
    ("SELECT 99", "-ERR DB index is out of range"),
    ("SELECT x", "-ERR value is not an integer or out of range"),
];

const SORTING: &[Row<'_>] = &[
    ("RPUSH l 3 1 10 2", "4"),
    ("SORT l", "['1' '2' '3' '10']"),
    ("SORT l DESC", "['10' '3' '2' '1']"),
    ("SORT l ALPHA", "['1' '10' '2' '3']"),
    ("SORT l LIMIT 1 2", "['2' '3']"),
    ("MSET w_1 9 w_2 8 w_3 7 w_10 6", "+OK"),
    ("SORT l BY w_*", "['10' '3' '2' '1']"),
    ("SORT l BY nosort", "['3' '1' '10' '2']"),
    ("MSET o_1 one o_2 two", "+OK"),
    ("SORT l GET o_* GET #", "['one' '1' 'two' '2' nil '3' nil '10']"),
    ("HSET h_1 f 4", "1"),
    ("HSET h_2 f 3", "1"),
    ("RPUSH m 1 2", "2"),
    ("SORT m BY h_*->f GET h_*->f", "['3' '4']"),
    ("SORT l STORE d", "4"),
    ("LRANGE d 0 -1", "['1' '2' '3' '10']"),
    ("SORT none STORE d", "0"),
    ("EXISTS d", "0"),
    ("SADD s b a c", "3"),
    ("SORT s ALPHA DESC", "['c' 'b' 'a']"),
    ("SORT s", "-ERR One or more scores can't be converted into double"),
    ("ZADD z 3 1 2 2 1 3", "3"),
    ("SORT z", "['1' '2' '3']"),
    ("SORT_RO l LIMIT 0 1", "['1']"),
    ("SORT_RO l STORE d", "-ERR syntax error"),
    ("SORT none", "[]"),
    ("SET str x", "+OK"),
    ("SORT str", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ("SORT l BOGUS", "-ERR syntax error"),
];

const OBJECTS: &[Row<'_>] = &[
    ("OBJECT ENCODING none", "nil"),
    ("SET k v", "+OK"),
    ("OBJECT REFCOUNT k", "1"),
    ("OBJECT IDLETIME k", "0"),
    (
        "OBJECT FREQ k",
        "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.",
    ),
    ("OBJECT BOGUS k", "-ERR unknown subcommand 'BOGUS'. Try OBJECT HELP."),
    ("OBJECT", "-ERR wrong number of arguments for 'object' command"),
    ("RPUSH l a", "1"),
    ("OBJECT ENCODING l", "'quicklist'"),
    ("SADD s 1", "1"),
    ("OBJECT ENCODING s", "'intset'"),
    ("HSET h a 1", "1"),
    ("OBJECT ENCODING h", "'listpack'"),
    ("ZADD z 1 a", "1"),
    ("OBJECT ENCODING z", "'listpack'"),
];

const SCANNING: &[Row<'_>] = &[
    ("SCAN 0", "['0' []]"),
    ("SET k v", "+OK"),
    ("RPUSH l a", "1"),
    ("SCAN 0 COUNT 100000 MATCH k", "['0' ['k']]"),
    ("SCAN 0 COUNT 100000 TYPE list", "['0' ['l']]"),
    ("SCAN 0 COUNT 100000 TYPE nothing", "['0' []]"),
    ("SCAN x", "-ERR invalid cursor"),
    ("SCAN 0 COUNT 0", "-ERR syntax error"),
    ("SCAN 0 COUNT x", "-ERR value is not an integer or out of range"),
    ("SCAN 0 BOGUS", "-ERR syntax error"),
    ("SCAN 0 NOVALUES", "-ERR NOVALUES option can only be used in HSCAN"),
    ("SSCAN k 0", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
];

#[test]
fn every_command_replies_as_redis_does() {
    let server = Server::tls(&[]);
    check_all(
        &mut server.client(),
        &[
            ("existence", EXISTENCE),
            ("expiry", EXPIRY),
            ("renaming", RENAMING),
            ("sorting", SORTING),
            ("objects", OBJECTS),
            ("scanning", SCANNING),
        ],
    );
}

#[test]
fn keys_expire_when_read_and_when_nobody_reads_them() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    check(&mut client, &[("SET read v PX 30", "+OK"), ("SET forgotten v PX 30", "+OK"), ("SET stays v", "+OK")]);
    eventually("the key is gone for its reader", || client.run("GET read") == "nil");
    eventually("the key that nobody reads is gone as well", || client.run("DBSIZE") == "1");
    let info = client.text("INFO stats");
    assert_eq!(support::info_field(&info, "expired_keys"), Some("2"));
    for n in 0..2000 {
        client.run(&format!("SET volatile:{n} v PX 20"));
    }
    eventually("two thousand expired keys are gone", || client.run("DBSIZE") == "1");
}

/// What a whole SCAN returns.
fn scan(
    connection: &mut redis::Connection,
    command: &[&str],
    mut between: impl FnMut(&mut redis::Connection),
) -> HashSet<String> {
    let (mut seen, mut cursor) = (HashSet::new(), "0".to_owned());
    loop {
        let mut request = redis::cmd(command[0]);
        for arg in &command[1..] {
            request.arg(arg);
        }
        let (next, keys): (String, Vec<String>) = request.arg(&cursor).arg("COUNT").arg(17).query(connection).unwrap();
        seen.extend(keys);
        if next == "0" {
            return seen;
        }
        cursor = next;
        between(connection);
    }
}

#[test]
fn scan_returns_every_key_that_is_there_from_start_to_end() {
    let server = Server::tls(&[]);
    let mut redis = server.redis();
    let lasting: HashSet<String> = (0..2000).map(|n| format!("lasting:{n}")).collect();
    let mut pipeline = redis::pipe();
    for key in &lasting {
        pipeline.set(key, "v");
    }
    pipeline.exec(&mut redis).unwrap();

    assert_eq!(scan(&mut redis, &["SCAN"], |_| {}), lasting, "nothing else changes");

    // Bounded: a scan that is slower than its writer would never end.
    const ROUNDS: usize = 30;
    let mut round = 0;
    let grown = scan(&mut redis, &["SCAN"], |redis| {
        if round == ROUNDS {
            return;
        }
        let mut pipeline = redis::pipe();
        for n in 0..200 {
            pipeline.set(format!("new:{round}:{n}"), "v");
        }
        pipeline.exec(redis).unwrap();
        round += 1;
    });
    assert!(grown.is_superset(&lasting), "tables grow");

    let mut dropped = 0;
    let shrunk = scan(&mut redis, &["SCAN"], |redis| {
        if dropped == ROUNDS {
            return;
        }
        let mut pipeline = redis::pipe();
        for n in 0..200 {
            pipeline.del(format!("new:{dropped}:{n}"));
        }
        pipeline.exec(redis).unwrap();
        dropped += 1;
    });
    assert!(shrunk.is_superset(&lasting), "tables shrink");
}

#[test]
fn scans_of_members_keep_the_guarantee_while_members_come_and_go() {
    let server = Server::tls(&[]);
    let mut redis = server.redis();
    let lasting: HashSet<String> = (0..1500).map(|n| format!("lasting:{n}")).collect();
    redis.sadd("s", lasting.iter().collect::<Vec<_>>()).unwrap();
    let mut round = 0;
    let seen = scan(&mut redis, &["SSCAN", "s"], |redis| {
        let added: Vec<String> = (0..50).map(|n| format!("new:{round}:{n}")).collect();
        redis.sadd("s", &added).unwrap();
        if round > 0 {
            let old: Vec<String> = (0..50).map(|n| format!("new:{}:{n}", round - 1)).collect();
            redis.srem("s", &old).unwrap();
        }
        round += 1;
    });
    assert!(seen.is_superset(&lasting));
}

#[test]
fn lfu_frequencies_are_told_under_an_lfu_policy() {
    let server = Server::tls(&["--maxmemory-policy", "allkeys-lfu"]);
    let mut client = server.client();
    client.run("SET k v");
    assert!(client.int("OBJECT FREQ k") >= 1);
    assert_eq!(
        client.run("OBJECT IDLETIME k"),
        "-ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."
    );
}

#[test]
fn maxmemory_evicts_or_refuses_as_the_policy_says() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    let value = vec![b'x'; 10_000];
    for (policy, evicts) in
        [("noeviction", false), ("allkeys-lru", true), ("allkeys-random", true), ("volatile-ttl", false)]
    {
        client.run("CONFIG SET maxmemory 0");
        client.run("FLUSHALL");
        let used: u64 = support::info_field(&client.text("INFO memory"), "used_memory").unwrap().parse().unwrap();
        client.run(&format!("CONFIG SET maxmemory {} maxmemory-policy {policy}", used + 2_000_000));
        let replies: HashSet<String> =
            (0..1000).map(|n| client.run_args(&[b"SET", format!("{policy}:{n}").as_bytes(), &value])).collect();
        let refused = replies.contains("-OOM command not allowed when used memory > 'maxmemory'.");
        assert_eq!(refused, !evicts, "{policy}: {replies:?}");
        assert!(client.int("DBSIZE") < 1000, "{policy}");
    }
    assert_eq!(client.run("CONFIG SET maxmemory 0"), "+OK");
}
