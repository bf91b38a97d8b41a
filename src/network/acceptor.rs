//! Accepting connections and their TLS handshakes.
//!
//! Handshakes cost a hundred times what a command does. They run on threads of their own, at lower priority and bounded in number, so that a
//! storm of new connections cannot starve the established ones. A finished session moves to the worker with the fewest.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio_rustls::TlsAcceptor;

use super::listener::Listeners;
use super::places::{Place, Places};
use super::worker::{Accepted, AcceptedSocket, WorkerPool};
use crate::engine::Engine;
use crate::metrics::Totals;
use crate::session::Peer;
use crate::tls::counters::{FailureReason, classify_io};
use crate::tls::mode::TransitEncryption;
use crate::tls::peer_identity;

/// How much nicer than the workers handshake threads are (see nice(2)).
const NICE: i32 = 5;
const MAX_CLIENTS: &[u8] = b"-ERR max number of clients reached\r\n";
const PROTECTED: &[u8] = b"-DENIED Redis is running in protected mode because protected mode is enabled and no password is set \
    for the default user. In this mode connections are only accepted from the loopback interface. If you want to connect from \
    external computers to Redis you may adopt one of the following solutions: 1) Just disable protected mode sending the command \
    'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from the same host the server is running, \
    however MAKE SURE Redis is not publicly accessible from internet if you do so. Use CONFIG REWRITE to make this change \
    permanent. 2) Alternatively you can just disable the protected mode by editing the Redis configuration file, and setting the \
    protected mode option to 'no', and then restarting the server. 3) If you started the server manually just for testing, \
    restart it with the '--protected-mode no' option. 4) Setup a an authentication password for the default user. NOTE: You only \
    need to do one of the above things in order for the server to start accepting connections from the outside.\r\n";

/// What accepts on one set of listening sockets.
pub struct Acceptor {
    engine: &'static Engine,
    workers: Arc<WorkerPool>,
    /// For handshakes in progress.
    places: Arc<Places>,
}

/// Ends the acceptor's threads when dropped, and waits for them: then their listening sockets are closed, and the port is free.
pub struct AcceptorHandle {
    stop: Option<tokio::sync::watch::Sender<()>>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Drop for AcceptorHandle {
    fn drop(&mut self) {
        self.stop = None;
        for thread in self.threads.drain(..) {
            // One that has panicked has ended too.
            let _ = thread.join();
        }
    }
}

impl Acceptor {
    /// Starts accepting on `listeners`.
    pub fn start(
        engine: &'static Engine,
        workers: Arc<WorkerPool>,
        listeners: &Listeners,
    ) -> io::Result<AcceptorHandle> {
        let (stop, stopped) = tokio::sync::watch::channel(());
        let settings = engine.config.settings();
        let places = Places::new(settings.tls.tls_max_handshakes as usize);
        let threads = if engine.tls.is_some() {
            std::thread::available_parallelism().map_or(1, |n| n.get().div_ceil(2))
        } else {
            1
        };
        let mut handle = AcceptorHandle { stop: Some(stop), threads: Vec::with_capacity(threads) };
        for index in 0..threads {
            let tcp = listeners.tcp.iter().map(std::net::TcpListener::try_clone).collect::<Result<Vec<_>, _>>()?;
            // One thread is enough for the Unix socket.
            let unix = listeners.unix.as_ref().filter(|_| index == 0).map(|l| l.try_clone()).transpose()?;
            let acceptor = Self { engine, workers: Arc::clone(&workers), places: Arc::clone(&places) };
            let mut stopped = stopped.clone();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let thread = std::thread::Builder::new().name(format!("acceptor-{index}")).spawn(move || {
                be_nice();
                runtime.block_on(async move {
                    Arc::new(acceptor).listen(tcp, unix);
                    // Ends with an error when the handle is dropped.
                    while stopped.changed().await.is_ok() {}
                });
            })?;
            handle.threads.push(thread);
        }
        Ok(handle)
    }

