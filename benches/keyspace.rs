//! The keyspace as a command uses it: lock, look up or change, unlock.

use std::hint::black_box;

use criterion::{BatchSize, Criterion};
use redis_tls::base::clock::UnixMillis;
use redis_tls::keyspace::{Access, DbIndex, Freshness, KeepExpiry, Keys, Keyspace, LockRequest};

const KEYS: usize = 100_000;
const DB: DbIndex = DbIndex(0);

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let keyspace = Keyspace::new(16);
    let names: Vec<Vec<u8>> = (0..KEYS).map(|n| format!("key:{n:012}").into_bytes()).collect();
    for name in &names {
        locked(&keyspace, name, Access::Write).set_string(name, b"xxx", KeepExpiry::Set(None));
    }
    let mut next = 0;
    let mut pick = move || {
        next = (next + 7919) % KEYS;
        next
    };

    let mut group = criterion.benchmark_group("keyspace");
    group.bench_function("get", |bencher| {
        bencher.iter(|| {
            let name = &names[pick()];
            let keys = locked(&keyspace, name, Access::Read);
            black_box(keys.string(name).map(|value| value.map(|string| string.len())).ok())
        });
    });
    group.bench_function("get-missing", |bencher| {
        bencher.iter(|| black_box(locked(&keyspace, b"missing", Access::Read).exists(b"missing")));
    });
    group.bench_function("overwrite", |bencher| {
        bencher.iter(|| {
            let name = &names[pick()];
            locked(&keyspace, name, Access::Write).set_string(name, black_box(b"yyy"), KeepExpiry::Set(None));
        });
    });
    group.bench_function("overwrite-100-bytes", |bencher| {
        let value = [b'x'; 100];
        bencher.iter(|| {
            let name = &names[pick()];
            locked(&keyspace, name, Access::Write).set_string(name, black_box(&value), KeepExpiry::Set(None));
        });
    });
    group.bench_function("create-and-remove", |bencher| {
        bencher.iter(|| {
            let mut keys = locked(&keyspace, b"fresh", Access::Write);
            keys.set_string(b"fresh", b"value", KeepExpiry::Set(None));
            black_box(keys.remove(b"fresh").is_some())
        });
    });
    group.bench_function("fill-1000", |bencher| {
        bencher.iter_batched(
            || Keyspace::new(1),
            |keyspace| {
                for name in &names[..1000] {
                    locked(&keyspace, name, Access::Write).set_string(name, b"xxx", KeepExpiry::Set(None));
                }
                keyspace
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
    criterion.final_summary();
}

fn locked<'k>(keyspace: &'k Keyspace, key: &[u8], access: Access) -> Keys<'k> {
    let request = LockRequest { db: DB, hash: keyspace.hash(key), access };
    Keys::lock(keyspace, DB, &[request], UnixMillis(1_700_000_000_000), Freshness::Lru)
}
