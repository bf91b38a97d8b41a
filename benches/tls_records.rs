//! The record path of TLS without sockets: decrypt a batch of requests, encrypt a batch of replies, and whole handshakes.

use std::hint::black_box;
use std::io::{Read, Write};
use std::sync::Arc;

use criterion::{Criterion, Throughput};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let (server, client) = configurations();
    for (name, bytes) in [("get-p1", 36), ("get-p16", 36 * 16), ("4k", 4096), ("64k", 65_536)] {
        let mut group = criterion.benchmark_group(format!("tls-records/{name}"));
        group.throughput(Throughput::Bytes(bytes as u64));
        let plain = vec![b'x'; bytes];
        let mut read = Vec::with_capacity(bytes);
        let mut wire = Vec::with_capacity(bytes * 2);
        let (mut ours, mut theirs) = connected(&server, &client);
        // Both directions, since the other end must keep up with the sequence of records.
        group.bench_function("request-and-reply", |bencher| {
            bencher.iter(|| {
                theirs.writer().write_all(&plain).expect("plaintext");
                carry_to_server(&mut theirs, &mut ours, &mut wire, &mut read);
                ours.writer().write_all(black_box(&read)).expect("plaintext");
                carry_to_client(&mut ours, &mut theirs, &mut wire, &mut read);
                assert_eq!(read.len(), bytes);
            });
        });
        group.finish();
    }
    criterion.bench_function("tls-handshake/full", |bencher| {
        bencher.iter(|| black_box(connected(&server, &client)));
    });
    criterion.final_summary();
}

fn configurations() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = rcgen::CertificateParams::new(["localhost".to_owned()])
        .expect("names")
        .self_signed(&key)
        .expect("a certificate");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .expect("identity");
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).expect("a root");
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.resumption = rustls::client::Resumption::disabled();
    (Arc::new(server), Arc::new(client))
}

fn connected(server: &Arc<ServerConfig>, client: &Arc<ClientConfig>) -> (ServerConnection, ClientConnection) {
    let mut ours = ServerConnection::new(server.clone()).expect("server");
    let name = ServerName::try_from("localhost").expect("a name");
    let mut theirs = ClientConnection::new(client.clone(), name).expect("client");
    ours.set_buffer_limit(None);
    theirs.set_buffer_limit(None);
    let (mut wire, mut early) = (Vec::new(), Vec::new());
    while ours.is_handshaking() || theirs.is_handshaking() {
        carry_to_server(&mut theirs, &mut ours, &mut wire, &mut early);
        carry_to_client(&mut ours, &mut theirs, &mut wire, &mut early);
    }
    carry_to_client(&mut ours, &mut theirs, &mut wire, &mut early);
    (ours, theirs)
}

/// Moves all records from the client to the server; their plaintext replaces what is in `read`.
fn carry_to_server(from: &mut ClientConnection, to: &mut ServerConnection, wire: &mut Vec<u8>, read: &mut Vec<u8>) {
    wire.clear();
    read.clear();
    while from.wants_write() {
        from.write_tls(wire).expect("records");
    }
    let mut rest = wire.as_slice();
    while !rest.is_empty() {
        to.read_tls(&mut rest).expect("records");
        let length = to.process_new_packets().expect("good records").plaintext_bytes_to_read();
        take(&mut to.reader(), length, read);
    }
}

/// The same in the other direction.
fn carry_to_client(from: &mut ServerConnection, to: &mut ClientConnection, wire: &mut Vec<u8>, read: &mut Vec<u8>) {
    wire.clear();
    read.clear();
    while from.wants_write() {
        from.write_tls(wire).expect("records");
    }
    let mut rest = wire.as_slice();
    while !rest.is_empty() {
        to.read_tls(&mut rest).expect("records");
        let length = to.process_new_packets().expect("good records").plaintext_bytes_to_read();
        take(&mut to.reader(), length, read);
    }
}

fn take(reader: &mut impl Read, length: usize, read: &mut Vec<u8>) {
    let start = read.len();
    read.resize(start + length, 0);
    reader.read_exact(&mut read[start..]).expect("plaintext");
}
