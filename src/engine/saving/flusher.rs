//! Flushes a file to disk while its writer goes on: making bytes and waiting for the disk take their time side by side.

use std::fs::File;
use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

/// A thread that flushes one file.
pub(super) struct Flusher {
    wanted: SyncSender<()>,
    thread: JoinHandle<io::Result<()>>,
}

impl Flusher {
    /// Starts it.
    pub fn start(file: &File) -> io::Result<Self> {
        let file = file.try_clone()?;
        // One flush may wait while one goes on: a writer that is faster than the disk waits then.
        let (wanted, asked) = sync_channel(1);
        let work = move || asked.iter().try_for_each(|()| file.sync_data());
        let thread = std::thread::Builder::new().name("flusher".into()).spawn(work)?;
        Ok(Self { wanted, thread })
    }

    /// Asks for what has been written to be flushed; `false` if a flush has failed, which [`Flusher::end`] tells.
    pub fn flush_soon(&self) -> bool {
        self.wanted.send(()).is_ok()
    }

    /// Waits for the flushes that were asked for.
    pub fn end(self) -> io::Result<()> {
        drop(self.wanted);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread that flushes has panicked")))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_was_asked_for_is_done_or_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = File::create(folder.path().join("a")).unwrap();
        let flusher = Flusher::start(&file).unwrap();
        for _ in 0..5 {
            file.write_all(b"x").unwrap();
            assert!(flusher.flush_soon());
        }
        flusher.end().unwrap();
        // A pipe cannot be flushed.
        let (_reader, writer) = io::pipe().unwrap();
        let flusher = Flusher::start(&File::from(std::os::fd::OwnedFd::from(writer))).unwrap();
        while flusher.flush_soon() {}
        assert!(flusher.end().is_err());
    }
}
