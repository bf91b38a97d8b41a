//! `maxmemory` and what is counted against it: exact to the bytes of one key, and without what grows because keys are removed.

mod support;

use std::time::Duration;

use support::{Server, Wire, eventually, info_field};

fn figure(client: &mut Wire, section: &str, name: &str) -> i64 {
    let info = client.text(&format!("INFO {section}"));
    info_field(&info, name).and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{name}: {info}"))
}

fn used(client: &mut Wire) -> i64 {
    figure(client, "memory", "used_memory")
}

#[test]
fn each_key_is_seen_in_used_memory() {
    let server = Server::tls(&["--save", ""]);
    let mut client = server.client();
    client.run("SET warm up");
    used(&mut client);
    for number in 0..20 {
        let before = used(&mut client);
        client.run_args(&[b"SET", format!("key:{number}").as_bytes(), &[b'x'; 3_000]]);
        let grown = used(&mut client) - before;
        assert!((2_000..6_000).contains(&grown), "a key of 3,000 bytes took {grown}");
    }
}

#[test]
fn the_limit_is_kept_to_within_a_few_keys() {
    let server = Server::tls(&["--save", ""]);
    let mut client = server.client();
    for policy in [
        "allkeys-random",
        "allkeys-lru",
        "allkeys-lfu",
        "volatile-lru",
        "volatile-lfu",
        "volatile-random",
        "volatile-ttl",
    ] {
        client.run("CONFIG SET maxmemory 0");
        client.run("FLUSHALL");
        let limit = used(&mut client) + 400 * 1024;
        client.run(&format!("CONFIG SET maxmemory {limit} maxmemory-policy {policy}"));
        for number in 0..8_000 {
            assert_eq!(client.run(&format!("SETEX {policy}:{number} 10000 x")), "+OK");
        }
        let used = used(&mut client);
        assert!(used < limit + 4_096, "{policy}: {used} used, {limit} allowed");
        assert!((1_000..7_900).contains(&client.int("DBSIZE")), "{policy}");
    }
}

#[test]
fn nothing_is_evicted_while_writes_are_held_back() {
    let server = Server::tls(&["--save", ""]);
    let mut client = server.client();
    (0..50).for_each(|number| assert_eq!(client.run(&format!("SET key:{number} x")), "+OK"));
    assert_eq!(client.run("CLIENT PAUSE 100000 WRITE"), "+OK");
    assert_eq!(client.run("CONFIG SET maxmemory 1 maxmemory-policy allkeys-lru"), "+OK");
    for _ in 0..100 {
        assert_eq!(client.run("GET key:1"), "'x'");
    }
    assert_eq!(client.run("DBSIZE"), "50");
    assert_eq!(client.run("CLIENT UNPAUSE"), "+OK");
    eventually("eviction goes on", || client.run("DBSIZE") == "0");
}

#[test]
fn over_the_limit_nothing_is_queued() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    assert_eq!(client.run("MULTI"), "+OK");
    assert_eq!(client.run("GET k"), "+QUEUED");
    server.client().run("CONFIG SET maxmemory 1");
    assert!(client.run("GET k").starts_with("-OOM command not allowed"));
    assert!(client.run("EXEC").starts_with("-EXECABORT"));
    assert_eq!(client.run("MULTI"), "+OK");
    assert_eq!(client.run("DISCARD"), "+OK");
    assert_eq!(client.run("GET k"), "nil");
}

