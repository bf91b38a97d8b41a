//! One replica as its primary sees it: what it has been given, what it has confirmed, and what it is sent next.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, Waker, ready};

use parking_lot::Mutex;

use super::super::{Engine, Pin};
use super::gathering::Gathering;
use super::pipe::{Piece, Pipe};
use crate::base::clock::UnixMillis;
use crate::replication::ReplOffset;
use crate::session::{Client, CloseReason, Dried, Outlet, ReplicaFacts};

/// Bytes taken from a file or the feed at a time.
const CHUNK_BYTES: usize = 256 << 10;

/// What a replica is sent.
pub(super) enum Stage {
    /// Nothing: no snapshot for it has begun.
    WaitStart,
    /// Nothing: its snapshot is being written to disk, as of this position.
    WaitFile(ReplOffset),
    /// The snapshot as it is being made.
    Pipe(Arc<Pipe>),
    /// The snapshot's file.
    File(FileOnItsWay),
    /// Nothing: it has the snapshot and must say so, so that what follows is not taken for a part of it.
    AwaitAck,
    /// The feed.
    Stream,
    /// Nothing more: it wanted the snapshot alone.
    Done,
}

pub(super) struct FileOnItsWay {
    pub file: File,
    pub sent: u64,
    pub length: u64,
}

struct Output {
    stage: Stage,
    /// Goes out first.
    first: Vec<u8>,
    pin: Option<Arc<Pin>>,
    waker: Option<Waker>,
}

/// A replica.
pub struct Replica {
    /// The connection.
    pub client: Arc<Client>,
    /// What it has said of itself.
    pub facts: ReplicaFacts,
    /// Whether it came with SYNC and confirms nothing.
    pub is_silent: bool,
    /// Unix milliseconds when it came.
    pub since: UnixMillis,
    confirmed: AtomicU64,
    confirmed_on_disk: AtomicU64,
    confirmed_at: AtomicI64,
    output: Mutex<Output>,
}

/// A look at a replica, as INFO and ROLE show it.
pub struct ReplicaReport {
    /// Its address.
    pub address: String,
    /// Its port.
    pub port: u16,
    /// What it is being sent, in Redis's words.
    pub state: &'static str,
    /// What it has confirmed.
    pub offset: u64,
    /// Seconds since it last confirmed something.
    pub lag_s: i64,
}

impl Replica {
    pub(super) fn new(client: Arc<Client>, facts: ReplicaFacts, is_silent: bool, now: UnixMillis) -> Self {
        let output = Output { stage: Stage::WaitStart, first: Vec::new(), pin: None, waker: None };
        Self {
            client,
            facts,
            is_silent,
            since: now,
            confirmed: AtomicU64::new(0),
            confirmed_on_disk: AtomicU64::new(0),
            confirmed_at: AtomicI64::new(now.0),
            output: Mutex::new(output),
        }
    }

    /// The address under which it is known.
    pub fn address(&self) -> String {
        let peer = &self.client.peer.address;
        let host = || peer.rsplit_once(':').map_or(peer.as_str(), |(host, _)| host);
        self.facts.address.clone().unwrap_or_else(|| host().trim_matches(['[', ']']).to_owned())
    }

    /// Its address and port, for the log.
    pub fn name(&self) -> String {
        match self.facts.port {
            0 => format!("{}:<unknown-replica-port>", self.address()),
            port => format!("{}:{port}", self.address()),
        }
    }

    /// A look at it.
    pub fn report(&self, now: UnixMillis) -> ReplicaReport {
        let state = match self.output.lock().stage {
            Stage::WaitStart | Stage::WaitFile(_) | Stage::Pipe(_) => "wait_bgsave",
            Stage::File(_) => "send_bulk",
            Stage::AwaitAck | Stage::Stream => "online",
            Stage::Done => "rdb_transmitted",
        };
        let online = state == "online" && !self.is_silent;
        let lag_s = if online { (now.0 - self.heard_at().0).max(0) / 1000 } else { 0 };
        ReplicaReport {
            address: self.address(),
            port: self.facts.port,
            state,
            offset: self.confirmed.load(Relaxed),
            lag_s,
        }
    }

