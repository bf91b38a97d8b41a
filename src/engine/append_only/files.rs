//! The folder of the parts: the manifest on disk, what is no longer needed, the file of an older server.
//!
//! A manifest is written beside the one in force and takes its place when it is whole and on disk. Errors are logged here, in Redis's
//! words; who calls decides what they mean.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::AofFailed;
use crate::base::system_text::system_text;
use crate::config::Settings;
use crate::persistence::aof::{Manifest, manifest};

/// Something could not be written; the log says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotWritten;

/// Where the parts are.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    /// The data folder.
    data: PathBuf,
    /// The folder's name in it.
    name: String,
    /// What the parts' names begin with.
    pub stem: String,
}

impl Folder {
    pub fn of(settings: &Settings) -> Self {
        let persistence = &settings.persistence;
        Self {
            data: PathBuf::from(&settings.general.dir),
            name: persistence.appenddirname.clone(),
            stem: persistence.appendfilename.clone(),
        }
    }

    /// The path of a part.
    pub fn part(&self, name: &str) -> PathBuf {
        self.data.join(&self.name).join(name)
    }

    /// The path of the file of an older server.
    fn old(&self) -> PathBuf {
        self.data.join(&self.stem)
    }

    /// A temporary file in the data folder.
    pub fn temporary(&self, suffix: &str) -> PathBuf {
        self.data.join(format!("temp-rewriteaof{suffix}-{}.aof", std::process::id()))
    }

