//! What outlives the process: DUMP and RESTORE, snapshots on disk, loading at the start, saving at the end.

mod support;

use std::path::Path;
use std::process::Command;

use support::server::{PROGRAM, create_certificates, run, signal, text, tls_arguments};
use support::table::Row;
use support::{Mode, Server, Wire, check, eventually, free_port, info_field};
use tempfile::TempDir;

fn folder() -> TempDir {
    let folder = TempDir::with_prefix("redis-tls-test-").unwrap();
    create_certificates(folder.path());
    folder
}

/// Fills databases 0 and 3 with every type in small and in large.
fn fill(client: &mut Wire) {
    for db in [0, 3] {
        client.run(&format!("SELECT {db}"));
        client.run("SET number 12345");
        client.run("SET text hello");
        client.run("SET later x EX 10000");
        client.run("HSET fading a 1 b 2");
        client.run("HEXPIRE fading 10000 FIELDS 1 a");
        for i in 1..300 {
            client.run(&format!("XADD stream {i}-1 field value{i}"));
        }
        client.run("XDEL stream 7-1");
        client.run("XGROUP CREATE stream group 0");
        client.run("XREADGROUP GROUP group alice COUNT 5 STREAMS stream >");
        client.run("XACK stream group 2-1");
        for (name, count) in [("small", 3), ("large", 600)] {
            for i in 0..count {
                for command in [
                    format!("RPUSH {name}list element{i} {i}"),
                    format!("SADD {name}ints {}", i * 1000),
                    format!("SADD {name}set member{i}"),
                    format!("HSET {name}hash field{i} {i}"),
                    format!("ZADD {name}zset {i}.5 member{i}"),
                ] {
                    client.send(&command);
                }
                for _ in 0..5 {
                    client.reply();
                }
            }
        }
    }
    client.run("SELECT 0");
}

fn info(client: &mut Wire, field: &str) -> String {
    let info = client.text("INFO persistence");
    info_field(&info, field).unwrap_or_else(|| panic!("no {field} in {info}")).to_owned()
}

fn program(args: &[&str]) -> (bool, String) {
    let output = Command::new(PROGRAM).args(args).output().unwrap();
    (output.status.success(), text(&output))
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".rdb"));
    names.sort();
    names
}

fn digest(client: &mut Wire) -> String {
    let digest = client.run("DEBUG DIGEST");
    assert_eq!(digest.len(), 41, "{digest}");
    digest
}

const ALLOWED: &[&str] = &["--enable-debug-command", "yes", "--enable-protected-configs", "yes"];

const RESTORE_OPTIONS: &[Row<'_>] = &[
    ("DUMP none", "nil"),
    ("SET k old", "+OK"),
    ("RESTORE k 0 x", "-BUSYKEY Target key name already exists."),
    ("RESTORE none a x", "-ERR value is not an integer or out of range"),
    ("RESTORE none -1 x", "-ERR Invalid TTL value, must be >= 0"),
    ("RESTORE none 0 x", "-ERR DUMP payload version or checksum are wrong"),
    ("RESTORE none 0 x REPLACE NONSENSE", "-ERR syntax error"),
    ("RESTORE none 0 x IDLETIME", "-ERR syntax error"),
    ("RESTORE none 0 x IDLETIME -1", "-ERR Invalid IDLETIME value, must be >= 0"),
    ("RESTORE none 0 x FREQ 256", "-ERR Invalid FREQ value, must be >= 0 and <= 255"),
    ("RESTORE none 0 x FREQ 1 IDLETIME 1", "-ERR syntax error"),
    ("RESTORE none 0", "-ERR wrong number of arguments for 'restore' command"),
    ("RESTORE k a x REPLACE", "-ERR value is not an integer or out of range"),
    ("GET k", "'old'"),
];

