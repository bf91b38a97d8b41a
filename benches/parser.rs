//! The request parser, beside the general decoder of `redis-protocol`.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use redis_tls::resp::{Limits, Parsed, Parser};

const LIMITS: Limits = Limits { max_bulk_bytes: 512 << 20, authenticated: true };
const BATCH: usize = 64;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for (name, request) in [
        ("get", "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000012345\r\n".to_owned()),
        ("set", "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000012345\r\n$3\r\nxxx\r\n".to_owned()),
        ("set-4k", format!("*3\r\n$3\r\nSET\r\n$16\r\nkey:000000012345\r\n$4096\r\n{}\r\n", "x".repeat(4096))),
        ("inline", "SET key:000000012345 xxx\r\n".to_owned()),
    ] {
        let bytes = request.repeat(BATCH).into_bytes();
        let mut group = criterion.benchmark_group(format!("parser/{name}"));
        group.throughput(Throughput::Elements(BATCH as u64));
        let mut parser = Parser::new();
        group.bench_function("ours", |bencher| bencher.iter(|| parse_all(&mut parser, &bytes)));
        if request.starts_with('*') {
            group.bench_function("redis-protocol", |bencher| bencher.iter(|| decode_all(&bytes)));
        }
        group.finish();
    }
    criterion.final_summary();
}

fn parse_all(parser: &mut Parser, bytes: &[u8]) {
    let mut rest = bytes;
    while parser.parse(rest, LIMITS) == Parsed::Request {
        black_box(parser.args(rest).at(1));
        rest = &rest[parser.consumed()..];
        parser.next();
    }
    assert!(rest.is_empty());
}

fn decode_all(bytes: &[u8]) {
    let mut rest = bytes;
    while let Ok(Some((frame, length))) = redis_protocol::resp2::decode::decode_range(rest) {
        black_box(frame);
        rest = &rest[length..];
    }
    assert!(rest.is_empty());
}
