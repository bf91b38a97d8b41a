//! Keyspace notifications: which events a command tells, on which channels, in which order.

mod support;

use support::{Server, eventually, wire::Wire};

/// The events that come before the end mark, as `channel message`, without their common beginning.
fn events(listener: &mut Wire, marker: &mut Wire) -> Vec<String> {
    marker.run("PUBLISH end x");
    let mut events = Vec::new();
    loop {
        let message = listener.reply();
        let parts: Vec<&str> = message.trim_matches(['[', ']']).split('\'').skip(5).step_by(2).collect();
        if parts[0] == "end" {
            return events;
        }
        events.push(format!("{} {}", parts[0].trim_start_matches("__key"), parts[1]));
    }
}

#[test]
fn commands_tell_their_events_in_order() {
    let server = Server::tls(&["--notify-keyspace-events", "EAmn"]);
    let (mut client, mut listener, mut marker) = (server.client(), server.client(), server.client());
    listener.run("PSUBSCRIBE *");
    let table: &[(&str, &[&str])] = &[
        ("SET k 1", &["new k", "set k"]),
        ("SET k 2", &["set k"]),
        ("GET missing", &["keymiss missing"]),
        ("HSCAN missing 0", &["keymiss missing"]),
        ("COPY missing other", &["keymiss missing"]),
        ("EXPIRE k 100", &["expire k"]),
        ("DEL k", &["del k"]),
        ("DEL k", &[]),
        ("MSET a 1 b 2", &["new a", "set a", "new b", "set b"]),
        ("RPUSH l 1 2", &["new l", "rpush l"]),
        ("LMOVE l m LEFT RIGHT", &["new m", "rpush m", "lpop l"]),
        ("RPOPLPUSH l m", &["lpush m", "rpop l", "del l"]),
        ("HSET h f 1", &["new h", "hset h"]),
        ("HDEL h f", &["hdel h", "del h"]),
        ("ZADD z 1 a", &["new z", "zadd z"]),
        ("SADD s a", &["new s", "sadd s"]),
        ("SPOP s", &["spop s", "del s"]),
        ("RENAME a c", &["new c", "rename_from a", "rename_to c"]),
    ];
    for (command, expected) in table {
        client.run(command);
        let told = events(&mut listener, &mut marker);
        let told: Vec<&str> = told.iter().filter_map(|event| event.strip_prefix("event@0__:")).collect();
        assert_eq!(told, *expected, "{command}");
    }
}

#[test]
fn classes_and_channels_are_those_asked_for() {
    let server = Server::tls(&[]);
    let (mut client, mut listener, mut marker) = (server.client(), server.client(), server.client());
    listener.run("PSUBSCRIBE *");
    for (classes, expected) in [
        ("", vec![]),
        ("K", vec![]),
        ("A", vec![]),
        ("K$", vec!["space@3__:k set"]),
        ("El", vec![]),
        ("KEg$", vec!["space@3__:k set", "event@3__:set k"]),
    ] {
        client.run(&format!("CONFIG SET notify-keyspace-events \"{classes}\""));
        client.run("SELECT 3");
        client.run("SET k v");
        assert_eq!(events(&mut listener, &mut marker), expected, "{classes}");
    }
}

#[test]
fn what_the_server_removes_is_told_too() {
    let server = Server::tls(&["--notify-keyspace-events", "Exe", "--maxmemory-policy", "allkeys-lru"]);
    let (mut client, mut listener) = (server.client(), server.client());
    listener.run("PSUBSCRIBE *");
    client.run("SET gone v PX 1");
    assert_eq!(listener.reply(), "['pmessage' '*' '__keyevent@0__:expired' 'gone']");
    client.run("SET k v");
    client.run("CONFIG SET maxmemory 1");
    eventually("the key is evicted", || client.run("GET k") == "nil");
    assert_eq!(listener.reply(), "['pmessage' '*' '__keyevent@0__:evicted' 'k']");
}