#[test]
fn restore_brings_back_what_dump_took() {
    let server = Server::tls(ALLOWED);
    let mut client = server.client();
    check(&mut client, RESTORE_OPTIONS);
    fill(&mut client);
    let mut redis = server.redis();
    let names: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut redis).unwrap();
    assert!(names.len() > 12);
    for name in names {
        let before = client.run(&format!("DEBUG DIGEST-VALUE {name}"));
        let encoding = client.run(&format!("OBJECT ENCODING {name}"));
        let payload: Vec<u8> = redis::cmd("DUMP").arg(&name).query(&mut redis).unwrap();
        let ttl = client.run(&format!("PEXPIRETIME {name}"));
        let at = if ttl == "-1" { b"0" } else { ttl.as_bytes() };
        let restore = [b"RESTORE", name.as_bytes(), at, &payload, b"REPLACE", b"ABSTTL"];
        assert_eq!(client.run_args(&restore), "+OK", "{name}");
        assert_eq!(client.run(&format!("DEBUG DIGEST-VALUE {name}")), before, "{name}");
        assert_eq!(client.run(&format!("OBJECT ENCODING {name}")), encoding, "{name}");
        assert_eq!(client.run(&format!("PEXPIRETIME {name}")), ttl, "{name}");
    }
    let payload: Vec<u8> = redis::cmd("DUMP").arg("text").query(&mut redis).unwrap();
    assert_eq!(client.run_args(&[b"RESTORE", b"text", b"5000", &payload, b"REPLACE", b"IDLETIME", b"1000"]), "+OK");
    assert!((1..=5).contains(&client.int("TTL text")));
    assert!((999..=1001).contains(&client.int("OBJECT IDLETIME text")));
    assert_eq!(client.run_args(&[b"RESTORE", b"text", b"1", &payload, b"REPLACE", b"ABSTTL"]), "+OK");
    assert_eq!(client.run("EXISTS text"), "0", "an instant that is past leaves no key");
    client.run("SET text x");
    for cut in 0..payload.len() {
        let reply = client.run_args(&[b"RESTORE", b"other", b"0", &payload[..cut]]);
        assert_eq!(reply, "-ERR DUMP payload version or checksum are wrong");
    }
    client.run("DEBUG SET-SKIP-CHECKSUM-VALIDATION 1");
    let mut broken = payload.clone();
    broken[0] = 20;
    assert_eq!(client.run_args(&[b"RESTORE", b"other", b"0", &broken]), "-ERR Bad data format");
}

/// A hash in a listpack, in which field `a` comes twice: `1` first, then `3`.
const TWICE: &[u8] =
    b"\x10\x16\x16\x00\x00\x00\x06\x00\x81a\x02\x01\x01\x81b\x02\x02\x01\x81a\x02\x03\x01\xff\x0b\x00########";
/// The same with a length that is wrong.
const BROKEN: &[u8] =
    b"\x10\x16\x17\x00\x00\x00\x06\x00\x81a\x02\x01\x01\x81b\x02\x02\x01\x81a\x02\x03\x01\xff\x0b\x00########";

#[test]
fn a_payload_that_is_off_is_put_right_or_refused_as_sanitizing_says() {
    let folder = folder();
    let args = [ALLOWED, &["--save", "", "--appendonly", "yes", "--rdbchecksum", "no"]].concat();
    let mut server = Server::start_in(folder.path(), Mode::Tls, &args);
    let mut client = server.client();
    client.run("DEBUG SET-SKIP-CHECKSUM-VALIDATION 1");
    client.run("ACL SETUSER trusted on nopass ~* +@all skip-sanitize-payload");
    let mut trusted = server.client();
    assert_eq!(trusted.run("AUTH trusted x"), "+OK");
    let mut restore = |sanitize: &str, by_trusted: bool, payload: &[u8]| {
        assert_eq!(client.run(&format!("CONFIG SET sanitize-dump-payload {sanitize}")), "+OK");
        let who = if by_trusted { &mut trusted } else { &mut client };
        who.run_args(&[b"RESTORE", b"hash", b"100000", payload, b"REPLACE"])
    };
    for (sanitize, by_trusted, expected) in [
        ("yes", false, "-ERR Bad data format"),
        ("yes", true, "-ERR Bad data format"),
        ("clients", false, "-ERR Bad data format"),
        ("clients", true, "+OK"),
        ("no", false, "+OK"),
    ] {
        assert_eq!(restore(sanitize, by_trusted, TWICE), expected, "{sanitize} {by_trusted}");
        assert_eq!(restore(sanitize, by_trusted, BROKEN), "-ERR Bad data format", "{sanitize} {by_trusted}");
    }
    assert_eq!(client.run("HGETALL hash"), "['a' '1' 'b' '2']");
    assert!(server.log().contains("the payload for key 'hash' was off and is put right"), "{}", server.log());

    // The file has it as it is now: it needs no cure, and its checksum is right.
    client.run("CONFIG SET sanitize-dump-payload yes");
    let expected = digest(&mut client);
    client.send("SHUTDOWN");
    assert_eq!(server.wait(), Some(0));
    let strict = [&args[..], &["--sanitize-dump-payload", "yes"]].concat();
    let server = Server::start_in(folder.path(), Mode::Tls, &strict);
    let mut client = server.client();
    assert_eq!(digest(&mut client), expected);
    assert!((1..=100).contains(&client.int("TTL hash")));
}

