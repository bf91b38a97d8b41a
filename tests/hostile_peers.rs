//! Other servers that are broken or hostile: what they announce is not believed, and costs no memory.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use support::{Server, Wire, eventually};

/// A snapshot without keys, without a checksum.
const EMPTY_SNAPSHOT: &[u8] = b"$18\r\nREDIS0011\xff\0\0\0\0\0\0\0\0";
const FULL_SYNC: &[u8] = b"+FULLRESYNC 0123456789012345678901234567890123456789 0\r\n";

/// A primary that answers the first replica's conversation, sends `bytes` behind it, and waits for the link to be cut.
fn primary(bytes: Vec<u8>) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let serving = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().expect("a replica");
        let mut requests = BufReader::new(socket.try_clone().expect("a second handle"));
        loop {
            let request = words(&mut requests);
            match request[0].as_str() {
                "PING" => socket.write_all(b"+PONG\r\n").expect("sent"),
                "PSYNC" => break,
                _ => socket.write_all(b"+OK\r\n").expect("sent"),
            }
        }
        socket.write_all(&[FULL_SYNC, &bytes].concat()).expect("sent");
        until_cut(requests);
    });
    (port, serving)
}

fn words(requests: &mut BufReader<TcpStream>) -> Vec<String> {
    let mut line = || {
        let mut line = String::new();
        requests.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    };
    let count: usize = line()[1..].parse().expect("a count");
    (0..count).map(|_| (line(), line()).1).collect()
}

fn until_cut(mut requests: BufReader<TcpStream>) {
    let mut rest = [0; 1024];
    while requests.read(&mut rest).is_ok_and(|read| read > 0) {}
}

fn resident_kb(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a figure");
    line.trim_end_matches(" kB").trim().parse().expect("a number")
}

fn alone(client: &mut Wire) {
    assert_eq!(client.run("REPLICAOF NO ONE"), "+OK");
    assert_eq!(client.run("PING"), "+PONG");
}

#[test]
fn a_primary_that_counts_beyond_all_limits_is_not_followed() {
    let stream = |bytes: &[u8]| [EMPTY_SNAPSHOT, bytes].concat();
    let cases: [(Vec<u8>, &str); 6] = [
        (
            stream(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$999999999999999\r\n"),
            "Protocol error from master: invalid bulk length",
        ),
        (stream(b"*3\r\n$3\r\nSET\r\n$99999999999999999999\r\n"), "Protocol error from master: invalid bulk length"),
        (stream(b"*99999999999\r\n"), "Protocol error from master: invalid multibulk length"),
        (b"$999999999999999999\r\nREDIS0011".to_vec(), "is announced with 999999999999999999 bytes"),
        (b"$18446744073709551615\r\nREDIS0011".to_vec(), "is announced with 18446744073709551615 bytes"),
        // A string of the snapshot that says to be of 2^62 bytes.
        (b"$19\r\nREDIS0011\xfa\x81\x40\0\0\0\0\0\0\0".to_vec(), "Failed trying to load the MASTER synchronization DB"),
    ];
    for load in ["disabled", "on-empty-db", "swapdb"] {
        let server = Server::plain(&["--repl-diskless-load", load]);
        let mut client = server.client();
        for (bytes, why) in &cases {
            let (port, serving) = primary(bytes.clone());
            client.run(&format!("REPLICAOF 127.0.0.1 {port}"));
            eventually(&format!("{load}: {why}"), || server.log().contains(why));
            serving.join().expect("the link was cut");
            alone(&mut client);
        }
        assert!(resident_kb(&server) < 200_000, "{} kB", resident_kb(&server));
    }
}

#[test]
fn an_announcement_takes_no_memory_before_the_bytes_are_there() {
    let server = Server::plain(&[]);
    let mut client = server.client();
    let (port, serving) =
        primary([EMPTY_SNAPSHOT, b"*2147483647\r\n$3\r\nSET\r\n$1\r\na\r\n$4000000000\r\nabc"].concat());
    client.run(&format!("REPLICAOF 127.0.0.1 {port}"));
    eventually("the link is up", || client.text("INFO replication").contains("master_link_status:up"));
    assert!(resident_kb(&server) < 200_000, "{} kB", resident_kb(&server));
    alone(&mut client);
    serving.join().expect("the link was cut");
}

#[test]
fn a_target_of_migrate_whose_answer_is_endless_is_given_up() {
    let server = Server::plain(&[]);
    let mut client = server.client();
    client.run("SET k v");
    for answer in [b"*1\r\n".repeat(200_000), b"*9999999\r\n".repeat(20), b"$99999999999999999999\r\n".to_vec()] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let serving = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().expect("a server");
            // It may be cut off before all is sent.
            let _ = socket.write_all(&answer);
            until_cut(BufReader::new(socket));
        });
        let reply = client.run(&format!("MIGRATE 127.0.0.1 {port} k 0 3000"));
        assert!(reply.starts_with("-IOERR"), "{reply}");
        serving.join().expect("the connection was cut");
    }
    assert_eq!(client.run("GET k"), "'v'");
}
