//! Primary and replica: ours with ours, and each way with a real Redis 7.0, in both modes.

mod support;

use std::time::Duration;

use support::{ALLOWED, Mode, Server, Site, Wire, eventually, info_field};

fn field(client: &mut Wire, name: &str) -> String {
    let info = client.text("INFO replication");
    info_field(&info, name).unwrap_or_default().to_owned()
}

fn follow(replica: &mut Wire, port: u16) {
    assert!(replica.run(&format!("REPLICAOF 127.0.0.1 {port}")).starts_with("+OK"));
}

fn await_link(replica: &mut Wire) {
    eventually("the link is up", || field(replica, "master_link_status") == "up");
}

/// Waits until the replica has everything.
fn await_offset(primary: &mut Wire, replica: &mut Wire) {
    eventually("the replica has caught up", || {
        field(primary, "master_repl_offset") == field(replica, "slave_repl_offset")
    });
}

fn fill(client: &mut Wire, from: usize, to: usize) {
    for i in from..to {
        client.send(&format!("SET key{i} {i}"));
        client.send(&format!("RPUSH list {i}"));
        client.send(&format!("SADD set member{i}"));
    }
    for _ in 0..3 * (to - from) {
        client.reply();
    }
}

fn log_count(server: &Server, text: &str) -> usize {
    server.log().matches(text).count()
}

#[test]
fn a_real_redis_follows_ours() {
    let site = Site::new();
    for mode in [Mode::Tls, Mode::Plain] {
        for diskless in ["yes", "no"] {
            let primary = site.ours(mode, &["--repl-diskless-sync", diskless]);
            let mut client = primary.client();
            fill(&mut client, 0, 500);
            let replica = site.redis(mode, &["--replicaof", "127.0.0.1", &primary.port().to_string()]);
            eventually("the link is up", || replica.cli(&["INFO", "replication"]).contains("master_link_status:up"));
            fill(&mut client, 500, 600);
            client.run("MULTI");
            client.run("INCR counter");
            client.run("SPOP set");
            client.run("EXEC");
            client.run("SELECT 3");
            client.run("SET other x EX 1000");
            assert_eq!(client.run("WAIT 1 10000"), "1");
            assert_eq!(client.run("DEBUG DIGEST"), format!("+{}", replica.cli(&["DEBUG", "DIGEST"])));
        }
    }
}

#[test]
fn ours_follows_a_real_redis() {
    let site = Site::new();
    for mode in [Mode::Tls, Mode::Plain] {
        for diskless in ["yes", "no"] {
            let primary = site.redis(mode, &["--repl-diskless-sync", diskless]);
            for command in ["SET a 1", "RPUSH l a b c", "XADD s 1-1 f v", "ZADD z 1 m", "HSET h f v"] {
                primary.cli(&command.split(' ').collect::<Vec<_>>());
            }
            let replica = site.ours(mode, &["--replicaof", "127.0.0.1", &primary.port.to_string()]);
            let mut client = replica.client();
            await_link(&mut client);
            primary.cli(&["EVAL", "redis.call('set', 'x', 1); return redis.call('incr', 'x')", "0"]);
            primary.cli(&["-n", "5", "SET", "volatile", "v", "PX", "1"]);
            primary.cli(&["-n", "5", "GET", "volatile"]);
            assert_eq!(primary.cli(&["SET", "b", "2"]), "OK");
            eventually("the replica has it", || client.run("GET b") == "'2'");
            assert_eq!(client.run("DEBUG DIGEST"), format!("+{}", primary.cli(&["DEBUG", "DIGEST"])));
            assert_eq!(client.run("SET a 2"), "-READONLY You can't write against a read only replica.");
        }
    }
}

#[test]
fn a_replica_goes_on_after_a_cut_and_feeds_others() {
    let site = Site::new();
    let primary = site.ours(Mode::Tls, &[]);
    let (middle, last) = (site.ours(Mode::Tls, &[]), site.ours(Mode::Tls, &[]));
    let (mut p, mut m, mut l) = (primary.client(), middle.client(), last.client());
    fill(&mut p, 0, 100);
    follow(&mut m, primary.port());
    await_link(&mut m);
    follow(&mut l, middle.port());
    await_link(&mut l);
    fill(&mut p, 100, 200);
    for round in 0..3 {
        p.run("CLIENT KILL TYPE replica");
        fill(&mut p, 200 + round * 50, 250 + round * 50);
        await_link(&mut m);
    }
    await_offset(&mut p, &mut m);
    await_offset(&mut m, &mut l);
    let digest = p.run("DEBUG DIGEST");
    assert_eq!((m.run("DEBUG DIGEST"), l.run("DEBUG DIGEST")), (digest.clone(), digest));
    assert_eq!(log_count(&middle, "Full resync from master"), 1, "the cuts cost no second copy");
    assert_eq!(log_count(&last, "Full resync from master"), 1);
    assert_eq!(field(&mut p, "master_replid"), field(&mut l, "master_replid"));
}

