//! Snapshots for replicas: one serves all that wait, over the disk or straight to their connections.
//!
//! A snapshot belongs to one position of the feed, from which on the feed is kept for each of its replicas.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::super::saving::{DatabaseHeaders, Ticket, count_while};
use super::super::{Engine, RunningSnapshot, SaveError};
use super::pipe::Pipe;
use super::replica::{FileOnItsWay, Replica, Stage};
use super::sync::output_limit;
use crate::base::clock::UnixMillis;
use crate::base::crc64::Crc64;
use crate::config::Settings;
use crate::persistence::rdb::file;
use crate::replication::EofMark;
use crate::session::CloseReason;

/// Bytes sent to replicas together.
const CHUNK_BYTES: usize = 64 << 10;

impl Engine {
    /// A replica needs a snapshot: it joins the one that is being written to disk, begins a new one, or waits for more to come. The
    /// caller holds the gate exclusively.
    pub(super) fn begin_or_await_snapshot(&'static self, settings: &Settings, replica: &Arc<Replica>) {
        if let Some(position) = self.joinable(replica) {
            let pin = self.feed.pin(position, output_limit(settings));
            if pin.is_some() || replica.facts.snapshot_only {
                replica.enter(Stage::WaitFile(position), &self.announcement(replica, position.0), pin);
                tracing::info!("Waiting for end of BGSAVE for SYNC");
                return;
            }
        }
        let replication = &settings.replication;
        if self.is_saving() {
            tracing::info!("Can't attach the replica to the current BGSAVE. Waiting for next BGSAVE for SYNC");
        } else if replication.repl_diskless_sync
            && replica.facts.reads_marked
            && replication.repl_diskless_sync_delay > 0
        {
            tracing::info!("Delay next BGSAVE for diskless SYNC");
        } else {
            self.begin_full_sync(settings);
        }
    }

    /// The position of a snapshot on its way to disk that serves this replica too.
    fn joinable(&self, replica: &Replica) -> Option<crate::replication::ReplOffset> {
        let state = self.replication.state.lock();
        let same = |other: &&Arc<Replica>| {
            (!other.facts.snapshot_only || replica.facts.snapshot_only)
                && other.facts.without_keys == replica.facts.without_keys
                && other.facts.without_functions == replica.facts.without_functions
        };
        state.replicas.iter().filter(same).find_map(|other| other.waits_for_file())
    }

    /// Whether replicas wait that should be served now.
    pub(super) fn full_sync_is_due(&self, settings: &Settings, now: UnixMillis) -> bool {
        let waiting = self.waiting_replicas();
        let Some(oldest) = waiting.iter().map(|replica| replica.since.0).min() else { return false };
        let replication = &settings.replication;
        let most = replication.repl_diskless_sync_max_replicas as usize;
        !replication.repl_diskless_sync
            || (most > 0 && waiting.len() >= most)
            || (now.0 - oldest) / 1000 >= i64::from(replication.repl_diskless_sync_delay)
    }

    fn waiting_replicas(&self) -> Vec<Arc<Replica>> {
        let state = self.replication.state.lock();
        state.replicas.iter().filter(|replica| replica.waits_for_start()).cloned().collect()
    }

    /// Begins a snapshot for the replicas that wait for one. The caller holds the gate exclusively.
    pub(super) fn begin_full_sync(&'static self, settings: &Settings) {
        let mut replicas = self.waiting_replicas();
        let Some(first) = replicas.first().cloned() else { return };
        let wants = |replica: &Replica| (replica.facts.without_keys, replica.facts.without_functions);
        replicas.retain(|replica| wants(replica) == wants(&first));
        let marked = replicas.iter().all(|replica| replica.facts.reads_marked);
        let to_sockets = (settings.replication.repl_diskless_sync || first.facts.is_filtered()) && marked;
        let target = if to_sockets { "replicas sockets" } else { "disk" };
        tracing::info!("Starting BGSAVE for SYNC with target: {target}");
        let begun = if to_sockets {
            self.begin_sync_to_sockets(settings, &replicas)
        } else {
            self.begin_sync_to_disk(settings, &replicas)
        };
        if begun.is_err() {
            tracing::warn!("BGSAVE for replication failed");
            for replica in replicas {
                replica.close(self, CloseReason::Asked);
            }
        }
    }

