//! Loading a snapshot: at the start, and for DEBUG RELOAD.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use crate::base::clock::UnixMillis;
use crate::config::Settings;
use crate::config::values::SanitizePayload;
use crate::data::limits::Limits;
use crate::engine::{Engine, Hold};
use crate::keyspace::{Access, DbIndex, HashedKey, Keys, Keyspace, LockRequest, OwnedValue};
use crate::persistence::rdb::RdbError;
use crate::persistence::rdb::file::{FileReader, Item, Key, Modules};
use crate::replication::{ReplOffset, ReplicationId};

/// Keys without elements that are named in the log.
const EMPTY_KEYS_NAMED: u64 = 10;
/// Keys that are put in their places under one hold of the gate.
const KEYS_PER_HOLD: usize = 32;
/// Room is made in advance for at most one key in so many bytes of a file, whatever it announces.
const BYTES_PER_KEY: u64 = 16;

/// How a file is loaded.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoadMode {
    /// Keys that are there already are replaced; otherwise they are an error.
    pub merge: bool,
    /// The caller holds the gate exclusively.
    pub exclusive: bool,
    /// Keys that have expired are loaded too: what follows the file may count on them.
    pub keep_expired: bool,
}

/// What a snapshot holds, loaded beside the data that is here, which stays as it is.
pub struct Aside {
    /// The keys.
    pub keyspace: Keyspace,
    /// The texts of the libraries of functions.
    pub functions: Vec<Vec<u8>>,
}

/// What a loading brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Keys loaded.
    pub keys: u64,
    /// Keys left out because they had expired.
    pub expired: u64,
    /// Keys left out because nothing was in them.
    pub empty: u64,
    /// The database that the stream of changes was in.
    pub stream_db: Option<DbIndex>,
    /// Whose the stream was.
    pub stream_id: Option<ReplicationId>,
    /// Where it stood.
    pub stream_offset: Option<ReplOffset>,
    /// Keys left out because they had expired, by name where the stream goes on: who follows it has them still.
    pub gone: Vec<(DbIndex, Vec<u8>)>,
}

/// Why a file cannot be loaded: what is wrong, and where.
#[derive(Debug)]
pub enum LoadError {
    /// It cannot be opened.
    Open(PathBuf, io::Error),
    /// Its bytes cannot be read as RDB.
    Read {
        /// The file.
        path: PathBuf,
        /// The byte that was reached.
        offset: u64,
        /// The database that was reached.
        db: u64,
        /// The key whose value was being read.
        key: Option<Vec<u8>>,
        /// What is wrong.
        error: RdbError,
    },
    /// It is whole, but does not fit this server.
    Unfit(PathBuf, String),
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open(path, error) => write!(f, "can't open the RDB file {} for reading: {error}", path.display()),
            Self::Read { path, offset, db, key, error } => {
                write!(f, "{}: at byte {offset}, database {db}", path.display())?;
                if let Some(key) = key {
                    write!(f, ", key '{}'", String::from_utf8_lossy(key))?;
                }
                write!(
                    f,
                    ": {error}. Put a good copy in its place; 'redis-tls check-rdb {}' shows what can be read",
                    path.display()
                )
            }
            Self::Unfit(path, why) => write!(f, "{}: {why}", path.display()),
        }
    }
}

impl std::error::Error for LoadError {}

impl Engine {
    /// Loads the snapshot that the configuration names; `None` if there is none.
    pub fn load_snapshot(&'static self, settings: &Settings, mode: LoadMode) -> Result<Option<Loaded>, LoadError> {
        let path = super::save::target(settings);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(LoadError::Open(path, error)),
        };
        self.saving.loads.total_bytes.store(file.metadata().map_or(0, |metadata| metadata.len()), Relaxed);
        self.load_from(settings, &path, file, mode).map(Some)
    }

    /// Loads a snapshot from a source; `path` names it in errors.
    pub fn load_from(
        &'static self,
        settings: &Settings,
        path: &Path,
        source: impl Read,
        mode: LoadMode,
    ) -> Result<Loaded, LoadError> {
        self.note_load_begun();
        Loading::new(self, path, settings, mode).run(source).map(|(loaded, _)| loaded)
    }

    /// Loads a snapshot from a source without touching the data that is here.
    pub(in crate::engine) fn load_aside_from(
        &'static self,
        settings: &Settings,
        path: &Path,
        source: impl Read,
        mode: LoadMode,
    ) -> Result<(Loaded, Aside), LoadError> {
        self.note_load_begun();
        let mut aside = Aside { keyspace: self.keyspace.beside(), functions: Vec::new() };
        let mut loading = Loading::new(self, path, settings, mode);
        loading.aside = Some(&mut aside);
        let (loaded, _) = loading.run(source)?;
        Ok((loaded, aside))
    }

    fn note_load_begun(&self) {
        let loads = &self.saving.loads;
        loads.started_at.store(UnixMillis::now().seconds(), Relaxed);
        loads.done_bytes.store(0, Relaxed);
    }

    /// Loads a snapshot that something may follow. That comes back: bytes already taken out of the source, the source, and where they
    /// stand in the file.
    pub(in crate::engine) fn load_base<R: Read>(
        &'static self,
        path: &Path,
        source: R,
        settings: &Settings,
        mode: LoadMode,
    ) -> Result<(Vec<u8>, R, u64), LoadError> {
        let (_, reader) = Loading::new(self, path, settings, mode).run(source)?;
        let offset = reader.offset();
        let (taken, source) = reader.into_rest();
        Ok((taken, source, offset))
    }
}

