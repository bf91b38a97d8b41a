//! Sets: members, algebra, random picks, encodings.

mod support;

use std::collections::HashSet;

use redis::TypedCommands;
use support::{Server, check, check_all, table::Row};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";

const MEMBERS: &[Row<'_>] = &[
    ("SADD s a b c", "3"),
    ("SADD s a d", "1"),
    ("SCARD s", "4"),
    ("SCARD none", "0"),
    ("SISMEMBER s a", "1"),
    ("SISMEMBER s z", "0"),
    ("SMISMEMBER s a z b", "[1 0 1]"),
    ("SMISMEMBER none a b", "[0 0]"),
    ("SMEMBERS s", "any ['a' 'b' 'c' 'd']"),
    ("SMEMBERS none", "[]"),
    ("SREM s a z", "1"),
    ("SREM none a", "0"),
    ("SMOVE s t b", "1"),
    ("SMOVE s t zz", "0"),
    ("SMEMBERS t", "['b']"),
    ("SREM t b", "1"),
    ("EXISTS t", "0"),
    ("SET str x", "+OK"),
    ("SADD str a", WRONG_TYPE),
    ("SMOVE s str c", WRONG_TYPE),
    ("SADD s", "-ERR wrong number of arguments for 'sadd' command"),
];

const ALGEBRA: &[Row<'_>] = &[
    ("SADD a 1 2 3 4", "4"),
    ("SADD b 3 4 5", "3"),
    ("SADD c 4 9", "2"),
    ("SINTER a b", "any ['3' '4']"),
    ("SINTER a b c", "['4']"),
    ("SINTER a none", "[]"),
    ("SUNION a b", "any ['1' '2' '3' '4' '5']"),
    ("SDIFF a b", "any ['1' '2']"),
    ("SDIFF a b none c", "any ['1' '2']"),
    ("SDIFF none a", "[]"),
    ("SINTERSTORE d a b", "2"),
    ("SMEMBERS d", "any ['3' '4']"),
    ("SUNIONSTORE d a c", "5"),
    ("SDIFFSTORE d a b", "2"),
    ("SDIFFSTORE d a a", "0"),
    ("EXISTS d", "0"),
    ("SINTERCARD 2 a b", "2"),
    ("SINTERCARD 2 a b LIMIT 1", "1"),
    ("SINTERCARD 2 a b LIMIT 0", "2"),
    ("SINTERCARD 0 a", "-ERR numkeys should be greater than 0"),
    ("SINTERCARD 3 a b", "-ERR Number of keys can't be greater than number of args"),
    ("SINTERCARD 1 a LIMIT -1", "-ERR LIMIT can't be negative"),
    ("SINTERCARD 1 a b", "-ERR syntax error"),
    ("SET str x", "+OK"),
    ("SUNION a str", WRONG_TYPE),
    ("SINTER none str", WRONG_TYPE),
    ("SINTERSTORE str a b", "2"),
    ("TYPE str", "+set"),
];

const ENCODINGS: &[Row<'_>] = &[
    ("SADD i 1 2 3", "3"),
    ("OBJECT ENCODING i", "'intset'"),
    ("SMEMBERS i", "['1' '2' '3']"),
    ("SADD i 9223372036854775807 -9223372036854775808", "2"),
    ("OBJECT ENCODING i", "'intset'"),
    ("SADD i 9223372036854775808", "1"),
    ("OBJECT ENCODING i", "'hashtable'"),
    ("SADD h a", "1"),
    ("OBJECT ENCODING h", "'hashtable'"),
    ("SADD z 01", "1"),
    ("OBJECT ENCODING z", "'hashtable'"),
    ("CONFIG SET set-max-intset-entries 2", "+OK"),
    ("SADD j 1 2", "2"),
    ("OBJECT ENCODING j", "'intset'"),
    ("SADD j 3", "1"),
    ("OBJECT ENCODING j", "'hashtable'"),
    ("CONFIG SET set-max-intset-entries 512", "+OK"),
];

#[test]
fn every_command_replies_as_redis_does() {
    let server = Server::tls(&[]);
    check_all(&mut server.client(), &[("members", MEMBERS), ("algebra", ALGEBRA), ("encodings", ENCODINGS)]);
}

