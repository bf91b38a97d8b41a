//! Hashes: fields, counters, random picks, encodings.

mod support;

use std::collections::{BTreeMap, HashSet};

use redis::TypedCommands;
use support::{Server, check, check_all, table::Row};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";

const FIELDS: &[Row<'_>] = &[
    ("HSET h a 1 b 2", "2"),
    ("HSET h a 9 c 3", "1"),
    ("HSET h a", "-ERR wrong number of arguments for 'hset' command"),
    ("HSET h a 1 b", "-ERR wrong number of arguments for 'hset' command"),
    ("HMSET h d 4", "+OK"),
    ("HMSET h d", "-ERR wrong number of arguments for 'hmset' command"),
    ("HGET h a", "'9'"),
    ("HGET h none", "nil"),
    ("HGET none a", "nil"),
    ("HMGET h a none b", "['9' nil '2']"),
    ("HMGET none a b", "[nil nil]"),
    ("HSETNX h a 0", "0"),
    ("HSETNX h e 5", "1"),
    ("HLEN h", "5"),
    ("HSTRLEN h a", "1"),
    ("HSTRLEN h none", "0"),
    ("HEXISTS h a", "1"),
    ("HEXISTS h none", "0"),
    ("HKEYS h", "['a' 'b' 'c' 'd' 'e']"),
    ("HVALS h", "['9' '2' '3' '4' '5']"),
    ("HGETALL h", "['a' '9' 'b' '2' 'c' '3' 'd' '4' 'e' '5']"),
    ("HGETALL none", "[]"),
    ("HDEL h a none b", "2"),
    ("HDEL h c d e", "3"),
    ("EXISTS h", "0"),
    ("HDEL h a", "0"),
    ("SET s x", "+OK"),
    ("HSET s a 1", WRONG_TYPE),
    ("HGET s a", WRONG_TYPE),
    ("HGETALL s", WRONG_TYPE),
    ("HMGET s a", WRONG_TYPE),
];

const COUNTERS: &[Row<'_>] = &[
    ("HINCRBY h n 5", "5"),
    ("HINCRBY h n -7", "-2"),
    ("HSET h max 9223372036854775807", "1"),
    ("HINCRBY h max 1", "-ERR increment or decrement would overflow"),
    ("HINCRBY h n x", "-ERR value is not an integer or out of range"),
    ("HSET h text abc", "1"),
    ("HINCRBY h text 1", "-ERR hash value is not an integer"),
    ("HINCRBYFLOAT h f 10.5", "'10.5'"),
    ("HINCRBYFLOAT h f 0.1", "'10.6'"),
    ("HINCRBYFLOAT h f 5.0e3", "'5010.60000000000000009'"),
    ("HINCRBYFLOAT h text 1", "-ERR hash value is not a float"),
    ("HINCRBYFLOAT h f x", "-ERR value is not a valid float"),
    ("HINCRBYFLOAT h f inf", "-ERR value is NaN or Infinity"),
];

const RANDOM: &[Row<'_>] = &[
    ("HRANDFIELD none", "nil"),
    ("HRANDFIELD none 5", "[]"),
    ("HSET h a 1", "1"),
    ("HRANDFIELD h", "'a'"),
    ("HRANDFIELD h 5", "['a']"),
    ("HRANDFIELD h 5 WITHVALUES", "['a' '1']"),
    ("HRANDFIELD h -3", "['a' 'a' 'a']"),
    ("HRANDFIELD h -2 WITHVALUES", "['a' '1' 'a' '1']"),
    ("HRANDFIELD h 0", "[]"),
    ("HRANDFIELD h x", "-ERR value is not an integer or out of range"),
    ("HRANDFIELD h 1 BOGUS", "-ERR syntax error"),
    (
        "HRANDFIELD h -9223372036854775808",
        "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
    ),
    ("HSCAN h 0", "['0' ['a' '1']]"),
    ("HSCAN h 0 NOVALUES", "['0' ['a']]"),
    ("HSCAN h 0 COUNT 5 NOVALUES MATCH z*", "['0' []]"),
    ("HSCAN none 0", "['0' []]"),
    ("HSCAN h x", "-ERR invalid cursor"),
    ("HSCAN h 0 MATCH z*", "['0' []]"),
    ("HSCAN h 0 COUNT 0", "-ERR syntax error"),
];

const ENCODINGS: &[Row<'_>] = &[
    ("HSET h f v", "1"),
    ("OBJECT ENCODING h", "'listpack'"),
    ("HSET h f 0123456789012345678901234567890123456789012345678901234567890123", "0"),
    ("OBJECT ENCODING h", "'listpack'"),
    ("HSET h f 01234567890123456789012345678901234567890123456789012345678901234", "0"),
    ("OBJECT ENCODING h", "'hashtable'"),
    ("CONFIG SET hash-max-listpack-entries 2", "+OK"),
    ("HSET g a 1 b 2", "2"),
    ("OBJECT ENCODING g", "'listpack'"),
    ("HSET g c 3", "1"),
    ("OBJECT ENCODING g", "'hashtable'"),
    ("HDEL g c", "1"),
    ("OBJECT ENCODING g", "'hashtable'"),
    ("CONFIG SET hash-max-ziplist-entries 128", "+OK"),
];

#[test]
fn every_command_replies_as_redis_does() {
    let server = Server::tls(&[]);
    check_all(
        &mut server.client(),
        &[("fields", FIELDS), ("counters", COUNTERS), ("random", RANDOM), ("encodings", ENCODINGS)],
    );
}

#[test]
fn resp3_replies_have_their_types() {
    let server = Server::tls(&[]);
    check(
        &mut server.client3(),
        &[
            ("HSET h a 1 b 2", "2"),
            ("HGETALL h", "{'a': '1', 'b': '2'}"),
            ("HGETALL none", "{}"),
            ("HGET h z", "_"),
            ("HKEYS h", "['a' 'b']"),
            ("HDEL h b", "1"),
            ("HRANDFIELD h 2 WITHVALUES", "[['a' '1']]"),
            ("HINCRBYFLOAT h f 1.5", "'1.5'"),
        ],
    );
}

#[test]
fn small_and_large_hashes_hold_the_same() {
    let server = Server::tls(&[]);
    for size in [10, 1000] {
        for mut redis in [server.redis(), server.redis3()] {
            redis.flushall().unwrap();
            let model: BTreeMap<String, String> = (0..size).map(|n| (format!("field-{n}"), n.to_string())).collect();
            let pairs: Vec<(&str, &str)> = model.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            redis.hset_multiple("h", &pairs).unwrap();
            let all: BTreeMap<String, String> = redis::cmd("HGETALL").arg("h").query(&mut redis).unwrap();
            assert_eq!(all, model);
            let picks: HashSet<String> = redis::cmd("HRANDFIELD").arg("h").arg(size / 2).query(&mut redis).unwrap();
            assert_eq!(picks.len(), size / 2);
            assert!(picks.iter().all(|field| model.contains_key(field)));
            let mut scanned = BTreeMap::new();
            for pair in redis::cmd("HSCAN").arg("h").cursor_arg(0).clone().iter::<(String, String)>(&mut redis).unwrap()
            {
                let (field, value) = pair.unwrap();
                scanned.insert(field, value);
            }
            assert_eq!(scanned, model);
        }
    }
}
