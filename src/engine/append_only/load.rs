//! Loading the parts: the base, then the increments, in the order of the manifest.
//!
//! A part that ends in the middle of a command may be cut there, if it is the last one and the configuration allows it. Everything else that
//! is wrong ends the start: the data would silently be less than what was promised. What is wrong is logged in Redis's words.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::files::Folder;
use super::replay::Replayer;
use crate::base::clock::UnixMillis;
use crate::base::system_text::system_text;
use crate::config::Settings;
use crate::engine::saving::LoadMode;
use crate::engine::{Engine, LoadError};
use crate::persistence::aof::{Damage, Item, Part, RecordReader};

/// What a base that is a snapshot begins with.
const SNAPSHOT: &[u8] = b"REDIS";
/// Bytes read at a time.
const READ_BYTES: usize = 256 << 10;

/// The append only file cannot be loaded, or not be begun; the log says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AofFailed;

/// How a part was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Whole,
    /// Its end was cut off.
    Cut,
}

impl Engine {
    /// Reads which parts there are. Called at the start, whether they are used or not.
    pub fn read_aof_manifest(&self, settings: &Settings) -> Result<(), AofFailed> {
        *self.append_only.manifest.lock() = Folder::of(settings).read_manifest()?;
        Ok(())
    }

    /// Loads all parts; `false` if there is nothing to load. `exclusive` says that the caller holds the gate exclusively.
    pub fn load_append_only(&'static self, settings: &Settings, exclusive: bool) -> Result<bool, AofFailed> {
        let folder = Folder::of(settings);
        let parts: Vec<Part> = {
            let mut manifest = self.append_only.manifest.lock();
            folder.adopt_old_file(&mut manifest)?;
            manifest.parts().cloned().collect()
        };
        let has_base = self.append_only.manifest.lock().base().is_some();
        let lengths: Option<Vec<u64>> = parts.iter().map(|part| folder.length(&part.name)).collect();
        let lengths = lengths.ok_or(AofFailed)?;
        let total: u64 = lengths.iter().sum();
        if total == 0 {
            return Ok(false);
        }
        let loads = &self.saving.loads;
        loads.started_at.store(UnixMillis::now().seconds(), Relaxed);
        loads.total_bytes.store(total, Relaxed);
        loads.done_bytes.store(0, Relaxed);
        let dirty = self.dirty.load(Relaxed);
        let mut before = 0;
        for (index, (part, length)) in parts.iter().zip(&lengths).enumerate() {
            let started = Instant::now();
            let mut loading = Loading { engine: self, settings, folder: &folder, part, before, exclusive };
            let outcome = if *length == 0 { Outcome::Whole } else { loading.load()? };
            if outcome == Outcome::Cut && index + 1 < parts.len() {
                tracing::error!("Fatal error: the truncated file is not the last file");
                return Err(AofFailed);
            }
            let kind = if has_base && index == 0 { "base" } else { "incr" };
            tracing::info!("DB loaded from {kind} file {}: {:.3} seconds", part.name, started.elapsed().as_secs_f64());
            before += length;
        }
        self.dirty.store(dirty, Relaxed);
        self.append_only.log.total_bytes.store(total, Relaxed);
        let base_bytes = if has_base { lengths.first().copied().unwrap_or(0) } else { 0 };
        self.append_only.rewritten_bytes.store(base_bytes, Relaxed);
        Ok(true)
    }
}

/// One part being loaded.
struct Loading<'a> {
    engine: &'static Engine,
    settings: &'a Settings,
    folder: &'a Folder,
    part: &'a Part,
    /// Bytes of the parts before it.
    before: u64,
    exclusive: bool,
}

