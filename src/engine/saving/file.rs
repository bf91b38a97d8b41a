//! A snapshot on its way to disk: a temporary file that takes the place of the last one when it is whole.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::DatabaseHeaders;
use super::flusher::Flusher;
use crate::base::crc64::Crc64;
use crate::keyspace::{Census, Piece};
use crate::persistence::rdb::file;

/// Bytes after which a file is flushed to disk while it is being written, so that the last flush is short.
const FLUSH_BYTES: u64 = 4 << 20;

/// The file.
pub struct SnapshotFile {
    temporary: PathBuf,
    out: BufWriter<File>,
    checksum: Option<Crc64>,
    /// Flushes while the file is being written, where that is wanted.
    flusher: Option<Flusher>,
    /// Bytes written since it was last asked to.
    unflushed: u64,
    headers: DatabaseHeaders,
    committed: bool,
}

impl SnapshotFile {
    /// Creates the temporary file.
    pub fn create(temporary: PathBuf, checksum: bool, flush_early: bool, census: Vec<Census>) -> io::Result<Self> {
        let out = BufWriter::with_capacity(256 << 10, File::create(&temporary)?);
        let mut file = Self {
            temporary,
            out,
            checksum: checksum.then(Crc64::default),
            flusher: None,
            unflushed: 0,
            headers: DatabaseHeaders::new(census),
            committed: false,
        };
        if flush_early {
            file.flusher = Some(Flusher::start(file.out.get_ref())?);
        }
        Ok(file)
    }

    /// Appends bytes.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(checksum) = &mut self.checksum {
            checksum.update(bytes);
        }
        self.out.write_all(bytes)?;
        self.unflushed += bytes.len() as u64;
        if self.unflushed >= FLUSH_BYTES
            && let Some(flusher) = self.flusher.take()
        {
            self.out.flush()?;
            self.unflushed = 0;
            if !flusher.flush_soon() {
                return flusher.end();
            }
            self.flusher = Some(flusher);
        }
        Ok(())
    }

    /// Appends keys, after their database's number where that is another than before.
    pub fn piece(&mut self, piece: &Piece) -> io::Result<()> {
        if let Some(header) = self.headers.before(piece) {
            self.write(&header)?;
        }
        self.write(&piece.bytes)
    }

    /// Appends the end, and waits until all of it is on disk.
    pub fn finish(&mut self) -> io::Result<()> {
        self.write(&file::end())?;
        let checksum = self.checksum.as_ref().map_or(0, Crc64::value);
        self.out.write_all(&checksum.to_le_bytes())?;
        self.flush()
    }

    /// Waits until all that was appended is on disk.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.flusher.take().map_or(Ok(()), Flusher::end)?;
        self.out.get_ref().sync_all()
    }

    /// Puts the finished file in its place.
    pub fn commit(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.temporary, target)?;
        self.committed = true;
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

impl Drop for SnapshotFile {
    fn drop(&mut self) {
        if !self.committed
            && let Err(error) = fs::remove_file(&self.temporary)
        {
            tracing::warn!("{}: {error}", self.temporary.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::crc64::crc64;
    use crate::keyspace::DbIndex;

    #[test]
    fn the_old_file_stays_until_the_new_one_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (target, temporary) = (folder.path().join("dump.rdb"), folder.path().join("temp"));
        fs::write(&target, "old").unwrap();
        let census = vec![Census { db: DbIndex(1), keys: 3, volatile: 0 }];
        let create = || SnapshotFile::create(temporary.clone(), true, true, census.clone()).unwrap();
        let mut given_up = create();
        given_up.write(b"half").unwrap();
        drop(given_up);
        assert_eq!((fs::read(&target).unwrap(), temporary.exists()), (b"old".to_vec(), false));
        let mut file = create();
        file.write(b"head ").unwrap();
        for (db, bytes) in [(1, "a "), (1, "b "), (0, "c "), (1, "d ")] {
            file.piece(&Piece { db: DbIndex(db), keys: 1, bytes: bytes.into() }).unwrap();
        }
        file.finish().unwrap();
        file.commit(&target).unwrap();
        let mut expected = b"head \xfe\x01\xfb\x03\x00a b \xfe\x00c \xfe\x01d \xff".to_vec();
        expected.extend(crc64(&expected).to_le_bytes());
        assert_eq!((fs::read(&target).unwrap(), temporary.exists()), (expected, false));
    }
}
