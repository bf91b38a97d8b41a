//! Fields of hashes that expire: HEXPIRE to HPERSIST, HGETEX, HSETEX, HGETDEL.

mod support;

use support::{Server, check_all, eventually, table::Row};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const NO_FIELDS: &str = "-ERR Mandatory argument FIELDS is missing or not at the right position";
const MISMATCH: &str = "-ERR The `numfields` parameter must match the number of arguments";

const EXPIRE: &[Row<'_>] = &[
    ("HSET h a 1 b 2 c 3", "3"),
    ("OBJECT ENCODING h", "'listpack'"),
    ("HEXPIRE h 100 FIELDS 3 a none b", "[1 -2 1]"),
    ("OBJECT ENCODING h", "'listpackex'"),
    ("HTTL h FIELDS 4 a b c none", "[100 100 -1 -2]"),
    ("HEXPIRE h 200 NX FIELDS 2 a c", "[0 1]"),
    ("HEXPIRE h 200 XX FIELDS 2 a none", "[1 -2]"),
    ("HEXPIRE h 90 GT FIELDS 2 a b", "[0 0]"),
    ("HEXPIRE h 50 LT FIELDS 2 a b", "[1 1]"),
    ("HPERSIST h FIELDS 3 a a none", "[1 -1 -2]"),
    ("HEXPIRE h 100 GT FIELDS 1 a", "[0]"),
    ("HEXPIRE h 100 LT FIELDS 1 a", "[1]"),
    ("HEXPIREAT h 4102444800 FIELDS 1 a", "[1]"),
    ("HPEXPIRETIME h FIELDS 1 a", "[4102444800000]"),
    ("HPEXPIREAT h 4102444800001 FIELDS 1 a", "[1]"),
    ("HEXPIRETIME h FIELDS 1 a", "[4102444801]"),
    ("HSET h a 1", "0"),
    ("HTTL h FIELDS 1 a", "[-1]"),
    ("HEXPIRE h 100 FIELDS 1 a", "[1]"),
    ("HINCRBY h a 1", "2"),
    ("HINCRBYFLOAT h a 1", "'3'"),
    ("HTTL h FIELDS 1 a", "[100]"),
    ("COPY h i", "1"),
    ("HTTL i FIELDS 1 a", "[100]"),
    ("RENAME i j", "+OK"),
    ("HTTL j FIELDS 1 a", "[100]"),
    ("HEXPIRE h 0 FIELDS 2 a a", "[2 -2]"),
    ("HPEXPIREAT h 1 FIELDS 2 b c", "[2 2]"),
    ("EXISTS h", "0"),
    ("HEXPIRE none 1 FIELDS 2 a b", "[-2 -2]"),
    ("HTTL none FIELDS 2 a b", "[-2 -2]"),
    ("HPERSIST none FIELDS 1 a", "[-2]"),
];

const REFUSED: &[Row<'_>] = &[
    ("HSET h a 1", "1"),
    ("SET s x", "+OK"),
    ("HEXPIRE s 1 FIELDS 1 a", WRONG_TYPE),
    ("HTTL s FIELDS 1 a", WRONG_TYPE),
    ("HPERSIST s FIELDS 1 a", WRONG_TYPE),
    ("HGETEX s FIELDS 1 a", WRONG_TYPE),
    ("HGETDEL s FIELDS 1 a", WRONG_TYPE),
    ("HSETEX s FIELDS 1 a 1", WRONG_TYPE),
    ("HEXPIRE h x FIELDS 1 a", "-ERR value is not an integer or out of range"),
    ("HEXPIRE h -1 FIELDS 1 a", "-ERR invalid expire time, must be >= 0"),
    ("HEXPIRE h 70368744177664 FIELDS 1 a", "-ERR invalid expire time in 'hexpire' command"),
    ("HPEXPIREAT h 70368744177664 FIELDS 1 a", "-ERR invalid expire time in 'hpexpireat' command"),
    ("HEXPIRE h 1 FIELDS 0 a", "-ERR Parameter `numFields` should be greater than 0"),
    ("HEXPIRE h 1 FIELDS 2 a", MISMATCH),
    ("HEXPIRE h 1 a 1 a", NO_FIELDS),
    ("HEXPIRE h 1 NX GT FIELDS 1 a", NO_FIELDS),
    ("HEXPIRE h 1 NX FIELDS 1", MISMATCH),
    ("HTTL h FIELDS 0 a", "-ERR Number of fields must be a positive integer"),
    ("HTTL h FIELDS 2 a", MISMATCH),
    ("HTTL h a b c", NO_FIELDS),
    ("HGETEX h EX 1 FIELDS", "-ERR Number of fields must be a positive integer"),
    ("HGETEX h EX FIELDS 1 a", "-ERR value is not an integer or out of range"),
    ("HSETEX h EX 1 PX 1 FIELDS 1 a 1", "-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"),
    ("HSETEX h KEEPTTL EX 1 FIELDS 1 a 1", "-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"),
    ("HSETEX h FNX FXX FIELDS 1 a 1", "-ERR Only one of FXX or FNX arguments can be specified"),
    ("HSETEX h BOGUS FIELDS 1 a 1", "-ERR unknown argument: BOGUS"),
    ("HSETEX h FIELDS 2 a 1 b", "-ERR wrong number of arguments for 'hsetex' command"),
    ("HSETEX h FIELDS 1 a 1 b 2", "-ERR wrong number of arguments for 'hsetex' command"),
    ("HSETEX h FIELDS x a 1", "-ERR invalid number of fields"),
    ("HGETALL h", "['a' '1']"),
];

