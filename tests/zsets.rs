//! Sorted sets: scores, ranges of all kinds, algebra, blocking pops, encodings.

mod support;

use redis::TypedCommands;
use support::{Server, check, check_all, eventually, table::Row};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";

const ADDING: &[Row<'_>] = &[
    ("ZADD z 1 a 2 b 3 c", "3"),
    ("ZADD z 9 a 4 d", "1"),
    ("ZADD z CH 1 a 4 d 5 e", "2"),
    ("ZADD z NX 7 a 6 f", "1"),
    ("ZSCORE z a", "'1'"),
    ("ZADD z XX 2 a 9 nobody", "0"),
    ("ZSCORE z a", "'2'"),
    ("ZADD z GT CH 1 a", "0"),
    ("ZADD z GT CH 3 a", "1"),
    ("ZADD z LT CH 5 a", "0"),
    ("ZADD z LT CH 1 a", "1"),
    ("ZADD z INCR 1.5 a", "'2.5'"),
    ("ZADD z NX INCR 1 a", "nil"),
    ("ZADD z XX INCR 1 nobody", "nil"),
    ("ZADD z NX XX 1 a", "-ERR XX and NX options at the same time are not compatible"),
    ("ZADD z NX GT 1 a", "-ERR GT, LT, and/or NX options at the same time are not compatible"),
    ("ZADD z INCR 1 a 2 b", "-ERR INCR option supports a single increment-element pair"),
    ("ZADD z 1", "-ERR wrong number of arguments for 'zadd' command"),
    ("ZADD z x a", "-ERR value is not a valid float"),
    ("ZADD z nan a", "-ERR value is not a valid float"),
    ("ZADD z inf up -inf down", "2"),
    ("ZSCORE z up", "'inf'"),
    ("ZSCORE z down", "'-inf'"),
    ("ZINCRBY z -inf up", "-ERR resulting score is not a number (NaN)"),
    ("ZINCRBY z 2 a", "'4.5'"),
    ("ZINCRBY z 1.25 fresh", "'1.25'"),
    ("ZCARD z", "9"),
    ("ZMSCORE z a nobody b", "['4.5' nil '2']"),
    ("ZMSCORE none a", "[nil]"),
    ("ZSCORE none a", "nil"),
    ("ZREM z a b nobody", "2"),
    ("ZREM none a", "0"),
    ("ZCARD none", "0"),
    ("SET s x", "+OK"),
    ("ZADD s 1 a", WRONG_TYPE),
    ("ZSCORE s a", WRONG_TYPE),
    ("ZADD p 3.0 int 0.1 tenth 1e20 big 12345678901234567 long", "4"),
    ("ZRANGE p 0 -1 WITHSCORES", "['tenth' '0.10000000000000001' 'int' '3' 'long' '12345678901234568' 'big' '1e+20']"),
];

const RANGES: &[Row<'_>] = &[
    ("ZADD z 1 a 2 b 3 c 4 d", "4"),
    ("ZRANGE z 0 -1", "['a' 'b' 'c' 'd']"),
    ("ZRANGE z 1 2 WITHSCORES", "['b' '2' 'c' '3']"),
    ("ZRANGE z -2 -1", "['c' 'd']"),
    ("ZRANGE z 0 1 REV", "['d' 'c']"),
    ("ZRANGE z 5 9", "[]"),
    ("ZRANGE none 0 -1", "[]"),
    ("ZREVRANGE z 0 1 WITHSCORES", "['d' '4' 'c' '3']"),
    ("ZRANGEBYSCORE z 2 3", "['b' 'c']"),
    ("ZRANGEBYSCORE z (2 (4", "['c']"),
    ("ZRANGEBYSCORE z -inf +inf LIMIT 1 2", "['b' 'c']"),
    ("ZRANGEBYSCORE z -inf +inf LIMIT 1 -1", "['b' 'c' 'd']"),
    ("ZREVRANGEBYSCORE z 3 2 WITHSCORES", "['c' '3' 'b' '2']"),
    ("ZRANGE z 2 3 BYSCORE", "['b' 'c']"),
    ("ZRANGE z 3 2 BYSCORE REV LIMIT 0 1", "['c']"),
    (
        "ZRANGE z 0 1 LIMIT 0 1",
        "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
    ),
    ("ZRANGE z x y BYSCORE", "-ERR min or max is not a float"),
    ("ZRANGE z [a [b BYLEX WITHSCORES", "-ERR syntax error, WITHSCORES not supported in combination with BYLEX"),
    ("ZCOUNT z 2 (4", "2"),
    ("ZCOUNT z (2 +inf", "2"),
    ("ZCOUNT z 4 1", "0"),
    ("ZCOUNT z x 1", "-ERR min or max is not a float"),
    ("ZRANK z c", "2"),
    ("ZREVRANK z c", "1"),
    ("ZRANK z nobody", "nil"),
    ("ZRANK none a", "nil"),
    ("ZADD x 0 a 0 b 0 c 0 d", "4"),
    ("ZRANGEBYLEX x [b [c", "['b' 'c']"),
    ("ZRANGEBYLEX x - (c", "['a' 'b']"),
    ("ZREVRANGEBYLEX x + [c", "['d' 'c']"),
    ("ZRANGE x (a + BYLEX LIMIT 1 1", "['c']"),
    ("ZRANGEBYLEX x b c", "-ERR min or max not valid string range item"),
    ("ZLEXCOUNT x - +", "4"),
    ("ZLEXCOUNT x (a (d", "2"),
    ("ZRANGESTORE out z 2 3 BYSCORE", "2"),
    ("ZRANGE out 0 -1 WITHSCORES", "['b' '2' 'c' '3']"),
    ("ZRANGESTORE out z 8 9", "0"),
    ("EXISTS out", "0"),
    ("ZREMRANGEBYLEX x [a (c", "2"),
    ("ZREMRANGEBYSCORE z (1 2", "1"),
    ("ZREMRANGEBYRANK z -1 -1", "1"),
    ("ZRANGE z 0 -1", "['a' 'c']"),
    ("ZREMRANGEBYRANK z 0 -1", "2"),
    ("EXISTS z", "0"),
];