    /// Whether it follows the feed.
    pub fn is_online(&self) -> bool {
        matches!(self.output.lock().stage, Stage::AwaitAck | Stage::Stream)
    }

    /// Whether no snapshot for it has begun.
    pub(super) fn waits_for_start(&self) -> bool {
        matches!(self.output.lock().stage, Stage::WaitStart)
    }

    /// The position of the snapshot that is being written to disk for it.
    pub(super) fn waits_for_file(&self) -> Option<ReplOffset> {
        match self.output.lock().stage {
            Stage::WaitFile(offset) => Some(offset),
            _ => None,
        }
    }

    /// Whether its snapshot is being made, with it as a reader.
    pub(super) fn pipe(&self) -> Option<Arc<Pipe>> {
        match &self.output.lock().stage {
            Stage::Pipe(pipe) => Some(Arc::clone(pipe)),
            _ => None,
        }
    }

    /// What it has confirmed to have carried out.
    pub fn confirmed(&self) -> ReplOffset {
        ReplOffset(self.confirmed.load(Relaxed))
    }

    /// What it has confirmed to have on disk.
    pub fn confirmed_on_disk(&self) -> ReplOffset {
        ReplOffset(self.confirmed_on_disk.load(Relaxed))
    }

    /// When it was last heard of: a confirmation, or a line that shows that it is busy with the snapshot.
    pub fn heard_at(&self) -> UnixMillis {
        UnixMillis(self.confirmed_at.load(Relaxed).max(self.client.last_seen.load(Relaxed)))
    }

    /// Whether it has fallen behind further than allowed.
    pub(super) fn is_overrun(&self) -> bool {
        self.output.lock().pin.as_ref().is_some_and(|pin| pin.is_overrun())
    }

    /// Bytes of the feed it has not been sent yet.
    pub fn behind(&self, end: ReplOffset) -> u64 {
        self.output.lock().pin.as_ref().map_or(0, |pin| end.0.saturating_sub(pin.offset().0))
    }

    /// It confirms: the first time this also says that it has the snapshot.
    pub(super) fn confirm(&self, offset: u64, on_disk: Option<u64>, now: UnixMillis) {
        self.confirmed.fetch_max(offset, Relaxed);
        self.confirmed_on_disk.fetch_max(on_disk.unwrap_or(0), Relaxed);
        self.confirmed_at.store(now.0, Relaxed);
        let mut output = self.output.lock();
        if let Stage::AwaitAck = output.stage {
            output.enter(Stage::Stream);
            tracing::info!("Streamed replica with replica {} succeeded", self.name());
        }
    }

    /// Goes on with another stage; `first` is sent before it.
    pub(super) fn enter(&self, stage: Stage, first: &[u8], pin: Option<Arc<Pin>>) {
        let mut output = self.output.lock();
        output.first.extend_from_slice(first);
        if pin.is_some() {
            output.pin = pin;
        }
        output.enter(stage);
    }

    /// Sends an empty line to a replica that waits for its snapshot, so that it knows it is not forgotten.
    pub(super) fn keep_alive(&self) {
        let mut output = self.output.lock();
        if matches!(output.stage, Stage::WaitStart | Stage::WaitFile(_)) && output.first.is_empty() {
            output.first.push(b'\n');
            output.wake();
        }
    }

    /// Changes how far it may be behind.
    pub(super) fn set_limit(&self, bytes: u64) {
        if let Some(pin) = &self.output.lock().pin {
            pin.set_limit(bytes);
        }
    }

    /// Closes its connection.
    pub(super) fn close(&self, engine: &Engine, reason: CloseReason) {
        engine.clients.close(&self.client, reason);
    }

    /// Gives up what was kept for it.
    pub(super) fn leave(&self, engine: &Engine) {
        let mut output = self.output.lock();
        if let Stage::Pipe(pipe) = &output.stage {
            pipe.leave();
        }
        output.stage = Stage::Done;
        if let Some(pin) = output.pin.take() {
            engine.feed.unpin(&pin);
        }
    }