#[test]
fn a_snapshot_with_a_value_that_is_off_is_loaded_with_a_warning_unless_it_is_to_be_sane() {
    let folder = folder();
    let value = &TWICE[1..TWICE.len() - 10];
    let file = [&b"REDIS0010\xfe\x00\x10\x04hash"[..], value, b"\xff", &[0; 8]].concat();
    let path = folder.path().join("dump.rdb");
    std::fs::write(&path, file).unwrap();
    let said = refused_start(folder.path(), &["--sanitize-dump-payload", "yes"]);
    assert!(said.contains("key 'hash': Hash listpack integrity check failed"), "{said}");
    let (whole, said) = program(&["check-rdb", path.to_str().unwrap()]);
    assert!(whole && said.contains("WARNING key 'hash' of database 0 will be put right"), "{said}");
    let server = Server::start_in(folder.path(), Mode::Tls, ALLOWED);
    assert_eq!(server.client().run("HGETALL hash"), "['a' '1' 'b' '2']");
    assert!(server.log().contains("key 'hash' in database 0 was off and is put right"), "{}", server.log());
}

#[test]
fn a_restart_finds_what_was_saved() {
    let folder = folder();
    let args = [ALLOWED, &["--save", ""]].concat();
    let start = |more: &[&str]| Server::start_in(folder.path(), Mode::Tls, &[&args[..], more].concat());
    let mut server = start(&[]);
    let mut client = server.client();
    fill(&mut client);
    let expected = digest(&mut client);
    assert!(info(&mut client, "rdb_changes_since_last_save") != "0");
    assert_eq!(client.run("SAVE"), "+OK");
    assert_eq!(info(&mut client, "rdb_changes_since_last_save"), "0");
    client.run("SET lost 1");
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    assert_eq!(names(folder.path()), ["dump.rdb"]);

    let mut server = start(&["--rdb-version", "10", "--rdbcompression", "no", "--rdbchecksum", "no"]);
    let mut client = server.client();
    assert_eq!(digest(&mut client), expected);
    assert!(client.int("TTL later") > 9000);
    let ttl = client.run("HTTL fading FIELDS 2 a b");
    assert!((ttl.starts_with("[9") || ttl.starts_with("[10000")) && ttl.ends_with(" -1]"), "{ttl}");
    assert_eq!(client.run("DEBUG RELOAD"), "+OK");
    assert_eq!(digest(&mut client), expected, "in the other version, without compression and checksum");
    client.run("SET kept 1");
    client.send("SHUTDOWN SAVE");
    assert_eq!(client.read_to_close(), b"");
    assert_eq!(server.wait(), Some(0));
    let server = start(&[]);
    assert_eq!(server.client().run("MGET kept lost"), "['1' nil]");
}

