//! Transport encryption as a client meets it: wrong mode, trust, client certificates, resumption, reload.

mod support;

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, HandshakeKind, ProtocolVersion};
use support::server::{certificates, create_certificates, text};
use support::{Server, Wire, eventually};

/// The value of the one field of INFO's TLS section whose name contains `word`.
fn tls_counter(client: &mut Wire, word: &str) -> i64 {
    let info = client.text("INFO tls");
    let field = info.lines().find(|line| line.split(':').next().is_some_and(|name| name.contains(word)));
    let value = field.and_then(|line| line.trim_end().rsplit(':').next()).and_then(|value| value.parse().ok());
    value.unwrap_or_else(|| panic!("no number with '{word}' in its name:\n{info}"))
}

/// A folder of further certificates, of another CA.
fn other_certificates(server: &Server) -> std::path::PathBuf {
    let folder = server.path().join("other");
    create_certificates(&folder);
    folder
}

/// The certificate that a new connection is shown, whoever signed it.
fn shown_certificate(server: &Server) -> Vec<u8> {
    let output = s_client(server, &["-showcerts"]);
    let output = text(&output);
    let start = output.find("-----BEGIN CERTIFICATE-----").unwrap_or_else(|| panic!("no certificate in: {output}"));
    let pem = &output.as_bytes()[start..];
    let first = rustls_pemfile::certs(&mut &*pem).next().expect("a certificate").expect("PEM");
    first.to_vec()
}

fn leaf(path: &Path) -> Vec<u8> {
    certificates(path)[0].to_vec()
}

fn s_client(server: &Server, args: &[&str]) -> Output {
    Command::new("openssl")
        .args(["s_client", "-connect", &format!("127.0.0.1:{}", server.port())])
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("openssl is installed (tests/run sees to it)")
}

// ---- wrong mode

#[test]
fn plaintext_on_a_tls_port_gets_one_error_line_and_a_close() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    let before = tls_counter(&mut client, "wrong_mode");
    for bytes in [&b"PING\r\n"[..], b"*1\r\n$4\r\nPING\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\0"] {
        let mut socket = server.tcp();
        socket.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("-ERR ") && answer.contains("TLS"), "{answer:?}");
        assert!(answer.ends_with("\r\n") && answer.matches('\n').count() == 1, "{answer:?}");
    }
    assert_eq!(tls_counter(&mut client, "wrong_mode") - before, 4);
    assert!(server.log().contains("127.0.0.1"), "the log names the peer:\n{}", server.log());
}

#[test]
fn redis_cli_without_tls_shows_that_line() {
    let server = Server::tls(&[]);
    let output = Command::new("redis-cli")
        .args(["-h", "127.0.0.1", "-p", &server.port().to_string(), "PING"])
        .stdin(Stdio::null())
        .output()
        .expect("redis-cli is installed (tests/run sees to it)");
    let shown = text(&output);
    assert!(shown.contains("ERR") && shown.contains("--tls"), "{shown}");
}

#[test]
fn a_tls_hello_on_a_plaintext_port_gets_a_fatal_alert_and_a_close() {
    let server = Server::plain(&[]);
    let config = server.client_config(&[], rustls::ALL_VERSIONS);
    let mut hello = Vec::new();
    ClientConnection::new(config.clone(), ServerName::try_from("localhost").unwrap())
        .unwrap()
        .write_tls(&mut hello)
        .unwrap();
    let mut socket = server.tcp();
    // The first byte is enough to tell; the rest, arriving later, does not turn the close into a reset.
    socket.write_all(&hello[..1]).unwrap();
    let mut answer = vec![0; 7];
    socket.read_exact(&mut answer).unwrap();
    socket.write_all(&hello[1..]).unwrap();
    assert_eq!(socket.read(&mut [0; 1]).unwrap(), 0, "an orderly end");
    assert_eq!(tls_counter(&mut server.client(), "wrong_mode"), 1);
    assert!(matches!(answer[..], [0x15, 3, 1..=3, 0, 2, 2, _]), "a fatal alert record, got {answer:02x?}");

    let error = server.try_tls(&config).err().expect("no handshake").to_string();
    assert!(error.contains("alert"), "{error}");
    let shown = text(&server_cli_tls(&server));
    assert!(!shown.contains("PONG"), "{shown}");
    assert!(server.log().contains("a TLS hello on a port that speaks plaintext only"), "{}", server.log());
}

fn server_cli_tls(server: &Server) -> Output {
    Command::new("redis-cli")
        .args(["--tls", "--insecure", "-h", "127.0.0.1", "-p", &server.port().to_string(), "PING"])
        .stdin(Stdio::null())
        .output()
        .expect("redis-cli is installed (tests/run sees to it)")
}

// ---- trust

