//! The ways the primary's snapshot takes into memory.
//!
//! Usually it goes to disk first, while the old data can still be read. A replica may also take it straight from the link
//! (`repl-diskless-load`): one without data in place, with `swapdb` any into memory beside the old data, which stays until all of it
//! has arrived.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::dial::timeout;
use crate::base::clock::UnixMillis;
use crate::base::disk;
use crate::base::memory::total_system_memory;
use crate::config::Settings;
use crate::config::values::DisklessLoad;
use crate::engine::{CopyOrigin, Engine, FullCopy, LoadError};
use crate::keyspace::DbIndex;
use crate::peer::Link;
use crate::replication::{Header, Incoming, ReplOffset, ReplicationId, SnapshotBytes};

/// How often the primary is told that a replica that loads is still there.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// A snapshot of so many times the machine's memory cannot be held, however it is encoded.
const MOST_COMPRESSED: u64 = 4;
/// Bytes after which a file is flushed to disk while it comes in.
const FLUSH_BYTES: u64 = 8 << 20;

/// Takes the snapshot that comes in next; the database of the stream behind it.
pub(super) fn take(
    engine: &'static Engine,
    settings: &Settings,
    generation: u64,
    link: &mut Link,
    position: Option<(ReplicationId, ReplOffset)>,
) -> Result<DbIndex, String> {
    let name = Path::new("the primary's snapshot");
    let copy = FullCopy { engine, settings, name, origin: CopyOrigin { generation, position } };
    let header = header(engine, generation, link)?;
    let way = match settings.replication.repl_diskless_load {
        DisklessLoad::Swapdb => Way::Aside,
        DisklessLoad::OnEmptyDb if engine.keyspace.census().is_empty() => Way::InPlace,
        _ => Way::Disk,
    };
    let target = if way == Way::Disk { "disk" } else { "parser" };
    let total = match header {
        Header::Length(bytes) => {
            check_room(settings, way, bytes)?;
            tracing::info!("MASTER <-> REPLICA sync: receiving {bytes} bytes from master to {target}");
            bytes
        }
        Header::Mark(_) => {
            tracing::info!("MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF to {target}");
            0
        }
    };
    engine.replication.link.update(|report| (report.transfer_total, report.transfer_read) = (total, 0));
    let mut source = SnapshotBytes::new(Watched { engine, generation, link: &mut *link, told: Instant::now() }, header);
    if way == Way::Disk {
        return Spool::receive(settings, &mut source)?.load(link, copy);
    }
    engine.saving.loads.total_bytes.store(total, std::sync::atomic::Ordering::Relaxed);
    let taken = if way == Way::Aside { copy.take_aside(&mut source) } else { copy.take(&mut source) };
    let db = taken.map_err(|error| explain(&error))?;
    source.drain().map_err(|error| format!("Replication stream EOF marker is broken: {error}"))?;
    Ok(db)
}

/// Refuses a snapshot that claims to be longer than there is room for, before any of it is taken.
fn check_room(settings: &Settings, way: Way, bytes: u64) -> Result<(), String> {
    let dir = &settings.general.dir;
    let (place, room) = match way {
        Way::Disk => (format!("the file system of '{dir}'"), disk::free_bytes(Path::new(dir)).unwrap_or(u64::MAX)),
        // In memory it takes about as much.
        Way::InPlace | Way::Aside => ("this machine".into(), total_system_memory().saturating_mul(MOST_COMPRESSED)),
    };
    if bytes > room.min(i64::MAX as u64) {
        return Err(format!(
            "The snapshot of the MASTER is announced with {bytes} bytes, but {place} has room for {room}"
        ));
    }
    Ok(())
}

/// How a snapshot gets into memory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Over a file.
    Disk,
    /// Straight from the link, into empty databases.
    InPlace,
    /// Straight from the link, beside what is here.
    Aside,
}

/// Why what came straight from the link could not be loaded. There is no file to be looked at.
fn explain(error: &LoadError) -> String {
    let why = match error {
        LoadError::Read { offset, db, error, .. } => {
            format!("Internal error in RDB reading offset {offset}, database {db}: {error}")
        }
        other => other.to_string(),
    };
    format!("Failed trying to load the MASTER synchronization DB from socket: {why}")
}

