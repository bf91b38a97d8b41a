//! One server process: started on a free port in a folder of its own, ended with the value.
//!
//! Certificates come from the program itself (`redis-tls certs create`), so that every test also proves that command.
//! A start that fails prints the server's log.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::time::Instant;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};
use tempfile::TempDir;

use super::DEADLINE;
use super::wire::{Stream, Wire};

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_redis-tls");

/// In-transit encryption of a test server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// TLS only.
    Tls,
    /// Plaintext only.
    Plain,
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    mode: Mode,
    port: u16,
    folder: Option<TempDir>,
    path: PathBuf,
}

/// A port nobody listens on, below the range from which the kernel takes outgoing ports.
///
/// Every test process has a range of its own, so that tests running side by side do not race for one.
pub fn free_port() -> u16 {
    static NEXT: std::sync::atomic::AtomicU16 = std::sync::atomic::AtomicU16::new(0);
    const FIRST: u32 = 10_000;
    const LAST: u32 = 32_000;
    let start = std::process::id().wrapping_mul(97) % (LAST - FIRST);
    loop {
        let offset = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let port = (FIRST + (start + u32::from(offset)) % (LAST - FIRST)) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Makes development certificates in `dir` with the program under test.
pub fn create_certificates(dir: &Path) {
    let output = Command::new(PROGRAM).args(["certs", "create", "--out"]).arg(dir).output().expect("the program runs");
    assert!(output.status.success(), "certs create: {}", text(&output));
}

/// Runs the program to its end with a deadline: for starts that must fail.
pub fn run(folder: &Path, args: &[&str]) -> Output {
    let mut child = Command::new(PROGRAM)
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let end = Instant::now() + DEADLINE;
    while child.try_wait().expect("the child can be waited for").is_none() {
        if Instant::now() > end {
            let _ = child.kill();
            let output = child.wait_with_output().expect("output");
            panic!("{args:?} should have ended by itself: {}", text(&output));
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.wait_with_output().expect("output")
}

/// Sends a process a signal by its name.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args(["-s", name, &pid.to_string()]).status().expect("kill runs");
    assert!(status.success(), "kill -s {name} {pid}");
}

/// Both output streams as text.
pub fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

impl Server {
    /// A TLS server with these further arguments.
    pub fn tls(args: &[&str]) -> Self {
        Self::start(Mode::Tls, args)
    }

    /// A plaintext server with these further arguments.
    pub fn plain(args: &[&str]) -> Self {
        Self::start(Mode::Plain, args)
    }

    /// A server of either mode with certificates of its own.
    pub fn start(mode: Mode, args: &[&str]) -> Self {
        let folder = TempDir::with_prefix("redis-tls-test-").expect("a temporary folder");
        create_certificates(folder.path());
        let path = folder.path().to_owned();
        let mut server = Self::start_in(&path, mode, args);
        server.folder = Some(folder);
        server
    }

    /// A server in a folder that holds certificates already, and that outlives it.
    pub fn start_in(path: &Path, mode: Mode, args: &[&str]) -> Self {
        Self::start_program(PROGRAM, path, mode, args, args.contains(&"--key-load-delay"))
    }

    /// A server of another program that takes Redis's arguments; it may still be loading.
    pub fn of_program(program: &str, path: &Path, mode: Mode, args: &[&str]) -> Self {
        Self::start_program(program, path, mode, args, true)
    }

    fn start_program(program: &str, path: &Path, mode: Mode, args: &[&str], may_load: bool) -> Self {
        // Another process may take the port between the look and the start: then the next one is tried.
        for _ in 0..3 {
            let port = free_port();
            let child = spawn(program, path, mode, port, args);
            let mut server = Self { child, mode, port, folder: None, path: path.to_owned() };
            match server.wait_until_ready(may_load) {
                Ok(()) => return server,
                Err(log) if log.contains("in use") => {}
                Err(log) => panic!("the server did not start {args:?}:\n{log}"),
            }
        }
        panic!("no free port")
    }

    /// Connects until PING is answered (or refused by name: NOAUTH is an answer too, and LOADING for a start that is slowed down).
    fn wait_until_ready(&mut self, loading: bool) -> Result<(), String> {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().expect("the child can be waited for") {
                return Err(format!("exit {status}: {}", self.log()));
            }
            if self.answers_ping(loading) {
                return Ok(());
            }
            if Instant::now() > end {
                let _ = self.child.kill();
                return Err(format!("no answer to PING: {}", self.log()));
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    fn answers_ping(&self, loading: bool) -> bool {
        let stream = match self.mode {
            Mode::Plain => self.try_tcp().map(Stream::Plain),
            Mode::Tls => self.try_tls(&self.client_config(&["client.crt", "client.key"], rustls::ALL_VERSIONS)),
        };
        stream.is_ok_and(|stream| {
            let reply = Wire::new(stream).try_run(&[b"PING"]);
            reply.is_ok_and(|reply| {
                reply == "+PONG" || reply.starts_with("-NOAUTH") || (loading && reply.starts_with("-LOADING"))
            })
        })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The folder with certificates and data.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in the folder, as an argument.
    pub fn file(&self, name: &str) -> String {
        self.path.join(name).to_str().expect("a path in UTF-8").to_owned()
    }

    /// The log so far.
    pub fn log(&self) -> String {
        let mut log = Vec::new();
        if let Ok(mut file) = std::fs::File::open(self.path.join("server.log")) {
            let _ = file.read_to_end(&mut log);
        }
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Waits for the process to end; its exit code.
    pub fn wait(&mut self) -> Option<i32> {
        self.wait_for_status().code()
    }

    /// Waits for the process to end; how it did.
    pub fn wait_for_status(&mut self) -> ExitStatus {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().expect("the child can be waited for") {
                return status;
            }
            assert!(Instant::now() < end, "the server did not end:\n{}", self.log());
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    // ---- ways in

    /// A raw TCP stream.
    pub fn tcp(&self) -> TcpStream {
        self.try_tcp().expect("connect")
    }

    fn try_tcp(&self) -> std::io::Result<TcpStream> {
        tcp_to(self.port)
    }

    /// A client configuration that trusts the folder's CA; with `identity` (certificate and key file) it shows one.
    pub fn client_config(
        &self,
        identity: &[&str],
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ClientConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .expect("versions")
            .with_root_certificates(roots(&self.path.join("ca.crt")));
        Arc::new(match identity {
            [certificate, key] => builder
                .with_client_auth_cert(certificates(&self.path.join(certificate)), private_key(&self.path.join(key)))
                .expect("client certificate"),
            _ => builder.with_no_client_auth(),
        })
    }

    /// A TLS stream after its handshake.
    pub fn try_tls(&self, config: &Arc<ClientConfig>) -> std::io::Result<Stream> {
        tls_to(self.port, config)
    }

    /// A raw stream in the server's mode: TLS without a client certificate, or TCP.
    pub fn stream(&self) -> Stream {
        match self.mode {
            Mode::Tls => self.try_tls(&self.client_config(&[], rustls::ALL_VERSIONS)).expect("TLS handshake"),
            Mode::Plain => Stream::Plain(self.tcp()),
        }
    }

    /// A client speaking RESP2.
    pub fn client(&self) -> Wire {
        Wire::new(self.stream())
    }

    /// A client speaking RESP3.
    pub fn client3(&self) -> Wire {
        let mut client = self.client();
        let hello = client.run("HELLO 3");
        assert!(hello.starts_with('{'), "HELLO 3: {hello}");
        client
    }

    /// A client of the `redis` crate; `parameters` is what follows the address in its URL, for example `/?protocol=resp3`.
    pub fn redis_client(&self, parameters: &str) -> redis::Client {
        let address = format!("localhost:{}{parameters}", self.port);
        match self.mode {
            Mode::Plain => redis::Client::open(format!("redis://{address}")).expect("a client"),
            Mode::Tls => {
                // The crate takes the process's default provider; the first caller sets it.
                let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
                let certificates = redis::TlsCertificates {
                    client_tls: None,
                    root_cert: Some(std::fs::read(self.path.join("ca.crt")).expect("ca.crt")),
                };
                redis::Client::build_with_tls(format!("rediss://{address}"), certificates).expect("a client")
            }
        }
    }

    /// A connection of the `redis` crate, RESP2.
    pub fn redis(&self) -> redis::Connection {
        self.redis_client("/").get_connection().expect("connect")
    }

    /// A connection of the `redis` crate, RESP3.
    pub fn redis3(&self) -> redis::Connection {
        self.redis_client("/?protocol=resp3").get_connection().expect("connect")
    }

    /// Runs `redis-cli`, with TLS if the server wants it.
    pub fn redis_cli(&self, args: &[&str]) -> Output {
        let mut command = Command::new("redis-cli");
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        if self.mode == Mode::Tls {
            command.args(["--tls", "--cacert", &self.file("ca.crt")]);
        }
        command.args(args).stdin(Stdio::null()).output().expect("redis-cli is installed (tests/run sees to it)")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- log of the server on port {}\n{}---", self.port, self.log());
        }
    }
}

fn tcp_to(port: u16) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port)))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    Ok(stream)
}

/// A TLS stream to a port of this machine, after its handshake: for whoever outlives the server that is there.
pub fn tls_to(port: u16, config: &Arc<ClientConfig>) -> std::io::Result<Stream> {
    let name = ServerName::try_from("localhost").expect("a name");
    let mut connection = ClientConnection::new(config.clone(), name).map_err(std::io::Error::other)?;
    let mut socket = tcp_to(port)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    Ok(Stream::Tls(Box::new(StreamOwned::new(connection, socket))))
}

fn spawn(program: &str, path: &Path, mode: Mode, port: u16, args: &[&str]) -> Child {
    let port = port.to_string();
    let mut command = Command::new(program);
    // A configuration file comes before everything else.
    let (file, args) = args.split_at(args.first().is_some_and(|first| !first.starts_with("--")).into());
    command.args(file);
    match mode {
        Mode::Plain => command.args(["--port", &port]),
        Mode::Tls => command.args(["--port", "0", "--tls-port", &port]).args(tls_arguments(path)),
    };
    let log = std::fs::File::create(path.join("server.log")).expect("a log file");
    command
        .args(["--dir", path.to_str().expect("a path in UTF-8"), "--bind", "127.0.0.1"])
        .args(args)
        .current_dir(path)
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a second handle"))
        .stderr(log)
        .spawn()
        .expect("the program runs")
}

/// The TLS part of a command line; `--tls-auth-clients` comes first, so that a test's own arguments win.
pub fn tls_arguments(path: &Path) -> Vec<String> {
    let file = |name: &str| path.join(name).to_str().expect("a path in UTF-8").to_owned();
    [
        ("--tls-cert-file", file("server.crt")),
        ("--tls-key-file", file("server.key")),
        ("--tls-ca-cert-file", file("ca.crt")),
        ("--tls-auth-clients", "no".to_owned()),
    ]
    .into_iter()
    .flat_map(|(name, value)| [name.to_owned(), value])
    .collect()
}

fn roots(path: &Path) -> RootCertStore {
    let mut store = RootCertStore::empty();
    for certificate in certificates(path) {
        store.add(certificate).expect("a CA certificate");
    }
    store
}

/// The certificates of a PEM file.
pub fn certificates(path: &Path) -> Vec<rustls::pki_types::CertificateDer<'static>> {
    let pem = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    rustls_pemfile::certs(&mut pem.as_slice()).collect::<Result<_, _>>().expect("PEM")
}

/// The private key of a PEM file.
pub fn private_key(path: &Path) -> rustls::pki_types::PrivateKeyDer<'static> {
    let pem = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    rustls_pemfile::private_key(&mut pem.as_slice()).expect("PEM").expect("a key")
}
