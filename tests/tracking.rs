//! Client-side caching: who is told that a key has changed, and how.

mod support;

use support::{Server, check, info_field};

const INVALID: &str = ">['invalidate' ['k']]";

#[test]
fn options_are_checked_as_redis_does() {
    let server = Server::tls(&[]);
    let caching =
        "-ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled";
    check(
        &mut server.client(),
        &[
            ("CLIENT TRACKINGINFO", "['flags' ['off'] 'redirect' -1 'prefixes' []]"),
            ("CLIENT GETREDIR", "-1"),
            ("CLIENT CACHING YES", caching),
            ("CLIENT TRACKING ON REDIRECT 9999", "-ERR The client ID you want redirect to does not exist"),
            ("CLIENT TRACKING ON PREFIX a", "-ERR PREFIX option requires BCAST mode to be enabled"),
            ("CLIENT TRACKING ON BCAST OPTIN", "-ERR OPTIN and OPTOUT are not compatible with BCAST"),
            ("CLIENT TRACKING ON OPTIN OPTOUT", "-ERR You can't specify both OPTIN mode and OPTOUT mode"),
            ("CLIENT TRACKING MAYBE", "-ERR syntax error"),
            (
                "CLIENT TRACKING ON BCAST PREFIX foo PREFIX foobar",
                "-ERR Prefix 'foo' overlaps with another provided prefix 'foobar'. Prefixes for a single client must not \
                 overlap.",
            ),
            ("CLIENT TRACKING ON BCAST PREFIX foo", "+OK"),
            (
                "CLIENT TRACKING ON BCAST PREFIX fo",
                "-ERR Prefix 'fo' overlaps with an existing prefix 'foo'. Prefixes for a single client must not overlap.",
            ),
            ("CLIENT TRACKING ON", "-ERR You can't switch BCAST mode on/off before disabling tracking…"),
            ("CLIENT TRACKINGINFO", "['flags' ['on' 'bcast'] 'redirect' 0 'prefixes' ['foo']]"),
            ("CLIENT TRACKING OFF", "+OK"),
            ("CLIENT TRACKING ON OPTIN", "+OK"),
            ("CLIENT CACHING NO", "-ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."),
            ("CLIENT CACHING YES", "+OK"),
            ("CLIENT TRACKINGINFO", "['flags' ['on' 'optin' 'caching-yes'] 'redirect' 0 'prefixes' []]"),
            ("CLIENT TRACKINGINFO", "['flags' ['on' 'optin'] 'redirect' 0 'prefixes' []]"),
            ("CLIENT TRACKING ON OPTOUT", "-ERR You can't switch OPTIN/OPTOUT mode before disabling tracking…"),
            ("RESET", "+RESET"),
            ("CLIENT GETREDIR", "-1"),
        ],
    );
}

#[test]
fn a_change_is_told_before_its_reply_reaches_anybody() {
    let server = Server::tls(&[]);
    let (mut reader, mut writer) = (server.client3(), server.client());
    reader.run("CLIENT TRACKING ON");
    // What changes the key; each is told once, since the key is forgotten then.
    for line in ["SET k 1", "INCR k", "APPEND k x", "EXPIRE k 100", "DEL k", "RPUSH k 1", "RENAME k k2", "RENAME k2 k"]
    {
        reader.run("EXISTS k");
        writer.run(line);
        writer.run("SET unrelated 1");
        assert_eq!(reader.run("PING"), INVALID, "{line}");
        assert_eq!(reader.reply(), "+PONG");
    }
    reader.run("EXISTS k");
    writer.run("FLUSHDB");
    assert_eq!(reader.run("PING"), ">['invalidate' _]");
    assert_eq!(reader.reply(), "+PONG");
    reader.run("MGET k l");
    writer.run("PSETEX k 1 v");
    assert_eq!(reader.reply(), INVALID);
    reader.run("GET k");
    let info = writer.text("INFO");
    assert_eq!(info_field(&info, "tracking_clients"), Some("1"));
    assert!(writer.text("CLIENT LIST").contains("flags=t"));
}

#[test]
fn own_changes_follow_the_reply() {
    let server = Server::tls(&[]);
    let mut client = server.client3();
    client.run("CLIENT TRACKING ON");
    client.run("SET k 1");
    client.run("GET k");
    for line in ["MULTI", "INCR k", "PING", "EXEC"] {
        client.send(line);
    }
    for expected in ["+OK", "+QUEUED", "+QUEUED", "[2 +PONG]", INVALID] {
        assert_eq!(client.reply(), expected);
    }
    client.run("CLIENT TRACKING ON NOLOOP");
    client.run("GET k");
    client.run("INCR k");
    assert_eq!(client.run("PING"), "+PONG", "NOLOOP");
}

#[test]
fn broadcasts_gather_what_a_batch_changes() {
    let server = Server::tls(&[]);
    let (mut listener, mut writer) = (server.client3(), server.client());
    listener.run("CLIENT TRACKING ON BCAST PREFIX a: PREFIX b:");
    for line in ["MULTI", "SET a:1 x", "SET c:1 x", "SET a:2 x", "SET b:1 x", "SET a:1 y"] {
        writer.run(line);
    }
    writer.run("EXEC");
    assert_eq!(listener.reply(), ">['invalidate' ['a:1' 'a:2']]");
    assert_eq!(listener.reply(), ">['invalidate' ['b:1']]");
    assert!(writer.text("CLIENT LIST").contains("flags=tB"));
}

#[test]
fn another_connection_can_get_the_messages() {
    let server = Server::tls(&[]);
    let (mut reader, mut target, mut writer) = (server.client3(), server.client(), server.client());
    let id = target.int("CLIENT ID");
    target.run("SUBSCRIBE __redis__:invalidate");
    reader.run(&format!("CLIENT TRACKING ON REDIRECT {id}"));
    assert_eq!(reader.int("CLIENT GETREDIR"), id);
    reader.run("GET k");
    writer.run("SET k 1");
    assert_eq!(target.reply(), "['message' '__redis__:invalidate' ['k']]");
    reader.run("GET k");
    writer.run(&format!("CLIENT KILL ID {id}"));
    writer.run("SET k 2");
    assert_eq!(reader.reply(), format!(">['tracking-redir-broken' {id}]"));
    assert!(reader.run("CLIENT TRACKINGINFO").contains("broken_redirect"));
}

#[test]
fn the_table_is_bounded() {
    let server = Server::tls(&["--tracking-table-max-keys", "10"]);
    let (mut reader, mut other) = (server.client3(), server.client());
    reader.run("CLIENT TRACKING ON");
    for number in 0..50 {
        reader.send(&format!("GET key{number}"));
    }
    let told = (0..90).filter(|_| reader.reply().starts_with(">['invalidate'")).count();
    assert!((39..=40).contains(&told), "{told}");
    let info = other.text("INFO stats");
    let keys: usize = info_field(&info, "tracking_total_keys").expect("the field").parse().expect("a number");
    assert!(keys <= 11, "{keys}");
}
