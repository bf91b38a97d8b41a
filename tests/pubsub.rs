//! Publish and subscribe: who gets what, in which order, and what a subscribed client may do.

mod support;

use support::{Server, check, check_all, eventually, info_field, table::Row};

const SUBSCRIBED: &[Row<'_>] = &[
    ("UNSUBSCRIBE", "['unsubscribe' nil 0]"),
    ("PUNSUBSCRIBE", "['punsubscribe' nil 0]"),
    ("SUNSUBSCRIBE", "['sunsubscribe' nil 0]"),
    ("UNSUBSCRIBE a", "['unsubscribe' 'a' 0]"),
    ("SUBSCRIBE a", "['subscribe' 'a' 1]"),
    ("SUBSCRIBE a", "['subscribe' 'a' 1]"),
    ("PSUBSCRIBE a*", "['psubscribe' 'a*' 2]"),
    ("SSUBSCRIBE a", "['ssubscribe' 'a' 1]"),
    ("PING", "['pong' '']"),
    ("PING hi", "['pong' 'hi']"),
    (
        "GET k",
        "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
    ),
    (
        "CONFIG GET port",
        "-ERR Can't execute 'config|get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this \
         context",
    ),
    ("UNSUBSCRIBE", "['unsubscribe' 'a' 1]"),
    ("SUNSUBSCRIBE", "['sunsubscribe' 'a' 0]"),
    ("PUNSUBSCRIBE a*", "['punsubscribe' 'a*' 0]"),
    ("PING", "+PONG"),
    ("SUBSCRIBE a", "['subscribe' 'a' 1]"),
    ("RESET", "+RESET"),
    ("PUBLISH a x", "0"),
];

const INTROSPECTION: &[Row<'_>] = &[
    ("PUBSUB CHANNELS", "any ['one' 'two']"),
    ("PUBSUB CHANNELS t*", "['two']"),
    ("PUBSUB CHANNELS t* x", "-ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP."),
    ("PUBSUB NUMSUB", "[]"),
    ("PUBSUB NUMSUB one none", "['one' 1 'none' 0]"),
    ("PUBSUB NUMPAT", "1"),
    ("PUBSUB SHARDCHANNELS", "['s']"),
    ("PUBSUB SHARDNUMSUB s one", "['s' 1 'one' 0]"),
    ("PUBSUB WHAT", "-ERR unknown subcommand 'WHAT'. Try PUBSUB HELP."),
    ("PUBLISH one", "-ERR wrong number of arguments for 'publish' command"),
];

#[test]
fn a_subscribed_client_is_answered_as_redis_does() {
    let server = Server::tls(&[]);
    check_all(&mut server.client(), &[("subscribed", SUBSCRIBED)]);
    check(
        &mut server.client3(),
        &[
            ("SUBSCRIBE a", ">['subscribe' 'a' 1]"),
            ("PING", "+PONG"),
            ("SET k 1", "+OK"),
            ("UNSUBSCRIBE", ">['unsubscribe' 'a' 0]"),
            ("UNSUBSCRIBE", ">['unsubscribe' _ 0]"),
        ],
    );
}

#[test]
fn what_is_subscribed_can_be_looked_at() {
    let server = Server::tls(&[]);
    let (mut listener, mut client) = (server.client(), server.client());
    listener.run("CLIENT SETNAME listener");
    for line in ["SUBSCRIBE one", "SUBSCRIBE two", "PSUBSCRIBE o*", "SSUBSCRIBE s"] {
        listener.run(line);
    }
    check(&mut client, INTROSPECTION);
    let list = client.text("CLIENT LIST TYPE pubsub");
    assert!(
        list.contains("name=listener") && list.contains("flags=P") && list.contains(" sub=2 psub=1 ssub=1 "),
        "{list}"
    );
    let info = client.text("INFO stats");
    for (field, count) in [("pubsub_channels", "2"), ("pubsub_patterns", "1"), ("pubsubshard_channels", "1")] {
        assert_eq!(info_field(&info, field), Some(count), "{field}");
    }
    assert_eq!(client.run("CLIENT KILL TYPE pubsub"), "1");
    eventually("its subscriptions are gone", || client.run("PUBSUB CHANNELS") == "[]");
}

#[test]
fn messages_come_in_order_and_behind_the_reply_that_was_under_way() {
    let server = Server::tls(&[]);
    let (mut listener, mut client) = (server.client(), server.client());
    listener.run("SUBSCRIBE c");
    listener.run("PSUBSCRIBE c*");
    const COUNT: usize = 500;
    for index in 0..COUNT {
        client.send(&format!("PUBLISH c {index}"));
    }
    for index in 0..COUNT {
        assert_eq!(client.reply(), "2");
        assert_eq!(listener.reply(), format!("['message' 'c' '{index}']"));
        assert_eq!(listener.reply(), format!("['pmessage' 'c*' 'c' '{index}']"));
    }
    // To oneself: reply first, also in the middle of a pipeline, and a transaction's replies stay together.
    let mut own = server.client3();
    own.run("SUBSCRIBE me");
    for line in ["PUBLISH me 1", "PING", "MULTI", "PUBLISH me 2", "PING", "EXEC", "UNSUBSCRIBE me", "PUBLISH me 3"] {
        own.send(line);
    }
    let replies: Vec<String> = (0..10).map(|_| own.reply()).collect();
    let expected = [
        "1",
        ">['message' 'me' '1']",
        "+PONG",
        "+OK",
        "+QUEUED",
        "+QUEUED",
        "[1 +PONG]",
        ">['message' 'me' '2']",
        ">['unsubscribe' 'me' 0]",
        "0",
    ];
    assert_eq!(replies, expected);
}

#[test]
fn shard_channels_are_apart() {
    let server = Server::tls(&[]);
    let (mut listener, mut client) = (server.client(), server.client());
    listener.run("SSUBSCRIBE c");
    listener.run("PSUBSCRIBE *");
    assert_eq!(client.run("SPUBLISH c shard"), "1");
    assert_eq!(client.run("PUBLISH c plain"), "1");
    assert_eq!(listener.reply(), "['smessage' 'c' 'shard']");
    assert_eq!(listener.reply(), "['pmessage' '*' 'c' 'plain']");
}

#[test]
fn client_reply_does_not_silence_messages() {
    let server = Server::tls(&[]);
    let (mut listener, mut client) = (server.client3(), server.client());
    listener.send("CLIENT REPLY OFF");
    assert_eq!(listener.run("SUBSCRIBE c"), ">['subscribe' 'c' 1]");
    listener.send("PING");
    assert_eq!(client.run("PUBLISH c x"), "1");
    assert_eq!(listener.reply(), ">['message' 'c' 'x']");
    assert_eq!(listener.run("UNSUBSCRIBE"), ">['unsubscribe' 'c' 0]");
    assert_eq!(listener.run("CLIENT REPLY ON"), "+OK");
}

#[test]
fn a_transaction_may_subscribe() {
    let server = Server::tls(&[]);
    let (mut listener, mut client) = (server.client(), server.client());
    check(&mut listener, &[("MULTI", "+OK"), ("SUBSCRIBE c d", "+QUEUED"), ("GET k", "+QUEUED")]);
    listener.send("EXEC");
    assert_eq!(listener.reply(), "[['subscribe' 'c' 1] ['subscribe' 'd' 2]]");
    assert_eq!(listener.reply(), "nil");
    assert_eq!(client.run("PUBLISH d x"), "1");
    assert_eq!(listener.reply(), "['message' 'd' 'x']");
}