#[test]
fn a_save_in_the_background_shows_the_instant_it_began() {
    let folder = folder();
    let args = [ALLOWED, &["--save", "", "--rdb-key-save-delay", "50000"]].concat();
    let mut server = Server::start_in(folder.path(), Mode::Tls, &args);
    let mut client = server.client();
    fill(&mut client);
    for i in 0..3000 {
        client.run(&format!("SET key{i} value{i}"));
    }
    let expected = digest(&mut client);
    assert_eq!(client.run("BGSAVE"), "+Background saving started");
    assert_eq!(client.run("BGSAVE"), "-ERR Background save already in progress");
    assert_eq!(client.run("SAVE"), "-ERR Background save already in progress");
    assert_eq!(info(&mut client, "rdb_bgsave_in_progress"), "1");
    for i in 0..3000 {
        match i % 4 {
            0 => client.run(&format!("SET key{i} changed")),
            1 => client.run(&format!("DEL key{i}")),
            2 => client.run(&format!("APPEND key{i} more")),
            _ => client.run(&format!("SET new{i} value")),
        };
    }
    client.run("SELECT 3");
    client.run("FLUSHDB");
    client.run("SWAPDB 0 3");
    client.run("SADD smallset another");
    assert_ne!(info(&mut client, "current_cow_size"), "0");
    assert_eq!(client.run("CONFIG SET rdb-key-save-delay 0"), "+OK");
    eventually("the save ends", || info(&mut client, "rdb_bgsave_in_progress") == "0");
    assert_eq!(info(&mut client, "rdb_last_bgsave_status"), "ok");
    client.send("SHUTDOWN NOSAVE");
    assert_eq!(server.wait(), Some(0));
    assert_eq!(names(folder.path()), ["dump.rdb"]);
    let server = Server::start_in(folder.path(), Mode::Tls, &args);
    assert_eq!(digest(&mut server.client()), expected);
}

#[test]
fn flushall_gives_up_the_save_in_the_background() {
    let server = Server::tls(&[ALLOWED, &["--save", "", "--rdb-key-save-delay", "10000"]].concat());
    let mut client = server.client();
    client.run("DEBUG POPULATE 2000");
    client.run("SET k v");
    assert_eq!(client.run("BGSAVE"), "+Background saving started");
    assert_eq!(client.run("FLUSHALL"), "+OK");
    eventually("the save ends", || info(&mut client, "rdb_bgsave_in_progress") == "0");
    assert!(names(server.path()).is_empty(), "{:?}", names(server.path()));
    assert!(info(&mut client, "rdb_changes_since_last_save").parse::<u64>().unwrap() > 1000);
}

#[test]
fn save_points_and_transactions_save_when_they_may() {
    let server = Server::tls(&[ALLOWED, &["--save", "1 2"]].concat());
    let mut client = server.client();
    let before = client.int("LASTSAVE");
    client.run("SET k v");
    assert_eq!(client.run("MULTI"), "+OK");
    assert_eq!(client.run("BGSAVE"), "+QUEUED");
    assert_eq!(client.run("SET k w"), "+QUEUED");
    assert_eq!(client.run("EXEC"), "[+Background saving scheduled +OK]");
    assert_eq!(client.run("BGSAVE NONSENSE"), "-ERR syntax error");
    eventually("the scheduled save ends", || info(&mut client, "rdb_changes_since_last_save") == "0");
    client.run("MSET a 1 b 2");
    client.run("INCR a");
    eventually("the save point is reached", || info(&mut client, "rdb_changes_since_last_save") == "0");
    assert_eq!(info(&mut client, "rdb_saves"), "2");
    assert!(client.int("LASTSAVE") >= before);
    assert!(server.log().contains("2 changes in 1 seconds. Saving..."), "{}", server.log());
}

