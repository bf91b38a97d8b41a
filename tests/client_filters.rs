//! CLIENT LIST and CLIENT KILL with filters.

mod support;

use support::{Server, check, eventually, table::Row};

const REFUSED: &[Row<'_>] = &[
    ("CLIENT LIST BOGUS 1", "-ERR syntax error"),
    ("CLIENT LIST ID", "-ERR syntax error"),
    ("CLIENT LIST ID x", "-ERR Invalid client ID"),
    ("CLIENT LIST ID 1 x", "-ERR Invalid client ID"),
    ("CLIENT LIST ID 0", "''"),
    ("CLIENT LIST TYPE x", "-ERR Unknown client type 'x'"),
    ("CLIENT LIST USER x", "-ERR No such user 'x'"),
    ("CLIENT LIST FLAGS ?", "-ERR Unknown flags found in the provided filter: ?"),
    ("CLIENT LIST DB 16", "-ERR DB index is out of range"),
    ("CLIENT LIST IDLE 0", "-ERR idle should be greater than 0"),
    ("CLIENT LIST NOT-IDLE 1", "-ERR syntax error"),
    ("CLIENT LIST SKIPME maybe", "-ERR syntax error"),
    ("CLIENT KILL ID x", "-ERR client-id should be greater than 0"),
    ("CLIENT KILL ID 10 x", "-ERR syntax error"),
    ("CLIENT KILL MAXAGE 0", "-ERR maxage should be greater than 0"),
    ("CLIENT KILL MAXAGE x", "-ERR maxage is not an integer or out of range"),
    ("CLIENT KILL 1.2.3.4:5", "-ERR No such client"),
    ("CLIENT KILL IP 1.2.3.4", "0"),
    ("CLIENT KILL MAXAGE 1000", "0"),
];

#[test]
fn lists_hold_who_fits_all_filters() {
    let server = Server::tls(&[]);
    let (mut one, mut two, mut own) = (server.client(), server.client(), server.client());
    one.run("CLIENT SETNAME one");
    one.run("CLIENT SETINFO LIB-NAME tester");
    one.run("CLIENT SETINFO LIB-VER 1.0");
    two.run("CLIENT SETNAME two");
    two.run("SELECT 3");
    two.run("CLIENT NO-EVICT on");
    own.run("CLIENT SETNAME own");
    let (first, second) = (one.int("CLIENT ID"), two.int("CLIENT ID"));
    let mut listed = |filters: &str| -> Vec<String> {
        let text = own.text(&format!("CLIENT LIST {filters}"));
        let names = text.split_whitespace().filter_map(|field| field.strip_prefix("name="));
        names.map(str::to_owned).collect()
    };
    for (filters, names) in [
        ("", &["one", "two", "own"][..]),
        ("SKIPME yes", &["one", "two"]),
        (&format!("ID {first} {second}"), &["one", "two"]),
        (&format!("ID {first} ID {second} NAME two"), &["two"]),
        (&format!("NOT-ID {first} {second}"), &["own"]),
        ("TYPE normal NAME one", &["one"]),
        ("TYPE pubsub", &[]),
        ("NOT-TYPE pubsub NOT-NAME one", &["two", "own"]),
        ("NAME one NAME two", &["two"]),
        ("LIB-NAME tester LIB-VER 1.0", &["one"]),
        ("NOT-LIB-NAME tester", &["two", "own"]),
        ("DB 3", &["two"]),
        ("NOT-DB 3", &["one", "own"]),
        ("FLAGS e", &["two"]),
        ("NOT-FLAGS e SKIPME yes", &["one"]),
        ("IP 127.0.0.1 NOT-USER default", &[]),
        ("IP 127.0.0.1 USER default", &["one", "two", "own"]),
        ("NOT-IP 127.0.0.1", &[]),
        ("MAXAGE 1000", &[]),
        ("IDLE 1000", &[]),
    ] {
        assert_eq!(listed(filters), names, "{filters}");
    }
    check(&mut own, REFUSED);
}

#[test]
fn who_fits_is_killed() {
    let server = Server::tls(&[]);
    let mut own = server.client();
    let mut others: Vec<_> = (0..4).map(|_| server.client()).collect();
    for (number, other) in others.iter_mut().enumerate() {
        other.run(&format!("CLIENT SETNAME name{number}"));
    }
    assert_eq!(own.run("CLIENT KILL NAME name0"), "1");
    let ids: Vec<String> = others[1..3].iter_mut().map(|other| other.int("CLIENT ID").to_string()).collect();
    assert_eq!(own.run(&format!("CLIENT KILL ID {} SKIPME yes", ids.join(" "))), "2");
    eventually("three are gone", || own.text("CLIENT LIST").lines().count() == 2);
    assert_eq!(others[3].run("PING"), "+PONG");
    assert_eq!(own.run("CLIENT KILL NOT-NAME name3 SKIPME no"), "1");
    assert_eq!(others[3].run("PING"), "+PONG");
}