fn header(engine: &Engine, generation: u64, link: &mut Link) -> Result<Header, String> {
    loop {
        let line = link.line(|| engine.still_follows(generation));
        let line = line.map_err(|error| format!("I/O error reading bulk count from MASTER: {error}"))?;
        engine.replication.link.heard(0);
        let text = || String::from_utf8_lossy(&line).into_owned();
        match line.first() {
            None => {}
            Some(b'-') => return Err(format!("MASTER aborted replication with an error: {}", &text()[1..])),
            Some(_) => {
                return Header::parse(&line).ok_or_else(|| {
                    format!(
                        "Bad protocol from MASTER, the first byte is not '$' (we received '{}'), are you sure the host and port \
                         are right?",
                        text()
                    )
                });
            }
        }
    }
}

/// The link while it is to be listened to; what comes in is noted for INFO.
struct Watched<'l> {
    engine: &'static Engine,
    generation: u64,
    link: &'l mut Link,
    /// When the primary was last told that this replica is still there.
    told: Instant,
}

impl Incoming for Watched<'_> {
    fn receive(&mut self) -> io::Result<&[u8]> {
        loop {
            if !self.engine.still_follows(self.generation) {
                return Err(io::Error::other("another primary is to be followed"));
            }
            if self.told.elapsed() > HEARTBEAT {
                self.told = Instant::now();
                self.link.send(b"\n")?;
            }
            self.link.set_timeout(timeout(&self.engine.config.settings()));
            if !self.link.receive()?.is_empty() {
                return self.link.receive();
            }
        }
    }

    fn take(&mut self, count: usize) {
        self.link.take(count);
        self.engine.replication.link.transferred(count as u64);
    }
}

/// The snapshot in a file of its own.
struct Spool {
    path: PathBuf,
    kept: bool,
}

impl Spool {
    fn receive(settings: &Settings, source: &mut impl Read) -> Result<Self, String> {
        let name = format!("temp-{}.{}.rdb", UnixMillis::now().seconds(), std::process::id());
        let path = Path::new(&settings.general.dir).join(name);
        let opened = File::create(&path).map_err(|error| {
            format!("Opening the temp file needed for MASTER <-> REPLICA synchronization: {}: {error}", path.display())
        });
        let mut file = opened?;
        let spool = Self { path, kept: false };
        let mut buffer = vec![0; 256 << 10];
        let mut unflushed = 0;
        loop {
            let read = source.read(&mut buffer);
            let read = read.map_err(|error| format!("I/O error trying to sync with MASTER: {error}"))?;
            let write = || {
                file.write_all(&buffer[..read])?;
                unflushed += read as u64;
                if read == 0 {
                    file.sync_all()?;
                } else if unflushed >= FLUSH_BYTES {
                    unflushed = 0;
                    file.sync_data()?;
                }
                Ok::<_, io::Error>(())
            };
            let mut write = write;
            write().map_err(|error| {
                format!(
                    "Write error or short write writing to the DB dump file needed for MASTER <-> REPLICA synchronization: \
                     {error}"
                )
            })?;
            if read == 0 {
                return Ok(spool);
            }
        }
    }

    /// Moves it to where the server's own snapshot is, and loads it from there.
    fn load(mut self, link: &mut Link, copy: FullCopy<'_>) -> Result<DbIndex, String> {
        let (engine, settings) = (copy.engine, copy.settings);
        let target = Path::new(&settings.general.dir).join(&settings.persistence.dbfilename);
        fs::rename(&self.path, &target).map_err(|error| {
            format!(
                "Failed trying to rename the temp DB into {} in MASTER <-> REPLICA synchronization: {error}",
                target.display()
            )
        })?;
        self.path = target;
        self.kept = !engine.keeps_nothing_on_disk();
        let failed = |error: &dyn std::fmt::Display| {
            format!("Failed trying to load the MASTER synchronization DB from disk, check server logs. {error}")
        };
        let file = File::open(&self.path).map_err(|error| failed(&error))?;
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        engine.saving.loads.total_bytes.store(length, std::sync::atomic::Ordering::Relaxed);
        let source = Heartbeat { file, link, last: Instant::now() };
        FullCopy { name: &self.path, ..copy }.take(source).map_err(|error| failed(&error))
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!("{}: {error}", self.path.display());
        }
    }
}

/// A file that tells the primary from time to time, while it is read, that the replica is still there.
struct Heartbeat<'l> {
    file: File,
    link: &'l mut Link,
    last: Instant,
}

impl Read for Heartbeat<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.last.elapsed() > HEARTBEAT {
            self.last = Instant::now();
            self.link.send(b"\n")?;
        }
        self.file.read(out)
    }
}