#[test]
fn openssl_verifies_chain_and_name() {
    let server = Server::tls(&[]);
    let trusted = server.file("ca.crt");
    for name in [["-verify_hostname", "localhost"], ["-verify_ip", "127.0.0.1"], ["-verify_ip", "::1"]] {
        let output = s_client(&server, &[&["-CAfile", &trusted, "-verify_return_error", "-brief"][..], &name].concat());
        assert!(text(&output).contains("Verification: OK"), "{name:?}: {}", text(&output));
    }
    let stranger = other_certificates(&server).join("ca.crt");
    for args in [
        ["-CAfile", stranger.to_str().unwrap(), "-verify_hostname", "localhost"],
        ["-CAfile", &trusted, "-verify_hostname", "elsewhere.example"],
    ] {
        let output = s_client(&server, &[&["-verify_return_error", "-brief"][..], &args].concat());
        assert!(!output.status.success(), "{args:?}: {}", text(&output));
    }
}

#[test]
fn both_protocols_are_spoken_and_older_ones_are_not() {
    let server = Server::tls(&[]);
    for (version, name) in
        [(&rustls::version::TLS12, ProtocolVersion::TLSv1_2), (&rustls::version::TLS13, ProtocolVersion::TLSv1_3)]
    {
        let stream = server.try_tls(&server.client_config(&[], &[version])).unwrap();
        assert_eq!(stream.session().expect("TLS").protocol_version(), Some(name));
        let mut client = Wire::new(stream);
        assert_eq!(client.run("PING"), "+PONG");
    }
    let output = s_client(&server, &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]);
    assert!(!output.status.success(), "{}", text(&output));
}

#[test]
fn one_protocol_alone_can_be_configured() {
    let server = Server::tls(&["--tls-protocols", "TLSv1.2"]);
    let stream = server.try_tls(&server.client_config(&[], rustls::ALL_VERSIONS)).unwrap();
    assert_eq!(stream.session().expect("TLS").protocol_version(), Some(ProtocolVersion::TLSv1_2));
    assert!(server.try_tls(&server.client_config(&[], &[&rustls::version::TLS13])).is_err());
}

#[test]
fn the_default_key_exchange_is_post_quantum() {
    let server = Server::tls(&[]);
    let stream = server.stream();
    let group = stream.session().expect("TLS").negotiated_key_exchange_group().expect("a group").name();
    assert_eq!(group, rustls::NamedGroup::X25519MLKEM768);
}

#[test]
fn client_certificates_are_demanded_as_configured() {
    let other = tempfile::tempdir().unwrap();
    create_certificates(other.path());
    let stranger = ["client.crt", "client.key"].map(|name| other.path().join(name).to_str().unwrap().to_owned());
    // What is configured; whether a known certificate, none, and a stranger's get in.
    for (auth, expected) in
        [("yes", [true, false, false]), ("optional", [true, true, false]), ("no", [true, true, true])]
    {
        let server = Server::tls(&["--tls-auth-clients", auth]);
        let identities: [&[&str]; 3] = [&["client.crt", "client.key"], &[], &[&stranger[0], &stranger[1]]];
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let accepted = identities.map(|identity| {
                let stream = server.try_tls(&server.client_config(identity, &[version]));
                // TLS 1.3 clients learn of a refusal only with the first read.
                stream.is_ok_and(|stream| Wire::new(stream).try_run(&[b"PING"]).is_ok_and(|reply| reply == "+PONG"))
            });
            assert_eq!(accepted, expected, "tls-auth-clients {auth}, {:?}", version.version);
        }
    }
}

#[test]
fn handshakes_and_connections_are_told() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    let before = tls_counter(&mut client, "completed");
    let mut second = server.client();
    assert_eq!(second.run("PING"), "+PONG");
    assert_eq!(tls_counter(&mut client, "completed") - before, 1);
    let list = second.text("CLIENT LIST");
    assert!(list.contains("TLSv1.3") && list.contains("TLS_AES_"), "{list}");
}

// ---- resumption

#[test]
fn sessions_are_resumed_and_counted() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let server = Server::tls(&[]);
        let config = server.client_config(&[], &[version]);
        let connect = || {
            let mut client = Wire::new(server.try_tls(&config).unwrap());
            // Tickets of TLS 1.3 come with the first reply.
            assert_eq!(client.run("PING"), "+PONG");
            let kind = client.stream().session().expect("TLS").handshake_kind();
            (client, kind)
        };
        let (mut client, kind) = connect();
        assert_eq!(kind, Some(HandshakeKind::Full));
        let before = tls_counter(&mut client, "resumed");
        let (_second, kind) = connect();
        assert_eq!(kind, Some(HandshakeKind::Resumed), "{:?}", version.version);
        assert_eq!(tls_counter(&mut client, "resumed") - before, 1);
    }
}

#[test]
fn nothing_is_resumed_without_session_caching() {
    let server = Server::tls(&["--tls-session-caching", "no"]);
    let config = server.client_config(&[], rustls::ALL_VERSIONS);
    for _ in 0..2 {
        let mut client = Wire::new(server.try_tls(&config).unwrap());
        assert_eq!(client.run("PING"), "+PONG");
        assert_eq!(client.stream().session().expect("TLS").handshake_kind(), Some(HandshakeKind::Full));
    }
}

// ---- reload

