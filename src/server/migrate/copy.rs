//! The copy: the source's snapshot, item by item, as requests to the target.
//!
//! Values are read whole and checked, then written in the form that the target reads: a source may be older or newer than it.

use super::expiry::PutOff;
use super::progress::Progress;
use super::source::Source;
use super::target::{Target, What};
use crate::data::limits::Limits;
use crate::persistence::rdb::RdbError;
use crate::persistence::rdb::file::{FileReader, Item, Key, Modules};
use crate::replication::{Header, SnapshotBytes};

/// What was copied.
#[derive(Clone, Debug, Default)]
pub struct Copied {
    /// Keys.
    pub keys: u64,
    /// Those of them that expire.
    pub volatile: u64,
    /// Containers without elements, which old releases could write, left out.
    pub empty: u64,
    /// Libraries of functions.
    pub libraries: u64,
    /// Bytes of the snapshot.
    pub bytes: u64,
    /// Keys that the source has said it would send, as far as it has said so.
    pub announced: u64,
}

/// Copies everything, up to the last answer of the target.
pub fn copy(
    source: &mut Source<'_>,
    header: Header,
    target: &mut Target,
    put_off: &mut PutOff,
    progress: &mut Progress,
) -> Result<Copied, String> {
    let broken = |error: RdbError, key: Option<&[u8]>| {
        let at = key.map(|key| format!(" at key '{}'", key.escape_ascii())).unwrap_or_default();
        format!("the source's snapshot cannot be read{at}: {error}")
    };
    let bytes = SnapshotBytes::new(source.incoming(), header);
    let mut reader = FileReader::new(bytes, true, Modules::Refused).map_err(|error| broken(error, None))?;
    let mut copier = Copier { target, put_off, db: 0, copied: Copied::default() };
    let limits = Limits::default();
    loop {
        let item = match reader.next_item(&limits) {
            Ok(item) => item,
            Err(error) => return Err(broken(error, reader.key())),
        };
        copier.copied.bytes = reader.offset();
        if matches!(item, Item::End { .. }) {
            break;
        }
        copier.take(item)?;
        progress.copying(&copier.copied);
    }
    let Copier { target, copied, .. } = copier;
    let (_, mut rest) = reader.into_rest();
    rest.drain().map_err(|error| format!("the source's snapshot does not end: {error}"))?;
    target.settle()?;
    Ok(copied)
}

struct Copier<'t> {
    target: &'t mut Target,
    put_off: &'t mut PutOff,
    db: u64,
    copied: Copied,
}

impl Copier<'_> {
    fn take(&mut self, item: Item) -> Result<(), String> {
        match item {
            Item::Fact(name, value) if name == b"repl-stream-db" => {
                // Where the stream begins without a choice of its own.
                let stream_db = std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok());
                stream_db.map_or(Ok(()), |db| self.select(db))
            }
            Item::Fact(..) | Item::ModuleData(_) | Item::End { .. } => Ok(()),
            Item::Sizes(keys, _) => {
                self.copied.announced = self.copied.announced.saturating_add(keys);
                Ok(())
            }
            Item::Function(code) => {
                self.copied.libraries += 1;
                self.target.command(What::Library, &[b"FUNCTION", b"LOAD", b"REPLACE", &code], 0)
            }
            Item::Database(db) => self.select(db),
            Item::Key(key) => self.key(key),
        }
    }

    fn select(&mut self, db: u64) -> Result<(), String> {
        self.db = db;
        self.target.command(What::Setup("SELECT"), &[b"SELECT", db.to_string().as_bytes()], 0)
    }

    fn key(&mut self, key: Key) -> Result<(), String> {
        let Some(value) = key.value else {
            self.copied.empty += 1;
            return Ok(());
        };
        self.copied.keys += 1;
        self.copied.volatile += u64::from(key.expiry.is_some());
        // An instant before 1970 is none that RESTORE takes.
        let (expiry, payload) = self.put_off.key(key.expiry.map_or(0, |when| when.0.max(1)), value);
        let expiry = expiry.to_string();
        let idle = key.idle_s.map(|seconds| seconds.min(i64::MAX as u64).to_string());
        let frequency = key.frequency.map(|counter| counter.to_string());
        let mut words = vec![&b"RESTORE"[..], &key.name, expiry.as_bytes(), &payload, b"REPLACE", b"ABSTTL"];
        if let Some(idle) = &idle {
            words.extend([&b"IDLETIME"[..], idle.as_bytes()]);
        } else if let Some(frequency) = &frequency {
            words.extend([&b"FREQ"[..], frequency.as_bytes()]);
        }
        self.target.command(What::Key(self.db, key.name.clone()), &words, 0)
    }
}
