//! Bitmaps and bit fields.

mod support;

use support::{Server, check_all, table::Row};

const BITS: &[Row<'_>] = &[
    ("SETBIT b 7 1", "0"),
    ("SETBIT b 7 0", "1"),
    ("GETBIT b 7", "0"),
    ("SETBIT b 1 1", "0"),
    ("GET b", "'@'"),
    ("GETBIT b 100", "0"),
    ("GETBIT none 0", "0"),
    ("SETBIT b 1 2", "-ERR bit is not an integer or out of range"),
    ("SETBIT b -1 1", "-ERR bit offset is not an integer or out of range"),
    ("SETBIT b 4294967296 1", "-ERR bit offset is not an integer or out of range"),
    ("GETBIT b x", "-ERR bit offset is not an integer or out of range"),
    ("SET n 1234", "+OK"),
    ("GETBIT n 2", "1"),
    ("SETBIT n 6 1", "0"),
    ("GET n", "'3234'"),
    ("LPUSH l a", "1"),
    ("SETBIT l 0 1", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
];

const COUNTING: &[Row<'_>] = &[
    ("SET k foobar", "+OK"),
    ("BITCOUNT k", "26"),
    ("BITCOUNT k 0 0", "4"),
    ("BITCOUNT k 1 1", "6"),
    ("BITCOUNT k -2 -1", "7"),
    ("BITCOUNT k 5 30 BIT", "17"),
    ("BITCOUNT k 1 1 BYTE", "6"),
    ("BITCOUNT k 3 1", "0"),
    ("BITCOUNT none", "0"),
    ("BITCOUNT k 0", "-ERR syntax error"),
    ("BITCOUNT k 0 1 HELLO", "-ERR syntax error"),
    ("BITCOUNT k a b", "-ERR value is not an integer or out of range"),
    ("SET p \"\\xff\\xf0\\x00\"", "+OK"),
    ("BITPOS p 0", "12"),
    ("BITPOS p 1", "0"),
    ("BITPOS p 1 2", "-1"),
    ("BITPOS p 0 0 0", "-1"),
    ("BITPOS p 1 7 15 BIT", "7"),
    ("BITPOS none 0", "0"),
    ("BITPOS none 1", "-1"),
    ("SET full \"\\xff\\xff\"", "+OK"),
    ("BITPOS full 0", "16"),
    ("BITPOS full 0 0 -1", "-1"),
    ("BITPOS p 2", "-ERR The bit argument must be 1 or 0."),
];

const OPERATIONS: &[Row<'_>] = &[
    ("SET a \"\\xaa\\x00\\xff\"", "+OK"),
    ("SET b \"\\xff\\xff\"", "+OK"),
    ("BITOP AND d a b", "3"),
    ("GET d", "'\\xaa\\x00\\x00'"),
    ("BITOP OR d a b", "3"),
    ("GET d", "'\\xff\\xff\\xff'"),
    ("BITOP XOR d a b", "3"),
    ("GET d", "'U\\xff\\xff'"),
    ("BITOP NOT d b", "2"),
    ("GET d", "'\\x00\\x00'"),
    ("BITOP NOT d a b", "-ERR BITOP NOT must be called with a single source key."),
    ("BITOP NAND d a b", "-ERR syntax error"),
    ("BITOP AND d none", "0"),
    ("EXISTS d", "0"),
    ("BITOP OR d a none", "3"),
];

const FIELDS: &[Row<'_>] = &[
    ("BITFIELD f SET u8 0 255 GET u8 0 GET i8 0", "[0 255 -1]"),
    ("BITFIELD f INCRBY u8 0 1", "[0]"),
    ("BITFIELD f OVERFLOW SAT SET u8 0 250 INCRBY u8 0 10", "[0 255]"),
    ("BITFIELD f OVERFLOW FAIL INCRBY u8 0 1", "[nil]"),
    ("BITFIELD f SET i5 #1 -3 GET i5 #1 GET u5 5", "[-4 -3 29]"),
    (
        "BITFIELD f GET u64 0",
        "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
    ),
    ("BITFIELD f GET u8 -1", "-ERR bit offset is not an integer or out of range"),
    ("BITFIELD f OVERFLOW BOGUS GET u8 0", "-ERR Invalid OVERFLOW type specified"),
    ("BITFIELD f GET u8", "-ERR syntax error"),
    ("BITFIELD f", "[]"),
    ("BITFIELD_RO f GET u8 8", "[64]"),
    ("BITFIELD_RO f SET u8 0 1", "-ERR BITFIELD_RO only supports the GET subcommand"),
    ("BITFIELD_RO none GET u8 0", "[0]"),
    ("EXISTS none", "0"),
];

#[test]
fn every_command_replies_as_redis_does() {
    let server = Server::tls(&[]);
    check_all(
        &mut server.client(),
        &[("bits", BITS), ("counting", COUNTING), ("operations", OPERATIONS), ("fields", FIELDS)],
    );
}

#[test]
fn counts_and_positions_agree_with_a_model() {
    use rand::{Rng, SeedableRng};
    let server = Server::tls(&[]);
    let mut client = server.client();
    let mut random = rand::rngs::SmallRng::seed_from_u64(11);
    for _ in 0..100 {
        let bytes: Vec<u8> = (0..random.random_range(1..40)).map(|_| random.random()).collect();
        client.run_args(&[b"SET", b"model", &bytes]);
        let bit = |index: usize| bytes[index / 8] >> (7 - index % 8) & 1 == 1;
        let (start, end) = (random.random_range(0..bytes.len() * 8), random.random_range(0..bytes.len() * 8));
        let count = (start..=end).filter(|index| bit(*index)).count();
        assert_eq!(client.int(&format!("BITCOUNT model {start} {end} BIT")), count as i64, "{bytes:?} {start} {end}");
        let position = (start..=end).find(|index| bit(*index)).map_or(-1, |index| index as i64);
        assert_eq!(client.int(&format!("BITPOS model 1 {start} {end} BIT")), position, "{bytes:?} {start} {end}");
    }
}