const TOGETHER: &[Row<'_>] = &[
    ("HSETEX h FXX FIELDS 1 a 1", "0"),
    ("EXISTS h", "0"),
    ("HSETEX h FNX EX 100 FIELDS 2 a 1 b 2", "1"),
    ("HTTL h FIELDS 2 a b", "[100 100]"),
    ("HSETEX h FNX FIELDS 2 b 3 c 3", "0"),
    ("HSETEX h FXX FIELDS 2 b 3 c 3", "0"),
    ("HSETEX h FXX KEEPTTL FIELDS 1 b 3", "1"),
    ("HTTL h FIELDS 2 a b", "[100 100]"),
    ("HSETEX h FIELDS 1 b 4", "1"),
    ("HTTL h FIELDS 2 a b", "[100 -1]"),
    ("HGETEX h FIELDS 3 a b none", "['1' '4' nil]"),
    ("HGETEX h PX 50000 FIELDS 2 b none", "['4' nil]"),
    ("HTTL h FIELDS 1 b", "[50]"),
    ("HGETEX h PERSIST FIELDS 2 a b", "['1' '4']"),
    ("HTTL h FIELDS 2 a b", "[-1 -1]"),
    ("HGETEX none FIELDS 1 a", "[nil]"),
    ("HGETDEL none FIELDS 1 a", "[nil]"),
    ("HGETDEL h FIELDS 2 a none", "['1' nil]"),
    ("HGETEX h EXAT 0 FIELDS 1 b", "['4']"),
    ("EXISTS h", "0"),
    ("HSETEX h PXAT 1 FIELDS 1 a 1", "1"),
    ("EXISTS h", "0"),
];

#[test]
fn replies_are_those_of_redis() {
    let server = Server::tls(&[]);
    let tables = [("expire", EXPIRE), ("refused", REFUSED), ("together", TOGETHER)];
    check_all(&mut server.client(), &tables);
}

#[test]
fn due_fields_are_never_seen_and_leave_with_their_key() {
    let server = Server::tls(&["--enable-debug-command", "yes"]);
    let mut client = server.client();
    for cycle in ["0", "1"] {
        assert_eq!(client.run(&format!("DEBUG SET-ACTIVE-EXPIRE {cycle}")), "+OK");
        client.run("FLUSHALL");
        let fields: Vec<String> = (0..600).map(|number| format!("field{number}")).collect();
        for key in ["small", "large"] {
            let fields = if key == "small" { &fields[..5] } else { &fields[..] };
            let pairs: Vec<String> = fields.iter().map(|field| format!("{field} v")).collect();
            client.run(&format!("HSET {key} stays v {}", pairs.join(" ")));
            let count = fields.len();
            client.run(&format!("HPEXPIRE {key} 1 FIELDS {count} {}", fields.join(" ")));
            eventually("the fields are gone", || client.run(&format!("HGETALL {key}")) == "['stays' 'v']");
            assert_eq!(client.run(&format!("HLEN {key}")), "1");
            client.run(&format!("HPEXPIRE {key} 1 FIELDS 1 stays"));
            eventually("the key is gone", || client.run(&format!("EXISTS {key}")) == "0");
        }
        assert_eq!(client.run("DBSIZE"), "0");
    }
}

#[test]
fn the_cycle_removes_what_nobody_asks_for() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    for number in 0..50 {
        client.run(&format!("HSETEX key{number} PX 1 FIELDS 1 a 1"));
    }
    eventually("nothing is left", || client.run("DBSIZE") == "0");
}

#[test]
fn expiries_survive_a_restart_and_a_move() {
    let server = Server::tls(&["--enable-debug-command", "yes"]);
    let mut client = server.client();
    let pairs: Vec<String> = (0..600).map(|number| format!("field{number} v")).collect();
    client.run("HSET small a 1 b 2");
    client.run(&format!("HSET large a 1 b 2 {}", pairs.join(" ")));
    for key in ["small", "large"] {
        client.run(&format!("HPEXPIREAT {key} 4102444800000 FIELDS 1 a"));
        client.run(&format!("HPEXPIREAT {key} 4102444801000 FIELDS 1 field7"));
    }
    assert_eq!(client.run("DEBUG RELOAD"), "+OK");
    assert_eq!(client.run("HPEXPIRETIME small FIELDS 2 a b"), "[4102444800000 -1]");
    assert_eq!(client.run("HPEXPIRETIME large FIELDS 3 a b field7"), "[4102444800000 -1 4102444801000]");
    let mut redis = server.redis();
    let payload: Vec<u8> = redis::cmd("DUMP").arg("small").query(&mut redis).unwrap();
    let restored: String = redis::cmd("RESTORE").arg("copy").arg(0).arg(payload).query(&mut redis).unwrap();
    assert_eq!(restored, "OK");
    assert_eq!(client.run("HPEXPIRETIME copy FIELDS 2 a b"), "[4102444800000 -1]");
    client.run("HPEXPIRE small 1 FIELDS 1 a");
    client.run("HPEXPIRE copy 1 FIELDS 2 a b");
    eventually("the field is gone", || client.run("HGETALL small") == "['b' '2']");
    eventually("the key is gone", || client.run("EXISTS copy") == "0");
}
