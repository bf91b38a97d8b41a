//! The primary's snapshot as a source of bytes that ends where the snapshot does, and the ways it takes into memory.
//!
//! Usually it goes to disk first, while the old data can still be read. A replica may also take it straight from the link
//! (`repl-diskless-load`): one without data in place, with `swapdb` any into memory beside the old data, which stays until all of it
//! has arrived.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::link::Link;
use crate::base::clock::UnixMillis;
use crate::config::Settings;
use crate::config::values::DisklessLoad;
use crate::engine::{CopyOrigin, Engine, LoadError};
use crate::keyspace::DbIndex;
use crate::replication::{EOF_MARK_BYTES, Header, ReplOffset, ReplicationId, TailScanner};

/// How often the primary is told that a replica that loads is still there.
const HEARTBEAT: Duration = Duration::from_secs(1);
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
    let origin = CopyOrigin { generation, position };
    let header = header(engine, generation, link)?;
    let way = match settings.replication.repl_diskless_load {
        DisklessLoad::Swapdb => Way::Aside,
        DisklessLoad::OnEmptyDb if engine.keyspace.census().is_empty() => Way::InPlace,
        _ => Way::Disk,
    };
    let target = if way == Way::Disk { "disk" } else { "parser" };
    let total = match header {
        Header::Length(bytes) => {
            tracing::info!("MASTER <-> REPLICA sync: receiving {bytes} bytes from master to {target}");
            bytes
        }
        Header::Mark(_) => {
            tracing::info!("MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF to {target}");
            0
        }
    };
    engine.replication.link.update(|report| (report.transfer_total, report.transfer_read) = (total, 0));
    let mut source = Source::new(engine, generation, link, header);
    if way == Way::Disk {
        return Spool::receive(settings, &mut source)?.load(engine, settings, link, &origin);
    }
    engine.saving.loads.total_bytes.store(total, std::sync::atomic::Ordering::Relaxed);
    let name = Path::new("the primary's snapshot");
    let taken = if way == Way::Aside {
        engine.take_copy_aside(settings, name, &mut source, &origin)
    } else {
        engine.take_copy(settings, name, &mut source, &origin)
    };
    let db = taken.map_err(|error| explain(&error))?;
    source.drain().map_err(|error| format!("Replication stream EOF marker is broken: {error}"))?;
    Ok(db)
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

enum Ending {
    Left(u64),
    Mark { scanner: TailScanner, reached: bool },
}

/// Bytes of the snapshot, and no others.
struct Source<'l> {
    engine: &'static Engine,
    generation: u64,
    link: &'l mut Link,
    ending: Ending,
    /// What has come in before a mark and may be a part of it.
    held: Vec<u8>,
    /// When the primary was last told that this replica is still there.
    told: Instant,
}

impl<'l> Source<'l> {
    fn new(engine: &'static Engine, generation: u64, link: &'l mut Link, header: Header) -> Self {
        let ending = match header {
            Header::Length(bytes) => Ending::Left(bytes),
            Header::Mark(mark) => Ending::Mark { scanner: TailScanner::new(mark), reached: false },
        };
        Self { engine, generation, link, ending, held: Vec::new(), told: Instant::now() }
    }

    /// Whatever came in, once something has.
    fn receive(&mut self) -> io::Result<usize> {
        loop {
            if !self.engine.still_follows(self.generation) {
                return Err(io::Error::other("another primary is to be followed"));
            }
            if self.told.elapsed() > HEARTBEAT {
                self.told = Instant::now();
                self.link.send(b"\n")?;
            }
            let there = self.link.receive()?;
            if there.is_empty() {
                continue;
            }
            let count = match &mut self.ending {
                Ending::Left(left) => there.len().min(usize::try_from(*left).unwrap_or(usize::MAX)),
                Ending::Mark { scanner, reached } => {
                    *reached = scanner.push(there);
                    there.len()
                }
            };
            self.held.extend_from_slice(&there[..count]);
            if let Ending::Left(left) = &mut self.ending {
                *left -= count as u64;
            }
            self.link.take(count);
            self.engine.replication.link.update(|report| {
                report.transfer_read += count as u64;
                report.last_input = UnixMillis::now().0;
            });
            return Ok(count);
        }
    }

    /// Takes what is left; an error if the end never comes.
    fn drain(&mut self) -> io::Result<()> {
        io::copy(self, &mut io::sink()).map(drop)
    }

    fn is_over(&self) -> bool {
        matches!(self.ending, Ending::Left(0) | Ending::Mark { reached: true, .. })
    }

    /// Bytes of the held ones that belong to the snapshot for sure.
    fn certain(&self) -> usize {
        match self.ending {
            Ending::Left(_) => self.held.len(),
            Ending::Mark { .. } => self.held.len().saturating_sub(EOF_MARK_BYTES),
        }
    }
}

impl Read for Source<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.certain() == 0 && !self.is_over() {
            self.receive()?;
        }
        let count = self.certain().min(out.len());
        out[..count].copy_from_slice(&self.held[..count]);
        self.held.drain(..count);
        Ok(count)
    }
}

/// The snapshot in a file of its own.
struct Spool {
    path: PathBuf,
    kept: bool,
}

impl Spool {
    fn receive(settings: &Settings, source: &mut Source<'_>) -> Result<Self, String> {
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

    fn load(
        mut self,
        engine: &'static Engine,
        settings: &Settings,
        link: &mut Link,
        origin: &CopyOrigin,
    ) -> Result<DbIndex, String> {
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
        engine.take_copy(settings, &self.path, source, origin).map_err(|error| failed(&error))
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
