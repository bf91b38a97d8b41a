//! Writing a base: a snapshot, or the commands that make the same keys.

use std::io;
use std::path::{Path, PathBuf};

use crate::base::clock::UnixMillis;
use crate::config::Settings;
use crate::engine::Engine;
use crate::engine::saving::{RunningSnapshot, SnapshotFile, key_encoder};
use crate::keyspace::{Census, DbIndex, Piece, ShardEncoder};
use crate::persistence::aof::base::{CommandEncoder, function};
use crate::persistence::aof::record;

/// A base on its way to disk.
pub(super) struct BaseFile {
    file: SnapshotFile,
    is_snapshot: bool,
    /// The database of the last keys.
    db: Option<DbIndex>,
}

impl BaseFile {
    /// Creates the temporary file.
    pub fn create(path: PathBuf, settings: &Settings, census: Vec<Census>) -> io::Result<Self> {
        let persistence = &settings.persistence;
        let checksum = persistence.aof_use_rdb_preamble && persistence.rdbchecksum;
        let file = SnapshotFile::create(path, checksum, persistence.aof_rewrite_incremental_fsync, census)?;
        Ok(Self { file, is_snapshot: persistence.aof_use_rdb_preamble, db: None })
    }

    /// Appends what comes before the keys.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write(bytes)
    }

    /// Appends keys.
    pub fn piece(&mut self, piece: &Piece) -> io::Result<()> {
        if self.is_snapshot {
            return self.file.piece(piece);
        }
        if self.db != Some(piece.db) {
            let mut select = Vec::new();
            record::select(&mut select, piece.db);
            self.file.write(&select)?;
            self.db = Some(piece.db);
        }
        self.file.write(&piece.bytes)
    }

    /// Waits until all of it is on disk.
    pub fn finish(&mut self) -> io::Result<()> {
        if self.is_snapshot { self.file.finish() } else { self.file.flush() }
    }

    /// Puts it in its place.
    pub fn commit(self, target: &Path) -> io::Result<()> {
        self.file.commit(target)
    }
}

impl Engine {
    /// Takes a picture of this instant for a base. The caller holds the gate exclusively.
    pub(super) fn begin_base(
        &'static self,
        settings: &Settings,
    ) -> Result<RunningSnapshot, crate::keyspace::SnapshotBusy> {
        self.begin_picture(self.base_encoder(settings), self.base_preamble(settings))
    }

    /// Writes a base at once. Nobody may change anything meanwhile.
    pub(super) fn write_base(&'static self, settings: &Settings, temporary: PathBuf, target: &Path) -> io::Result<()> {
        let mut file = BaseFile::create(temporary, settings, self.keyspace.census())?;
        file.write(&self.base_preamble(settings))?;
        let encoder = self.base_encoder(settings);
        for piece in self.keyspace.pieces(&*encoder) {
            file.piece(&piece)?;
        }
        file.finish()?;
        file.commit(target)
    }

    fn base_encoder(&self, settings: &Settings) -> Box<dyn ShardEncoder> {
        if settings.persistence.aof_use_rdb_preamble {
            Box::new(key_encoder(settings, UnixMillis::now()))
        } else {
            Box::new(CommandEncoder)
        }
    }

    fn base_preamble(&self, settings: &Settings) -> Vec<u8> {
        let now = UnixMillis::now();
        if settings.persistence.aof_use_rdb_preamble {
            return self.preamble(settings, now, true, true);
        }
        let mut out = Vec::new();
        if settings.persistence.aof_timestamp_enabled {
            record::time(&mut out, now.seconds());
        }
        for library in self.libraries.report() {
            function(&mut out, &library.source);
        }
        out
    }
}