struct Loading<'a> {
    engine: &'static Engine,
    path: &'a Path,
    settings: &'a Settings,
    mode: LoadMode,
    loaded: Loaded,
    db: u64,
    /// Where keys and functions go that are not to be seen yet.
    aside: Option<&'a mut Aside>,
    /// Keys of this database that are read and not in their places yet: what is asked for the memory of one while others are read, is
    /// there when its turn comes.
    waiting: Vec<Waiting>,
}

impl<'a> Loading<'a> {
    fn new(engine: &'static Engine, path: &'a Path, settings: &'a Settings, mode: LoadMode) -> Self {
        let waiting = Vec::with_capacity(KEYS_PER_HOLD);
        Self { engine, path, settings, mode, loaded: Loaded::default(), db: 0, aside: None, waiting }
    }

    fn run<R: Read>(mut self, source: R) -> Result<(Loaded, FileReader<R>), LoadError> {
        let checksum = self.settings.persistence.rdbchecksum && !self.engine.skip_checksums.load(Relaxed);
        let limits = crate::engine::encoding_limits(self.settings);
        let at_start = |error| LoadError::Read { path: self.path.into(), offset: 0, db: 0, key: None, error };
        let mut reader = FileReader::new(source, checksum, Modules::Refused).map_err(at_start)?;
        reader.mend(self.settings.security.sanitize_dump_payload != SanitizePayload::Yes);
        loop {
            let item = self.next(&mut reader, &limits)?;
            self.engine.saving.loads.done_bytes.store(reader.offset(), Relaxed);
            match item {
                Item::Fact(name, value) => self.fact(&name, &value),
                Item::Function(code) => self.function(&code)?,
                Item::Database(db) => self.database(db)?,
                Item::Key(key) => self.key(key)?,
                Item::Sizes(keys, _) => self.announced(keys),
                Item::ModuleData(_) => {}
                Item::End { summed } => {
                    self.put_waiting()?;
                    if checksum && !summed {
                        tracing::info!("RDB file was saved with checksum disabled: no check performed.");
                    }
                    return Ok((self.end(), reader));
                }
            }
        }
    }

    fn next<R: Read>(&self, reader: &mut FileReader<R>, limits: &Limits) -> Result<Item, LoadError> {
        reader.next_item(limits).map_err(|error| LoadError::Read {
            path: self.path.into(),
            offset: reader.offset(),
            db: self.db,
            key: reader.key().map(<[u8]>::to_vec),
            error,
        })
    }

    fn end(self) -> Loaded {
        let Loaded { keys, expired, empty, .. } = self.loaded;
        self.engine.saving.loads.keys_loaded.store(keys, Relaxed);
        self.engine.saving.loads.keys_expired.store(expired, Relaxed);
        let skipped = if empty > 0 { format!(", empty keys skipped: {empty}") } else { String::new() };
        tracing::info!("Done loading RDB, keys loaded: {keys}, keys expired: {expired}{skipped}.");
        self.loaded
    }

    fn unfit<T>(&self, why: String) -> Result<T, LoadError> {
        Err(LoadError::Unfit(self.path.into(), why))
    }

    fn fact(&mut self, name: &[u8], value: &[u8]) {
        let text = String::from_utf8_lossy(value);
        let number = text.parse::<i64>().unwrap_or(0);
        match name {
            [b'%', ..] => tracing::info!("RDB '{}': {text}", String::from_utf8_lossy(name)),
            b"redis-ver" => tracing::info!("Loading RDB produced by version {text}"),
            b"ctime" => tracing::info!("RDB age {} seconds", (UnixMillis::now().seconds() - number).max(0)),
            b"used-mem" => {
                tracing::info!("RDB memory usage when created {:.2} Mb", number as f64 / 1_048_576.0);
                self.engine.saving.loads.used_memory.store(number.max(0) as u64, Relaxed);
            }
            b"repl-stream-db" => self.loaded.stream_db = u32::try_from(number).ok().map(DbIndex),
            b"repl-id" => self.loaded.stream_id = ReplicationId::parse(value),
            b"repl-offset" => self.loaded.stream_offset = u64::try_from(number).ok().map(ReplOffset),
            b"aof-base" if number != 0 => tracing::info!("RDB is base AOF"),
            _ => tracing::trace!("RDB field '{}' is of no use here", String::from_utf8_lossy(name)),
        }
    }