    fn listen(self: Arc<Self>, tcp: Vec<std::net::TcpListener>, unix: Option<std::os::unix::net::UnixListener>) {
        for listener in tcp {
            let acceptor = Arc::clone(&self);
            tokio::spawn(async move {
                match TcpListener::from_std(listener) {
                    Ok(listener) => acceptor.accept_tcp(listener).await,
                    Err(error) => tracing::error!(%error, "a listening socket could not be used"),
                }
            });
        }
        if let Some(listener) = unix {
            tokio::spawn(async move {
                match UnixListener::from_std(listener) {
                    Ok(listener) => self.accept_unix(listener).await,
                    Err(error) => tracing::error!(%error, "the Unix socket could not be used"),
                }
            });
        }
    }

    async fn accept_tcp(self: Arc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, address)) => {
                    // While there is no place for this one, further connections wait in the kernel's queue.
                    let place = self.places.enter().await;
                    let acceptor = Arc::clone(&self);
                    // In a box from the start: the state of a handshake is large, and a task moves what it is given several times.
                    tokio::spawn(Box::pin(acceptor.admit_tcp(stream, address, place)));
                }
                Err(error) => pause_after(&error).await,
            }
        }
    }

    async fn accept_unix(self: Arc<Self>, listener: UnixListener) {
        let path = listener
            .local_addr()
            .ok()
            .and_then(|a| a.as_pathname().map(|p| p.display().to_string()))
            .unwrap_or_default();
        loop {
            match listener.accept().await.and_then(|(stream, _)| stream.into_std()) {
                Ok(stream) => {
                    use std::os::fd::AsRawFd;
                    let peer =
                        Peer { address: format!("{path}:0"), local: format!("{path}:0"), fd: stream.as_raw_fd() };
                    let refusal = self.refusal(&peer);
                    // Bytes on a Unix socket never leave the machine: it is plaintext in both modes.
                    self.hand_over(Accepted {
                        socket: AcceptedSocket::Unix(stream),
                        tls: None,
                        peer,
                        certificate_user: None,
                        refusal,
                    });
                }
                Err(error) => pause_after(&error).await,
            }
        }
    }

    async fn admit_tcp(self: Arc<Self>, stream: TcpStream, address: SocketAddr, place: Place) {
        let Ok(peer) = prepare(&stream, address, self.engine) else { return };
        let refusal = self.refusal(&peer);
        let Some(tls) = &self.engine.tls else {
            if let Ok(socket) = stream.into_std() {
                self.hand_over(Accepted {
                    socket: AcceptedSocket::Tcp(socket),
                    tls: None,
                    peer,
                    certificate_user: None,
                    refusal,
                });
            }
            return;
        };
        let timeout = Duration::from_millis(u64::from(self.engine.config.settings().tls.tls_handshake_timeout));
        let generation = tls.current();
        let handshake = Box::pin(async {
            if !self.check_mode(&stream, &peer).await? {
                return Ok(None);
            }
            self.engine.handshakes.start();
            TlsAcceptor::from(Arc::clone(generation.server())).accept(stream).await.map(Some)
        });
        let ended = tokio::select! {
            ended = tokio::time::timeout(timeout, handshake) => ended,
            () = place.gives_way() => {
                let sentence = "the client took too long, with all places of tls-max-handshakes taken";
                return self.workers.refusals().handshake(&peer.address, FailureReason::Timeout, sentence);
            }
        };
        let stream = match ended {
            Ok(Ok(Some(stream))) => stream,
            Ok(Ok(None)) => return,
            Ok(Err(error)) => {
                let failure = classify_io(&error);
                return self.workers.refusals().handshake(&peer.address, failure.reason, &failure.sentence);
            }
            Err(_) => {
                let refusals = self.workers.refusals();
                return refusals.handshake(&peer.address, FailureReason::Timeout, "the client took too long");
            }
        };
        let (socket, session) = stream.into_inner();
        self.engine.handshakes.complete(session.handshake_kind());
        let field = generation.options.auth_clients_user;
        let certificate = session.peer_certificates().and_then(|chain| chain.first());
        let user = certificate.and_then(|der| peer_identity::user_of(der, field));
        let certificate_user = user.map(String::into_boxed_str);
        if let Ok(socket) = socket.into_std() {
            self.hand_over(Accepted {
                socket: AcceptedSocket::Tcp(socket),
                tls: Some(Box::new(session)),
                peer,
                certificate_user,
                refusal,
            });
        }
    }

    /// Looks at the first byte; plaintext gets its one line. `false` when the connection is over.
    async fn check_mode(&self, stream: &TcpStream, peer: &Peer) -> io::Result<bool> {
        let mut first = [0u8; 1];
        if stream.peek(&mut first).await? == 0 {
            return Ok(false);
        }
        if TransitEncryption::On.admits(first[0]) {
            return Ok(true);
        }
        self.workers.refusals().wrong_mode(&peer.address, TransitEncryption::On);
        stream.writable().await?;
        // One line into an empty socket buffer: it fits, or the peer is gone.
        stream.try_write(TransitEncryption::On.refusal())?;
        drain_briefly(stream).await;
        Ok(false)
    }

    /// The line to send instead of serving a client, if it may not come in.
    fn refusal(&self, peer: &Peer) -> Option<Vec<u8>> {
        let settings = self.engine.config.settings();
        if self.engine.clients.len() >= settings.limits.maxclients as usize {
            let totals = &self.engine.workers[self.engine.background_worker()].totals;
            Totals::bump(&totals.rejected_connections, 1);
            return Some(MAX_CLIENTS.to_vec());
        }
        let open = settings.network.protected_mode && self.engine.users.default_user().rules().no_password;
        (open && !peer.is_loopback()).then(|| PROTECTED.to_vec())
    }

    fn hand_over(&self, accepted: Accepted) {
        self.workers.assign(accepted);
    }
}

