//! The byte stream under a connection: plaintext or TLS, TCP or Unix.
//!
//! TLS is driven here by hand, not through an adapter: one socket read fills a large buffer that all connections of a
//! worker share, every complete record in it is decrypted at once, and all replies of a batch leave in full records with
//! one socket write. Measured against an adapter, that is one `recv` and one copy less per request.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, BufRead, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ServerConnection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::output::Output;

/// Bytes asked for in one socket read.
const READ_BYTES: usize = 64 * 1024;
/// Plaintext handed to TLS before the records are written out.
const WRITE_BYTES: usize = 256 * 1024;

thread_local! {
    /// Where TLS bytes are read to before they are decrypted; never held across an await.
    static INCOMING: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// The socket.
pub enum Socket {
    /// TCP.
    Tcp(TcpStream),
    /// A Unix socket.
    Unix(UnixStream),
}

/// A connection's byte stream.
pub struct Transport {
    socket: Socket,
    tls: Option<Box<ServerConnection>>,
    /// Bytes that TLS has taken and the socket has not.
    in_tls: usize,
    /// The peer has ended its stream without the goodbye of TLS.
    left_silently: bool,
}

impl Socket {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(&mut self, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }
}

impl Transport {
    /// A stream over `socket`; with `tls` the handshake is done.
    pub fn new(socket: Socket, mut tls: Option<Box<ServerConnection>>) -> Self {
        if let Some(tls) = &mut tls {
            // Bounded here instead, by WRITE_BYTES.
            tls.set_buffer_limit(None);
        }
        Self { socket, tls, in_tls: 0, left_silently: false }
    }

    /// Ends our side and reads what the peer still sends, for a moment: closing over unread bytes would reset the connection,
    /// and the peer could lose what we sent last.
    pub async fn drain_briefly(&mut self) {
        const PATIENCE: Duration = Duration::from_millis(200);
        let socket = &mut self.socket;
        let drain = async {
            poll_fn(|cx| socket.poll_shutdown(cx)).await?;
            let mut rest = [0u8; 4096];
            loop {
                let mut buf = ReadBuf::new(&mut rest);
                poll_fn(|cx| socket.poll_read(cx, &mut buf)).await?;
                if buf.filled().is_empty() {
                    return Ok::<_, io::Error>(());
                }
            }
        };
        // The peer's end of stream, an error or the clock ends the wait.
        let _ = tokio::time::timeout(PATIENCE, drain).await;
    }

    /// Plaintext that arrived together with the end of the handshake, appended to `input`.
    pub fn take_early(&mut self, input: &mut Vec<u8>) -> io::Result<bool> {
        match &mut self.tls {
            Some(tls) => {
                let state = tls.process_new_packets().map_err(io::Error::other)?;
                drain(tls, state.plaintext_bytes_to_read(), input).map(|read| read > 0)
            }
            None => Ok(false),
        }
    }

    /// Reads once from the socket and appends the plaintext to `input`: the number of socket bytes, 0 at the end. `wanted`
    /// bytes are known to be missing.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, input: &mut Vec<u8>, wanted: usize) -> Poll<io::Result<usize>> {
        let Self { socket, tls, left_silently, .. } = self;
        match tls {
            None => {
                make_room(input, READ_BYTES / 4, wanted);
                let mut buf = ReadBuf::uninit(input.spare_capacity_mut());
                std::task::ready!(socket.poll_read(cx, &mut buf))?;
                let read = buf.filled().len();
                let length = input.len() + read;
                // SAFETY: `poll_read` has initialised `read` more bytes behind the old length.
                unsafe { input.set_len(length) };
                Poll::Ready(Ok(read))
            }
            Some(tls) => INCOMING.with_borrow_mut(|incoming| {
                let mut buf = ReadBuf::new(incoming);
                std::task::ready!(socket.poll_read(cx, &mut buf))?;
                let mut rest = buf.filled();
                let read = rest.len();
                *left_silently = read == 0;
                let end = input.len() + wanted;
                while !rest.is_empty() {
                    tls.read_tls(&mut rest)?;
                    let state =
                        tls.process_new_packets().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
                    let plaintext = state.plaintext_bytes_to_read();
                    make_room(input, plaintext, end.saturating_sub(input.len()));
                    drain(tls, plaintext, input)?;
                    if state.peer_has_closed() {
                        return Poll::Ready(Ok(0));
                    }
                }
                Poll::Ready(Ok(read))
            }),
        }
    }

    /// Bytes that have been taken from a buffer and are not sent yet.
    pub fn unsent(&self) -> usize {
        self.in_tls
    }

    /// Sends all of `output` and everything TLS itself has to say, as far as the socket takes it.
    pub fn poll_send(&mut self, cx: &mut Context<'_>, output: &mut Output) -> Poll<io::Result<()>> {
        let Self { socket, tls, in_tls, .. } = self;
        let Some(tls) = tls else {
            while !output.is_empty() {
                match std::task::ready!(socket.poll_write(cx, output.rest()))? {
                    0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    written => output.advance(written),
                }
            }
            return Poll::Ready(Ok(()));
        };
        loop {
            // Tickets, key updates and alerts too.
            std::task::ready!(poll_flush(socket, tls, in_tls, cx))?;
            *in_tls = 0;
            if output.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let chunk = &output.rest()[..output.len().min(WRITE_BYTES)];
            *in_tls = chunk.len();
            tls.writer().write_all(chunk)?;
            output.advance(*in_tls);
        }
    }

    /// Writes all of a refusal.
    pub async fn write_all(&mut self, output: &[u8]) -> io::Result<()> {
        let Self { socket, tls, .. } = self;
        match tls {
            None => {
                let mut rest = output;
                while !rest.is_empty() {
                    let written = poll_fn(|cx| socket.poll_write(cx, rest)).await?;
                    if written == 0 {
                        return Err(io::ErrorKind::WriteZero.into());
                    }
                    rest = &rest[written..];
                }
                Ok(())
            }
            Some(tls) => {
                for chunk in output.chunks(WRITE_BYTES) {
                    tls.writer().write_all(chunk)?;
                    flush(socket, tls).await?;
                }
                // Tickets, key updates and alerts.
                flush(socket, tls).await
            }
        }
    }

    /// Says goodbye in TLS where that is possible without waiting. Who left without one does not wait for ours, and where something is
    /// unsent it would have to wait behind that.
    pub async fn close(&mut self) {
        if let Some(tls) = self.tls.as_mut().filter(|_| !self.left_silently && self.in_tls == 0) {
            tls.send_close_notify();
            // A peer that is gone already need not be told.
            let _ = tokio::time::timeout(Duration::from_secs(1), flush(&mut self.socket, tls)).await;
        }
    }
}