const POPPING: &[Row<'_>] = &[
    ("ZADD z 1 a 2 b 3 c 4 d 5 e", "5"),
    ("ZPOPMIN z", "['a' '1']"),
    ("ZPOPMAX z", "['e' '5']"),
    ("ZPOPMIN z 2", "['b' '2' 'c' '3']"),
    ("ZPOPMIN none", "[]"),
    ("ZPOPMIN z -1", "-ERR value is out of range, must be positive"),
    ("ZADD y 1 m 2 n", "2"),
    ("ZMPOP 2 none y MIN", "['y' [['m' '1']]]"),
    ("ZMPOP 1 y MAX COUNT 5", "['y' [['n' '2']]]"),
    ("ZMPOP 1 y MAX", "nil*"),
    ("ZMPOP 0 y MAX", "-ERR numkeys should be greater than 0"),
    ("ZMPOP 1 y UP", "-ERR syntax error"),
    ("BZPOPMIN none z 0", "['z' 'd' '4']"),
    ("BZPOPMAX none 0.01", "nil*"),
    ("BZMPOP 0.01 1 none MIN", "nil*"),
    ("ZADD r 1 only", "1"),
    ("ZRANDMEMBER r", "'only'"),
    ("ZRANDMEMBER r 3", "['only']"),
    ("ZRANDMEMBER r -2 WITHSCORES", "['only' '1' 'only' '1']"),
    ("ZRANDMEMBER none", "nil"),
    ("ZRANDMEMBER none 2", "[]"),
    ("ZSCAN r 0", "['0' ['only' '1']]"),
];

const ALGEBRA: &[Row<'_>] = &[
    ("ZADD a 1 x 2 y 3 z", "3"),
    ("ZADD b 10 y 20 z 30 w", "3"),
    ("SADD s y", "1"),
    ("ZUNION 2 a b", "['x' 'y' 'z' 'w']"),
    ("ZUNION 2 a b WITHSCORES", "['x' '1' 'y' '12' 'z' '23' 'w' '30']"),
    ("ZUNION 2 a b WEIGHTS 2 1 AGGREGATE MAX WITHSCORES", "['x' '2' 'y' '10' 'z' '20' 'w' '30']"),
    ("ZINTER 2 a b WITHSCORES", "['y' '12' 'z' '23']"),
    ("ZINTER 2 a b AGGREGATE MIN WITHSCORES", "['y' '2' 'z' '3']"),
    ("ZINTER 2 a s WITHSCORES", "['y' '3']"),
    ("ZDIFF 2 a b", "['x']"),
    ("ZDIFF 2 a none WITHSCORES", "['x' '1' 'y' '2' 'z' '3']"),
    ("ZINTERCARD 2 a b", "2"),
    ("ZINTERCARD 2 a b LIMIT 1", "1"),
    ("ZINTERCARD 1 a LIMIT -1", "-ERR LIMIT can't be negative"),
    ("ZUNIONSTORE d 2 a b", "4"),
    ("ZINTERSTORE d 2 a b WEIGHTS 1 0.5", "2"),
    ("ZRANGE d 0 -1 WITHSCORES", "['y' '7' 'z' '13']"),
    ("ZDIFFSTORE d 2 a b", "1"),
    ("ZDIFFSTORE d 2 a a", "0"),
    ("EXISTS d", "0"),
    ("ZADD negative -3 m", "1"),
    ("ZUNION 1 negative WEIGHTS 0 WITHSCORES", "['m' '-0']"),
    ("DEL negative", "1"),
    ("ZUNION 0 a", "-ERR at least 1 input key is needed for 'zunion' command"),
    ("ZUNION 3 a b", "-ERR syntax error"),
    ("ZUNION 2 a b WEIGHTS 1", "-ERR syntax error"),
    ("ZUNION 2 a b WEIGHTS 1 x", "-ERR weight value is not a float"),
    ("SET str x", "+OK"),
    ("ZUNION 2 a str", WRONG_TYPE),
];

