//! Writing replies in both protocols.

use std::hint::black_box;

use criterion::Criterion;
use redis_tls::resp::{Protocol, Reply};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    type Case = (&'static str, fn(&mut Reply<'_>));
    let cases: [Case; 6] = [
        ("ok", |reply| reply.ok()),
        ("int", |reply| reply.int(black_box(1_234_567))),
        ("bulk-16", |reply| reply.bulk(black_box(b"0123456789abcdef"))),
        ("double", |reply| reply.double(black_box(1_234.567))),
        ("array-100", |reply| {
            reply.array(100);
            for _ in 0..100 {
                reply.bulk(black_box(b"element"));
            }
        }),
        ("deferred-map-50", |reply| {
            let mark = reply.deferred();
            for _ in 0..50 {
                reply.bulk(black_box(b"field"));
                reply.bulk(black_box(b"value"));
            }
            reply.end_map(mark, 50);
        }),
    ];
    for (name, write) in cases {
        let mut group = criterion.benchmark_group(format!("reply/{name}"));
        for (protocol, label) in [(Protocol::Resp2, "resp2"), (Protocol::Resp3, "resp3")] {
            let mut out = Vec::with_capacity(4096);
            group.bench_function(label, |bencher| {
                bencher.iter(|| {
                    out.clear();
                    write(&mut Reply::new(&mut out, protocol));
                    black_box(out.len())
                });
            });
        }
        group.finish();
    }
    criterion.final_summary();
}