    /// What a replica is told when its snapshot begins.
    fn announcement(&self, replica: &Replica, offset: u64) -> Vec<u8> {
        if replica.is_silent {
            return Vec::new();
        }
        format!("+FULLRESYNC {} {offset}\r\n", self.replication.history().id).into_bytes()
    }

    /// Lets replicas wait for a snapshot of this instant.
    fn assign(&self, settings: &Settings, replicas: &[Arc<Replica>], stage: impl Fn() -> Stage) {
        self.feed.select_anew();
        let position = self.feed.end();
        for replica in replicas {
            let pin = (!replica.facts.snapshot_only).then(|| self.feed.pin(position, output_limit(settings))).flatten();
            replica.enter(stage(), &self.announcement(replica, position.0), pin);
        }
    }

    fn begin_sync_to_disk(&'static self, settings: &Settings, replicas: &[Arc<Replica>]) -> Result<(), SaveError> {
        let position = self.feed.end();
        self.save_in_background_then(settings, Box::new(move |path| self.send_file(path)))?;
        self.assign(settings, replicas, || Stage::WaitFile(position));
        Ok(())
    }

    /// The snapshot is on disk, or is not to be.
    fn send_file(&self, path: Option<&Path>) {
        let replicas = self.replication.replicas();
        for replica in replicas.iter().filter(|replica| replica.waits_for_file().is_some()) {
            let opened = path.ok_or(std::io::ErrorKind::NotFound.into()).and_then(File::open);
            let sized = opened.and_then(|file| Ok((file.metadata()?.len(), file)));
            match sized {
                Ok((length, file)) => {
                    let header = format!("${length}\r\n");
                    replica.enter(Stage::File(FileOnItsWay { file, sent: 0, length }), header.as_bytes(), None);
                }
                Err(error) => {
                    tracing::warn!("SYNC failed. BGSAVE child returned an error ({error})");
                    replica.close(self, CloseReason::Asked);
                }
            }
        }
        if let Some(path) = path.filter(|_| self.keeps_nothing_on_disk()) {
            tracing::info!("Removing the RDB file used to feed replicas in a persistence-less instance");
            // Whoever is being sent it has it open.
            let _ = fs::remove_file(path);
        }
    }

    /// Whether snapshots that replication needs are not to stay: nothing else would ever be on disk.
    pub fn keeps_nothing_on_disk(&self) -> bool {
        let settings = self.config.settings();
        let persistence = &settings.persistence;
        persistence.rdb_del_sync_files && persistence.save.0.is_empty() && !persistence.appendonly
    }

    fn begin_sync_to_sockets(&'static self, settings: &Settings, replicas: &[Arc<Replica>]) -> Result<(), SaveError> {
        let facts = &replicas[0].facts;
        let (without_keys, without_functions) = (facts.without_keys, facts.without_functions);
        let ticket = self.saving.issue_ticket()?;
        let begun = self.begin_snapshot_with(settings, false, !without_functions);
        let Ok(snapshot) = begun else {
            self.saving.return_ticket();
            return Err(SaveError);
        };
        self.note_save_begun(&snapshot);
        self.assign(settings, replicas, || Stage::Pipe(Arc::default()));
        let reader = |replica: &Arc<Replica>| Some(Reader { replica: Arc::clone(replica), pipe: replica.pipe()? });
        let readers: Vec<Reader> = replicas.iter().filter_map(reader).collect();
        let pipes: Vec<Arc<Pipe>> = readers.iter().map(|reader| Arc::clone(&reader.pipe)).collect();
        let (checksum, delay) = (settings.persistence.rdbchecksum, settings.persistence.rdb_key_save_delay);
        let job = Job { readers, without_keys, checksum, delay, ticket };
        let work = move || {
            let whole = job.run(self, snapshot);
            self.note_sync_ended(whole);
        };
        if let Err(error) = std::thread::Builder::new().name("full-sync".into()).spawn(work) {
            tracing::warn!("Can't save in background: {error}");
            self.note_sync_ended(false);
            pipes.iter().for_each(|pipe| pipe.finish(false));
            return Err(SaveError);
        }
        tracing::info!("Background RDB transfer started by pid {}", std::process::id());
        Ok(())
    }
}

