//! HyperLogLogs: counting, merging, Redis's bytes, and strings that are none.

mod support;

use support::{Server, check_all, table::Row};

const COUNTING: &[Row<'_>] = &[
    ("PFADD h a b c", "1"),
    ("PFADD h a b c", "0"),
    ("PFADD h", "0"),
    ("PFCOUNT h", "3"),
    ("PFCOUNT h", "3"),
    ("TYPE h", "+string"),
    ("PFADD empty", "1"),
    ("PFCOUNT empty", "0"),
    ("PFCOUNT none", "0"),
    ("PFADD i c d", "1"),
    ("PFCOUNT h i none", "4"),
    ("PFMERGE all h i none", "+OK"),
    ("PFCOUNT all", "4"),
    ("PFMERGE new", "+OK"),
    ("PFCOUNT new", "0"),
    ("EXPIRE h 100", "1"),
    ("PFADD h x y z", "1"),
    ("TTL h", "100"),
];

/// The bytes are those that a Redis 7.0.15 answers.
const BYTES: &[Row<'_>] = &[
    ("PFADD h a b c d e foo bar hello \"\" 1234567", "1"),
    ("GETRANGE h 0 15", "'HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80'"),
    ("PFCOUNT h", "10"),
    ("GETRANGE h 0 15", "'HYLL\\x01\\x00\\x00\\x00\\n\\x00\\x00\\x00\\x00\\x00\\x00\\x00'"),
    (
        "PFDEBUG DECODE h",
        "'Z:5938 v:2,1 Z:1353 v:1,1 z:55 v:5,1 Z:1087 v:1,1 Z:779 v:1,1 Z:790 v:1,1 Z:319 v:3,1 Z:2383 v:2,1 Z:2445 \
         v:1,1 Z:622 v:1,1 Z:603'",
    ),
    ("PFDEBUG ENCODING h", "+sparse"),
    ("PFDEBUG TODENSE h", "1"),
    ("PFDEBUG TODENSE h", "0"),
    ("PFDEBUG ENCODING h", "+dense"),
    ("STRLEN h", "12304"),
    ("PFCOUNT h", "10"),
    ("PFDEBUG DECODE h", "-ERR HLL encoding is not sparse"),
    ("PFDEBUG BOGUS h", "-ERR Unknown PFDEBUG subcommand 'BOGUS'"),
    ("PFDEBUG ENCODING none", "-ERR The specified key does not exist"),
    ("PFADD i x", "1"),
    ("PFMERGE i h", "+OK"),
    ("PFDEBUG ENCODING i", "+dense"),
    ("PFCOUNT i", "11"),
    ("PFSELFTEST", "+OK"),
];

const NOT_ONE: &str = "-WRONGTYPE Key is not a valid HyperLogLog string value.";
const CORRUPT: &str = "-INVALIDOBJ Corrupted HLL object detected";

const OTHERS: &[Row<'_>] = &[
    ("SET s abc", "+OK"),
    ("PFADD s a", NOT_ONE),
    ("PFCOUNT s", NOT_ONE),
    ("PFMERGE d s", NOT_ONE),
    ("EXISTS d", "0"),
    ("SET n 1234567", "+OK"),
    ("PFADD n a", NOT_ONE),
    ("LPUSH l a", "1"),
    ("PFADD l a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ("PFADD h a b c", "1"),
    ("APPEND h hello", "32"),
    ("PFCOUNT h", CORRUPT),
    ("PFCOUNT h i", CORRUPT),
    ("PFMERGE d h", CORRUPT),
    ("PFDEBUG GETREG h", CORRUPT),
    ("PFADD m a", "1"),
    ("SETRANGE m 0 0123", "21"),
    ("PFCOUNT m", NOT_ONE),
    ("PFADD e a", "1"),
    ("SETRANGE e 4 x", "21"),
    ("PFCOUNT e", NOT_ONE),
    ("SETRANGE e 4 \"\\x00\"", "21"),
    ("PFCOUNT e", NOT_ONE),
];

#[test]
fn replies_are_those_of_redis() {
    let server = Server::tls(&[]);
    let tables = [("counting", COUNTING), ("bytes", BYTES), ("others", OTHERS)];
    check_all(&mut server.client(), &tables);
    check_all(&mut server.client3(), &tables);
}

#[test]
fn estimates_are_close_in_either_form() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    for sparse_max in ["0", "3000"] {
        client.run(&format!("CONFIG SET hll-sparse-max-bytes {sparse_max}"));
        client.run("DEL h");
        let elements: Vec<String> = (1..=1000).map(|number| number.to_string()).collect();
        client.run(&format!("PFADD h {}", elements.join(" ")));
        assert_eq!(client.run("PFCOUNT h"), "1001", "{sparse_max}");
        let form = if sparse_max == "0" { "+dense" } else { "+sparse" };
        assert_eq!(client.run("PFDEBUG ENCODING h"), form);
    }
}
