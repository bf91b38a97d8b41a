//! What a file says of how recently or how often a key was used: what the eviction policy in force goes by, and nothing under other
//! policies.

use std::sync::atomic::Ordering::Relaxed;

use super::super::code::opcode;
use super::super::write::Writer;
use crate::base::clock::UnixMillis;
use crate::keyspace::{Entry, LfuTuning, lfu_decayed, lru_idle_ms};

/// What is said.
#[derive(Clone, Copy, Debug)]
pub enum Usage {
    /// Nothing.
    Nothing,
    /// Seconds since the last use.
    Idle,
    /// The frequency counter.
    Frequency(LfuTuning),
}

impl Usage {
    pub(super) fn write(self, writer: &mut Writer, entry: &Entry, now: UnixMillis) {
        let bits = entry.lru().load(Relaxed);
        match self {
            Self::Nothing => {}
            Self::Idle => {
                writer.byte(opcode::IDLE);
                writer.length(lru_idle_ms(bits, now) / 1000);
            }
            Self::Frequency(tuning) => {
                writer.byte(opcode::FREQ);
                writer.byte(lfu_decayed(bits, now, tuning) as u8);
            }
        }
    }
}