#[test]
fn a_replica_that_does_not_read_costs_no_keys() {
    let settings = ["--save", "", "--client-output-buffer-limit", "replica 100mb 100mb 300"];
    let server =
        Server::tls(&[&settings[..], &["--repl-backlog-size", "16kb", "--slowlog-log-slower-than", "-1"]].concat());
    let mut client = server.client();
    for number in 0..50 {
        client.run(&format!("SETRANGE key:{number} 10000 x"));
    }
    let mut replica = server.client();
    replica.send_raw(b"SYNC\r\n");
    replica.skip_snapshot();
    let counted = used(&mut client) - figure(&mut client, "memory", "mem_not_counted_for_evict");
    client.run(&format!("CONFIG SET maxmemory-policy allkeys-random maxmemory {}", counted + 64 * 1024));
    let value = vec![b'A'; 5_000];
    for _ in 0..3_000 {
        client.run_args(&[b"SETRANGE", b"key:0", b"0", &value]);
    }
    assert!(figure(&mut client, "memory", "mem_clients_slaves") > 2 << 20, "most of it waits here");
    assert_eq!((client.int("DBSIZE"), figure(&mut client, "stats", "evicted_keys")), (50, 0));
    let grown = used(&mut client) - figure(&mut client, "memory", "mem_not_counted_for_evict") - counted;
    assert!(grown.abs() < 64 * 1024, "what is counted has grown by {grown}");
    client.run("CLIENT KILL TYPE replica");
    support::eventually("what waited is gone", || figure(&mut client, "memory", "mem_clients_slaves") == 0);
}

#[test]
fn messages_about_removed_keys_cost_no_further_keys() {
    let server =
        Server::tls(&["--save", "", "--maxmemory-policy", "allkeys-lru", "--maxmemory-eviction-tenacity", "100"]);
    let mut client = server.client();
    let mut listeners: Vec<Wire> = (0..10).map(|_| server.client3()).collect();
    for listener in &mut listeners {
        assert_eq!(listener.run("CLIENT TRACKING on"), "+OK");
    }
    for number in 0..300 {
        let key = format!("{number}{}", "x".repeat(1_000));
        client.run(&format!("SET {key} x"));
        for listener in &mut listeners {
            listener.run(&format!("GET {key}"));
        }
    }
    let limit = used(&mut client) - 40_000;
    client.run(&format!("CONFIG SET maxmemory {limit}"));
    support::eventually("some keys are evicted", || figure(&mut client, "stats", "evicted_keys") >= 10);
    let evicted = figure(&mut client, "stats", "evicted_keys");
    assert!(evicted <= 100, "{evicted} keys went for what 40 take");
    for listener in &mut listeners {
        assert!(!listener.is_silent_for(Duration::from_secs(5)), "it is told");
    }
}

#[test]
fn small_integers_have_an_age_of_their_own_where_that_decides() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    client.run("SET n 1");
    for (memory, policy, shared) in [
        ("0", "allkeys-lru", true),
        ("1gb", "allkeys-random", true),
        ("1gb", "volatile-ttl", true),
        ("1gb", "allkeys-lru", false),
        ("1gb", "volatile-lfu", false),
    ] {
        client.run(&format!("CONFIG SET maxmemory {memory} maxmemory-policy {policy}"));
        assert_eq!(client.int("OBJECT REFCOUNT n") > 1, shared, "{memory} {policy}");
    }
}

#[test]
fn the_allocator_answers_and_flushes() {
    let server = Server::tls(&["--enable-debug-command", "yes"]);
    let mut client = server.client();
    assert_eq!(client.int("DEBUG MALLCTL arenas.page") % 4096, 0);
    assert_eq!(client.run("DEBUG MALLCTL-STR thread.tcache.flush VOID"), "+OK");
    assert!(client.run("DEBUG MALLCTL no.such.figure").starts_with("-ERR "));
    assert!(client.run("DEBUG MALLCTL-STR arena.0.destroy VOID").starts_with("-ERR "));
    assert_eq!(client.run("MEMORY PURGE"), "+OK");
    assert!(client.text("MEMORY MALLOC-STATS").starts_with("jemalloc "));
}

#[test]
fn the_time_above_the_limit_is_told() {
    let server = Server::tls(&["--save", ""]);
    let mut client = server.client();
    client.run("SET key value");
    assert_eq!(figure(&mut client, "stats", "current_eviction_exceeded_time"), 0);
    client.run("CONFIG SET maxmemory 1 maxmemory-policy noeviction");
    support::eventually("the time is counted", || figure(&mut client, "stats", "current_eviction_exceeded_time") > 0);
    client.run("CONFIG SET maxmemory 0");
    support::eventually("the time has ended", || figure(&mut client, "stats", "current_eviction_exceeded_time") == 0);
    let total = figure(&mut client, "stats", "total_eviction_exceeded_time");
    assert!(total > 0, "and {total} ms are kept");
}