    /// Bytes of the feed that it could be sent now.
    fn unread(&self, engine: &Engine) -> u64 {
        let output = self.output.lock();
        let streams = matches!(output.stage, Stage::Stream) && output.first.is_empty();
        output.pin.as_ref().filter(|_| streams).map_or(0, |pin| engine.feed.unread(pin))
    }

    fn poll_fill(&self, engine: &Engine, cx: &mut Context<'_>, out: &mut Vec<u8>) -> Poll<Result<(), Dried>> {
        let mut output = self.output.lock();
        output.waker = Some(cx.waker().clone());
        if !output.first.is_empty() {
            out.append(&mut output.first);
            return Poll::Ready(Ok(()));
        }
        match &mut output.stage {
            Stage::WaitStart | Stage::WaitFile(_) | Stage::AwaitAck | Stage::Done => Poll::Pending,
            Stage::Pipe(pipe) => match ready!(pipe.poll_pop(cx)) {
                Piece::Bytes(bytes) => {
                    out.extend_from_slice(&bytes);
                    Poll::Ready(Ok(()))
                }
                Piece::Cut => Poll::Ready(Err(Dried)),
                Piece::End => {
                    let next = if self.is_silent { Stage::Stream } else { Stage::AwaitAck };
                    self.transferred(&mut output, next)
                }
            },
            Stage::File(on_its_way) => match on_its_way.read(out) {
                Err(error) => {
                    tracing::warn!("Read error sending DB to replica {}: {error}", self.name());
                    Poll::Ready(Err(Dried))
                }
                Ok(true) => Poll::Ready(Ok(())),
                Ok(false) => self.transferred(&mut output, Stage::Stream),
            },
            Stage::Stream => {
                let Some(pin) = &output.pin else { return Poll::Ready(Err(Dried)) };
                match ready!(engine.feed.poll_read(pin, cx, CHUNK_BYTES, out)) {
                    Ok(_) => Poll::Ready(Ok(())),
                    Err(_) => {
                        drop(output);
                        self.client.close(CloseReason::OutputLimit);
                        Poll::Ready(Ok(()))
                    }
                }
            }
        }
    }

    fn transferred(&self, output: &mut Output, next: Stage) -> Poll<Result<(), Dried>> {
        if self.facts.snapshot_only {
            tracing::info!("RDB transfer completed, rdb only replica ({}) should be disconnected asap", self.name());
            output.stage = Stage::Done;
            return Poll::Pending;
        }
        self.confirmed_at.store(UnixMillis::now().0, Relaxed);
        tracing::info!("Synchronization with replica {} succeeded", self.name());
        output.stage = next;
        Poll::Ready(Ok(()))
    }
}

impl Output {
    fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl FileOnItsWay {
    /// Reads on; `false` at the end.
    fn read(&mut self, out: &mut Vec<u8>) -> std::io::Result<bool> {
        let wanted = (self.length - self.sent).min(CHUNK_BYTES as u64) as usize;
        if wanted == 0 {
            return Ok(false);
        }
        let start = out.len();
        out.resize(start + wanted, 0);
        let read = self.file.read_at(&mut out[start..], self.sent)?;
        out.truncate(start + read);
        self.sent += read as u64;
        if read == 0 { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(true) }
    }
}

/// The replica's half of its connection; leaving the connection ends the replica.
pub(super) struct ReplicaOutlet {
    engine: &'static Engine,
    replica: Arc<Replica>,
    gathering: Gathering,
}

impl ReplicaOutlet {
    pub(super) fn new(engine: &'static Engine, replica: Arc<Replica>) -> Self {
        Self { engine, replica, gathering: Gathering::default() }
    }
}

impl Outlet for ReplicaOutlet {
    fn gathers(&mut self) -> bool {
        self.gathering.goes_on(self.replica.unread(self.engine))
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) -> Poll<Result<(), Dried>> {
        self.replica.poll_fill(self.engine, cx, out)
    }
}

impl Drop for ReplicaOutlet {
    fn drop(&mut self) {
        self.engine.replica_left(&self.replica);
    }
}
