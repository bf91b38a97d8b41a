//! The byte stream to the primary: lines during the conversation, bytes afterwards.
//!
//! A read waits for a moment only, so that the thread can look around; whoever wants more calls again.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};

/// Bytes read at once.
const READ_BYTES: usize = 64 << 10;
/// A longer line is none.
const MAX_LINE_BYTES: usize = 64 << 10;

/// The socket, or TLS over it.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// The stream with what has come in and was not taken.
pub(super) struct Link {
    stream: Stream,
    input: Vec<u8>,
    taken: usize,
    timeout: Duration,
    last_input: Instant,
}

impl Link {
    /// A stream on which nothing was read; silence longer than `timeout` is an error.
    pub fn new(stream: Stream, timeout: Duration) -> Self {
        Self { stream, input: Vec::new(), taken: 0, timeout, last_input: Instant::now() }
    }

    /// The socket below.
    pub fn socket(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(socket) => socket,
            Stream::Tls(tls) => &tls.sock,
        }
    }

    /// The TLS session, where there is one.
    pub fn session(&self) -> Option<&ClientConnection> {
        match &self.stream {
            Stream::Plain(_) => None,
            Stream::Tls(tls) => Some(&tls.conn),
        }
    }

    /// Sends all of it.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(socket) => socket.write_all(bytes),
            Stream::Tls(tls) => {
                tls.write_all(bytes)?;
                tls.flush()
            }
        }
    }

    /// Reads once; what is there comes back, which is nothing when nothing came in for a moment. An error when there is nothing for
    /// long, or never will be.
    pub fn receive(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.input.len() {
            self.input.resize(READ_BYTES, 0);
            self.taken = 0;
            let read = match &mut self.stream {
                Stream::Plain(socket) => socket.read(&mut self.input),
                Stream::Tls(tls) => tls.read(&mut self.input),
            };
            let read = match read {
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
