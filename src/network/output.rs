//! The replies of one connection that wait to be sent.

/// A buffer larger than this is given back when it has become empty.
const KEEP_BYTES: usize = 128 * 1024;
/// What a buffer starts with, and keeps when the client is idle.
const LEAST_BYTES: usize = 1024;
/// Sent bytes in front of a buffer that are worth moving the rest for.
const COMPACT_BYTES: usize = 1 << 20;

/// Replies, appended at the end and sent from the front.
pub(super) struct Output {
    /// All of them; what is before `sent` has been handed on.
    pub bytes: Vec<u8>,
    sent: usize,
}

impl Output {
    /// An empty buffer.
    pub fn new() -> Self {
        Self { bytes: Vec::with_capacity(LEAST_BYTES), sent: 0 }
    }

    /// What is still to be sent.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// Bytes still to be sent.
    pub fn len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// Whether everything has been sent.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Notes that so many more bytes have been handed on.
    pub fn advance(&mut self, count: usize) {
        self.sent += count;
        if self.is_empty() {
            self.sent = 0;
            self.bytes.clear();
            if self.bytes.capacity() > KEEP_BYTES {
                self.bytes = Vec::with_capacity(LEAST_BYTES);
            }
        } else if self.sent >= COMPACT_BYTES && self.sent >= self.len() {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
    }

    /// Gives back what an idle client does not need.
    pub fn trim(&mut self) {
        if self.is_empty() {
            self.bytes.shrink_to(LEAST_BYTES);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_leaves_and_the_rest_stays_in_order() {
        let mut output = Output::new();
        output.bytes.extend(std::iter::repeat_n(b'a', COMPACT_BYTES));
        output.bytes.extend_from_slice(b"tail");
        output.advance(COMPACT_BYTES - 1);
        assert_eq!(output.rest(), b"atail");
        output.advance(1);
        assert_eq!((output.rest(), output.bytes.len()), (&b"tail"[..], 4), "sent bytes do not pile up");
        output.advance(4);
        assert!(output.is_empty() && output.bytes.capacity() <= KEEP_BYTES);
    }
}