    fn function(&mut self, code: &[u8]) -> Result<(), LoadError> {
        if let Some(aside) = &mut self.aside {
            aside.functions.push(code.to_vec());
            return Ok(());
        }
        let loaded = self.engine.libraries.load(code, self.mode.merge, true);
        loaded.map(drop).or_else(|error| self.unfit(format!("Failed loading library, {}", error.text())))
    }

    fn database(&mut self, db: u64) -> Result<(), LoadError> {
        let count = self.engine.keyspace.count();
        if db >= u64::from(count) {
            return self.unfit(format!(
                "the file was created with a Redis server configured to handle more than {count} databases; it holds \
                 database {db}: raise 'databases'"
            ));
        }
        self.put_waiting()?;
        self.db = db;
        Ok(())
    }

    /// Loads slowly, where a test asks for that, for as long as it does.
    #[cold]
    fn delay(&self) {
        if let Ok(delay_us @ 1..) = u64::try_from(self.engine.config.settings().persistence.key_load_delay) {
            std::thread::sleep(Duration::from_micros(delay_us));
        }
    }

    fn key(&mut self, key: Key) -> Result<(), LoadError> {
        if self.settings.persistence.key_load_delay > 0 {
            self.delay();
        }
        let Some(value) = key.value else {
            self.loaded.empty += 1;
            if self.loaded.empty <= EMPTY_KEYS_NAMED {
                tracing::info!("Loading: skipping empty key: {}", String::from_utf8_lossy(&key.name));
            }
            return Ok(());
        };
        if let Some(what) = key.mended {
            let name = String::from_utf8_lossy(&key.name);
            tracing::warn!(
                "Loading: the value of key '{name}' in database {} was off and is put right: {what}",
                self.db
            );
        }
        if !self.mode.keep_expired && key.expiry.is_some_and(|when| when < UnixMillis::now()) {
            self.loaded.expired += 1;
            if self.loaded.stream_id.is_some() && !self.mode.exclusive {
                self.loaded.gone.push((DbIndex(self.db as u32), key.name));
            }
            return Ok(());
        }
        let keyspace = self.keyspace();
        let hash = keyspace.hash(&key.name);
        keyspace.prefetch_slot(DbIndex(self.db as u32), hash);
        self.waiting.push(Waiting {
            name: key.name,
            hash,
            value,
            expiry: key.expiry,
            idle_s: key.idle_s,
            frequency: key.frequency,
        });
        let slow = self.settings.persistence.key_load_delay > 0;
        if slow || self.waiting.len() >= KEYS_PER_HOLD { self.put_waiting() } else { Ok(()) }
    }

    /// Where the keys go.
    fn keyspace(&self) -> &Keyspace {
        self.aside.as_ref().map_or(&self.engine.keyspace, |aside| &aside.keyspace)
    }

    /// Enters the gate, where that is to be done; whether nobody else knows of the keys, or may touch them.
    fn enter(&self) -> (bool, Hold<'static>) {
        let alone = self.mode.exclusive || self.aside.is_some();
        (alone, if alone { Hold::Nothing } else { self.engine.gate.shared() })
    }

    /// Puts the keys that are waiting where they belong.
    fn put_waiting(&mut self) -> Result<(), LoadError> {
        let (db, now) = (DbIndex(self.db as u32), UnixMillis::now());
        let freshness = Engine::freshness(self.settings);
        let (alone, _hold) = self.enter();
        let keyspace = self.aside.as_ref().map_or(&self.engine.keyspace, |aside| &aside.keyspace);
        for Waiting { name, hash, value, expiry, idle_s, frequency } in self.waiting.drain(..) {
            let mut keys = if alone {
                Keys::exclusive(keyspace, db, now, freshness)
            } else {
                Keys::lock(keyspace, db, &[LockRequest { db, hash, access: Access::Write }], now, freshness)
            };
            keys.remember(HashedKey::new(&name, hash));
            keys.see_expired = true;
            if !self.mode.merge && keys.peek(&name).is_some() {
                let why = format!(
                    "RDB has duplicated key '{}' in DB {db}; 'redis-tls check-rdb' shows what is in the file",
                    String::from_utf8_lossy(&name),
                    db = db.0
                );
                return Err(LoadError::Unfit(self.path.into(), why));
            }
            keys.set_owned(&name, value, expiry);
            keys.set_freshness(&name, idle_s, frequency);
            self.loaded.keys += 1;
        }
        Ok(())
    }

    /// Makes room for as many keys as the file announces, as far as there are bytes for them.
    fn announced(&self, keys: u64) {
        let bytes = self.engine.saving.loads.total_bytes.load(Relaxed);
        let keys = usize::try_from(keys.min(bytes / BYTES_PER_KEY)).unwrap_or(0);
        let (_, _hold) = self.enter();
        self.keyspace().reserve(DbIndex(self.db as u32), keys);
    }
}

/// A key on its way from the file to its place.
struct Waiting {
    name: Vec<u8>,
    hash: u64,
    value: OwnedValue,
    expiry: Option<UnixMillis>,
    idle_s: Option<u64>,
    frequency: Option<u8>,
}
