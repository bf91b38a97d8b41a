//! A full copy that comes in beside the data of the replica (`repl-diskless-load swapdb`): what clients see meanwhile, and that a copy cut
//! short changes nothing. And what a connection that has become a replica may send.

mod support;

use support::{Server, Wire, eventually, info_field};

const ALLOWED: &[&str] = &["--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0"];
const LIBRARY: &str = "#!lua name=lib\nredis.register_function{function_name='f', flags={'no-writes'}, callback=function() return 'VALUE' end}";

/// A primary with a library and so many keys, which goes on its way slowly once it is told to.
fn primary(keys: usize, function: &str) -> Server {
    let primary = Server::tls(&[ALLOWED, &["--rdbcompression", "no"]].concat());
    let mut client = primary.client();
    load_function(&mut client, function);
    assert_eq!(client.run(&format!("DEBUG POPULATE {keys} key 10000")), "+OK");
    primary
}

/// A replica-to-be that trusts the primary's certificates, with a key and a library of its own.
fn replica_of(primary: &Server) -> Server {
    let ca = primary.file("ca.crt");
    let args = ["--repl-diskless-load", "swapdb", "--replica-read-only", "no", "--tls-ca-cert-file", &ca];
    let replica = Server::tls(&[ALLOWED, &args].concat());
    own_data(&mut replica.client());
    replica
}

fn own_data(client: &mut Wire) {
    load_function(client, "old");
    assert_eq!(client.run("SET own here PX 100000"), "+OK");
}

fn load_function(client: &mut Wire, value: &str) {
    let text = LIBRARY.replace("VALUE", value);
    assert_eq!(client.run_args(&[b"FUNCTION", b"LOAD", b"REPLACE", text.as_bytes()]), "'lib'");
}

fn info(client: &mut Wire, name: &str) -> String {
    let text = client.text("INFO everything");
    info_field(&text, name).unwrap_or_default().to_owned()
}

fn follow(replica: &mut Wire, primary: &Server) {
    assert!(replica.run(&format!("REPLICAOF 127.0.0.1 {}", primary.port())).starts_with("+OK"));
}

fn await_copy(replica: &mut Wire, keys: &str) {
    eventually("the link is up", || info(replica, "master_link_status") == "up");
    let seen = (replica.run("DBSIZE"), replica.run("GET own"), replica.run("FCALL f 0"));
    assert_eq!(seen, (keys.into(), "nil".into(), "'new'".into()));
}

#[test]
fn a_copy_of_another_history_that_is_cut_short_changes_nothing() {
    let primary = primary(300, "new");
    let (mut p, replica) = (primary.client(), replica_of(&primary));
    let mut r = replica.client();
    assert_eq!(p.run("CONFIG SET rdb-key-save-delay 10000"), "+OK");
    follow(&mut r, &primary);
    eventually("keys come in", || {
        info(&mut r, "loading_loaded_bytes").parse::<u64>().is_ok_and(|bytes| bytes > 20_000)
    });
    assert_eq!(info(&mut r, "loading"), "1");
    assert_eq!(info(&mut r, "async_loading"), "0");
    assert!(r.run("GET own").starts_with("-LOADING"));
    // The next copy is held back, so that there is time to look.
    assert_eq!(p.run("CONFIG SET repl-diskless-sync-delay 3600"), "+OK");
    assert_eq!(p.run("CLIENT KILL TYPE replica"), "1");
    eventually("it is given up", || info(&mut r, "loading") == "0");
    assert!(replica.log().contains("Internal error in RDB reading offset"), "the log says where it broke off");
    assert_eq!((r.run("GET own"), r.run("DBSIZE"), r.run("FCALL f 0")), ("'here'".into(), "1".into(), "'old'".into()));

    assert_eq!(p.run("CONFIG SET rdb-key-save-delay 0 repl-diskless-sync-delay 0"), "+OK");
    await_copy(&mut r, "300");
    assert_eq!(p.run("DEBUG DIGEST"), r.run("DEBUG DIGEST"));
}

#[test]
fn data_of_the_same_history_can_be_read_while_its_copy_comes_in() {
    let primary = primary(300, "new");
    let (mut p, replica) = (primary.client(), replica_of(&primary));
    let mut r = replica.client();
    follow(&mut r, &primary);
    await_copy(&mut r, "300");
    own_data(&mut r);
    assert_eq!(p.run("CONFIG SET rdb-key-save-delay 10000 repl-backlog-size 16384"), "+OK");
    // More than the backlog keeps goes by while the replica is away.
    p.run("MULTI");
    p.run("CLIENT KILL TYPE replica");
    for i in 0..10 {
        p.run_args(&[b"SET", format!("more{i}").as_bytes(), &[b'x'; 16384]]);
    }
    p.run("EXEC");
    eventually("another copy comes in", || info(&mut r, "async_loading") == "1");
    assert_eq!(info(&mut r, "loading"), "0");
    assert_eq!((r.run("GET own"), r.run("FCALL f 0")), ("'here'".into(), "'old'".into()));
    assert!(r.run("REPLICAOF NO ONE").starts_with("-LOADING"));
    r.run("WATCH own");
    r.run("MULTI");
    r.run("PING");
    await_copy(&mut replica.client(), "310");
    assert_eq!(r.run("EXEC"), "nil*", "the watched key has gone with the old data");
    assert_eq!(p.run("DEBUG DIGEST"), r.run("DEBUG DIGEST"));
}