#[test]
fn after_a_promotion_the_others_go_on_with_the_new_primary() {
    let site = Site::new();
    let [first, second, third] = [0; 3].map(|_| site.ours(Mode::Tls, &[]));
    let (mut a, mut b, mut c) = (first.client(), second.client(), third.client());
    fill(&mut a, 0, 50);
    for replica in [&mut b, &mut c] {
        follow(replica, first.port());
        await_link(replica);
    }
    fill(&mut a, 50, 100);
    await_offset(&mut a, &mut b);
    await_offset(&mut a, &mut c);
    assert_eq!(b.run("REPLICAOF NO ONE"), "+OK");
    fill(&mut b, 100, 150);
    follow(&mut c, second.port());
    follow(&mut a, second.port());
    for replica in [&mut c, &mut a] {
        await_link(replica);
        await_offset(&mut b, replica);
    }
    let digest = b.run("DEBUG DIGEST");
    assert_eq!((a.run("DEBUG DIGEST"), c.run("DEBUG DIGEST")), (digest.clone(), digest));
    assert_eq!(log_count(&third, "Full resync from master"), 1, "the second id makes a partial one possible");
    assert_eq!(log_count(&first, "Full resync from master"), 0);
    assert!(first.log().contains("Successful partial resynchronization"));
}

#[test]
fn failover_hands_the_role_over() {
    let site = Site::new();
    let (first, second) = (site.ours(Mode::Tls, &[]), site.ours(Mode::Tls, &[]));
    let (mut a, mut b) = (first.client(), second.client());
    assert_eq!(a.run("FAILOVER"), "-ERR FAILOVER requires connected replicas.");
    follow(&mut b, first.port());
    await_link(&mut b);
    fill(&mut a, 0, 50);
    assert_eq!(a.run(&format!("FAILOVER TO 127.0.0.1 {} TIMEOUT 15000", second.port())), "+OK");
    eventually("the roles are exchanged", || field(&mut a, "role") == "slave" && field(&mut b, "role") == "master");
    await_link(&mut a);
    assert_eq!(field(&mut a, "master_failover_state"), "no-failover");
    assert_eq!(b.run("SET after failover"), "+OK");
    await_offset(&mut b, &mut a);
    assert_eq!(a.run("DEBUG DIGEST"), b.run("DEBUG DIGEST"));
    assert_eq!(log_count(&first, "Full resync from master"), 0);
}

#[test]
fn who_lets_paused_clients_go_on_lets_no_write_into_a_failover() {
    let site = Site::new();
    let (first, second) = (site.ours(Mode::Tls, &[]), site.ours(Mode::Tls, &[]));
    let (mut a, mut b) = (first.client(), second.client());
    follow(&mut b, first.port());
    await_link(&mut b);
    assert_eq!(a.run("SET key 1"), "+OK");
    assert_eq!(a.run("WAIT 1 10000"), "1");
    // Nothing that is written from now on is confirmed.
    second.signal("STOP");
    eventually("the replica is behind", || a.run("SET key 2") == "+OK" && a.run("WAIT 1 100") == "0");
    assert_eq!(a.run(&format!("FAILOVER TO 127.0.0.1 {} TIMEOUT 60000", second.port())), "+OK");
    assert_eq!(a.run("CLIENT PAUSE 60000 WRITE"), "+OK");
    assert_eq!(a.run("CLIENT UNPAUSE"), "+OK");
    let mut writer = first.client();
    writer.send("SET key 3");
    assert!(writer.is_silent_for(Duration::from_millis(200)));
    assert_eq!(a.run("GET key"), "'2'");
    assert_eq!(field(&mut a, "master_failover_state"), "waiting-for-sync");
    assert_eq!(a.run("CLIENT PAUSE 60000 WRITE"), "+OK");
    assert_eq!(a.run("FAILOVER ABORT"), "+OK");
    assert!(writer.is_silent_for(Duration::from_millis(200)));
    assert_eq!(a.run("CLIENT UNPAUSE"), "+OK");
    assert_eq!(writer.reply(), "+OK");
    second.signal("CONT");
}

