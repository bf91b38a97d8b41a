//! Taking a picture of all keys in the format of a file: what BGSAVE, the rewriting of the append only file and a full synchronisation
//! begin with.

use crate::base::clock::UnixMillis;
use crate::base::memory::used_memory;
use crate::config::values::EvictionPolicy;
use crate::config::{REDIS_VERSION, Settings};
use crate::engine::Engine;
use crate::keyspace::{Freshness, Piece, ShardEncoder, Snapshot, SnapshotBusy};
use crate::persistence::rdb::Version;
use crate::persistence::rdb::file::{Facts, KeyEncoder, Usage, preamble};

/// A picture being taken, as a file has it.
pub struct RunningSnapshot {
    /// What comes first in the file.
    pub preamble: Vec<u8>,
    snapshot: Snapshot<'static>,
    engine: &'static Engine,
}

impl RunningSnapshot {
    /// The databases and how many keys they had.
    pub fn census(&self) -> Vec<crate::keyspace::Census> {
        self.snapshot.census()
    }

    /// The next keys; `None` at the end. Not to be called by a holder of the gate.
    pub fn next_piece(&mut self) -> Option<Piece> {
        self.snapshot.next_piece(|| self.engine.gate.shared())
    }

    /// Bytes that those who changed keys had to write down.
    pub fn copied(&self) -> u64 {
        self.snapshot.copied()
    }
}

impl Engine {
    /// Takes a picture of this instant. The caller holds the gate exclusively.
    pub fn begin_snapshot(&'static self, settings: &Settings, aof_base: bool) -> Result<RunningSnapshot, SnapshotBusy> {
        self.begin_snapshot_with(settings, aof_base, true)
    }

    /// As [`Engine::begin_snapshot`], with or without functions.
    pub(in crate::engine) fn begin_snapshot_with(
        &'static self,
        settings: &Settings,
        aof_base: bool,
        functions: bool,
    ) -> Result<RunningSnapshot, SnapshotBusy> {
        let now = UnixMillis::now();
        let preamble = self.preamble(settings, now, aof_base, functions);
        self.begin_picture(Box::new(key_encoder(settings, now)), preamble)
    }

    /// Takes a picture of this instant in the form that an encoder gives it. The caller holds the gate exclusively.
    pub(in crate::engine) fn begin_picture(
        &'static self,
        encoder: Box<dyn ShardEncoder>,
        preamble: Vec<u8>,
    ) -> Result<RunningSnapshot, SnapshotBusy> {
        let snapshot = self.keyspace.begin_snapshot(encoder)?;
        Ok(RunningSnapshot { preamble, snapshot, engine: self })
    }

    pub(in crate::engine) fn preamble(
        &self,
        settings: &Settings,
        now: UnixMillis,
        aof_base: bool,
        functions: bool,
    ) -> Vec<u8> {
        let functions = if functions { self.libraries.report() } else { Vec::new() };
        preamble(&Facts {
            version: written_version(settings),
            redis_version: REDIS_VERSION,
            created_s: now.seconds(),
            used_memory: used_memory(),
            replication: self.stream_position(),
            aof_base,
            functions: functions.into_iter().map(|library| library.source).collect(),
        })
    }
}

/// The version of the format that the configuration asks for.
pub fn written_version(settings: &Settings) -> Version {
    u16::try_from(settings.persistence.rdb_version).ok().and_then(Version::of_number).unwrap_or_default()
}

pub(in crate::engine) fn key_encoder(settings: &Settings, now: UnixMillis) -> KeyEncoder {
    let usage = match (settings.memory.maxmemory_policy, Engine::freshness(settings)) {
        (_, Freshness::Lfu(tuning)) => Usage::Frequency(tuning),
        (EvictionPolicy::AllkeysLru | EvictionPolicy::VolatileLru, _) => Usage::Idle,
        _ => Usage::Nothing,
    };
    KeyEncoder::new(written_version(settings), settings.persistence.rdbcompression, usage, now)
}
