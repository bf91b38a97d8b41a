//! What belongs to a connection: HELLO, AUTH, CLIENT, RESET, QUIT, limits.

mod support;

use std::time::Duration;

use support::{Server, check, eventually};

const WRONG_PASS: &str = "-WRONGPASS invalid username-password pair or user is disabled.";
const NO_AUTH: &str = "-NOAUTH Authentication required.";

#[test]
fn the_small_commands_reply_as_redis_does() {
    let server = Server::tls(&[]);
    check(
        &mut server.client(),
        &[
            ("PING", "+PONG"),
            ("ping hello", "'hello'"),
            ("PING a b", "-ERR wrong number of arguments for 'ping' command"),
            ("ECHO text", "'text'"),
            ("ECHO", "-ERR wrong number of arguments for 'echo' command"),
            ("SELECT 3", "+OK"),
            ("SELECT -1", "-ERR DB index is out of range"),
            ("BOGUS", "-ERR unknown command 'BOGUS', with args beginning with: "),
            ("BOGUS a b", "-ERR unknown command 'BOGUS', with args beginning with: 'a' 'b' "),
            ("CLIENT BOGUS", "-ERR unknown subcommand 'BOGUS'. Try CLIENT HELP."),
            (
                "AUTH x",
                "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
            ),
            ("AUTH default x", "+OK"),
            ("AUTH nobody x", WRONG_PASS),
            ("AUTH a b c", "-ERR syntax error"),
        ],
    );
}

#[test]
fn hello_switches_the_protocol() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    let reply = client.run("HELLO");
    assert!(reply.starts_with("['server' 'redis' 'version' '7."), "{reply}");
    assert!(
        reply.contains("'proto' 2 'id' ") && reply.ends_with("'mode' 'standalone' 'role' 'master' 'modules' []]"),
        "{reply}"
    );
    check(
        &mut client,
        &[
            ("HELLO 3", "{'server': 'redis'…"),
            ("GET none", "_"),
            ("HELLO 2", "['server' 'redis'…"),
            ("GET none", "nil"),
        ],
    );
    check(
        &mut client,
        &[
            ("HELLO 4", "-NOPROTO unsupported protocol version"),
            ("HELLO x", "-ERR Protocol version is not an integer or out of range"),
            ("HELLO 3 BOGUS", "-ERR Syntax error in HELLO option 'BOGUS'"),
            ("HELLO 3 SETNAME app", "{'server'…"),
            ("CLIENT GETNAME", "'app'"),
            ("HELLO 2 AUTH default wrong SETNAME other", "['server'…"),
            ("RESET", "+RESET"),
            ("CLIENT GETNAME", "nil"),
        ],
    );
}

#[test]
fn a_password_is_asked_for_and_checked() {
    let server = Server::tls(&["--requirepass", "secret"]);
    let mut client = server.client();
    check(
        &mut client,
        &[
            ("PING", NO_AUTH),
            ("GET k", NO_AUTH),
            ("BOGUS", "-ERR unknown command 'BOGUS', with args beginning with: "),
            ("AUTH wrong", WRONG_PASS),
            ("AUTH default wrong", WRONG_PASS),
            ("AUTH nobody secret", WRONG_PASS),
            (
                "HELLO 3",
                "-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
            ),
            ("HELLO 3 AUTH default wrong", WRONG_PASS),
            ("PING", NO_AUTH),
            ("AUTH secret", "+OK"),
            ("PING", "+PONG"),
            ("AUTH wrong", WRONG_PASS),
            ("PING", "+PONG"),
            ("RESET", "+RESET"),
            ("PING", NO_AUTH),
            ("HELLO 3 AUTH default secret", "{'server'…"),
            ("CONFIG SET requirepass other", "+OK"),
            ("PING", "+PONG"),
        ],
    );
    check(
        &mut server.client(),
        &[("AUTH secret", WRONG_PASS), ("AUTH other", "+OK"), ("CONFIG SET requirepass \"\"", "+OK")],
    );
    check(&mut server.client(), &[("PING", "+PONG")]);
}

