//! The mailbox of a client: what other threads want of its connection.
//!
//! Messages are appended to one another, so a thousand small ones are one buffer. The connection's task is woken when the
//! first thing comes into an empty mailbox. Once the client is to be closed nothing more is taken in, and what is there is
//! dropped: it would never be sent.

use std::sync::atomic::{
    AtomicBool, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use std::task::Waker;

use parking_lot::Mutex;

/// Something another thread wants of a connection.
#[derive(Debug)]
pub enum Signal {
    /// Bytes to send: a message, a monitor line.
    Send(Vec<u8>),
    /// The blocking command is over; these bytes are its reply.
    Unblocked(Vec<u8>),
    /// Give back buffers that are larger than what was needed lately.
    Trim,
    /// Close the connection; whether what was written so far should still be sent.
    Close {
        /// Replies first.
        after_reply: bool,
    },
}

/// Why a connection is closed without sending what waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// Somebody wants it: CLIENT KILL, `timeout`.
    Asked,
    /// What waits for it passes `client-output-buffer-limit`.
    OutputLimit,
    /// All clients together pass `maxmemory-clients`.
    Evicted,
}

#[derive(Default)]
struct Inner {
    signals: Vec<Signal>,
    closing: Option<CloseReason>,
}

impl Inner {
    /// Appends to the last message, or starts one. A push becomes an array for RESP2.
    fn append(&mut self, bytes: &[u8], resp2: bool) {
        if !matches!(self.signals.last(), Some(Signal::Send(_))) {
            self.signals.push(Signal::Send(Vec::new()));
        }
        let Some(Signal::Send(buffer)) = self.signals.last_mut() else { return };
        let start = buffer.len();
        buffer.extend_from_slice(bytes);
        if resp2 && bytes.first() == Some(&b'>') {
            buffer[start] = b'*';
        }
    }
}

/// The mailbox.
#[derive(Default)]
pub(super) struct Mailbox {
    // The innermost lock of the server: it is taken under locks of keys and channels, and nothing is taken under it.
    inner: Mutex<Inner>,
    /// Bytes of all messages, readable without the lock.
    bytes: AtomicUsize,
    /// Whether it holds something, readable without the lock.
    has_mail: AtomicBool,
    /// Wakes the connection's task.
    waker: Mutex<Option<Waker>>,
}

impl Mailbox {
    /// Appends a message, unless the client is to be closed; `resp2` tells the client's protocol.
    pub fn push(&self, bytes: &[u8], resp2: impl FnOnce() -> bool) {
        let mut inner = self.inner.lock();
        if inner.closing.is_some() {
            return;
        }
        inner.append(bytes, resp2());
        self.bytes.fetch_add(bytes.len(), Relaxed);
        self.arrived(inner);
    }

    /// Puts a signal in.
    pub fn post(&self, signal: Signal) {
        let mut inner = self.inner.lock();
        if inner.closing.is_some() {
            return;
        }
        if let Signal::Send(bytes) | Signal::Unblocked(bytes) = &signal {
            self.bytes.fetch_add(bytes.len(), Relaxed);
        }
        inner.signals.push(signal);
        self.arrived(inner);
    }

    /// The client is to be closed; `false` when it was already.
    pub fn close(&self, reason: CloseReason) -> bool {
        let mut inner = self.inner.lock();
        if inner.closing.is_some() {
            return false;
        }
        inner.closing = Some(reason);
        inner.signals = Vec::new();
        self.bytes.store(0, Relaxed);
        self.has_mail.store(true, Release);
        drop(inner);
        self.wake();
        true
    }

    fn arrived(&self, inner: parking_lot::MutexGuard<'_, Inner>) {
        let first = !self.has_mail.swap(true, Release);
        drop(inner);
        if first {
            self.wake();
        }
    }

    fn wake(&self) {
        if let Some(waker) = &*self.waker.lock() {
            waker.wake_by_ref();
        }
    }

    /// Why the client is to be closed, if it is.
    pub fn closing(&self) -> Option<CloseReason> {
        self.inner.lock().closing
    }

    /// Bytes of all messages.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// Whether it holds something.
    pub fn has_mail(&self) -> bool {
        self.has_mail.load(Acquire)
    }

    /// Empties it.
    pub fn take(&self) -> Vec<Signal> {
        let mut inner = self.inner.lock();
        self.bytes.store(0, Relaxed);
        self.has_mail.store(inner.closing.is_some(), Relaxed);
        std::mem::take(&mut inner.signals)
    }

    /// Takes the messages out and leaves everything else; `before_unlock` runs while none can come in.
    pub fn take_messages(&self, out: &mut Vec<u8>, before_unlock: impl FnOnce()) {
        let mut inner = self.inner.lock();
        inner.signals.retain(|signal| match signal {
            Signal::Send(bytes) => {
                out.extend_from_slice(bytes);
                self.bytes.fetch_sub(bytes.len(), Relaxed);
                false
            }
            _ => true,
        });
        self.has_mail.store(inner.closing.is_some() || !inner.signals.is_empty(), Relaxed);
        before_unlock();
    }

    /// The task to wake when something comes in. Look at [`Mailbox::has_mail`] afterwards.
    pub fn register(&self, waker: &Waker) {
        *self.waker.lock() = Some(waker.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_gather_in_order_and_other_signals_stay() {
        let mailbox = Mailbox::default();
        mailbox.push(b">1\r\n", || true);
        mailbox.push(b"+line\r\n", || true);
        mailbox.post(Signal::Unblocked(b":1\r\n".to_vec()));
        mailbox.push(b">2\r\n", || false);
        assert_eq!(mailbox.bytes(), 19);
        let mut out = Vec::new();
        mailbox.take_messages(&mut out, || {});
        assert_eq!(out, b"*1\r\n+line\r\n>2\r\n");
        assert!(mailbox.has_mail());
        assert!(matches!(mailbox.take().as_slice(), [Signal::Unblocked(_)]));
        assert!(!mailbox.has_mail() && mailbox.bytes() == 0);
    }

    #[test]
    fn a_closing_mailbox_takes_nothing_in() {
        let mailbox = Mailbox::default();
        mailbox.push(b"+x\r\n", || true);
        assert!(mailbox.close(CloseReason::OutputLimit));
        assert!(!mailbox.close(CloseReason::Asked));
        mailbox.push(b"+y\r\n", || true);
        assert_eq!((mailbox.bytes(), mailbox.closing()), (0, Some(CloseReason::OutputLimit)));
        assert!(mailbox.take().is_empty() && mailbox.has_mail());
    }
}