/// A replica that a snapshot is made for.
struct Reader {
    replica: Arc<Replica>,
    pipe: Arc<Pipe>,
}

/// The making of a snapshot for replicas.
struct Job {
    /// Those that still read.
    readers: Vec<Reader>,
    without_keys: bool,
    checksum: bool,
    delay: i32,
    ticket: Arc<Ticket>,
}

impl Job {
    /// Makes it; whether it has become whole.
    fn run(mut self, engine: &Engine, mut snapshot: RunningSnapshot) -> bool {
        let mark = EofMark::random();
        let mut out = Outgoing { buffer: mark.header(), checksum: None };
        out.checksum = self.checksum.then(Crc64::default);
        out.add(&snapshot.preamble);
        let whole = self.send_keys(engine, &mut snapshot, &mut out);
        engine.saving.saves.update(|report| report.last_copied = snapshot.copied());
        // The next snapshot may begin from here on.
        drop(snapshot);
        let whole = whole && {
            out.add(&file::end());
            let checksum = out.checksum.take().map_or(0, |checksum| checksum.value());
            out.buffer.extend_from_slice(&checksum.to_le_bytes());
            out.buffer.extend_from_slice(&mark.0);
            self.send(engine, &mut out.buffer)
        };
        if whole {
            tracing::info!("Diskless rdb transfer, done reading from pipe, {} replicas still up.", self.readers.len());
        } else if !self.is_read() {
            tracing::warn!("Diskless rdb transfer, last replica dropped, killing fork child.");
        }
        self.readers.iter().for_each(|reader| reader.pipe.finish(whole));
        whole
    }

    fn send_keys(&mut self, engine: &Engine, snapshot: &mut RunningSnapshot, out: &mut Outgoing) -> bool {
        let mut headers = DatabaseHeaders::new(snapshot.census());
        while let Some(piece) = (!self.without_keys).then(|| snapshot.next_piece()).flatten() {
            if let Some(header) = headers.before(&piece) {
                out.add(&header);
            }
            out.add(&piece.bytes);
            let done = &engine.saving.saves.keys_done;
            let go_on = || !self.ticket.is_withdrawn() && self.is_read();
            if !count_while(piece.keys, || self.delay, go_on, done) {
                return false;
            }
            if (out.buffer.len() >= CHUNK_BYTES || self.delay > 0) && !self.send(engine, &mut out.buffer) {
                return false;
            }
        }
        self.send(engine, &mut out.buffer)
    }

    /// Whether anybody still reads.
    fn is_read(&self) -> bool {
        self.readers.iter().any(|reader| reader.pipe.is_read())
    }

    /// Sends what has gathered to all replicas that still read; `false` once there is none. One that is too slow is given up.
    fn send(&mut self, engine: &Engine, buffer: &mut Vec<u8>) -> bool {
        let bytes: Arc<[u8]> = std::mem::take(buffer).into();
        let ticket = &self.ticket;
        let patience = || {
            let timeout_s = engine.config.settings().replication.repl_timeout;
            (!ticket.is_withdrawn()).then_some(Duration::from_secs(timeout_s.into()))
        };
        self.readers.retain(|Reader { replica, pipe }| {
            let reads = pipe.push(&bytes, patience);
            if !reads && pipe.is_late() {
                tracing::warn!("Disconnecting timedout replica (full sync): {}", replica.name());
                replica.close(engine, CloseReason::Asked);
            }
            reads
        });
        !self.readers.is_empty()
    }
}

/// What has gathered to be sent.
struct Outgoing {
    buffer: Vec<u8>,
    checksum: Option<Crc64>,
}

impl Outgoing {
    fn add(&mut self, bytes: &[u8]) {
        if let Some(checksum) = &mut self.checksum {
            checksum.update(bytes);
        }
        self.buffer.extend_from_slice(bytes);
    }
}
