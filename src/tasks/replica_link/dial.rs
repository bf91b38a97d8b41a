//! Dialling the primary: in an encrypted group over TLS, with the primary's certificate verified, and never otherwise.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use rustls::{CertificateError, ClientConnection, StreamOwned};
use socket2::{Domain, Protocol, Socket, Type};

use super::link::{Link, Stream};
use crate::config::Settings;
use crate::engine::{Engine, PrimaryAddress};
use crate::tls::connector::expected_name;

/// How long a read waits before the link looks at other things.
const LOOK_AROUND: Duration = Duration::from_millis(100);

/// Dials; an error says what failed, in a sentence.
pub(super) fn dial(engine: &Engine, settings: &Settings, primary: &PrimaryAddress) -> Result<Link, String> {
    let unreachable = |error: io::Error| format!("Unable to connect to MASTER: {error}");
    let timeout = Duration::from_secs(u64::from(settings.replication.repl_timeout.max(1)));
    let socket = connect(settings, primary, timeout).map_err(unreachable)?;
    let prepare = || {
        socket.set_nodelay(true)?;
        socket.set_write_timeout(Some(timeout))?;
        socket.set_read_timeout(Some(timeout))?;
        socket.try_clone()
    };
    let handle = prepare().map_err(unreachable)?;
    engine.replication.link.dialled(handle.try_clone().ok());
    let stream = match &engine.tls {
        None => Stream::Plain(socket),
        Some(tls) => {
            let refused = |error: &dyn std::fmt::Display| {
                format!("Error condition on socket for SYNC: TLS with the primary {primary} failed: {error}")
            };
            let generation = tls.current();
            let config = generation.client().map_err(|error| refused(&error))?;
            let name = expected_name(&primary.host).map_err(|error| refused(&error))?;
            let session = ClientConnection::new(Arc::clone(config), name).map_err(|error| refused(&error))?;
            let mut stream = StreamOwned::new(session, socket);
            while stream.conn.is_handshaking() {
                stream.conn.complete_io(&mut stream.sock).map_err(|error| match is_other_name(&error) {
                    true => refused(&format!("{error}; tls-expected-peer-name can say which name it carries")),
                    false => refused(&error),
                })?;
            }
            Stream::Tls(Box::new(stream))
        }
    };
    handle.set_read_timeout(Some(LOOK_AROUND)).map_err(unreachable)?;
    Ok(Link::new(stream, timeout))
}

/// Whether the certificate is good, but not for the name that was dialled.
fn is_other_name(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(
        inner,
        Some(rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
        ))
    )
}

/// Connects to the first address that answers.
fn connect(settings: &Settings, primary: &PrimaryAddress, timeout: Duration) -> io::Result<TcpStream> {
    let host = primary.host.trim_matches(['[', ']']);
    let mut last = io::Error::new(io::ErrorKind::NotFound, format!("'{host}' has no address"));
    for address in (host, primary.port).to_socket_addrs()? {
        match connect_to(settings, address, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn connect_to(settings: &Settings, address: SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    let source = &settings.network.bind_source_addr;
    if !source.is_empty() {
        let source: std::net::IpAddr =
            source.parse().map_err(|_| io::Error::other(format!("bind-source-addr '{source}' is no address")))?;
        socket.bind(&SocketAddr::new(source, 0).into())?;
    }
    socket.connect_timeout(&address.into(), timeout)?;
    Ok(socket.into())
}
