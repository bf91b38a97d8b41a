//! A connection in two halves, for two threads: one that sends without waiting for answers, and one that reads them.
//!
//! Over TLS both share the session, which is locked only while bytes are turned into records or back, never while the socket is waited for.
//! Records leave in the order in which they were made because only the sending half makes any and writes them.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use parking_lot::Mutex;
use rustls::ClientConnection;

use super::stream::Stream;

/// Bytes read at once.
const READ_BYTES: usize = 64 << 10;

/// The half that sends.
pub struct SendHalf {
    socket: TcpStream,
    session: Option<Arc<Mutex<ClientConnection>>>,
    /// Records on their way out.
    records: Vec<u8>,
}

/// The half that reads.
pub struct ReceiveHalf {
    socket: TcpStream,
    session: Option<Arc<Mutex<ClientConnection>>>,
    /// Records that have come in; those before `at` are done with.
    records: Vec<u8>,
    at: usize,
}

impl Stream {
    /// Both halves, after the handshake.
    pub fn split(self) -> io::Result<(SendHalf, ReceiveHalf)> {
        let (session, socket) = match self {
            Self::Plain(socket) => (None, socket),
            Self::Tls(tls) => {
                let (session, socket) = tls.into_parts();
                (Some(Arc::new(Mutex::new(session))), socket)
            }
        };
        let receive = ReceiveHalf { socket: socket.try_clone()?, session: session.clone(), records: Vec::new(), at: 0 };
        Ok((SendHalf { socket, session, records: Vec::new() }, receive))
    }
}

impl SendHalf {
    /// The socket below.
    pub fn socket(&self) -> &TcpStream {
        &self.socket
    }
}

impl Write for SendHalf {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(session) = &self.session else { return self.socket.write(bytes) };
        let mut session = session.lock();
        let count = session.writer().write(bytes)?;
        while session.wants_write() {
            session.write_tls(&mut self.records)?;
        }
        drop(session);
        let sent = self.socket.write_all(&self.records);
        self.records.clear();
        sent.map(|()| count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

impl Read for ReceiveHalf {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(session) = &self.session else { return self.socket.read(out) };
        loop {
            {
                let mut session = session.lock();
                match session.reader().read(out) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    other => return other,
                }
                if self.at < self.records.len() {
                    let mut rest = &self.records[self.at..];
                    session.read_tls(&mut rest)?;
                    self.at = self.records.len() - rest.len();
                    session.process_new_packets().map_err(io::Error::other)?;
                    continue;
                }
            }
            self.records.resize(READ_BYTES, 0);
            self.at = READ_BYTES;
            let count = self.socket.read(&mut self.records)?;
            self.records.truncate(count);
            self.at = 0;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn both_halves_work_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let echo = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut copy = socket.try_clone().unwrap();
            io::copy(&mut copy, &mut socket).unwrap();
        });
        let (mut send, mut receive) = Stream::Plain(TcpStream::connect(address).unwrap()).split().unwrap();
        let bytes: Vec<u8> = (0..4 << 20).map(|i| (i / 7) as u8).collect();
        let expected = bytes.clone();
        // Neither side's buffers hold so much: it gets through only while it is read.
        let sender = std::thread::spawn(move || {
            send.write_all(&bytes).unwrap();
            send.socket().shutdown(std::net::Shutdown::Write).unwrap();
        });
        let mut back = Vec::new();
        receive.read_to_end(&mut back).unwrap();
        assert_eq!(back, expected);
        sender.join().unwrap();
        echo.join().unwrap();
    }
}