async fn flush(socket: &mut Socket, tls: &mut ServerConnection) -> io::Result<()> {
    poll_fn(|cx| poll_flush(socket, tls, &mut 0, cx)).await
}

/// Sends what TLS has to say; what the socket takes is subtracted from `left`.
fn poll_flush(
    socket: &mut Socket,
    tls: &mut ServerConnection,
    left: &mut usize,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    while tls.wants_write() {
        match tls.write_tls(&mut Sink { socket, cx }) {
            Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            // TLS adds to what it was given, so one byte is left over until all is sent.
            Ok(written) => *left = left.saturating_sub(written).max(usize::from(*left > 0)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
    Poll::Ready(Ok(()))
}

/// Makes room for `incoming` bytes. A buffer that is empty gets room for a whole read at once. Where more is known to be
/// missing the buffer gets exactly that, so that a long argument takes no more than its length; but a length alone, without
/// the bytes, makes the buffer at most twice as large as it is.
fn make_room(input: &mut Vec<u8>, incoming: usize, wanted: usize) {
    if wanted > incoming {
        let most = input.len().max(READ_BYTES * 16).max(incoming);
        input.reserve_exact(wanted.min(most));
    } else if input.is_empty() {
        input.reserve(incoming.max(READ_BYTES / 4));
    } else {
        input.reserve(incoming);
    }
}

fn drain(tls: &mut ServerConnection, length: usize, input: &mut Vec<u8>) -> io::Result<usize> {
    if length == 0 {
        return Ok(0);
    }
    let mut reader = tls.reader();
    let mut left = length;
    while left > 0 {
        let chunk = reader.fill_buf()?;
        let taken = chunk.len();
        input.extend_from_slice(chunk);
        reader.consume(taken);
        left = left.saturating_sub(taken);
    }
    Ok(length)
}

/// The socket as the blocking writer that rustls expects; "would block" registers the task.
struct Sink<'s, 'c, 'w> {
    socket: &'s mut Socket,
    cx: &'c mut Context<'w>,
}

impl Write for Sink<'_, '_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        ready(self.socket.poll_write(self.cx, bytes))
    }

    fn write_vectored(&mut self, bufs: &[io::IoSlice<'_>]) -> io::Result<usize> {
        match bufs {
            // Most batches are one record: `send` is cheaper than `writev`.
            [one] => self.write(one),
            _ => ready(self.socket.poll_write_vectored(self.cx, bufs)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn ready<T>(poll: Poll<io::Result<T>>) -> io::Result<T> {
    match poll {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}