#[test]
fn while_nothing_can_be_saved_writes_are_refused_and_the_server_does_not_end() {
    let mut server = Server::tls(&[ALLOWED, &["--save", "900 1"]].concat());
    let mut client = server.client();
    let gone = server.file("gone");
    std::fs::create_dir(&gone).unwrap();
    client.run("SET k v");
    let library =
        "#!lua name=l\nredis.register_function('w', function(keys) return redis.call('set', keys[1], 'f') end)";
    assert_eq!(client.run_args(&[b"FUNCTION", b"LOAD", library.as_bytes()]), "'l'");
    assert_eq!(client.run(&format!("CONFIG SET dir {gone}")), "+OK");
    std::fs::remove_dir(&gone).unwrap();
    assert_eq!(client.run("SAVE"), "-ERR");
    assert_eq!(client.run("BGSAVE"), "+Background saving started");
    eventually("the save fails", || info(&mut client, "rdb_last_bgsave_status") == "err");
    let scripts = [
        "EVAL \"return redis.call('set', KEYS[1], 's')\" 1 k",
        "EVAL \"redis.call('get', 'k') return redis.call('del', 'k')\" 0",
        "EVAL \"#!lua\nreturn 1\" 0",
        "FCALL w 1 k",
    ];
    for line in ["SET k w", "PING"].into_iter().chain(scripts) {
        let reply = client.run(line);
        assert!(reply.starts_with("-MISCONF Redis is configured to save RDB snapshots, but"), "{line}: {reply}");
    }
    check(
        &mut client,
        &[
            ("GET k", "'v'"),
            ("MULTI", "+OK"),
            ("GET k", "+QUEUED"),
            ("EXEC", "['v']"),
            ("EVAL \"return redis.call('get', 'k')\" 0", "'v'"),
            ("EVAL \"#!lua flags=no-writes\nreturn 1\" 0", "1"),
            ("SHUTDOWN", "-ERR Errors trying to SHUTDOWN. Check logs."),
            ("CONFIG SET stop-writes-on-bgsave-error no", "+OK"),
            ("SET k w", "+OK"),
            ("CONFIG SET stop-writes-on-bgsave-error yes", "+OK"),
            ("CONFIG SET save \"\"", "+OK"),
            ("PING", "+PONG"),
            ("SHUTDOWN ABORT", "-ERR No shutdown in progress."),
            ("SHUTDOWN SAVE NOSAVE", "-ERR syntax error"),
        ],
    );
    client.run("CONFIG SET save \"900 1\"");
    let mut others = [server.client(), server.client()];
    // Read together, so that they are one request: whoever asked is told.
    others.iter_mut().for_each(|other| other.send("SHUTDOWN"));
    for other in &mut others {
        assert_eq!(other.reply(), "-ERR Errors trying to SHUTDOWN. Check logs.");
    }
    client.send("SHUTDOWN SAVE FORCE");
    assert_eq!(client.read_to_close(), b"");
    assert_eq!(server.wait(), Some(0));
}

/// A start on a file; what it said.
fn refused_start(folder: &Path, more: &[&str]) -> String {
    let port = free_port().to_string();
    let tls = tls_arguments(folder);
    let mut args = vec!["--port", "0", "--tls-port", &port];
    args.extend(tls.iter().map(String::as_str));
    args.extend(more);
    let output = run(folder, &args);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    text(&output)
}

#[test]
fn a_damaged_file_stops_the_start_and_check_rdb_says_where() {
    let folder = folder();
    let file = folder.path().join("dump.rdb");
    {
        let mut server = Server::start_in(folder.path(), Mode::Tls, ALLOWED);
        let mut client = server.client();
        fill(&mut client);
        client.send("SHUTDOWN");
        assert_eq!(server.wait(), Some(0));
    }
    let good = std::fs::read(&file).unwrap();
    let name = file.to_str().unwrap();
    let (whole, said) = program(&["check-rdb", name]);
    assert!(whole, "{said}");
    for line in ["Checksum OK", "30 keys read", "2 expires", "6 of type string", "2 of type stream", "15 in database 3"]
    {
        assert!(said.contains(line), "no '{line}' in: {said}");
    }
    for (damage, words) in
        [(good.len() - 1, "RDB CRC error"), (0, "Wrong signature"), (5, "Can't handle RDB format version")]
    {
        let mut bad = good.clone();
        bad[damage] ^= 0x11;
        std::fs::write(&file, &bad).unwrap();
        let said = refused_start(folder.path(), &[]);
        assert!(said.contains(words) && said.contains("check-rdb"), "{said}");
        assert!(said.trim_end().ends_with("Fatal error loading the DB, check server logs. Exiting."), "{said}");
        let (whole, said) = program(&["check-rdb", name]);
        assert!(!whole && said.contains(words), "{said}");
    }
    std::fs::write(&file, &good[..good.len() / 2]).unwrap();
    assert!(refused_start(folder.path(), &[]).contains("Unexpected EOF"));
    let (whole, said) = program(&["check-rdb", name]);
    assert!(!whole && said.contains("Unexpected EOF"), "{said}");
    std::fs::write(&file, &good).unwrap();
    assert!(refused_start(folder.path(), &["--databases", "2"]).contains("more than 2 databases"));
    assert_eq!(std::fs::read(&file).unwrap(), good, "a start that fails leaves the file alone");
    assert!(!program(&["check-rdb", "/nowhere/dump.rdb"]).0);
}

