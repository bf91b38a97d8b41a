//! Writing a file: what comes before the keys, the keys, and the end. The checksum behind the end is the caller's, who sees all bytes.

use parking_lot::Mutex;

use super::super::code::{Version, opcode};
use super::super::encode;
use super::super::write::Writer;
use super::Usage;
use crate::base::clock::UnixMillis;
use crate::keyspace::{Census, DbIndex, Entry, ShardEncoder};

/// Where in the stream of changes a file stands.
#[derive(Clone, Debug)]
pub struct Replication {
    /// The database the stream is in.
    pub db: DbIndex,
    /// The stream's id.
    pub id: String,
    /// The position.
    pub offset: u64,
}

/// What a file says about itself.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The version of the format.
    pub version: Version,
    /// The version of Redis that this server speaks as.
    pub redis_version: &'a str,
    /// Unix seconds when it was made.
    pub created_s: i64,
    /// Bytes of memory in use.
    pub used_memory: u64,
    /// Where it stands in the stream of changes, if there is one.
    pub replication: Option<Replication>,
    /// Whether it is the base of an append only file.
    pub aof_base: bool,
    /// The code of each library of functions.
    pub functions: Vec<Vec<u8>>,
}

/// What stands in front of the first database.
pub fn preamble(facts: &Facts<'_>) -> Vec<u8> {
    let mut writer = Writer::new(true);
    writer.out.extend_from_slice(format!("REDIS{:04}", facts.version.number()).as_bytes());
    let mut field = |name: &str, value: &str| {
        writer.byte(opcode::AUX);
        writer.string(name.as_bytes());
        writer.string(value.as_bytes());
    };
    field("redis-ver", facts.redis_version);
    field("redis-bits", "64");
    field("ctime", &facts.created_s.to_string());
    field("used-mem", &facts.used_memory.to_string());
    if let Some(replication) = &facts.replication {
        field("repl-stream-db", &replication.db.0.to_string());
        field("repl-id", &replication.id);
        field("repl-offset", &replication.offset.to_string());
    }
    field("aof-base", if facts.aof_base { "1" } else { "0" });
    for code in &facts.functions {
        writer.byte(opcode::FUNCTION_2);
        writer.string(code);
    }
    writer.out
}

/// What stands in front of keys of a database: its number, and the first time how many keys it has.
pub fn database(census: Census, first: bool) -> Vec<u8> {
    let mut writer = Writer::new(false);
    writer.byte(opcode::SELECT_DB);
    writer.length(u64::from(census.db.0));
    if first {
        writer.byte(opcode::RESIZE_DB);
        writer.length(census.keys as u64);
        writer.length(census.volatile as u64);
    }
    writer.out
}

/// The end; eight bytes of checksum follow, zero for none.
pub fn end() -> [u8; 1] {
    [opcode::EOF]
}

/// Writes keys with their values, as a file has them.
pub struct KeyEncoder {
    version: Version,
    compression: bool,
    usage: Usage,
    now: UnixMillis,
    /// Writers that are not at work, kept for their tables. Taken and put back without anything else being locked meanwhile.
    idle: Mutex<Vec<Writer>>,
}

impl KeyEncoder {
    /// An encoder for a file made at `now`.
    pub fn new(version: Version, compression: bool, usage: Usage, now: UnixMillis) -> Self {
        Self { version, compression, usage, now, idle: Mutex::default() }
    }

    fn entry(&self, writer: &mut Writer, entry: &Entry) {
        if let Some(when) = entry.expiry() {
            writer.byte(opcode::EXPIRE_TIME_MS);
            writer.millis(when.0);
        }
        self.usage.write(writer, entry, self.now);
        let value = entry.value();
        writer.byte(encode::kind_of(value, self.version));
        writer.string(entry.key());
        encode::value(writer, value, self.version);
    }
}

impl ShardEncoder for KeyEncoder {
    fn encode(&self, _db: DbIndex, entries: &mut dyn Iterator<Item = &Entry>, writer_waits: bool, out: &mut Vec<u8>) {
        let idle = self.idle.lock().pop();
        let mut writer = idle.unwrap_or_default();
        writer.set_compression(self.compression && !writer_waits);
        std::mem::swap(&mut writer.out, out);
        for entry in entries {
            self.entry(&mut writer, entry);
        }
        std::mem::swap(&mut writer.out, out);
        self.idle.lock().push(writer);
    }
}
