//! The byte stream from a primary: lines during the conversation, bytes afterwards.
//!
//! A read waits for a moment only, so that the thread can look around; whoever wants more calls again.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use super::stream::Stream;

/// How long a read waits before its caller looks at other things.
const LOOK_AROUND: Duration = Duration::from_millis(100);
/// Bytes read at once.
const READ_BYTES: usize = 64 << 10;
/// A longer line is none.
const MAX_LINE_BYTES: usize = 64 << 10;

/// The stream with what has come in and was not taken.
pub struct Link {
    stream: Stream,
    input: Vec<u8>,
    taken: usize,
    timeout: Duration,
    last_input: Instant,
}

impl Link {
    /// A stream on which nothing was read; silence longer than `timeout` is an error.
    pub fn new(stream: Stream, timeout: Duration) -> io::Result<Self> {
        stream.socket().set_read_timeout(Some(LOOK_AROUND))?;
        Ok(Self { stream, input: Vec::new(), taken: 0, timeout, last_input: Instant::now() })
    }

    /// How long silence may last from now on.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// The stream below.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Sends all of it.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Reads once; what is there comes back, which is nothing when nothing came in for a moment. An error when there is nothing for
    /// long, or never will be.
    pub fn receive(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.input.len() {
            self.input.resize(READ_BYTES, 0);
            self.taken = 0;
            let read = match self.stream.read(&mut self.input) {
                Err(error) if is_pause(&error) => None,
                other => Some(other),
            };
            self.input.truncate(match &read {
                Some(Ok(read)) => *read,
                _ => 0,
            });
            match read {
                None if self.last_input.elapsed() > self.timeout => return Err(io::ErrorKind::TimedOut.into()),
                None => {}
                Some(Err(error)) => return Err(error),
                Some(Ok(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Some(Ok(_)) => self.last_input = Instant::now(),
            }
        }
        Ok(&self.input[self.taken..])
    }

    /// So many bytes of what [`Link::receive`] has shown are done with.
    pub fn take(&mut self, count: usize) {
        self.taken = (self.taken + count).min(self.input.len());
    }

    /// The next line, without its end. `go_on` is asked while it is waited for.
    pub fn line(&mut self, go_on: impl Fn() -> bool) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        while go_on() {
            let there = self.receive()?;
            let end = there.iter().position(|byte| *byte == b'\n');
            let part = &there[..end.unwrap_or(there.len())];
            line.extend_from_slice(part);
            let count = part.len() + usize::from(end.is_some());
            self.take(count);
            if end.is_some() {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            if line.len() > MAX_LINE_BYTES {
                return Err(io::Error::other("a line without an end"));
            }
        }
        Err(io::ErrorKind::Interrupted.into())
    }
}

fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}