#[test]
fn while_a_file_is_loaded_clients_are_told_to_wait() {
    let folder = folder();
    let args = [ALLOWED, &["--save", ""]].concat();
    {
        let mut server = Server::start_in(folder.path(), Mode::Tls, &args);
        let mut client = server.client();
        client.run("DEBUG POPULATE 2000");
        client.send("SHUTDOWN SAVE");
        assert_eq!(server.wait(), Some(0));
    }
    let mut server = Server::start_in(folder.path(), Mode::Tls, &[&args[..], &["--key-load-delay", "10000"]].concat());
    let mut client = server.client();
    assert_eq!(client.run("GET key:1"), "-LOADING Redis is loading the dataset in memory");
    assert_eq!(info(&mut client, "loading"), "1");
    assert!(info(&mut client, "loading_total_bytes").parse::<u64>().unwrap() > 10_000);
    client.send("SHUTDOWN SAVE");
    assert_eq!(client.read_to_close(), b"");
    assert_eq!(server.wait(), Some(0));
    let server = Server::start_in(folder.path(), Mode::Tls, &args);
    assert_eq!(server.client().run("DBSIZE"), "2000", "what was half loaded was not saved");
}

#[test]
fn while_a_client_has_data_reloaded_others_are_told_to_wait() {
    let server = Server::tls(&[ALLOWED, &["--save", "", "--appendonly", "yes"]].concat());
    let (mut client, mut other) = (server.client(), server.client());
    for i in 0..500 {
        client.run(&format!("SET key{i} {i}"));
    }
    let expected = digest(&mut client);
    assert_eq!(client.run("CONFIG SET key-load-delay 2000"), "+OK");
    for command in ["DEBUG RELOAD", "DEBUG LOADAOF"] {
        client.send(command);
        eventually("loading begins", || info(&mut other, "loading") == "1");
        for line in ["GET key1", "SET key1 x", "PING", "DEBUG RELOAD"] {
            assert_eq!(other.run(line), "-LOADING Redis is loading the dataset in memory", "{command}: {line}");
        }
        eventually("the size is told", || {
            info(&mut other, "loading_total_bytes").parse::<u64>().is_ok_and(|bytes| bytes > 1000)
        });
        assert_eq!(client.reply(), "+OK", "{command}");
        assert_eq!(info(&mut other, "loading"), "0");
        assert_eq!(other.run("GET key1"), "'1'");
        assert_eq!(digest(&mut client), expected, "{command}");
    }
    client.run("CONFIG SET key-load-delay 0");
    for line in ["MULTI", "DEBUG RELOAD", "DBSIZE"] {
        client.run(line);
    }
    assert_eq!(client.run("EXEC"), "[+OK 500]", "a transaction does not wait");
    std::fs::remove_file(server.file("dump.rdb")).unwrap();
    let reply = client.run("DEBUG RELOAD NOSAVE NOFLUSH");
    assert_eq!(reply, "-ERR Error trying to load the RDB dump, check server logs.");
    assert_eq!(other.run("DBSIZE"), "500");
}