#[test]
fn an_expiry_counts_after_the_copy_has_taken_its_place() {
    let primary = primary(0, "new");
    let (mut p, replica) = (primary.client(), replica_of(&primary));
    let mut r = replica.client();
    p.run("SELECT 3");
    p.run("SET volatile 1 PX 100000");
    p.run("HSET hash a 1 b 2");
    p.run("HPEXPIRE hash 100000 FIELDS 1 a");
    follow(&mut r, &primary);
    await_copy(&mut r, "0");
    assert_eq!(r.run("REPLICAOF NO ONE"), "+OK");
    r.run("SELECT 3");
    assert_eq!((r.run("PEXPIRE volatile 1"), r.run("HPEXPIRE hash 1 FIELDS 1 a")), ("1".into(), "[1]".into()));
    eventually("both are gone", || r.run("DBSIZE") == "1" && r.run("HKEYS hash") == "['b']");
    assert_eq!(info_field(&r.text("INFO keyspace"), "db3").map(|db| db.starts_with("keys=1,expires=0")), Some(true));
}

#[test]
fn a_replica_may_not_touch_keys_over_its_link() {
    let primary = Server::tls(ALLOWED);
    for command in ["GET foo", "SET foo bar", "PUBLISH c m"] {
        let mut replica = primary.client();
        replica.send("PSYNC ? -1");
        assert!(replica.reply().starts_with("+FULLRESYNC"));
        replica.send(command);
        replica.read_to_close();
        let name = command.split(' ').next().unwrap().to_lowercase();
        let texts = [
            format!("generated a reply to command '{name}', disconnecting it"),
            format!("'-ERR Replica can't interact with the keyspace' after processing the command '{name}'"),
        ];
        eventually("the log says so", || texts.iter().all(|text| primary.log().contains(text)));
    }
    assert_eq!(primary.client().run("EXISTS foo"), "0");
}

#[test]
fn whoever_is_too_slow_for_the_snapshot_is_given_up_before_the_others_have_it() {
    let primary = primary(3000, "new");
    let mut p = primary.client();
    for line in ["CONFIG SET repl-diskless-sync-delay 1", "CONFIG SET repl-timeout 2"] {
        assert_eq!(p.run(line), "+OK");
    }
    let (slow, quick) = (replica_of(&primary), replica_of(&primary));
    let mut replica = quick.client();
    follow(&mut slow.client(), &primary);
    follow(&mut replica, &primary);
    eventually("both wait", || p.text("INFO replication").matches("state=wait_bgsave").count() == 2);
    slow.signal("STOP");
    await_copy(&mut replica, "3000");
    eventually("the snapshot has ended", || info(&mut p, "rdb_bgsave_in_progress") == "0");
    let log = primary.log();
    let at = |text: &str| log.find(text).unwrap_or_else(|| panic!("no '{text}' in {log}"));
    assert!(at("Disconnecting timedout replica (full sync)") < at("done reading from pipe, 1 replicas still up"));
}

#[test]
fn a_snapshot_that_nobody_reads_any_more_ends_with_a_word() {
    let primary = primary(300, "new");
    let mut p = primary.client();
    for delay_us in ["0", "100000"] {
        assert_eq!(p.run(&format!("CONFIG SET rdb-key-save-delay {delay_us}")), "+OK");
        let replica = replica_of(&primary);
        assert_eq!(replica.client().run("CONFIG SET key-load-delay 10000"), "+OK");
        follow(&mut replica.client(), &primary);
        eventually("it comes in", || replica.log().contains("Loading DB in memory"));
        drop(replica);
        eventually("the snapshot has ended", || info(&mut p, "rdb_bgsave_in_progress") == "0");
    }
    let log = primary.log();
    let ended = log.matches("Background transfer error").count();
    assert_eq!(log.matches("last replica dropped, killing fork child").count(), ended, "{log}");
    assert!(ended > 0, "{log}");
}

#[test]
fn files_that_only_replication_needs_go_where_nothing_is_kept_on_disk() {
    for (save, stays) in [("", false), ("900 1", true)] {
        let kept_nothing = ["--save", save, "--rdb-del-sync-files", "yes", "--repl-diskless-sync", "no"];
        let primary = Server::tls(&[ALLOWED, &kept_nothing].concat());
        let ca = primary.file("ca.crt");
        let replica = Server::tls(&[ALLOWED, &kept_nothing, &["--tls-ca-cert-file", &ca]].concat());
        let (mut p, mut r) = (primary.client(), replica.client());
        assert_eq!(p.run("SET k v"), "+OK");
        follow(&mut r, &primary);
        eventually("the link is up", || info(&mut r, "master_link_status") == "up");
        assert_eq!(r.run("GET k"), "'v'");
        for server in [&primary, &replica] {
            eventually("the file has been dealt with", || server.path().join("dump.rdb").exists() == stays);
        }
        // What was asked for stays.
        assert_eq!(p.run("SAVE"), "+OK");
        assert!(primary.path().join("dump.rdb").exists());
    }
}
