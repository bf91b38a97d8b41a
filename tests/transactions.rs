//! MULTI, EXEC, DISCARD, WATCH: what is queued, what aborts, what a watch notices.

mod support;

use support::{Server, check, check_all, eventually, table::Row};

const QUEUING: &[Row<'_>] = &[
    ("MULTI", "+OK"),
    ("SET a 1", "+QUEUED"),
    ("INCR a", "+QUEUED"),
    ("GET a", "+QUEUED"),
    ("EXEC", "[+OK 2 '2']"),
    ("MULTI", "+OK"),
    ("EXEC", "[]"),
    ("MULTI", "+OK"),
    ("SET a 9", "+QUEUED"),
    ("DISCARD", "+OK"),
    ("GET a", "'2'"),
    ("EXEC", "-ERR EXEC without MULTI"),
    ("DISCARD", "-ERR DISCARD without MULTI"),
    ("MULTI", "+OK"),
    ("MULTI", "-ERR MULTI calls can not be nested"),
    ("WATCH a", "-ERR WATCH inside MULTI is not allowed"),
    ("PING", "+QUEUED"),
    ("EXEC", "[+PONG]"),
];

const ERRORS: &[Row<'_>] = &[
    ("MULTI", "+OK"),
    ("SET a 1", "+QUEUED"),
    ("BOGUS x", "-ERR unknown command 'BOGUS', with args beginning with: 'x' "),
    ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
    ("EXISTS a", "0"),
    ("MULTI", "+OK"),
    ("GET", "-ERR wrong number of arguments for 'get' command"),
    ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
    ("MULTI", "+OK"),
    ("SET a x", "+QUEUED"),
    ("INCR a", "+QUEUED"),
    ("SET b y", "+QUEUED"),
    ("EXEC", "[+OK -ERR value is not an integer or out of range +OK]"),
    ("GET b", "'y'"),
    ("MULTI", "+OK"),
    ("SELECT 1", "+QUEUED"),
    ("SET other 1", "+QUEUED"),
    ("SELECT 0", "+QUEUED"),
    ("EXISTS other", "+QUEUED"),
    ("EXEC", "[+OK +OK +OK 0]"),
];

const REFUSED_EXEC: &[Row<'_>] = &[
    ("EXEC x", "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command"),
    ("MULTI", "+OK"),
    ("EXEC x", "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command"),
    ("EXEC", "-ERR EXEC without MULTI"),
    ("ACL SETUSER nobody on nopass +@all -exec", "+OK"),
    ("AUTH nobody x", "+OK"),
    ("EXEC", "-EXECABORT Transaction discarded because of: NOPERM …"),
];

const WITHOUT_MEMORY: &[Row<'_>] = &[
    ("CONFIG SET maxmemory 1", "+OK"),
    ("MULTI", "+OK"),
    ("GET a", "-OOM command not allowed when used memory > 'maxmemory'."),
    ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
    ("MULTI", "+OK"),
    ("PING", "-OOM command not allowed when used memory > 'maxmemory'."),
    ("DISCARD", "+OK"),
    ("PING", "+PONG"),
    ("CONFIG SET maxmemory 0", "+OK"),
];

#[test]
fn every_command_replies_as_redis_does() {
    let server = Server::tls(&[]);
    check_all(&mut server.client(), &[("queuing", QUEUING), ("errors", ERRORS)]);
    check_all(&mut server.client(), &[("without memory", WITHOUT_MEMORY), ("refused", REFUSED_EXEC)]);
    check_all(
        &mut server.client3(),
        &[(
            "resp3",
            &[("MULTI", "+OK"), ("HSET h a 1", "+QUEUED"), ("HGETALL h", "+QUEUED"), ("EXEC", "[1 {'a': '1'}]")],
        )],
    );
}