impl Loading<'_> {
    fn path(&self) -> PathBuf {
        self.folder.part(&self.part.name)
    }

    fn load(&mut self) -> Result<Outcome, AofFailed> {
        let name = &self.part.name;
        let file = File::open(self.path()).map_err(|error| {
            tracing::error!("Fatal error: can't open the append log file {name} for reading: {}", system_text(&error));
            AofFailed
        })?;
        let mut start = Vec::new();
        (&file).take(SNAPSHOT.len() as u64).read_to_end(&mut start).map_err(|error| self.unreadable(&error))?;
        let rest = io::Cursor::new(start.clone()).chain(file);
        if start != SNAPSHOT {
            return self.load_commands(BufReader::with_capacity(READ_BYTES, rest), 0);
        }
        let is_old = *name == self.folder.stem;
        tracing::info!(
            "{}",
            if is_old { "Reading RDB preamble from AOF file..." } else { "Reading RDB base file on AOF loading..." }
        );
        let (taken, rest, offset) = self.load_snapshot(rest).map_err(|error| {
            tracing::error!("{error}");
            let what = if is_old { "RDB preamble of the AOF file" } else { "RDB base file" };
            tracing::error!("Error reading the {what} {name}, AOF loading aborted");
            AofFailed
        })?;
        if is_old {
            tracing::info!("Reading the remaining AOF tail...");
        }
        self.load_commands(BufReader::with_capacity(READ_BYTES, io::Cursor::new(taken).chain(rest)), offset)
    }

    /// Loads a snapshot; what follows it comes back: bytes already taken out of the source, the source, and where they stand.
    fn load_snapshot<R: Read>(&self, source: R) -> Result<(Vec<u8>, R, u64), LoadError> {
        // What follows may count on keys that have expired: it was written when they had not.
        let mode = LoadMode { merge: false, exclusive: self.exclusive, keep_expired: true };
        self.engine.load_base(&self.path(), source, self.settings, mode)
    }

    fn load_commands(&self, source: impl io::BufRead, offset: u64) -> Result<Outcome, AofFailed> {
        let name = &self.part.name;
        let mut reader = RecordReader::new(source, offset);
        let mut replayer = Replayer::new(self.engine, self.settings, self.exclusive);
        let delay = u64::try_from(self.settings.persistence.key_load_delay).unwrap_or(0);
        // Where the last command ended that took effect, and where the open transaction began.
        let mut good = offset;
        let damage = loop {
            let item = match reader.next_item() {
                Ok(None) => break None,
                Ok(Some(item)) => item,
                Err(damage) => break Some(damage),
            };
            if let Item::Command(args) = item {
                replayer.run(args).map_err(|unknown| {
                    tracing::error!(
                        "Unknown command '{}' reading the append only file {name}",
                        String::from_utf8_lossy(&unknown.0)
                    );
                    AofFailed
                })?;
                if delay > 0 {
                    replayer.step_out();
                    std::thread::sleep(Duration::from_micros(delay));
                }
            }
            self.engine.saving.loads.done_bytes.store(self.before + reader.offset(), Relaxed);
            if !replayer.is_in_transaction() {
                good = reader.offset();
            }
        };
        match damage {
            None if !replayer.is_in_transaction() => Ok(Outcome::Whole),
            None => {
                tracing::warn!("Revert incomplete MULTI/EXEC transaction in AOF file {name}");
                self.cut(good)
            }
            Some(Damage::End(_)) => self.cut(good),
            Some(Damage::Io(error)) => Err(self.unreadable(&error)),
            Some(Damage::Format(_)) => {
                tracing::error!(
                    "Bad file format reading the append only file {name}: make a backup of your AOF file, then use \
                     ./redis-check-aof --fix <filename.manifest>"
                );
                Err(AofFailed)
            }
        }
    }

    fn unreadable(&self, error: &io::Error) -> AofFailed {
        let name = &self.part.name;
        tracing::error!("Unrecoverable error reading the append only file {name}: {}", system_text(error));
        AofFailed
    }

    /// Cuts the part off behind what is good.
    fn cut(&self, good: u64) -> Result<Outcome, AofFailed> {
        let name = &self.part.name;
        if self.settings.persistence.aof_load_truncated {
            tracing::warn!("!!! Warning: short read while loading the AOF file {name}!!!");
            tracing::warn!("!!! Truncating the AOF {name} at offset {good} !!!");
            let file = File::options().write(true).open(self.path());
            match file.and_then(|file| file.set_len(good).and_then(|()| file.sync_all())) {
                Ok(()) => {
                    tracing::warn!("AOF {name} loaded anyway because aof-load-truncated is enabled");
                    return Ok(Outcome::Cut);
                }
                Err(error) => tracing::warn!("Error truncating the AOF file {name}: {}", system_text(&error)),
            }
        }
        tracing::error!(
            "Unexpected end of file reading the append only file {name}. You can: 1) Make a backup of your AOF file, then use \
             ./redis-check-aof --fix <filename.manifest>. 2) Alternatively you can set the 'aof-load-truncated' configuration \
             option to yes and restart the server."
        );
        Err(AofFailed)
    }
}
