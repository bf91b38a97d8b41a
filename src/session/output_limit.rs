//! `client-output-buffer-limit`: when a client that does not read fast enough is closed.
//!
//! What counts is everything queued for the client, in its connection and in its mailbox. Up to 16 KB it counts as nothing:
//! so much stands in a buffer of fixed size in Redis, whose limits do not see it.

use std::sync::atomic::Ordering::Relaxed;

use super::client::{Client, ClientFlags};
use super::mailbox::CloseReason;
use crate::base::clock::UnixMillis;
use crate::config::values::{BufferLimit, BufferLimits};

/// Output up to this many bytes counts as nothing.
pub const FIXED_OUTPUT_BYTES: u64 = 16 * 1024;
/// Bytes of messages that may wait in a mailbox where no limit is configured.
const MAX_MAIL_BYTES: usize = 64 << 20;

impl Client {
    /// Bytes queued for it, sent by nobody yet.
    pub fn queued_output(&self) -> u64 {
        self.output_bytes.load(Relaxed) + self.pending_bytes() as u64
    }

    /// What its output limit looks at, in bytes.
    pub fn limited_output(&self) -> u64 {
        Some(self.queued_output()).filter(|bytes| *bytes > FIXED_OUTPUT_BYTES).unwrap_or(0)
    }

    /// Closes it if what is queued for it passes its limit; `true` if it must be closed (by this call or an earlier one).
    pub fn enforce_output_limit(&self, limits: &BufferLimits) -> bool {
        if self.flags().contains(ClientFlags::CLOSE_ASAP) {
            return true;
        }
        let over = self.passes(self.limit_of(limits)) || self.pending_bytes() > MAX_MAIL_BYTES;
        if over {
            self.close(CloseReason::OutputLimit);
        }
        over
    }

    fn limit_of(&self, limits: &BufferLimits) -> BufferLimit {
        let flags = self.flags();
        if flags.contains(ClientFlags::REPLICA) && !flags.contains(ClientFlags::MONITOR) {
            limits.replica
        } else if flags.contains(ClientFlags::PUBSUB) {
            limits.pubsub
        } else {
            limits.normal
        }
    }

    fn passes(&self, limit: BufferLimit) -> bool {
        let bytes = self.limited_output();
        if limit.hard_bytes != 0 && bytes >= limit.hard_bytes {
            return true;
        }
        if limit.soft_bytes == 0 || bytes < limit.soft_bytes {
            // A store only where it changes something: this line is read by others.
            if self.soft_limit_since.load(Relaxed) != 0 {
                self.soft_limit_since.store(0, Relaxed);
            }
            return false;
        }
        let now = UnixMillis::now().seconds();
        match self.soft_limit_since.load(Relaxed) {
            0 => {
                self.soft_limit_since.store(now, Relaxed);
                false
            }
            since => now - since > limit.soft_seconds as i64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> Client {
        Client::unconnected(1)
    }

    #[test]
    fn each_class_has_its_own_limit() {
        let mut limits = BufferLimits::default();
        limits.pubsub.hard_bytes = 100_000;
        let message = vec![b'+'; 100_000];
        let normal = client();
        normal.push(&message, &limits);
        assert!(!normal.flags().contains(ClientFlags::CLOSE_ASAP));
        let subscriber = client();
        subscriber.set_flags(ClientFlags::PUBSUB, true);
        subscriber.push(&message[..message.len() - 1], &limits);
        assert!(!subscriber.flags().contains(ClientFlags::CLOSE_ASAP), "one byte below the limit");
        subscriber.push(b"+", &limits);
        assert!(subscriber.flags().contains(ClientFlags::CLOSE_ASAP));
        assert_eq!(subscriber.closing(), Some(CloseReason::OutputLimit));
        assert_eq!(subscriber.pending_bytes(), 0, "what will never be sent is not kept");
    }

    #[test]
    fn a_soft_limit_counts_from_when_it_was_passed() {
        let normal = BufferLimit { hard_bytes: 0, soft_bytes: 1000, soft_seconds: 5 };
        let limits = BufferLimits { normal, ..BufferLimits::default() };
        let client = client();
        client.output_bytes.store(FIXED_OUTPUT_BYTES + 1, Relaxed);
        assert!(!client.enforce_output_limit(&limits));
        let since = client.soft_limit_since.load(Relaxed);
        assert!(since != 0);
        client.soft_limit_since.store(since - 5, Relaxed);
        assert!(!client.enforce_output_limit(&limits), "not longer than the limit says");
        client.soft_limit_since.store(since - 6, Relaxed);
        let other = Client::unconnected(2);
        other.output_bytes.store(FIXED_OUTPUT_BYTES, Relaxed);
        other.soft_limit_since.store(since - 6, Relaxed);
        assert!(!other.enforce_output_limit(&limits) && other.soft_limit_since.load(Relaxed) == 0);
        assert!(client.enforce_output_limit(&limits));
    }
}