#[test]
fn a_watch_notices_what_others_did_to_its_key() {
    let server = Server::tls(&[]);
    let mut other = server.client();
    let mut client = server.client();
    // Before the watch; what the other does; whether EXEC must fail.
    for (before, between, fails) in [
        ("SET k 1", "SET k 2", true),
        ("SET k 1", "SET k 1", true),
        ("SET k 1", "GET k", false),
        ("SET k 1", "SET unrelated 1", false),
        ("SET k 1", "DEL k", true),
        ("DEL k", "SET k 1", true),
        ("DEL k", "DEL k", false),
        ("SADD k a", "SADD k a", false),
        ("SADD k a", "SADD k b", true),
        ("SET k 1", "EXPIRE k 100", true),
        ("SET k 1", "FLUSHALL", true),
        ("SET k 1", "FLUSHDB", true),
        ("DEL k", "FLUSHALL", false),
        ("SET k 1", "RENAME k moved", true),
        ("SET src 1", "RENAME src k", true),
        ("SET k 1", "SWAPDB 0 1", true),
    ] {
        other.run("FLUSHALL");
        other.run(before);
        assert_eq!(client.run("WATCH k"), "+OK");
        other.run(between);
        check(&mut client, &[("MULTI", "+OK"), ("PING", "+QUEUED")]);
        let expected = if fails { "nil*" } else { "[+PONG]" };
        assert_eq!(client.run("EXEC"), expected, "{before}, then {between}");
    }
}

#[test]
fn a_watch_ends_with_unwatch_discard_exec_and_reset() {
    let server = Server::tls(&[]);
    let mut other = server.client();
    let mut client = server.client();
    for ends in [&["UNWATCH"][..], &["MULTI", "DISCARD"], &["MULTI", "EXEC"], &["RESET"]] {
        client.run("WATCH k");
        for line in ends {
            client.run(line);
        }
        other.run("SET k changed");
        check(&mut client, &[("MULTI", "+OK"), ("PING", "+QUEUED"), ("EXEC", "[+PONG]")]);
    }
}

#[test]
fn ones_own_change_between_watch_and_multi_counts() {
    let server = Server::tls(&[]);
    check(
        &mut server.client(),
        &[("WATCH k", "+OK"), ("SET k 1", "+OK"), ("MULTI", "+OK"), ("PING", "+QUEUED"), ("EXEC", "nil*")],
    );
    check(
        &mut server.client3(),
        &[("WATCH k", "+OK"), ("SET k 1", "+OK"), ("MULTI", "+OK"), ("PING", "+QUEUED"), ("EXEC", "_")],
    );
}

#[test]
fn a_watched_key_that_expires_aborts() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    let mut other = server.client();
    check(&mut client, &[("SET k v PX 30", "+OK"), ("WATCH k", "+OK")]);
    eventually("the key is gone", || other.run("EXISTS k") == "0");
    check(&mut client, &[("MULTI", "+OK"), ("PING", "+QUEUED"), ("EXEC", "nil*")]);
}

#[test]
fn a_transaction_is_one_step_for_everybody_else() {
    let server = Server::tls(&[]);
    server.client().run("MSET a 0 b 0");
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut redis = server.redis();
                for _ in 0..200 {
                    redis::pipe().atomic().cmd("INCR").arg("a").cmd("INCR").arg("b").exec(&mut redis).unwrap();
                }
            });
        }
        let mut reader = server.redis();
        for _ in 0..400 {
            let (a, b): (i64, i64) = redis::cmd("MGET").arg("a").arg("b").query(&mut reader).unwrap();
            assert_eq!(a, b, "nobody sees one half");
        }
    });
    assert_eq!(server.client().run("MGET a b"), "['400' '400']");
}

#[test]
fn optimistic_increments_lose_nothing() {
    let server = Server::tls(&[]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut redis = server.redis();
                for _ in 0..25 {
                    let _: (i64,) = redis::transaction(&mut redis, &["n"], |redis, pipe| {
                        let n: Option<i64> = redis::cmd("GET").arg("n").query(redis)?;
                        pipe.set("n", n.unwrap_or(0) + 1).ignore().cmd("GET").arg("n").query(redis)
                    })
                    .unwrap();
                }
            });
        }
    });
    assert_eq!(server.client().run("GET n"), "'100'");
}

#[test]
fn watching_many_keys_holds_nobody_up() {
    let server = Server::tls(&[]);
    let (mut client, mut other) = (server.client(), server.client());
    let keys: Vec<String> = (0..100_000).map(|i| format!("key{i}")).collect();
    for _ in 0..2 {
        let words: Vec<&[u8]> = std::iter::once(&b"WATCH"[..]).chain(keys.iter().map(|key| key.as_bytes())).collect();
        assert_eq!(client.run_args(&words), "+OK");
    }
    assert_eq!(other.run("SET key99999 x"), "+OK");
    assert_eq!(client.run("MULTI"), "+OK");
    assert_eq!(client.run("EXEC"), "nil*");
    assert_eq!(client.run("WATCH key1 key1"), "+OK");
    assert_eq!(client.run("UNWATCH"), "+OK");
    assert_eq!(other.run("SET key1 x"), "+OK");
}