#[test]
fn resp3_replies_have_their_types() {
    let server = Server::tls(&[]);
    check(
        &mut server.client3(),
        &[
            ("SADD s 1 2", "2"),
            ("SMEMBERS s", "~['1' '2']"),
            ("SMEMBERS none", "~[]"),
            ("SINTER s s", "~['1' '2']"),
            ("SUNION s", "any ~['1' '2']"),
            ("SPOP none", "_"),
            ("SPOP none 3", "~[]"),
            ("SRANDMEMBER none", "_"),
            ("SRANDMEMBER none 3", "[]"),
            ("SPOP s 5", "any ~['1' '2']"),
        ],
    );
}

#[test]
fn random_picks_are_members_and_reach_all_of_them() {
    let server = Server::tls(&[]);
    let mut redis = server.redis();
    for prefix in ["", "member-"] {
        let all: HashSet<String> = (0..50).map(|n| format!("{prefix}{n}")).collect();
        redis.del("s").unwrap();
        redis.sadd("s", all.iter().collect::<Vec<_>>()).unwrap();
        let distinct: Vec<String> = redis::cmd("SRANDMEMBER").arg("s").arg(20).query(&mut redis).unwrap();
        assert_eq!(distinct.iter().collect::<HashSet<_>>().len(), 20, "a positive count never repeats");
        let repeated: Vec<String> = redis::cmd("SRANDMEMBER").arg("s").arg(-2000).query(&mut redis).unwrap();
        assert_eq!(repeated.len(), 2000, "a negative count repeats");
        assert_eq!(repeated.into_iter().collect::<HashSet<_>>(), all, "2000 picks of 50 reach every member");
        let whole: HashSet<String> = redis::cmd("SRANDMEMBER").arg("s").arg(500).query(&mut redis).unwrap();
        assert_eq!(whole, all);
        let mut popped: HashSet<String> = redis::cmd("SPOP").arg("s").arg(30).query(&mut redis).unwrap();
        while let Some(member) = redis::cmd("SPOP").arg("s").query::<Option<String>>(&mut redis).unwrap() {
            assert!(popped.insert(member), "a popped member is gone");
        }
        assert_eq!(popped, all);
        assert!(!redis.exists("s").unwrap());
    }
    check(
        &mut server.client(),
        &[
            ("SPOP s -1", "-ERR value is out of range, must be positive"),
            ("SPOP s 1 2", "-ERR syntax error"),
            ("SRANDMEMBER s x", "-ERR value is not an integer or out of range"),
            (
                "SRANDMEMBER s -9223372036854775808",
                "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
            ),
        ],
    );
}

#[test]
fn algebra_agrees_with_a_model() {
    use rand::{Rng, SeedableRng};
    let server = Server::tls(&[]);
    let mut redis = server.redis3();
    let mut random = rand::rngs::SmallRng::seed_from_u64(7);
    for round in 0..30 {
        let mut sets: Vec<HashSet<String>> = Vec::new();
        for key in ["a", "b", "c"] {
            let prefix = if round % 2 == 0 { "" } else { "m" };
            let set: HashSet<String> =
                (0..random.random_range(1..200)).map(|_| format!("{prefix}{}", random.random_range(0..150))).collect();
            redis.del(key).unwrap();
            redis.sadd(key, set.iter().collect::<Vec<_>>()).unwrap();
            sets.push(set);
        }
        let inter: HashSet<String> =
            sets[0].iter().filter(|m| sets[1..].iter().all(|s| s.contains(*m))).cloned().collect();
        let diff: HashSet<String> =
            sets[0].iter().filter(|m| !sets[1..].iter().any(|s| s.contains(*m))).cloned().collect();
        let union: HashSet<String> = sets.iter().flatten().cloned().collect();
        for (command, expected) in [("SINTER", inter), ("SDIFF", diff), ("SUNION", union)] {
            let reply: HashSet<String> = redis::cmd(command).arg(&["a", "b", "c"]).query(&mut redis).unwrap();
            assert_eq!(reply, expected, "{command} round {round}");
        }
    }
}
