//! What a client may hold: output nobody reads (`client-output-buffer-limit`), and memory of all clients together
//! (`maxmemory-clients`).

mod support;

use support::{Server, eventually, info_field};

#[test]
fn a_subscriber_that_does_not_read_is_closed() {
    let server = Server::tls(&["--client-output-buffer-limit", "pubsub 1mb 0 0"]);
    let (mut listener, mut client) = (server.client(), server.client());
    listener.run("CLIENT SETNAME slow");
    listener.run("SUBSCRIBE c");
    let message = vec![b'x'; 100_000];
    eventually("the listener is closed", || client.run_args(&[b"PUBLISH", b"c", &message]) == "0");
    assert!(!client.text("CLIENT LIST").contains("name=slow"));
    let log = server.log();
    assert!(log.contains("name=slow") && log.contains("closed ASAP for overcoming of output buffer limits."), "{log}");
    let info = client.text("INFO stats");
    assert_eq!(info_field(&info, "client_output_buffer_limit_disconnections"), Some("1"));
}

#[test]
fn a_soft_limit_closes_without_further_messages() {
    let server = Server::tls(&["--client-output-buffer-limit", "pubsub 0 100kb 1"]);
    let (mut listener, mut client) = (server.client(), server.client());
    listener.run("SUBSCRIBE c");
    let message = vec![b'x'; 100_000];
    let omem = |text: String| {
        let line = text.lines().find(|line| line.contains("flags=P"))?.to_owned();
        line.split(" omem=").nth(1)?.split(' ').next()?.parse::<u64>().ok()
    };
    eventually("more waits than the limit allows", || {
        client.run_args(&[b"PUBLISH", b"c", &message]);
        omem(client.text("CLIENT LIST")).is_none_or(|bytes| bytes > 200_000)
    });
    assert!(omem(client.text("CLIENT LIST")).is_some(), "not before the time is up");
    eventually("the listener is closed", || client.run("PUBSUB NUMSUB c") == "['c' 0]");
}

#[test]
fn a_reply_past_the_limit_is_not_sent() {
    let server = Server::tls(&["--client-output-buffer-limit", "normal 100000 0 0"]);
    let mut client = server.client();
    client.run("HSET h a b");
    client.run("SET big x");
    client.run("SETRANGE big 200000 x");
    for line in ["GET big", "HRANDFIELD h -999999999", "HRANDFIELD h -999999999 WITHVALUES"] {
        let mut greedy = server.client();
        greedy.send(line);
        assert_eq!(greedy.read_to_close(), b"", "{line}");
    }
    // A transaction runs to its end.
    let mut greedy = server.client();
    for line in ["MULTI", "GET big", "SET done 1", "EXEC"] {
        greedy.send(line);
    }
    greedy.read_to_close();
    assert_eq!(client.run("GET done"), "'1'");
}

#[test]
fn requests_go_on_while_replies_wait() {
    let server = Server::tls(&[]);
    let (mut client, mut other) = (server.client(), server.client());
    client.run("SET big x");
    client.run("SETRANGE big 1000000 x");
    const COUNT: usize = 20;
    for _ in 0..COUNT {
        client.send("GET big");
        client.send("INCR done");
    }
    eventually("all have run though nobody reads", || other.run("GET done") == format!("'{COUNT}'"));
    for number in 1..=COUNT {
        assert!(client.reply().len() > 1_000_000);
        assert_eq!(client.reply(), number.to_string());
    }
}

#[test]
fn the_largest_clients_go_first() {
    let server = Server::tls(&[]);
    let mut control = server.client();
    control.run("CLIENT NO-EVICT ON");
    let mut clients: Vec<_> = (1..=4).map(|size| (size, server.client())).collect();
    for (size, client) in &mut clients {
        client.run(&format!("CLIENT SETNAME size{size}"));
        let length = *size * 1_000_000;
        client.send_raw(format!("*2\r\n$4\r\nECHO\r\n${length}\r\n").as_bytes());
        client.send_raw(&vec![b'x'; length / 2]);
    }
    let present = |list: &str| (1..=4).filter(|size| list.contains(&format!("name=size{size} "))).collect::<Vec<_>>();
    eventually("their memory is seen", || {
        let list = control.text("CLIENT LIST");
        (1..=4).all(|size| {
            let line = list.lines().find(|line| line.contains(&format!("name=size{size} "))).unwrap_or_default();
            let total = line.split(" tot-mem=").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok());
            total.is_some_and(|bytes| bytes >= size * 1_000_000)
        })
    });
    assert_eq!(control.run("CONFIG SET maxmemory-clients 4mb"), "+OK");
    assert_eq!(present(&control.text("CLIENT LIST")), [1, 2]);
    assert_eq!(info_field(&control.text("INFO stats"), "evicted_clients"), Some("2"));
    assert_eq!(control.run("CONFIG SET maxmemory-clients 1"), "+OK");
    assert_eq!(present(&control.text("CLIENT LIST")), [] as [u64; 0]);
    assert!(server.log().contains("Evicting client: id="));
    assert_eq!(control.run("PING"), "+PONG");
}

#[test]
fn a_reply_that_no_machine_could_hold_is_refused_and_not_built() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    for line in ["SADD s member", "HSET h field value", "ZADD z 1 member", "RPUSH l 1"] {
        client.run(line);
    }
    const REFUSED: &str = "-ERR The reply would take more than ";
    let most = "-4611686018427387903";
    for line in [
        format!("SRANDMEMBER s {most}"),
        format!("HRANDFIELD h {most}"),
        format!("HRANDFIELD h {most} WITHVALUES"),
        format!("ZRANDMEMBER z {most}"),
        format!("ZRANDMEMBER z {most} WITHSCORES"),
        // What a script is told must fit into its interpreter.
        "EVAL \"return redis.call('srandmember', 's', -1000000000)\" 0".to_owned(),
        "EVAL \"return redis.pcall('srandmember', 's', -1000000000)\" 0".to_owned(),
    ] {
        let reply = client.run(&line);
        assert!(reply.starts_with(REFUSED) && reply.contains(" bytes, ask for less at a time"), "{line}: {reply}");
    }
    // In a transaction the others have their replies.
    client.run("MULTI");
    for line in ["PING", &format!("SRANDMEMBER s {most}"), "GET x"] {
        assert_eq!(client.run(line), "+QUEUED");
    }
    let reply = client.run("EXEC");
    assert!(reply.starts_with(&format!("[+PONG {REFUSED}")) && reply.ends_with(" nil]"), "{reply}");
    assert_eq!(client.run("PING"), "+PONG");
}

#[test]
fn the_replies_of_a_transaction_count_together() {
    let server = Server::tls(&["--client-output-buffer-limit", "normal 1mb 0 0"]);
    let mut client = server.client();
    client.run(&format!("SET k {}", "x".repeat(100_000)));
    client.run("MULTI");
    let keys = "k ".repeat(50);
    for _ in 0..100 {
        client.run(&format!("MGET {keys}"));
    }
    client.send("EXEC");
    assert!(client.try_reply().is_err());
    let peak = server.client().text("INFO memory");
    let peak: u64 = info_field(&peak, "used_memory_peak").and_then(|bytes| bytes.parse().ok()).expect("a figure");
    assert!(peak < 200_000_000, "{peak}");
}
