//! Geo indexes: adding, looking up, searching, storing.

mod support;

use support::{Server, check_all, table::Row};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const SYNTAX: &str = "-ERR syntax error";

const MEMBERS: &[Row<'_>] = &[
    ("GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania", "2"),
    ("GEOADD g CH 13.361389 38.115556 Palermo 15 37 Catania", "1"),
    ("GEOADD g XX 15.087269 37.502669 Catania 1 1 none", "0"),
    ("GEOADD g NX CH 1 1 Catania", "0"),
    ("ZSCORE g Palermo", "'3479099956230698'"),
    ("GEOADD g NX XX 1 1 a", SYNTAX),
    ("GEOADD g 1 1 a 2", SYNTAX),
    ("GEOADD g CH NX CH", SYNTAX),
    ("GEOADD g 181 1 a", "-ERR invalid longitude,latitude pair 181.000000,1.000000"),
    ("GEOADD g 1 86 a", "-ERR invalid longitude,latitude pair 1.000000,86.000000"),
    ("GEOADD g x 1 a", "-ERR value is not a valid float"),
    ("GEODIST g Palermo Catania", "'166274.1516'"),
    ("GEODIST g Palermo Catania KM", "'166.2742'"),
    ("GEODIST g Palermo Catania mi", "'103.3182'"),
    ("GEODIST g Palermo Palermo", "'0.0000'"),
    ("GEODIST g Palermo none", "nil"),
    ("GEODIST none a b", "nil"),
    ("GEODIST g a b parsec", "-ERR unsupported unit provided. please use M, KM, FT, MI"),
    ("GEODIST g a b m m", SYNTAX),
    ("GEOHASH g Palermo Catania none", "['sqc8b49rny0' 'sqdtr74hyu0' nil]"),
    ("GEOHASH none a", "[nil]"),
    ("GEOHASH g", "[]"),
    ("SET s x", "+OK"),
    ("GEOADD s 1 1 a", WRONG_TYPE),
    ("GEODIST s a b", WRONG_TYPE),
    ("GEOHASH s a", WRONG_TYPE),
    ("GEOPOS s a", WRONG_TYPE),
    ("GEOSEARCH s FROMLONLAT 1 1 BYRADIUS 1 m", WRONG_TYPE),
];

const SEARCH: &[Row<'_>] = &[
    (
        "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania 12.758489 38.788135 edge1 17.24151 38.788135 edge2",
        "4",
    ),
    ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ASC", "['Catania' 'Palermo']"),
    ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km DESC", "['Palermo' 'Catania']"),
    (
        "GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 km ASC WITHDIST",
        "[['Catania' '56.4413'] ['Palermo' '190.4424'] ['edge2' '279.7403'] ['edge1' '279.7405']]",
    ),
    ("GEOSEARCH g FROMMEMBER Palermo BYRADIUS 1 m WITHHASH WITHDIST", "[['Palermo' '0.0000' 3479099956230698]]"),
    ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1000 km COUNT 1", "['Catania']"),
    ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1000 km COUNT 1 DESC", "['edge1']"),
    ("GEOSEARCH none FROMMEMBER a BYRADIUS 1 m", "[]"),
    ("GEOSEARCH g FROMMEMBER a BYRADIUS 1 m", "-ERR could not decode requested zset member"),
    ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 m ANY", "-ERR the ANY argument requires COUNT argument"),
    ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 m COUNT 0", "-ERR COUNT must be > 0"),
    ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS -1 m", "-ERR radius cannot be negative"),
    ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS x m", "-ERR need numeric radius"),
    ("GEOSEARCH g FROMLONLAT 15 37 BYBOX -1 1 m", "-ERR height or width cannot be negative"),
    ("GEOSEARCH g FROMLONLAT 15 37 BYBOX 1 x m", "-ERR need numeric height"),
    ("GEOSEARCH g FROMLONLAT 15 37 BYBOX 1 1 m BYRADIUS 1 m", SYNTAX),
    ("GEOSEARCH g FROMLONLAT 15 37 FROMMEMBER Palermo BYRADIUS 1 m", SYNTAX),
    (
        "GEOSEARCH g BYRADIUS 1 m ASC ASC ASC",
        "-ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH",
    ),
    ("geosearch g FROMLONLAT 15 37 ASC ASC", "-ERR exactly one of BYRADIUS and BYBOX can be specified for geosearch"),
    ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 m STOREDIST", SYNTAX),
    ("GEORADIUS g 15 37 200 km ASC", "['Catania' 'Palermo']"),
    ("GEORADIUS_RO g 15 37 200 km STORE d", SYNTAX),
    ("GEORADIUSBYMEMBER g Palermo 200 km DESC", "['Catania' 'edge1' 'Palermo']"),
    ("GEORADIUSBYMEMBER_RO g Palermo 10 km", "['Palermo']"),
];

const STORING: &[Row<'_>] = &[
    ("GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania", "2"),
    ("GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 100 km", "1"),
    ("ZRANGE d 0 -1", "['Catania']"),
    ("GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 1 m", "0"),
    ("EXISTS d", "0"),
    ("GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST", "2"),
    ("ZRANGEBYSCORE d 56 57", "['Catania']"),
    (
        "GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km WITHDIST",
        "-ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
    ),
    (
        "GEORADIUS g 15 37 200 km STORE d WITHHASH",
        "-ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
    ),
    ("GEORADIUS g 15 37 200 km STORE d COUNT 1", "1"),
    ("ZRANGE d 0 -1", "['Catania']"),
    ("GEORADIUS g 15 37 200 km STORE other STOREDIST d", "2"),
    ("EXISTS other", "0"),
    ("GEORADIUSBYMEMBER none a 1 m STORE d", "0"),
    ("EXISTS d", "0"),
];

const PLACES: &[Row<'_>] = &[
    ("GEOADD g 13.361389 38.115556 Palermo", "1"),
    ("GEOPOS g Palermo none", "[['13.36138933897018433' '38.11555639549629859'] nil*]"),
    ("GEOPOS none a b", "[nil* nil*]"),
    (
        "GEOSEARCH g FROMMEMBER Palermo BYRADIUS 1 m WITHCOORD",
        "[['Palermo' ['13.36138933897018433' '38.11555639549629859']]]",
    ),
];

#[test]
fn replies_are_those_of_redis() {
    let server = Server::tls(&[]);
    check_all(
        &mut server.client(),
        &[("members", MEMBERS), ("search", SEARCH), ("storing", STORING), ("places", PLACES)],
    );
}

#[test]
fn coordinates_are_doubles_in_resp3() {
    let server = Server::tls(&[]);
    let mut client = server.client3();
    client.run("GEOADD g 13.361389 38.115556 Palermo");
    client.send("GEOPOS g Palermo");
    assert_eq!(client.reply(), "[[,13.36138933897018433 ,38.11555639549629859]]");
}
