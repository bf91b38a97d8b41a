//! One connection to another server: requests out, replies in.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use redis_protocol::resp2::types::OwnedFrame;
use rustls::ClientConfig;

use super::dial::{DialError, Target, dial};
use super::frame::first_frame;
use super::stream::Stream;

/// A reply larger than this is none that a peer call expects.
const MAX_REPLY_BYTES: usize = 1 << 20;
const READ_BYTES: usize = 16 * 1024;

/// What the other server answered.
#[derive(Clone, Debug, PartialEq)]
pub enum PeerReply {
    /// An error, with its text.
    Error(String),
    /// Anything else.
    Value(OwnedFrame),
}

/// A connection to another server.
pub struct PeerConnection {
    stream: Stream,
    /// Received, not read yet.
    input: Vec<u8>,
    timeout: Duration,
}

impl PeerConnection {
    /// Dials, over TLS where a configuration is given. No single step takes longer than `timeout`.
    pub fn open(target: &Target, tls: Option<&Arc<ClientConfig>>, timeout: Duration) -> Result<Self, DialError> {
        Ok(Self { stream: dial(target, tls, timeout)?, input: Vec::new(), timeout })
    }

    /// Changes how long a step may take.
    pub fn set_timeout(&mut self, timeout: Duration) -> io::Result<()> {
        self.timeout = timeout;
        let socket = self.stream.socket();
        socket.set_read_timeout(Some(timeout))?;
        socket.set_write_timeout(Some(timeout))
    }

    /// Sends encoded requests.
    pub fn send(&mut self, requests: &[u8]) -> io::Result<()> {
        self.stream.write_all(requests)?;
        self.stream.flush()
    }

    /// Waits for the next reply.
    pub fn reply(&mut self) -> io::Result<PeerReply> {
        let deadline = Instant::now() + self.timeout;
        loop {
            if let Some((frame, length)) = first_frame(&self.input)? {
                self.input.drain(..length);
                return Ok(match frame {
                    OwnedFrame::Error(text) => PeerReply::Error(text),
                    value => PeerReply::Value(value),
                });
            }
            if self.input.len() > MAX_REPLY_BYTES {
                return Err(io::Error::other("the reply has no end"));
            }
            if Instant::now() > deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let mut chunk = [0; READ_BYTES];
            let read = self.stream.read(&mut chunk)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.input.extend_from_slice(&chunk[..read]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(script: &'static [&'static [u8]]) -> Target {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            for piece in script {
                socket.write_all(piece).unwrap();
            }
        });
        Target { host: "127.0.0.1".into(), port }
    }

    #[test]
    fn replies_come_whole_in_whatever_pieces_they_arrive() {
        let target = server(&[b"+O", b"K\r\n-ERR no\r\n$3\r", b"\nabc\r\n"]);
        let mut connection = PeerConnection::open(&target, None, Duration::from_secs(5)).unwrap();
        assert_eq!(connection.reply().unwrap(), PeerReply::Value(OwnedFrame::SimpleString(b"OK".to_vec())));
        assert_eq!(connection.reply().unwrap(), PeerReply::Error("ERR no".into()));
        assert_eq!(connection.reply().unwrap(), PeerReply::Value(OwnedFrame::BulkString(b"abc".to_vec())));
        assert_eq!(connection.reply().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
