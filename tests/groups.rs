//! Groups on the replication link: who may follow whom, what both sides say to a stranger, and what a folder remembers.

mod support;

use support::server::run;
use support::{ALLOWED, Mode, Server, Site, Wire, eventually, info_field};

const FIRST: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const SECOND: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn field(client: &mut Wire, name: &str) -> String {
    let info = client.text("INFO replication");
    info_field(&info, name).unwrap_or_default().to_owned()
}

fn group(client: &mut Wire) -> (String, bool) {
    (field(client, "group_id"), field(client, "group_fixed") == "1")
}

fn follow(replica: &mut Wire, port: u16) {
    assert!(replica.run(&format!("REPLICAOF 127.0.0.1 {port}")).starts_with("+OK"));
}

fn await_link(replica: &mut Wire) {
    eventually("the link is up", || field(replica, "master_link_status") == "up");
}

#[test]
fn a_member_of_another_group_is_refused_on_both_sides() {
    let site = Site::new();
    for mode in [Mode::Tls, Mode::Plain] {
        let (primary, replica) = (site.ours(mode, &["--group-id", FIRST]), site.ours(mode, &["--group-id", SECOND]));
        let (mut p, mut r) = (primary.client(), replica.client());
        assert_eq!(group(&mut p), (FIRST.to_owned(), true));
        r.run("SET mine 1");
        follow(&mut r, primary.port());
        eventually("the replica is refused", || field(&mut r, "master_link_refused").contains(FIRST));
        let sentence = field(&mut r, "master_link_refused");
        assert!(sentence.contains(SECOND) && sentence.contains("empty data folder"), "{sentence}");
        assert_ne!(field(&mut p, "group_refused_replicas"), "0");
        assert!(primary.log().contains("is refused as a replica: the primary belongs to group"), "{}", primary.log());
        assert!(replica.log().contains("The primary cannot be followed: the primary belongs to group"));
        assert_eq!((r.run("GET mine"), field(&mut r, "master_link_status")), ("'1'".into(), "down".into()));
        // Whoever asks all the same is refused, too.
        let mut stranger = primary.client();
        let told = stranger.run(&format!("REPLCONF group-id {SECOND} group-fixed yes"));
        assert!(told.starts_with("-GROUP "), "{told}");
        assert!(stranger.run("PSYNC ? -1").starts_with("-GROUP "));
        let other_mode = if mode == Mode::Tls { "off" } else { "on" };
        let told = stranger.run(&format!("REPLCONF group-id {FIRST} transit-encryption {other_mode}"));
        assert!(told.starts_with("-GROUP ") && told.contains("same mode"), "{told}");
        // A primary of its own group, or none, and it is forgotten.
        assert_eq!(r.run("REPLICAOF NO ONE"), "+OK");
        assert_eq!((field(&mut r, "master_link_refused"), group(&mut r)), (String::new(), (SECOND.to_owned(), true)));
    }
}

#[test]
fn a_fresh_node_joins_and_is_held_to_the_group_from_then_on() {
    let site = Site::new();
    let (primary, open) = (site.ours(Mode::Tls, &["--group-id", FIRST]), site.ours(Mode::Tls, &[]));
    let folder = site.folder();
    let mut node = Server::start_in(&folder, Mode::Tls, ALLOWED);
    let mut n = node.client();
    let (own, fixed) = group(&mut n);
    assert!(!fixed && own.len() == 32);
    follow(&mut n, primary.port());
    await_link(&mut n);
    eventually("it has joined", || group(&mut n) == (FIRST.to_owned(), true));
    assert_eq!(n.run("REPLICAOF NO ONE"), "+OK");
    n.send("SHUTDOWN NOSAVE");
    node.wait();
    let node = Server::start_in(&folder, Mode::Tls, ALLOWED);
    let mut n = node.client();
    assert_eq!(group(&mut n), (FIRST.to_owned(), true), "the folder remembers");
    follow(&mut n, open.port());
    eventually("it follows no stranger", || !field(&mut n, "master_link_refused").is_empty());
    follow(&mut n, primary.port());
    await_link(&mut n);
    assert_eq!(field(&mut n, "master_link_refused"), "");
    drop((n, node));
    let port = support::free_port().to_string();
    let tls = support::server::tls_arguments(&folder);
    let mut args = vec!["--port", "0", "--tls-port", &port, "--group-id", SECOND];
    args.extend(tls.iter().map(String::as_str));
    let output = run(&folder, &args);
    let said = support::server::text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(FIRST) && said.contains("group-id is bbbb"), "{said}");
}

#[test]
fn nodes_that_nobody_has_held_to_a_group_follow_each_other_freely() {
    let site = Site::new();
    let nodes = [0; 3].map(|_| site.ours(Mode::Tls, &[]));
    let mut clients = nodes.each_ref().map(Server::client);
    assert_ne!(group(&mut clients[0]), group(&mut clients[1]));
    for (replica, primary) in [(1, 0), (2, 1), (0, 2)] {
        assert_eq!(clients[primary].run("REPLICAOF NO ONE"), "+OK");
        follow(&mut clients[replica], nodes[primary].port());
        await_link(&mut clients[replica]);
        let expected = group(&mut clients[primary]);
        eventually("the id is taken over", || group(&mut clients[replica]) == expected);
    }
    // The parameter can come later, and once.
    let id = FIRST.to_uppercase();
    assert_eq!(clients[2].run(&format!("CONFIG SET group-id {id}")), "+OK");
    assert_eq!(group(&mut clients[2]), (FIRST.to_owned(), true));
    let refused = clients[2].run(&format!("CONFIG SET group-id {SECOND}"));
    assert!(refused.starts_with("-ERR") && refused.contains("held to group"), "{refused}");
    assert!(clients[2].run("CONFIG SET group-id short").starts_with("-ERR"));
    clients[2].run("CLIENT KILL TYPE replica");
    eventually("its replica is held to it, too", || group(&mut clients[0]) == (FIRST.to_owned(), true));
}

#[test]
fn a_real_redis_is_believed_for_its_certificate() {
    let site = Site::new();
    let primary = site.ours(Mode::Tls, &["--group-id", FIRST]);
    let port = primary.port().to_string();
    let redis = site.redis(Mode::Tls, &["--replicaof", "127.0.0.1", &port]);
    eventually("the link is up", || redis.cli(&["INFO", "replication"]).contains("master_link_status:up"));
    let other = site.ours(Mode::Tls, &["--group-id", SECOND]);
    let mut client = other.client();
    follow(&mut client, redis.port);
    await_link(&mut client);
    assert_eq!(group(&mut client), (SECOND.to_owned(), true));
}