#[test]
fn config_set_changes_the_certificate_and_keeps_connections() {
    let server = Server::tls(&[]);
    let mut old = server.client();
    assert_eq!(shown_certificate(&server), leaf(&server.path().join("server.crt")));
    let other = other_certificates(&server);
    let (crt, key) = (other.join("server.crt"), other.join("server.key"));
    let reply = old.run(&format!("CONFIG SET tls-cert-file {} tls-key-file {}", crt.display(), key.display()));
    assert_eq!(reply, "+OK");
    assert_eq!(shown_certificate(&server), leaf(&crt));
    assert_eq!(old.run("PING"), "+PONG", "the old connection goes on");
    assert_eq!(old.run("CONFIG GET tls-cert-file"), format!("['tls-cert-file' '{}']", crt.display()));
}

#[test]
fn sighup_rereads_the_certificate_and_keeps_connections() {
    let server = Server::tls(&[]);
    let mut old = server.client();
    let other = other_certificates(&server);
    for name in ["server.crt", "server.key", "ca.crt"] {
        std::fs::copy(other.join(name), server.path().join(name)).unwrap();
    }
    server.signal("HUP");
    let expected = leaf(&other.join("server.crt"));
    eventually("new connections are shown the new certificate", || shown_certificate(&server) == expected);
    assert_eq!(old.run("PING"), "+PONG", "the old connection goes on");
    assert_eq!(server.client().run("PING"), "+PONG", "and new ones come in");
}

#[test]
fn a_changed_file_is_noticed_without_being_told() {
    let server = Server::tls(&[]);
    let other = other_certificates(&server);
    // A swap of a symbolic link, as certificate managers do it.
    for name in ["server.crt", "server.key"] {
        let link = server.path().join(format!("{name}.new"));
        std::os::unix::fs::symlink(other.join(name), &link).unwrap();
        std::fs::rename(&link, server.path().join(name)).unwrap();
    }
    let expected = leaf(&other.join("server.crt"));
    eventually("new connections are shown the new certificate", || shown_certificate(&server) == expected);
}

#[test]
fn a_bad_new_certificate_keeps_the_old_one() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    let other = other_certificates(&server);
    let before = shown_certificate(&server);
    std::fs::write(server.path().join("garbage.crt"), "no certificate").unwrap();
    for path in [server.path().join("garbage.crt"), server.path().join("missing.crt"), other.join("server.crt")] {
        let reply = client.run(&format!("CONFIG SET tls-cert-file {}", path.display()));
        assert!(reply.starts_with("-ERR CONFIG SET failed"), "{}: {reply}", path.display());
        assert_eq!(shown_certificate(&server), before, "{}", path.display());
    }
    // The same through the file in force and a signal.
    std::fs::write(server.path().join("server.crt"), "no certificate").unwrap();
    server.signal("HUP");
    eventually("the failure is in the log", || server.log().contains("server.crt"));
    assert_eq!(shown_certificate(&server), before);
    assert_eq!(client.run("PING"), "+PONG");
    assert_eq!(server.client().run("PING"), "+PONG");
}

#[test]
fn the_mode_cannot_be_changed() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    let refused = |client: &mut support::Wire, line: &str| {
        let reply = client.run(line);
        assert!(reply.starts_with("-ERR CONFIG SET failed"), "{line}: {reply}");
    };
    refused(&mut client, "CONFIG SET port 7777");
    refused(&mut client, "CONFIG SET tls-port 0 port 7777");
    assert_eq!(server.client().run("PING"), "+PONG");
    // The listener may close, as in Redis; what the group is does not change with it.
    assert_eq!(client.run("CONFIG SET tls-port 0"), "+OK");
    refused(&mut client, "CONFIG SET port 7777");
    assert_eq!(client.run(&format!("CONFIG SET tls-port {}", server.port())), "+OK");
    assert_eq!(server.client().run("PING"), "+PONG");
}

#[test]
fn a_silent_stranger_is_cut_off_and_stops_nobody() {
    let server = Server::tls(&["--tls-handshake-timeout", "300"]);
    let mut silent: Vec<_> = (0..20).map(|_| server.tcp()).collect();
    assert_eq!(server.client().run("PING"), "+PONG");
    for socket in &mut silent {
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
    }
}

#[test]
fn handshakes_that_do_not_end_give_way_when_all_places_are_taken() {
    let server = Server::tls(&["--tls-max-handshakes", "3", "--tls-handshake-timeout", "60000"]);
    // The beginning of a hello: the handshakes have begun, and never end.
    let slow: Vec<_> = (0..10)
        .map(|_| {
            let mut socket = server.tcp();
            socket.write_all(&[22, 3, 1, 2, 0, 1]).expect("sent");
            socket
        })
        .collect();
    // Each one finds a place, long before the handshakes run into their timeout.
    for _ in 0..5 {
        assert_eq!(server.client().run("PING"), "+PONG");
    }
    assert!(server.log().contains("with all places of tls-max-handshakes taken"), "{}", server.log());
    // The oldest has been cut off.
    let mut rest = Vec::new();
    let _ = (&slow[0]).read_to_end(&mut rest);
}