#[test]
fn the_redis_crate_authenticates() {
    let server = Server::tls(&["--requirepass", "secret"]);
    let connect = |password: &str| {
        let port = server.port();
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let certificates =
            redis::TlsCertificates { client_tls: None, root_cert: Some(std::fs::read(server.file("ca.crt")).unwrap()) };
        redis::Client::build_with_tls(format!("rediss://:{password}@localhost:{port}/2"), certificates)
            .unwrap()
            .get_connection()
    };
    let mut connection = connect("secret").unwrap();
    let pong: String = redis::cmd("PING").query(&mut connection).unwrap();
    assert_eq!(pong, "PONG");
    let error = connect("wrong").err().expect("a wrong password is refused").to_string();
    assert!(error.contains("Password authentication failed") || error.contains("WRONGPASS"), "{error}");
    let info: String = redis::cmd("CLIENT").arg("INFO").query(&mut connection).unwrap();
    assert!(info.contains(" db=2 "), "{info}");
}

#[test]
fn names_and_library_are_kept() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    check(
        &mut client,
        &[
            ("CLIENT GETNAME", "nil"),
            ("CLIENT SETNAME app", "+OK"),
            ("CLIENT GETNAME", "'app'"),
            (
                "CLIENT SETNAME \"with space\"",
                "-ERR Client names cannot contain spaces, newlines or special characters.",
            ),
            ("CLIENT SETNAME \"\"", "+OK"),
            ("CLIENT GETNAME", "nil"),
            ("CLIENT SETNAME app", "+OK"),
            ("CLIENT NO-EVICT on", "+OK"),
            ("CLIENT NO-EVICT maybe", "-ERR syntax error"),
            ("CLIENT GETREDIR", "-1"),
        ],
    );
    let id = client.int("CLIENT ID");
    let info = client.text("CLIENT INFO");
    for part in [
        format!("id={id} "),
        " addr=127.0.0.1:".into(),
        " name=app ".into(),
        " db=0 ".into(),
        " cmd=client|info ".into(),
        " user=default".into(),
    ] {
        assert!(info.contains(&part), "{part} in {info}");
    }
    assert!(server.client().int("CLIENT ID") > id, "ids grow");
}

#[test]
fn library_names_of_redis_7_2() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    check(
        &mut client,
        &[
            ("CLIENT SETINFO LIB-NAME lib", "+OK"),
            ("CLIENT SETINFO lib-ver 1.2", "+OK"),
            ("CLIENT SETINFO LIB-NAME \"a b\"", "-ERR lib-name cannot contain spaces, newlines or special characters."),
            ("CLIENT SETINFO BOGUS x", "-ERR Unrecognized option 'BOGUS'"),
            ("CLIENT NO-TOUCH on", "+OK"),
        ],
    );
    let info = client.text("CLIENT INFO");
    assert!(info.contains(" lib-name=lib lib-ver=1.2"), "{info}");
}

#[test]
fn client_list_and_kill_choose_clients() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    let mut victims: Vec<_> = (0..3).map(|_| server.client()).collect();
    let ids: Vec<i64> = victims.iter_mut().map(|victim| victim.int("CLIENT ID")).collect();
    let list = client.text("CLIENT LIST");
    assert!(ids.iter().all(|id| list.contains(&format!("id={id} "))), "{list}");
    let list = client.text(&format!("CLIENT LIST ID {} {}", ids[0], ids[2]));
    assert_eq!(list.lines().count(), 2, "{list}");
    assert_eq!(client.text("CLIENT LIST TYPE replica"), "");
    check(
        &mut client,
        &[
            ("CLIENT LIST TYPE bogus", "-ERR Unknown client type 'bogus'"),
            ("CLIENT LIST ID x", "-ERR Invalid client ID"),
            ("CLIENT KILL 1.2.3.4:5", "-ERR No such client"),
            ("CLIENT KILL ID x", "-ERR client-id should be greater than 0"),
            ("CLIENT KILL BOGUS x", "-ERR syntax error"),
            ("CLIENT KILL TYPE bogus", "-ERR Unknown client type 'bogus'"),
        ],
    );
    assert_eq!(client.run(&format!("CLIENT KILL ID {}", ids[0])), "1");
    assert!(victims[0].read_to_close().is_empty());
    assert_eq!(client.run(&format!("CLIENT KILL ID {}", ids[0])), "0");
    let address = victims[1].stream().socket().local_addr().unwrap();
    assert_eq!(client.run(&format!("CLIENT KILL {address}")), "+OK");
    assert!(victims[1].read_to_close().is_empty());
    assert_eq!(client.run("CLIENT KILL TYPE normal SKIPME yes"), "1");
    assert!(victims[2].read_to_close().is_empty());
    assert_eq!(client.run("PING"), "+PONG");
}

