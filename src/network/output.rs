//! The replies of one connection that wait to be sent.
//!
//! Most of the time none wait: a batch's replies are written and sent before another connection of the worker has its turn. So the buffer
//! belongs to the worker's thread. A connection has it while it runs a batch; what the socket does not take moves to memory of the
//! connection's own, and one that waits for requests has none, however long its last reply was.

use std::cell::Cell;

/// Room of a thread's buffer. One that had to grow is not kept.
const SHARED_BYTES: usize = 128 * 1024;
/// Sent bytes in front of a buffer that are worth moving the rest for.
const COMPACT_BYTES: usize = 1 << 20;

thread_local! {
    /// The buffer for whoever has replies next; without room until there was a first one, and while it is lent.
    static SHARED: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Replies, appended at the end and sent from the front.
pub(super) struct Output {
    /// All of them; what is before `sent` has been handed on.
    pub bytes: Vec<u8>,
    sent: usize,
}

impl Output {
    /// No replies.
    pub fn new() -> Self {
        Self { bytes: Vec::new(), sent: 0 }
    }

    /// Makes ready for a batch: whoever has no buffer takes the thread's.
    pub fn begin(&mut self) {
        if self.bytes.capacity() == 0 {
            self.bytes = SHARED.take();
            self.bytes.reserve_exact(SHARED_BYTES);
        }
    }

    /// The batch is over: the thread gets its buffer back, without what is still unsent.
    pub fn end(&mut self) {
        if self.is_empty() {
            self.sent = 0;
            self.bytes.clear();
        }
        if self.bytes.is_empty() || self.bytes.capacity() == SHARED_BYTES {
            let unsent = self.rest().to_vec();
            let mut buffer = std::mem::replace(&mut self.bytes, unsent);
            self.sent = 0;
            buffer.clear();
            if buffer.capacity() == SHARED_BYTES {
                SHARED.set(buffer);
            }
        }
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
        } else if self.sent >= COMPACT_BYTES && self.sent >= self.len() {
            self.bytes.drain(..self.sent);
            self.sent = 0;
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
        output.end();
        assert!(output.is_empty() && output.bytes.capacity() == 0);
    }

    #[test]
    fn connections_of_a_thread_share_a_buffer() {
        let (mut first, mut second) = (Output::new(), Output::new());
        first.begin();
        first.bytes.extend_from_slice(b"0123456789");
        let shared = first.bytes.as_ptr();
        first.advance(7);
        first.end();
        assert_eq!((first.rest(), first.bytes.len()), (&b"789"[..], 3), "what is unsent stays with its connection");
        second.begin();
        assert_eq!((second.bytes.as_ptr(), second.bytes.is_empty()), (shared, true));
        second.bytes.extend_from_slice(&[b'x'; SHARED_BYTES + 1]);
        second.advance(SHARED_BYTES + 1);
        second.end();
        first.begin();
        assert_eq!(first.rest(), b"789", "it goes on behind what is unsent");
        first.advance(3);
        first.end();
        assert_eq!((first.bytes.capacity(), second.bytes.capacity()), (0, 0));
        second.begin();
        assert_eq!(second.bytes.capacity(), SHARED_BYTES, "one that had to grow is not kept");
    }
}
