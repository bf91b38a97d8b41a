//! How large the reply of a command may become, and what happens when it would be larger.
//!
//! `client-output-buffer-limit` closes a client whose replies pass it. Redis has no other bound, and none by default: a `SRANDMEMBER`
//! with a large enough count ends the process there. Here a reply that the machine could not hold is an error.

use std::sync::LazyLock;

use super::Engine;
use crate::base::memory::total_system_memory;
use crate::config::Settings;
use crate::resp::{Reply, WireError};
use crate::scripting::MAX_INTERPRETER_BYTES;
use crate::session::{CloseReason, FIXED_OUTPUT_BYTES, Session};

/// The bytes that no reply passes: a part of the machine's memory. Growing takes twice as much for a moment.
static MAX_BYTES: LazyLock<usize> = LazyLock::new(|| (total_system_memory() / 4).clamp(1 << 30, 1 << 40) as usize);

/// What happens to a reply that passes its limit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beyond {
    /// It is an error instead.
    Refuse,
    /// Its client is closed.
    Close,
}

/// The limit of one reply.
#[derive(Clone, Copy)]
pub(super) struct ReplyLimit {
    bytes: usize,
    beyond: Beyond,
}

impl ReplyLimit {
    /// For what a session asks.
    pub fn of(settings: &Settings, session: &Session) -> Self {
        if session.in_script {
            // The script gets the reply, whole, and it must fit into the interpreter.
            return Self { bytes: MAX_INTERPRETER_BYTES, beyond: Beyond::Refuse };
        }
        let limits = &settings.limits.client_output_buffer_limit;
        let limit = if session.subscriptions.is_empty() { limits.normal } else { limits.pubsub };
        let bytes = usize::try_from(limit.hard_bytes.max(FIXED_OUTPUT_BYTES)).unwrap_or(usize::MAX);
        if limit.hard_bytes == 0 || bytes > *MAX_BYTES {
            Self { bytes: *MAX_BYTES, beyond: Beyond::Refuse }
        } else {
            Self { bytes, beyond: Beyond::Close }
        }
    }

    /// The length of the buffer that a reply which begins at `start` may not pass.
    pub fn end(self, start: usize) -> usize {
        start.saturating_add(self.bytes)
    }
}

impl Engine {
    /// A handler has written a reply, beginning at `start`, that has passed its limit, and may have stopped in the middle.
    pub(super) fn reply_passed(&self, limit: ReplyLimit, session: &Session, reply: &mut Reply<'_>, start: usize) {
        match limit.beyond {
            Beyond::Close => {
                session.client.close(CloseReason::OutputLimit);
            }
            Beyond::Refuse => {
                reply.rewind(start);
                let error = WireError::new(format!(
                    "ERR The reply would take more than {} bytes, ask for less at a time",
                    limit.bytes
                ));
                self.count_error(session, &error);
                reply.error(&error);
            }
        }
    }
}
