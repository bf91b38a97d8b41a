//! A snapshot on its way to one replica while it is being made: a bounded queue between the thread that makes it and the replica's
//! connection. All replicas share the bytes; the slowest sets the pace.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// Bytes that may wait for a replica.
const ROOM_BYTES: usize = 4 << 20;

#[derive(Default)]
struct State {
    chunks: VecDeque<Arc<[u8]>>,
    bytes: usize,
    ending: Option<Ending>,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// All of it is in the queue.
    Whole,
    /// It will never be whole.
    Cut,
    /// The reader was too slow.
    Late,
    /// Nobody reads any more.
    Left,
}

/// The queue.
#[derive(Default)]
pub(super) struct Pipe {
    state: Mutex<State>,
    room: Condvar,
}

/// What comes out.
pub(super) enum Piece {
    Bytes(Arc<[u8]>),
    /// It was whole.
    End,
    /// It was cut off.
    Cut,
}

impl Pipe {
    /// Puts bytes in, once there is room; `false` if nobody reads any more, or not fast enough.
    pub fn push(&self, bytes: &Arc<[u8]>, patience: Duration) -> bool {
        let mut state = self.state.lock();
        while state.bytes > ROOM_BYTES && state.ending.is_none() {
            if self.room.wait_for(&mut state, patience).timed_out() {
                state.ending = Some(Ending::Late);
            }
        }
        if state.ending.is_none() {
            state.bytes += bytes.len();
            state.chunks.push_back(Arc::clone(bytes));
        }
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
        state.ending.is_none()
    }

    /// All bytes are in, or there will be no more.
    pub fn finish(&self, whole: bool) {
        let mut state = self.state.lock();
        if state.ending.is_none() {
            state.ending = Some(if whole { Ending::Whole } else { Ending::Cut });
        }
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    /// Whether the reader was too slow.
    pub fn is_late(&self) -> bool {
        self.state.lock().ending == Some(Ending::Late)
    }

    /// Nobody reads any more.
    pub fn leave(&self) {
        let mut state = self.state.lock();
        state.ending = Some(Ending::Left);
        state.chunks.clear();
        self.room.notify_all();
    }

    /// Whether somebody still reads.
    pub fn is_read(&self) -> bool {
        self.state.lock().ending.is_none()
    }

    pub fn poll_pop(&self, cx: &Context<'_>) -> Poll<Piece> {
        let mut state = self.state.lock();
        if let Some(bytes) =
            state.chunks.pop_front().filter(|_| !matches!(state.ending, Some(Ending::Cut | Ending::Late)))
        {
            state.bytes -= bytes.len();
            self.room.notify_one();
            return Poll::Ready(Piece::Bytes(bytes));
        }
        match state.ending {
            Some(Ending::Whole) => Poll::Ready(Piece::End),
            Some(_) => Poll::Ready(Piece::Cut),
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pop(pipe: &Pipe) -> Poll<Piece> {
        pipe.poll_pop(&Context::from_waker(Waker::noop()))
    }

    #[test]
    fn what_goes_in_comes_out_and_then_the_end() {
        let pipe = Pipe::default();
        assert!(pop(&pipe).is_pending());
        let bytes: Arc<[u8]> = Arc::from(&b"piece"[..]);
        assert!(pipe.push(&bytes, Duration::ZERO));
        pipe.finish(true);
        assert!(matches!(pop(&pipe), Poll::Ready(Piece::Bytes(piece)) if *piece == *b"piece"));
        assert!(matches!(pop(&pipe), Poll::Ready(Piece::End)));
    }

    #[test]
    fn whoever_does_not_read_is_given_up() {
        let pipe = Pipe::default();
        let bytes: Arc<[u8]> = vec![0; ROOM_BYTES + 1].into();
        assert!(pipe.push(&bytes, Duration::ZERO));
        assert!(!pipe.push(&bytes, Duration::from_millis(1)));
        assert!(!pipe.is_read() && matches!(pop(&pipe), Poll::Ready(Piece::Cut)));
        let pipe = Pipe::default();
        pipe.leave();
        assert!(!pipe.push(&bytes, Duration::ZERO));
    }
}