#[test]
fn a_replica_keeps_what_its_primary_has_whatever_its_own_limit() {
    let site = Site::new();
    let (primary, replica) = (site.ours(Mode::Tls, &[]), site.ours(Mode::Tls, &[]));
    let (mut p, mut r) = (primary.client(), replica.client());
    follow(&mut r, primary.port());
    await_link(&mut r);
    fill(&mut p, 0, 50);
    assert_eq!(p.run("WAIT 1 10000"), "1");
    let digest = p.run("DEBUG DIGEST");
    let evicted = |client: &mut Wire| info_field(&client.text("INFO stats"), "evicted_keys").unwrap().to_owned();
    assert_eq!(r.run("CONFIG SET maxmemory 1 maxmemory-policy allkeys-lru"), "+OK");
    // What is done in the background has its turn several times a second.
    let uptime = |client: &mut Wire| -> u64 {
        info_field(&client.text("INFO server"), "uptime_in_seconds").unwrap().parse().unwrap()
    };
    let start = uptime(&mut r);
    eventually("time passes", || uptime(&mut r) > start + 1);
    assert_eq!((r.run("DEBUG DIGEST"), evicted(&mut r)), (digest, "0".to_owned()));
    assert_eq!(r.run("CONFIG SET replica-ignore-maxmemory no"), "+OK");
    eventually("the replica decides itself", || r.run("DBSIZE") == "0");
}

#[test]
fn a_shorter_patience_holds_for_the_link_that_is_there() {
    let site = Site::new();
    let (primary, replica) = (site.ours(Mode::Tls, &[]), site.ours(Mode::Tls, &[]));
    let mut r = replica.client();
    follow(&mut r, primary.port());
    await_link(&mut r);
    primary.signal("STOP");
    assert_eq!(r.run("CONFIG SET repl-timeout 1"), "+OK");
    eventually("the link is given up", || field(&mut r, "master_link_status") == "down");
    assert_eq!(log_count(&replica, "MASTER timeout: no data nor PING received..."), 1);
    primary.signal("CONT");
    await_link(&mut r);
}

#[test]
fn a_history_that_is_changed_is_nobody_elses() {
    let site = Site::new();
    let (primary, replica) = (site.ours(Mode::Tls, &[]), site.ours(Mode::Tls, &[]));
    let (mut p, mut r) = (primary.client(), replica.client());
    follow(&mut r, primary.port());
    await_link(&mut r);
    let before = field(&mut p, "master_replid");
    assert_eq!(p.run("DEBUG CHANGE-REPL-ID"), "+OK");
    assert_ne!(field(&mut p, "master_replid"), before);
    assert_eq!(field(&mut p, "second_repl_offset"), "-1");
    assert_eq!(p.run("CLIENT KILL TYPE replica"), "1");
    eventually("everything is sent anew", || info_field(&p.text("INFO stats"), "sync_full") == Some("2"));
    await_link(&mut r);
    assert_eq!(field(&mut p, "master_replid"), field(&mut r, "master_replid"));
}

#[test]
fn a_replica_whose_disk_takes_nothing_ends_unless_it_is_to_go_on() {
    let site = Site::new();
    let primary = site.ours(Mode::Tls, &[]);
    let mut p = primary.client();
    let mut replica = site.ours(Mode::Tls, &["--save", "900 1", "--replica-ignore-disk-write-errors", "yes"]);
    let mut r = replica.client();
    follow(&mut r, primary.port());
    await_link(&mut r);
    let gone = replica.file("gone");
    std::fs::create_dir(&gone).unwrap();
    assert_eq!(r.run(&format!("CONFIG SET dir {gone}")), "+OK");
    std::fs::remove_dir(&gone).unwrap();
    assert_eq!(r.run("BGSAVE"), "+Background saving started");
    eventually("the save fails", || r.run("INFO persistence").contains("rdb_last_bgsave_status:err"));
    assert_eq!(p.run("SET key 1"), "+OK");
    assert_eq!(p.run("WAIT 1 10000"), "1");
    assert_eq!(r.run("GET key"), "'1'");
    assert_eq!(log_count(&replica, "applying a command even though it is unable to write to disk"), 1);
    assert_eq!(r.run("CONFIG SET replica-ignore-disk-write-errors no"), "+OK");
    assert_eq!(p.run("SET key 2"), "+OK");
    assert_eq!(replica.wait(), None);
    assert_eq!(log_count(&replica, "Replica was unable to write command to disk."), 1);
}

