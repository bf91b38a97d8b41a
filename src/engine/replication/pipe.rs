//! A snapshot on its way to one replica while it is being made: a bounded queue between the thread that makes it and the replica's
//! connection. All replicas share the bytes; the slowest sets the pace.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// How often whoever waits for room looks whether that is still worth it.
const LOOK_AROUND: Duration = Duration::from_millis(100);
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
    /// Puts bytes in, once there is room; `false` if nobody reads any more, or nothing within the reader's time, which may change while
    /// it is waited for. No time at all means that there will be nothing more to put in.
    pub fn push(&self, bytes: &Arc<[u8]>, patience: impl Fn() -> Option<Duration>) -> bool {
        let mut state = self.state.lock();
        let mut waiting = (Instant::now(), state.bytes);
        while state.bytes > ROOM_BYTES && state.ending.is_none() {
            let Some(patience) = patience() else { return true };
            if waiting.1 != state.bytes {
                waiting = (Instant::now(), state.bytes);
            }
            if waiting.0.elapsed() >= patience {
                state.ending = Some(Ending::Late);
            } else {
                self.room.wait_for(&mut state, LOOK_AROUND.min(patience));
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
        assert!(pipe.push(&bytes, || Some(Duration::ZERO)));
        pipe.finish(true);
        assert!(matches!(pop(&pipe), Poll::Ready(Piece::Bytes(piece)) if *piece == *b"piece"));
        assert!(matches!(pop(&pipe), Poll::Ready(Piece::End)));
    }

    #[test]
    fn whoever_does_not_read_is_given_up() {
        let pipe = Pipe::default();
        let bytes: Arc<[u8]> = vec![0; ROOM_BYTES + 1].into();
        assert!(pipe.push(&bytes, || Some(Duration::ZERO)));
        assert!(pipe.push(&bytes, || None) && pipe.is_read(), "given up by the writer, not by the reader");
        assert!(!pipe.push(&bytes, || Some(Duration::from_millis(1))));
        assert!(!pipe.is_read() && matches!(pop(&pipe), Poll::Ready(Piece::Cut)));
        let pipe = Pipe::default();
        pipe.leave();
        assert!(!pipe.push(&bytes, || Some(Duration::ZERO)));
    }
}
