//! Dialling another server, for a call, for the link to a primary, and for the tools: this is the only place that does.
//!
//! Two steps, so that whoever wants to can take hold of the socket in between and cut it: [`connect`] goes through the addresses of a name,
//! [`secure`] makes the handshake to its end. Where a TLS configuration is given nothing is sent in plaintext, ever.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use rustls::{CertificateError, ClientConfig, ClientConnection, StreamOwned};
use socket2::{Domain, Protocol, Socket, Type};

use super::stream::Stream;
use crate::tls::connector::expected_name;

/// Whom to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Name or address; that of IPv6 may stand between brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// Why another server could not be reached.
#[derive(Debug)]
pub enum DialError {
    /// There is nobody, or the network does not let through.
    Unreachable(io::Error),
    /// Somebody is there, but the handshake failed.
    Handshake(io::Error),
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handshake(error) if is_no_tls(error) => write!(f, "{error}; does that port speak TLS?"),
            Self::Unreachable(error) | Self::Handshake(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for DialError {}

impl From<DialError> for io::Error {
    fn from(error: DialError) -> Self {
        match error {
            DialError::Unreachable(error) | DialError::Handshake(error) => error,
        }
    }
}

impl DialError {
    /// Whether the certificate is good, but not for the name that was dialled.
    pub fn is_other_name(&self) -> bool {
        let Self::Handshake(error) = self else { return false };
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        matches!(
            inner,
            Some(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
            ))
        )
    }
}

/// Whether a handshake failed as it does with somebody who speaks plaintext: who waits for the end of a line, hangs up, answers in words,
/// or, being of this kind, with an alert.
fn is_no_tls(error: &io::Error) -> bool {
    use rustls::{AlertDescription, Error};
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::UnexpectedEof => true,
        _ => matches!(
            error.get_ref().and_then(|inner| inner.downcast_ref()),
            Some(Error::InvalidMessage(_) | Error::AlertReceived(AlertDescription::HandshakeFailure))
        ),
    }
}

/// Dials, over TLS where a configuration is given. No single step takes longer than `timeout`.
pub fn dial(target: &Target, tls: Option<&Arc<ClientConfig>>, timeout: Duration) -> Result<Stream, DialError> {
    let socket = connect(target, None, timeout).map_err(DialError::Unreachable)?;
    secure(socket, &target.host, tls)
}

/// Connects to the first address that answers, from `source` where one is given. Reads and writes then take no longer than `timeout` each.
pub fn connect(target: &Target, source: Option<IpAddr>, timeout: Duration) -> io::Result<TcpStream> {
    let host = target.host.trim_matches(['[', ']']);
    let mut last = io::Error::new(io::ErrorKind::NotFound, format!("'{host}' has no address"));
    for address in (host, target.port).to_socket_addrs()? {
        match connect_to(address, source, timeout) {
            Ok(socket) => {
                socket.set_nodelay(true)?;
                socket.set_read_timeout(Some(timeout))?;
                socket.set_write_timeout(Some(timeout))?;
                return Ok(socket);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn connect_to(address: SocketAddr, source: Option<IpAddr>, timeout: Duration) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if let Some(source) = source {
        socket.bind(&SocketAddr::new(source, 0).into())?;
    }
    socket.connect_timeout(&address.into(), timeout)?;
    Ok(socket.into())
}

/// Makes the handshake with `host` where a configuration is given.
pub fn secure(socket: TcpStream, host: &str, tls: Option<&Arc<ClientConfig>>) -> Result<Stream, DialError> {
    let Some(config) = tls else { return Ok(Stream::Plain(socket)) };
    let refused = |error: &dyn fmt::Display| DialError::Handshake(io::Error::other(error.to_string()));
    let name = expected_name(host).map_err(|error| refused(&error))?;
    let session = ClientConnection::new(Arc::clone(config), name).map_err(|error| refused(&error))?;
    let mut stream = StreamOwned::new(session, socket);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).map_err(|error| DialError::Handshake(named(error)))?;
    }
    Ok(Stream::Tls(Box::new(stream)))
}

/// What a socket calls a try that may be made again is, after so long, silence.
fn named(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            io::Error::new(io::ErrorKind::TimedOut, "no answer to the TLS handshake in time")
        }
        _ => error,
    }
}