#[test]
fn what_a_replica_refuses_and_what_too_few_replicas_do() {
    let site = Site::new();
    let (primary, replica) = (site.ours(Mode::Tls, &[]), site.ours(Mode::Tls, &[]));
    let (mut p, mut r) = (primary.client(), replica.client());
    assert_eq!(p.run("WAIT 0 0"), "0");
    assert_eq!(p.run("WAIT 1 50"), "0");
    assert_eq!(p.run("WAITAOF 1 0 0"), "-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");
    p.run("CONFIG SET min-replicas-to-write 1");
    assert_eq!(p.run("SET a 1"), "-NOREPLICAS Not enough good replicas to write.");
    assert_eq!(p.run("EVAL \"return redis.call('get', 'a')\" 0"), "nil");
    follow(&mut r, primary.port());
    await_link(&mut r);
    eventually("the replica counts", || p.run("SET a 1") == "+OK");
    assert_eq!(p.run("WAIT 1 10000"), "1");
    assert_eq!(r.run("GET a"), "'1'");
    assert!(r.run("WAIT 1 0").starts_with("-ERR WAIT cannot be used with replica instances."));
    for command in ["SET a 2", "DEL a", "EVAL \"#!lua\nreturn redis.call('set', 'a', 2)\" 0"] {
        assert_eq!(r.run(command), "-READONLY You can't write against a read only replica.");
    }
    assert_eq!(r.run("ROLE").split(' ').nth(3), Some("'connected'"));
    r.run("CONFIG SET replica-serve-stale-data no");
    drop(primary);
    eventually("the data is stale", || r.run("GET a").starts_with("-MASTERDOWN"));
    assert!(r.run("INFO replication").contains("master_link_status:down"));
    r.run("CONFIG SET replica-serve-stale-data yes");
    assert_eq!(r.run("GET a"), "'1'");
    assert_eq!(r.run("REPLICAOF NO ONE"), "+OK");
    assert_eq!(r.run("SET a 3"), "+OK");
}

#[test]
fn after_a_restart_a_replica_goes_on_where_its_snapshot_ends() {
    let site = Site::new();
    let primary = site.ours(Mode::Tls, &[]);
    let mut p = primary.client();
    let folder = site.folder();
    let port = primary.port().to_string();
    let args = [ALLOWED, &["--replicaof", "127.0.0.1", &port]].concat();
    let mut replica = Server::start_in(&folder, Mode::Tls, &args);
    await_link(&mut replica.client());
    fill(&mut p, 0, 50);
    assert_eq!(p.run("WAIT 1 10000"), "1");
    replica.client().send("SHUTDOWN SAVE");
    replica.wait();
    fill(&mut p, 50, 100);
    let replica = Server::start_in(&folder, Mode::Tls, &args);
    let mut r = replica.client();
    await_link(&mut r);
    await_offset(&mut p, &mut r);
    assert_eq!(p.run("DEBUG DIGEST"), r.run("DEBUG DIGEST"));
    assert_eq!(log_count(&replica, "Full resync from master"), 0);
}

#[test]
fn a_replica_of_an_encrypted_group_never_falls_back() {
    let site = Site::new();
    let plain = site.ours(Mode::Plain, &[]);
    let stranger = Server::tls(ALLOWED);
    plain.client().run("SET secret 1");
    let replica = site.ours(Mode::Tls, &[]);
    let mut r = replica.client();
    for port in [plain.port(), stranger.port()] {
        follow(&mut r, port);
        eventually("the attempt fails", || {
            log_count(&replica, &format!("TLS with the primary 127.0.0.1:{port} failed")) > 1
        });
        let asked = log_count(
            &replica,
            &format!(
                "TLS with the primary 127.0.0.1:{port} failed: received fatal alert: HandshakeFailure; does that port speak TLS?"
            ),
        );
        assert_eq!(asked > 0, port == plain.port(), "{}", replica.log());
        assert_eq!((field(&mut r, "master_link_status").as_str(), r.run("DBSIZE").as_str()), ("down", "0"));
    }
}

/// Reads the stream behind a SYNC as lines of words.
fn stream(server: &Server) -> Wire {
    let mut wire = server.client();
    wire.send_raw(b"SYNC\r\n");
    wire.skip_snapshot();
    wire
}

