use super::*;
use crate::base::clock::UnixMillis;
use crate::base::crc64::crc64;
use crate::data::limits::Limits;
use crate::keyspace::{Census, DbIndex, Entry, LfuTuning, NewValue, OwnedValue, ShardEncoder};
use crate::persistence::rdb::{RdbError, Version};

fn specimen(usage: Usage) -> Vec<u8> {
    let facts = Facts {
        version: Version::V11,
        redis_version: "7.2.6",
        created_s: 5,
        used_memory: 1000,
        replication: Some(Replication { db: DbIndex(3), id: "a".repeat(40), offset: 77 }),
        aof_base: true,
        functions: vec![b"#!lua name=lib".to_vec()],
    };
    let mut file = preamble(&facts);
    file.extend(database(Census { db: DbIndex(2), keys: 2, volatile: 1 }, true));
    let now = UnixMillis(100_000_000);
    let entries = [
        Entry::new(b"plain", NewValue::string(b"value"), None, 99_000),
        Entry::new(b"expires", NewValue::string(b"12"), Some(UnixMillis(1234)), 99_000),
    ];
    KeyEncoder::new(Version::V11, true, usage, now).encode(DbIndex(2), &mut entries.iter(), false, &mut file);
    file.extend(end());
    let checksum = crc64(&file);
    file.extend(checksum.to_le_bytes());
    file
}

fn read(file: &[u8]) -> Result<String, RdbError> {
    let mut reader = FileReader::new(file, true, Modules::Refused)?;
    let mut shown = format!("{}", reader.version());
    loop {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        shown += &match reader.next_item(&Limits::default())? {
            Item::Fact(name, value) => format!(" {}={}", text(name), text(value)),
            Item::Function(code) => format!(" f({})", text(code)),
            Item::ModuleData(name) => format!(" m({name})"),
            Item::Database(db) => format!(" db{db}"),
            Item::Sizes(keys, volatile) => format!(" {keys}/{volatile}"),
            Item::Key(key) => {
                let value = match key.value {
                    Some(OwnedValue::Inline(bytes)) => text(bytes.into_vec()),
                    Some(OwnedValue::Int(value)) => value.to_string(),
                    _ => "?".into(),
                };
                let expiry = key.expiry.map(|when| when.0);
                format!(" {}:{value}@{expiry:?},{:?},{:?}", text(key.name), key.idle_s, key.frequency)
            }
            Item::End { summed } => return Ok(format!("{shown} end({summed})")),
        };
    }
}

#[test]
fn a_file_says_everything_about_its_keys() {
    let around = |keys: &str| {
        format!(
            "11 redis-ver=7.2.6 redis-bits=64 ctime=5 used-mem=1000 repl-stream-db=3 repl-id={} repl-offset=77 \
             aof-base=1 f(#!lua name=lib) db2 2/1 {keys} end(true)",
            "a".repeat(40)
        )
    };
    assert_eq!(
        read(&specimen(Usage::Nothing)).unwrap(),
        around("plain:value@None,None,None expires:12@Some(1234),None,None")
    );
    assert_eq!(
        read(&specimen(Usage::Idle)).unwrap(),
        around("plain:value@None,Some(1000),None expires:12@Some(1234),Some(1000),None")
    );
    let frequency = Usage::Frequency(LfuTuning { log_factor: 10, decay_minutes: 0 });
    assert!(read(&specimen(frequency)).unwrap().contains("plain:value@None,None,Some(184)"));
}

#[test]
fn a_wrong_checksum_is_an_error_and_zero_is_none() {
    let mut file = specimen(Usage::Nothing);
    let length = file.len();
    file[length - 1] ^= 1;
    assert!(matches!(read(&file), Err(RdbError::Checksum { .. })));
    file[length - 8..].fill(0);
    assert!(read(&file).unwrap().ends_with("end(false)"));
}

#[test]
fn every_cut_and_every_other_version_is_an_error() {
    let file = specimen(Usage::Idle);
    for cut in 0..file.len() {
        assert!(read(&file[..cut]).is_err(), "{cut}");
    }
    for version in ["0000", "0013", "9999", "abcd"] {
        let mut other = file.clone();
        other[5..9].copy_from_slice(version.as_bytes());
        assert!(matches!(read(&other), Err(RdbError::Version(_))), "{version}");
    }
}

#[test]
fn damage_never_does_harm() {
    use rand::{Rng, SeedableRng};
    let mut random = rand::rngs::SmallRng::seed_from_u64(5);
    let file = specimen(Usage::Idle);
    for _ in 0..5000 {
        let mut bad = file.clone();
        for _ in 0..random.random_range(1..5) {
            let at = random.random_range(9..bad.len());
            bad[at] = random.random();
        }
        let _ = read(&bad);
    }
}