/// Socket options, and who the peer is.
fn prepare(stream: &TcpStream, address: SocketAddr, engine: &Engine) -> io::Result<Peer> {
    use std::os::fd::AsRawFd;
    stream.set_nodelay(true)?;
    let keepalive = engine.config.settings().network.tcp_keepalive;
    if keepalive > 0 {
        let interval = Duration::from_secs((u64::from(keepalive) / 3).max(1));
        let options = socket2::TcpKeepalive::new()
            .with_time(Duration::from_secs(keepalive.into()))
            .with_interval(interval)
            .with_retries(3);
        socket2::SockRef::from(stream).set_tcp_keepalive(&options)?;
    }
    let text = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port()).to_string();
    Ok(Peer { address: text(address), local: text(stream.local_addr()?), fd: stream.as_raw_fd() })
}

/// Reads what the peer has already sent, so that closing does not reset the connection before our line is read.
async fn drain_briefly(stream: &TcpStream) {
    let mut rest = [0u8; 4096];
    let drain = async {
        loop {
            stream.readable().await?;
            match stream.try_read(&mut rest) {
                Ok(0) => return Ok::<_, io::Error>(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    };
    // Says that we are done; the peer's end of stream, an error or the clock ends the wait.
    let _ = socket2::SockRef::from(stream).shutdown(std::net::Shutdown::Write);
    let _ = tokio::time::timeout(Duration::from_millis(200), drain).await;
}

/// Out of file descriptors, say: a moment's rest instead of a busy loop.
async fn pause_after(error: &io::Error) {
    tracing::warn!("Accepting client connection: {error}");
    tokio::time::sleep(Duration::from_millis(50)).await;
}

fn be_nice() {
    // SAFETY: setpriority takes three integers; 0 is the calling thread on Linux. Failing leaves the priority as it is.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICE) };
}