#[test]
fn the_stream_has_what_took_effect_together_as_one() {
    let site = Site::new();
    let primary = site.ours(Mode::Tls, &["--repl-ping-replica-period", "3600"]);
    let mut client = primary.client();
    client.run("DEBUG SET-ACTIVE-EXPIRE 0");
    let mut stream = stream(&primary);
    client.run("SET a 1 PX 1");
    client.run("MULTI");
    client.run("INCR n");
    client.run("SELECT 2");
    client.run("INCR m");
    client.run("EXEC");
    client.run("SELECT 0");
    client.run("MULTI");
    client.run("GET n");
    client.run("EXEC");
    eventually("the key expires", || client.run("PTTL a") != "1");
    client.run("SET a 2");
    client.run("EVAL \"redis.call('set', 'x', 1) redis.call('incr', 'x')\" 0");
    client.run("SPOP none");
    client.run("SADD s a");
    client.run("SPOP s");
    let mut seen = Vec::new();
    while seen.last().is_none_or(|last: &String| !last.contains("'s'") || last.contains("SADD")) {
        seen.push(stream.reply());
    }
    let set = seen[1].clone();
    assert!(set.starts_with("['SET' 'a' '1' 'PXAT'"), "{set}");
    seen.remove(1);
    let expected = "['SELECT' '0']|['MULTI']|['INCR' 'n']|['SELECT' '2']|['INCR' 'm']|['EXEC']|['SELECT' '0']|['DEL' 'a']|\
                    ['SET' 'a' '2']|['MULTI']|['set' 'x' '1']|['incr' 'x']|['EXEC']|['SADD' 's' 'a']|['SREM' 's' 'a']";
    // A look at an expired key removes it before the write, or the write finds it expired and both are one.
    let seen = seen.join("|").replace("['MULTI']|['DEL' 'a']|['SET' 'a' '2']|['EXEC']", "['DEL' 'a']|['SET' 'a' '2']");
    assert!(seen.starts_with(&expected[..expected.len() - 20]), "{seen}");
}

#[test]
fn a_command_of_the_stream_that_fails_ends_a_replica_that_is_to_stop_then() {
    let site = Site::new();
    let primary = site.ours(Mode::Tls, &[]);
    let mut p = primary.client();
    for (behavior, read_only, stops) in [("panic", "yes", true), ("panic", "no", false), ("ignore", "yes", false)] {
        let args = ["--propagation-error-behavior", behavior, "--replica-read-only", read_only];
        let mut replica = site.ours(Mode::Tls, &args);
        let mut r = replica.client();
        follow(&mut r, primary.port());
        await_link(&mut r);
        assert_eq!(p.run("DEBUG REPLICATE fake-command"), "+OK");
        eventually("the log says so", || log_count(&replica, "after processing the command 'fake-command'") > 0);
        if stops {
            assert_eq!(replica.wait(), None, "ended by a signal");
        } else {
            p.run("INCR n");
            await_offset(&mut p, &mut r);
            assert_eq!(field(&mut r, "master_link_status"), "up");
        }
    }
}

#[test]
fn the_traffic_of_the_link_is_counted_apart() {
    let site = Site::new();
    let (primary, replica) = (site.ours(Mode::Tls, &[]), site.ours(Mode::Tls, &[]));
    let (mut p, mut r) = (primary.client(), replica.client());
    let value = "x".repeat(10_000);
    let figure = |client: &mut Wire, name: &str| -> u64 {
        let info = client.text("INFO stats");
        info_field(&info, name).and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{name}: {info}"))
    };
    p.run(&format!("SET before {value}"));
    follow(&mut r, primary.port());
    await_link(&mut r);
    p.run(&format!("SET after {value}"));
    await_offset(&mut p, &mut r);
    let read = figure(&mut r, "total_net_repl_input_bytes");
    // The first value comes compressed, the second as it is.
    assert!((10_000..12_000).contains(&read), "{read} bytes came in");
    let sent = figure(&mut p, "total_net_repl_output_bytes");
    assert!((10_000..12_000).contains(&sent), "{sent} bytes went out");
    assert!(figure(&mut p, "total_net_output_bytes") < 10_000, "what goes to replicas is no reply");
    r.run("CONFIG RESETSTAT");
    assert!(figure(&mut r, "total_net_repl_input_bytes") < 1_000);
}
