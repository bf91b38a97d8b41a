//! Opening the listening sockets: one per address of `bind`, or one Unix socket.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use socket2::{Domain, Protocol, Socket, Type};

/// A socket that could not be opened.
#[derive(Debug)]
pub struct ListenError {
    /// The TCP port, or none for the Unix socket.
    port: Option<u16>,
    /// The address.
    address: String,
    /// Why not.
    source: io::Error,
}

impl ListenError {
    /// Whether somebody listens there, maybe this server itself.
    pub fn is_in_use(&self) -> bool {
        self.source.kind() == io::ErrorKind::AddrInUse
    }

    /// The way out.
    fn advice(&self) -> &'static str {
        match self.source.kind() {
            _ if self.port.is_none() => "unixsocket takes a path in a folder that exists and can be written",
            io::ErrorKind::AddrInUse => "choose another port, or end the process that uses it",
            io::ErrorKind::PermissionDenied => "choose a port above 1023, or give the program CAP_NET_BIND_SERVICE",
            _ => "bind takes addresses of this machine; one with a - before it may be missing",
        }
    }
}

impl std::fmt::Display for ListenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { port, address, source } = self;
        match port {
            Some(port) => {
                writeln!(f, "Warning: Could not create server TCP listening socket {address}: {source}")?;
                write!(f, "Failed listening on port {port} (tcp): {}", self.advice())
            }
            None => write!(f, "Failed opening Unix socket {address}: {source}; {}", self.advice()),
        }
    }
}

impl std::error::Error for ListenError {}

/// The open sockets.
#[derive(Debug, Default)]
pub struct Listeners {
    /// TCP sockets.
    pub tcp: Vec<std::net::TcpListener>,
    /// The Unix socket.
    pub unix: Option<std::os::unix::net::UnixListener>,
}

impl Listeners {
    /// Opens TCP sockets; those that are `open` on the same address already are used again. An address with a leading `-` may be missing on this machine; `*` is every address of IPv4, `::*` of IPv6.
    pub fn open_tcp(&mut self, bind: &[String], port: u16, backlog: u32, open: &Self) -> Result<(), ListenError> {
        for address in bind {
            let (address, optional) = match address.strip_prefix('-') {
                Some(rest) => (rest, true),
                None => (address.as_str(), false),
            };
            let name = format!("{address}:{port}");
            let failed = |source| ListenError { port: Some(port), address: name.clone(), source };
            let ip = match address {
                "*" => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                "::*" => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
                other => resolve(other).map_err(failed)?,
            };
            let address = SocketAddr::new(ip, port);
            let opened = match open.tcp.iter().find(|socket| socket.local_addr().is_ok_and(|own| own == address)) {
                Some(socket) => socket.try_clone(),
                None => listen(address, backlog),
            };
            match opened {
                Ok(listener) => self.tcp.push(listener),
                Err(error) if optional && is_unavailable(&error) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }

    /// Opens the Unix socket; a stale one of that name is replaced.
    pub fn open_unix(&mut self, path: &Path, mode: Option<u32>) -> Result<(), ListenError> {
        let failed = |source| ListenError { port: None, address: path.display().to_string(), source };
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let listener = std::os::unix::net::UnixListener::bind(path).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        if let Some(mode) = mode {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(failed)?;
        }
        self.unix = Some(listener);
        Ok(())
    }

    /// The path a Unix socket is to be removed from at the end.
    pub fn unix_path(&self) -> Option<PathBuf> {
        let address = self.unix.as_ref()?.local_addr().ok()?;
        address.as_pathname().map(Path::to_path_buf)
    }
}

fn resolve(host: &str) -> io::Result<IpAddr> {
    use std::net::ToSocketAddrs;
    if let Ok(ip) = host.parse() {
        return Ok(ip);
    }
    let mut found = (host, 0).to_socket_addrs()?;
    found.next().map(|address| address.ip()).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
}

fn listen(address: SocketAddr, backlog: u32) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(backlog.min(i32::MAX as u32) as i32)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn is_unavailable(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
        || error.raw_os_error() == Some(libc::EAFNOSUPPORT)
}