const ENCODINGS: &[Row<'_>] = &[
    ("ZADD z 1 a", "1"),
    ("OBJECT ENCODING z", "'listpack'"),
    ("ZADD z 1 01234567890123456789012345678901234567890123456789012345678901234", "1"),
    ("OBJECT ENCODING z", "'skiplist'"),
    ("CONFIG SET zset-max-listpack-entries 2", "+OK"),
    ("ZADD y 1 a 2 b", "2"),
    ("OBJECT ENCODING y", "'listpack'"),
    ("ZADD y 3 c", "1"),
    ("OBJECT ENCODING y", "'skiplist'"),
    ("CONFIG SET zset-max-listpack-entries 128", "+OK"),
];

#[test]
fn every_command_replies_as_redis_does() {
    let server = Server::tls(&[]);
    check_all(
        &mut server.client(),
        &[("adding", ADDING), ("ranges", RANGES), ("popping", POPPING), ("algebra", ALGEBRA), ("encodings", ENCODINGS)],
    );
}

#[test]
fn large_sets_give_the_same_replies_as_small_ones() {
    let server = Server::tls(&["--zset-max-listpack-entries", "0"]);
    check_all(
        &mut server.client(),
        &[("adding", ADDING), ("ranges", RANGES), ("popping", POPPING), ("algebra", ALGEBRA)],
    );
}

#[test]
fn resp3_replies_have_their_types() {
    let server = Server::tls(&[]);
    check(
        &mut server.client3(),
        &[
            ("ZADD z 1 a 2.5 b 1e20 c", "3"),
            ("ZSCORE z b", ",2.5"),
            ("ZSCORE z c", ",1e+20"),
            ("ZMSCORE z a none", "[,1 _]"),
            ("ZINCRBY z 1 a", ",2"),
            ("ZRANGE z 0 1 WITHSCORES", "[['a' ,2] ['b' ,2.5]]"),
            ("ZPOPMIN z", "['a' ,2]"),
            ("ZPOPMIN z 1", "[['b' ,2.5]]"),
            ("ZRANDMEMBER z 1 WITHSCORES", "[['c' ,1e+20]]"),
            ("ZMPOP 1 z MIN", "['z' [['c' ,1e+20]]]"),
            ("BZPOPMIN none 0.01", "_"),
            ("ZADD z inf a", "1"),
            ("ZSCORE z a", ",inf"),
        ],
    );
}

#[test]
fn rank_with_score_of_redis_7_2() {
    let server = Server::tls(&[]);
    check(
        &mut server.client(),
        &[
            ("ZADD z 1 a 2.5 b", "2"),
            ("ZRANK z b WITHSCORE", "[1 '2.5']"),
            ("ZREVRANK z b WITHSCORE", "[0 '2.5']"),
            ("ZRANK z nobody WITHSCORE", "nil*"),
            ("ZRANK z a BOGUS", "-ERR syntax error"),
        ],
    );
}

#[test]
fn a_blocked_pop_is_served_by_zadd() {
    let server = Server::tls(&[]);
    let mut other = server.client();
    for (wait, reply) in [
        ("BZPOPMIN none k 0", "['k' 'a' '1']"),
        ("BZPOPMAX none k 0", "['k' 'b' '2']"),
        ("BZMPOP 0 1 k MAX COUNT 2", "['k' [['b' '2'] ['a' '1']]]"),
    ] {
        other.run("DEL k");
        let mut waiting = server.client();
        waiting.send(wait);
        eventually("a blocked client", || other.text("INFO clients").contains("blocked_clients:1"));
        assert_eq!(other.run("ZADD k 1 a 2 b"), "2");
        assert_eq!(waiting.reply(), reply, "{wait}");
    }
}

#[test]
fn order_agrees_with_a_model() {
    use rand::{Rng, SeedableRng};
    let server = Server::tls(&[]);
    let mut redis = server.redis();
    let mut random = rand::rngs::SmallRng::seed_from_u64(5);
    let mut model: Vec<(f64, String)> = Vec::new();
    for round in 0..600 {
        let member = format!("m{}", random.random_range(0..300));
        if random.random_bool(0.25) {
            redis.zrem("z", &member).unwrap();
            model.retain(|(_, m)| *m != member);
        } else {
            let score = f64::from(random.random_range(-20..20)) / 2.0;
            redis.zadd("z", &member, score).unwrap();
            model.retain(|(_, m)| *m != member);
            model.push((score, member));
        }
        if round % 20 == 0 {
            model.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
            let all: Vec<(String, f64)> =
                redis::cmd("ZRANGE").arg("z").arg(0).arg(-1).arg("WITHSCORES").query(&mut redis).unwrap();
            assert_eq!(all, model.iter().map(|(score, member)| (member.clone(), *score)).collect::<Vec<_>>());
            if let Some((rank, (_, member))) = model.iter().enumerate().nth(model.len() / 2) {
                assert_eq!(redis.zrank("z", member).unwrap(), Some(rank));
            }
            let from_zero = model.iter().filter(|(score, _)| *score >= 0.0 && *score < 5.0).count();
            assert_eq!(redis.zcount("z", "0", "(5").unwrap(), from_zero);
        }
    }
}