#[test]
fn no_cut_and_no_damage_of_a_snapshot_goes_unnoticed() {
    let server = Server::tls(ALLOWED);
    let mut client = server.client();
    fill(&mut client);
    assert_eq!(client.run("SAVE"), "+OK");
    let file = server.path().join("dump.rdb");
    let good = std::fs::read(&file).unwrap();
    let mut refused = |bytes: &[u8], what: &str| {
        std::fs::write(&file, bytes).unwrap();
        let reply = client.run("DEBUG RELOAD NOSAVE");
        assert_eq!(reply, "-ERR Error trying to load the RDB dump, check server logs.", "{what}");
    };
    // Places all over the file, and every one at its beginning and its end.
    let places = (0..good.len()).filter(|at| at % 499 == 0 || *at < 40 || *at + 20 > good.len());
    for at in places {
        refused(&good[..at], &format!("cut at {at}"));
        let mut bad = good.clone();
        bad[at] ^= 0x15;
        refused(&bad, &format!("damaged at {at}"));
    }
    std::fs::write(&file, &good).unwrap();
    assert_eq!(client.run("DEBUG RELOAD NOSAVE"), "+OK");
    assert_eq!(client.int("DBSIZE"), 15);
}

#[test]
fn a_terminal_shows_how_far_loading_has_come() {
    let folder = folder();
    {
        let mut server = Server::start_in(folder.path(), Mode::Tls, ALLOWED);
        let mut client = server.client();
        client.run("DEBUG POPULATE 1000");
        client.send("SHUTDOWN SAVE");
        assert_eq!(server.wait(), Some(0));
    }
    let port = free_port().to_string();
    let mut line = format!("exec {PROGRAM} --port 0 --tls-port {port} --key-load-delay 1000");
    tls_arguments(folder.path()).iter().for_each(|argument| line.push_str(&format!(" {argument}")));
    // A terminal of its own; nothing is shown where there is none.
    let mut terminal = Command::new("script")
        .args(["-q", "-e", "-c", &format!("{line} --logfile ''"), "/dev/null"])
        .current_dir(folder.path())
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("script runs");
    let mut shown = String::new();
    let mut output = std::io::BufReader::new(terminal.stdout.take().unwrap());
    while !shown.contains("Ready to accept") {
        let mut bytes = [0; 256];
        let count = std::io::Read::read(&mut output, &mut bytes).unwrap();
        assert!(count > 0, "{shown}");
        shown.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    // The terminal goes with the server; without a terminal the server would go on.
    let pid = shown.split("PID: ").nth(1).and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    signal(pid.expect("the log begins with it"), "KILL");
    terminal.wait().unwrap();
    assert!(shown.contains("Loading [") && shown.contains("% done, "), "{shown}");
    let last = shown.rfind("Loading [").unwrap();
    assert!(shown[last..].contains("\r\u{1b}[K"), "the bar goes when loading has ended: {shown}");
    let server = Server::start_in(folder.path(), Mode::Tls, &[ALLOWED, &["--key-load-delay", "10"]].concat());
    eventually("it is loaded", || server.log().contains("Ready to accept"));
    assert!(!server.log().contains("Loading ["), "{}", server.log());
}

#[test]
fn a_second_interrupt_does_not_wait_for_the_snapshot() {
    let mut server = Server::tls(&[ALLOWED, &["--save", "900 1", "--rdb-key-save-delay", "10000"]].concat());
    let mut client = server.client();
    client.run("DEBUG POPULATE 100000");
    server.signal("INT");
    eventually("the save begins", || !names(server.path()).is_empty());
    server.signal("INT");
    assert_eq!(server.wait(), Some(1));
    assert!(names(server.path()).is_empty(), "{:?}", names(server.path()));
}

#[test]
fn a_shutdown_that_a_signal_asked_for_can_be_aborted_before_it_begins() {
    let server = Server::tls(ALLOWED);
    let mut client = server.client();
    client.run("DEBUG PAUSE-CRON 1");
    server.signal("TERM");
    eventually("the signal arrives", || server.log().contains("Received SIGTERM"));
    assert_eq!(client.run("SHUTDOWN ABORT"), "+OK");
    client.run("DEBUG PAUSE-CRON 0");
    assert_eq!(client.run("PING"), "+PONG");
    assert_eq!(client.run("SHUTDOWN ABORT"), "-ERR No shutdown in progress.");
}