#[test]
fn client_reply_silences() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    client.send("CLIENT REPLY OFF");
    client.send("PING unheard");
    assert_eq!(client.run("CLIENT REPLY ON"), "+OK");
    client.send("CLIENT REPLY SKIP");
    client.send("PING unheard");
    assert_eq!(client.run("PING heard"), "'heard'");
}

#[test]
fn client_pause_holds_writes_or_everything() {
    let server = Server::tls(&[]);
    let mut control = server.client();
    let mut client = server.client();
    check(&mut control, &[("CLIENT PAUSE 100000 WRITE", "+OK")]);
    assert_eq!(client.run("GET k"), "nil", "reads go on");
    client.send("SET k v");
    assert!(client.is_silent_for(Duration::from_millis(100)));
    check(&mut control, &[("CLIENT UNPAUSE", "+OK")]);
    assert_eq!(client.reply(), "+OK");
    check(&mut control, &[("CLIENT PAUSE 100", "+OK")]);
    assert_eq!(client.run("GET k"), "'v'", "a pause ends by itself");
    check(
        &mut control,
        &[
            ("CLIENT PAUSE x", "-ERR timeout is not an integer or out of range"),
            ("CLIENT PAUSE -1", "-ERR timeout is negative"),
        ],
    );
}

#[test]
fn reset_returns_to_the_start() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    check(
        &mut client,
        &[
            ("HELLO 3 SETNAME app", "{'server'…"),
            ("SELECT 2", "+OK"),
            ("MULTI", "+OK"),
            ("SET k v", "+QUEUED"),
            ("RESET", "+RESET"),
            ("EXEC", "-ERR EXEC without MULTI"),
            ("GET k", "nil"),
            ("CLIENT GETNAME", "nil"),
        ],
    );
    let info = client.text("CLIENT INFO");
    assert!(info.contains(" db=0 ") && info.contains(" resp=2"), "{info}");
}

#[test]
fn quit_answers_and_closes() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    client.send_raw(b"QUIT\r\nPING\r\n");
    assert_eq!(client.read_to_close(), b"+OK\r\n");
}

#[test]
fn maxclients_is_told_inside_tls() {
    let server = Server::tls(&["--maxclients", "2"]);
    let mut first = server.client();
    eventually("the first client is alone", || first.text("INFO clients").contains("connected_clients:1\r"));
    let mut second = server.client();
    assert_eq!(second.run("PING"), "+PONG");
    let mut third = server.client();
    assert_eq!(third.read_to_close(), b"-ERR max number of clients reached\r\n");
    drop(second);
    eventually("a place is free again", || {
        server
            .try_tls(&server.client_config(&[], rustls::ALL_VERSIONS))
            .is_ok_and(|stream| support::Wire::new(stream).try_run(&[b"PING"]).is_ok_and(|reply| reply == "+PONG"))
    });
}

#[test]
fn bind_goes_from_everything_to_one_address_and_back() {
    let server = Server::tls(&["--bind", "*"]);
    let mut client = server.client();
    for (line, reply) in [
        ("CONFIG SET bind 127.0.0.1", "+OK"),
        (
            "CONFIG SET bind 203.0.113.1",
            "-ERR CONFIG SET failed (possibly related to argument 'bind') - Failed to bind…",
        ),
        ("CONFIG GET bind", "['bind' '127.0.0.1']"),
        ("CONFIG SET bind *", "+OK"),
    ] {
        check(&mut client, &[(line, reply)]);
        assert_eq!(server.client().run("PING"), "+PONG", "{line}");
    }
}

#[test]
fn idle_clients_are_closed_after_the_timeout() {
    let server = Server::tls(&["--timeout", "1"]);
    let mut client = server.client();
    assert_eq!(client.run("PING"), "+PONG");
    assert!(client.read_to_close().is_empty());
}

#[test]
fn monitor_sees_what_others_run() {
    let server = Server::tls(&[]);
    let mut monitor = server.client();
    assert_eq!(monitor.run("MONITOR"), "+OK");
    let mut client = server.client();
    client.run("SET k \"a b\\n\"");
    client.run("AUTH default x");
    client.run("GET k");
    let line = monitor.reply();
    assert!(line.starts_with('+') && line.ends_with(r#""SET" "k" "a b\n""#), "{line}");
    let line = monitor.reply();
    assert!(line.ends_with(r#""AUTH" "(redacted)" "(redacted)""#), "passwords are not shown: {line}");
    let line = monitor.reply();
    assert!(line.ends_with(r#""GET" "k""#), "{line}");
}