    /// Makes the folder where it is missing.
    pub fn create(&self) -> Result<(), NotWritten> {
        let path = self.data.join(&self.name);
        let created = match fs::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            other => other.and_then(|()| sync_folder(&self.data)),
        };
        created.map_err(|error| {
            tracing::warn!("Can't open or create append-only dir {}: {}", self.name, system_text(&error));
            NotWritten
        })
    }

    /// Reads the manifest; an empty one where there is none.
    pub fn read_manifest(&self) -> Result<Manifest, AofFailed> {
        let path = self.part(&manifest::name(&self.stem));
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Manifest::default()),
            Err(error) => {
                tracing::error!(
                    "Fatal error: can't open the AOF manifest file {} for reading: {}",
                    path.display(),
                    system_text(&error)
                );
                return Err(AofFailed);
            }
        };
        Manifest::parse(&text).map_err(|error| {
            tracing::error!("\n*** FATAL AOF MANIFEST FILE ERROR ***\n");
            if let Some((number, line)) = error.line {
                tracing::error!("Reading the manifest file, at line {number}\n");
                tracing::error!(">>> '{line}'\n");
            }
            tracing::error!("{}", error.reason);
            AofFailed
        })
    }

    /// Puts a manifest in the place of the one in force.
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<(), NotWritten> {
        let (name, temporary) = (manifest::name(&self.stem), manifest::temporary_name(&self.stem));
        let not = |what: String| {
            move |error: io::Error| {
                tracing::warn!("{what}: {}", system_text(&error));
                NotWritten
            }
        };
        let mut file = File::create(self.part(&temporary))
            .map_err(not(format!("Can't open the AOF manifest file {temporary}")))?;
        file.write_all(manifest.to_text().as_bytes())
            .map_err(not(format!("Error trying to write the temporary AOF manifest file {temporary}")))?;
        file.sync_all().map_err(not(format!("Fail to fsync the temp AOF file {temporary}")))?;
        fs::rename(self.part(&temporary), self.part(&name))
            .map_err(not(format!("Error trying to rename the temporary AOF manifest file {temporary} into {name}")))?;
        sync_folder(&self.data.join(&self.name)).map_err(not(format!("Fail to fsync AOF directory {}", self.name)))
    }

    /// Opens an increment for appending; `fresh` empties it. Its length comes too.
    pub fn open_increment(&self, name: &str, fresh: bool) -> Result<(File, u64), NotWritten> {
        let opened = File::options().create(true).append(true).open(self.part(name)).and_then(|file| {
            if fresh {
                file.set_len(0)?;
            }
            let bytes = file.metadata()?.len();
            Ok((file, bytes))
        });
        opened.map_err(|error| {
            tracing::warn!("Can't open the append-only file {name}: {}", system_text(&error));
            NotWritten
        })
    }

    /// The length of a part.
    pub fn length(&self, name: &str) -> Option<u64> {
        match fs::metadata(self.part(name)) {
            Ok(metadata) => Some(metadata.len()),
            Err(error) => {
                tracing::warn!("Unable to obtain the AOF file {name} length. stat: {}", system_text(&error));
                None
            }
        }
    }

    /// Removes what is no longer needed, unless it is to be kept.
    pub fn remove_history(&self, manifest: &mut Manifest, keep: bool) {
        if keep || !manifest.has_history() {
            return;
        }
        for part in manifest.take_history() {
            tracing::info!("Removing the history file {} in the background", part.name);
            self.remove(&part.name);
        }
        // What stays named as history is removed by the next rewrite.
        let _ = self.write_manifest(manifest);
    }

    /// Removes a part.
    pub fn remove(&self, name: &str) {
        if let Err(error) = fs::remove_file(self.part(name))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!("Can't remove the append-only file {name}: {}", system_text(&error));
        }
    }

    /// Makes the file of an older server the base, where there is one and nothing newer. If that is interrupted, the next start goes on.
    pub fn adopt_old_file(&self, manifest: &mut Manifest) -> Result<(), AofFailed> {
        if !self.old().exists() {
            return Ok(());
        }
        let interrupted = manifest.increments().is_empty()
            && manifest.base().is_some_and(|base| base.name == self.stem && !self.part(&self.stem).exists());
        if !manifest.is_empty() && !interrupted {
            return Ok(());
        }
        self.create().map_err(|NotWritten| AofFailed)?;
        manifest.adopt(&self.stem);
        self.write_manifest(manifest).map_err(|NotWritten| AofFailed)?;
        let moved = fs::rename(self.old(), self.part(&self.stem))
            .and_then(|()| sync_folder(&self.data.join(&self.name)))
            .and_then(|()| sync_folder(&self.data));
        if let Err(error) = moved {
            tracing::error!(
                "Error trying to move the old AOF file {} into dir {}: {}",
                self.stem,
                self.name,
                system_text(&error)
            );
            return Err(AofFailed);
        }
        tracing::info!(
            "Successfully migrated an old-style AOF file ({}) into the AOF directory ({}).",
            self.stem,
            self.name
        );
        Ok(())
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(data: &Path) -> Folder {
        Folder { data: data.into(), name: "parts".into(), stem: "a.aof".into() }
    }

    #[test]
    fn a_manifest_comes_back_from_disk() {
        let data = tempfile::tempdir().unwrap();
        let folder = folder(data.path());
        assert_eq!(folder.read_manifest().unwrap(), Manifest::default());
        folder.create().unwrap();
        folder.create().unwrap();
        let mut manifest = Manifest::default();
        fs::write(folder.part(&manifest.new_base("a.aof", true)), "old").unwrap();
        manifest.new_base("a.aof", true);
        folder.write_manifest(&manifest).unwrap();
        assert_eq!(folder.read_manifest().unwrap(), manifest);
        folder.remove_history(&mut manifest, true);
        assert!(folder.part("a.aof.1.base.rdb").exists());
        folder.remove_history(&mut manifest, false);
        assert!(!folder.part("a.aof.1.base.rdb").exists() && !folder.read_manifest().unwrap().has_history());
    }

    #[test]
    fn the_file_of_an_older_server_becomes_the_base_even_if_that_is_interrupted() {
        for interrupted in [false, true] {
            let data = tempfile::tempdir().unwrap();
            let folder = folder(data.path());
            fs::write(data.path().join("a.aof"), "old").unwrap();
            let mut manifest = Manifest::default();
            if interrupted {
                manifest.adopt("a.aof");
            }
            folder.adopt_old_file(&mut manifest).unwrap();
            assert_eq!(manifest.to_text(), "file a.aof seq 1 type b\n");
            assert_eq!(fs::read(folder.part("a.aof")).unwrap(), b"old");
            fs::write(data.path().join("a.aof"), "somebody else's").unwrap();
            folder.adopt_old_file(&mut manifest).unwrap();
            assert_eq!(fs::read(folder.part("a.aof")).unwrap(), b"old");
        }
    }
}
