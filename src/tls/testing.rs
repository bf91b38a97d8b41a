//! What the tests of this module share: certificates of every kind, and handshakes without sockets.
//!
//! Nothing here sleeps or listens: two connections are pumped against each other in memory, under a clock
//! that stands still.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering::SeqCst};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SignatureAlgorithm,
};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, HandshakeKind, ServerConfig, ServerConnection, SideData,
};

use super::TlsError;
use super::acceptor::ServerTls;
use super::connector::{client_config, expected_name};
use super::options::TlsOptions;
use super::trust::Trust;

/// The time of every test, Unix seconds: 2025-06-15.
pub const NOW: i64 = 1_749_945_600;
const DAY_S: i64 = 24 * 60 * 60;

/// A day before or after `NOW`, in the type of rcgen's dates, which this package does not name.
macro_rules! day {
    ($days:expr) => {
        rcgen::date_time_ymd(1970, 1, 1) + since_epoch($days)
    };
}

fn since_epoch(days: i64) -> Duration {
    Duration::from_secs((NOW + days * DAY_S) as u64)
}

/// A clock that moves when told to.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub fn new(unix_seconds: i64) -> Self {
        Self(AtomicI64::new(unix_seconds))
    }

    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, SeqCst);
    }
}

impl TimeProvider for ManualClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0.load(SeqCst) as u64)))
    }
}

/// A directory that vanishes with its test. Every write replaces the file under a new inode and time.
pub struct Folder {
    directory: tempfile::TempDir,
    writes: AtomicU32,
}

impl Folder {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), writes: AtomicU32::new(0) }
    }

    pub fn root(&self) -> PathBuf {
        self.directory.path().into()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        let draft = self.path("draft");
        fs::write(&draft, content).unwrap();
        let age = Duration::from_secs(1_000_000 + u64::from(self.writes.fetch_add(1, SeqCst)));
        fs::File::options().write(true).open(&draft).unwrap().set_modified(SystemTime::UNIX_EPOCH + age).unwrap();
        fs::rename(&draft, &path).unwrap();
        path
    }
}

/// A CA.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
    key: String,
}

/// What to issue.
pub struct Leaf<'a> {
    pub name: &'a str,
    pub algorithm: &'static SignatureAlgorithm,
    /// Start and end, in days from now.
    pub valid_days: (i64, i64),
    pub serial: Option<u64>,
    pub uri: Option<&'a str>,
    pub local_names: bool,
    pub purposes: &'a [ExtendedKeyUsagePurpose],
}

impl Leaf<'static> {
    pub fn server() -> Self {
        const PURPOSES: &[ExtendedKeyUsagePurpose] =
            &[ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        Self { local_names: true, purposes: PURPOSES, ..Self::client("server") }
    }
}

impl<'a> Leaf<'a> {
    pub fn client(name: &'a str) -> Self {
        Self {
            name,
            algorithm: &rcgen::PKCS_ECDSA_P256_SHA256,
            valid_days: (-1, 30),
            serial: None,
            uri: None,
            local_names: false,
            purposes: &[ExtendedKeyUsagePurpose::ClientAuth],
        }
    }
}

/// What was issued.
pub struct Issued {
    pub pem: String,
    pub der: CertificateDer<'static>,
    pub key: KeyPair,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let params = ca_params(name);
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, key: key.serialize_pem(), issuer: Issuer::new(params, key) }
    }

    pub fn subordinate(&self, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let params = ca_params(name);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Self { certificate, key: key.serialize_pem(), issuer: Issuer::new(params, key) }
    }

    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    pub fn key_pem(&self) -> &str {
        &self.key
    }

    pub fn issue(&self, leaf: Leaf<'_>) -> Issued {
        let key = KeyPair::generate_for(leaf.algorithm).unwrap();
        let names: &[&str] = if leaf.local_names { &["localhost", "127.0.0.1", "::1"] } else { &[] };
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        if let Some(uri) = leaf.uri {
            params.subject_alt_names.push(SanType::URI(uri.try_into().unwrap()));
        }
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, leaf.name);
        params.extended_key_usages = leaf.purposes.to_vec();
        params.serial_number = leaf.serial.map(Into::into);
        (params.not_before, params.not_after) = (day!(leaf.valid_days.0), day!(leaf.valid_days.1));
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Issued { pem: certificate.pem(), der: certificate.der().clone(), key }
    }

    /// A revocation list, valid for thirty days.
    pub fn revoke(&self, serials: &[u64]) -> String {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: (*serial).into(),
            revocation_time: day!(-1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: day!(-1),
            next_update: day!(30),
            crl_number: 1.into(),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

fn ca_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params.not_before, params.not_after) = (day!(-365), day!(3650));
    params
}

/// An encrypted PKCS#8 file, as `openssl pkcs8 -topk8 -v2 aes256` writes it.
pub fn encrypted_pem(pkcs8_der: &[u8], passphrase: &str) -> String {
    let params = pkcs8::pkcs5::pbes2::Parameters::pbkdf2_sha256_aes256cbc(2048, &[7; 16], &[9; 16]).unwrap();
    let sealed = pkcs8::PrivateKeyInfo::try_from(pkcs8_der).unwrap().encrypt_with_params(params, passphrase).unwrap();
    sealed.to_pem("ENCRYPTED PRIVATE KEY", pkcs8::LineEnding::LF).unwrap().to_string()
}

/// A CA, a server and a client, with the options that name their files.
pub struct Site {
    pub folder: Folder,
    pub authority: Authority,
    pub options: TlsOptions,
    clock: Arc<ManualClock>,
}

impl Site {
    pub fn new() -> Self {
        let folder = Folder::new();
        let authority = Authority::new("CA");
        let client = authority.issue(Leaf::client("alice"));
        let options = TlsOptions {
            cert_file: Some(folder.path("server.crt")),
            key_file: Some(folder.path("server.key")),
            client_cert_file: Some(folder.write("client.crt", client.pem)),
            client_key_file: Some(folder.write("client.key", client.key.serialize_pem())),
            ca_cert_file: Some(folder.write("ca.crt", authority.pem())),
            ..TlsOptions::default()
        };
        let clock = Arc::new(ManualClock::new(NOW));
        let site = Self { folder, authority, options, clock };
        site.renew_server_certificate();
        site
    }

    pub fn renew_server_certificate(&self) {
        let server = self.authority.issue(Leaf::server());
        self.folder.write("server.crt", server.pem);
        self.folder.write("server.key", server.key.serialize_pem());
    }

    fn trust(&self, options: &TlsOptions) -> Trust {
        Trust::read(options, NOW).unwrap()
    }

    pub fn try_server(&self) -> Result<ServerTls, TlsError> {
        ServerTls::build(&self.options, &self.trust(&self.options), None, self.clock.clone())
    }

    pub fn server(&self) -> ServerTls {
        self.try_server().unwrap()
    }

    pub fn server_after(&self, previous: &ServerTls) -> ServerTls {
        ServerTls::build(&self.options, &self.trust(&self.options), Some(previous), self.clock.clone()).unwrap()
    }

    pub fn client(&self) -> Arc<ClientConfig> {
        self.client_of(&self.options)
    }

    pub fn client_of(&self, options: &TlsOptions) -> Arc<ClientConfig> {
        client_config(options, &self.trust(options), self.clock.clone()).unwrap()
    }

    /// A client with another certificate. It may be expired, so nothing checks it on the way.
    pub fn client_with(&self, issued: &Issued) -> Arc<ClientConfig> {
        let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(
            &rustls::pki_types::PrivateKeyDer::try_from(issued.key.serialize_der()).unwrap(),
        );
        let certified = rustls::sign::CertifiedKey::new(vec![issued.der.clone()], key.unwrap());
        let mut config = (*self.client()).clone();
        config.client_auth_cert_resolver = Arc::new(rustls::sign::SingleCertAndKey::from(certified));
        // Sessions of other clients are not this one's.
        config.resumption = rustls::client::Resumption::in_memory_sessions(1);
        Arc::new(config)
    }

    pub fn anonymous_client(&self) -> Arc<ClientConfig> {
        let mut config = (*self.client()).clone();
        config.client_auth_cert_resolver = Arc::new(Nobody);
        config.resumption = rustls::client::Resumption::in_memory_sessions(1);
        Arc::new(config)
    }
}

/// Shows no certificate.
#[derive(Debug)]
struct Nobody;

impl rustls::client::ResolvesClientCert for Nobody {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<rustls::sign::CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// Both ends of a handshake that went well.
#[derive(Debug)]
pub struct Outcome {
    pub server: ServerConnection,
    pub client: ClientConnection,
}

/// What either end says of one that did not.
#[derive(Debug, Default)]
pub struct Refusal {
    pub server: Option<rustls::Error>,
    pub client: Option<rustls::Error>,
}

/// Shakes hands in memory with a server dialled as localhost.
pub fn handshake(server: &ServerTls, client: &Arc<ClientConfig>) -> Result<Outcome, Box<Refusal>> {
    handshake_with(server, client, "localhost")
}

/// The same, dialled by another name.
pub fn handshake_with(server: &ServerTls, client: &Arc<ClientConfig>, host: &str) -> Result<Outcome, Box<Refusal>> {
    handshake_configs(&server.config, client, host)
}

/// The same, of two configurations.
pub fn handshake_configs(
    server: &Arc<ServerConfig>,
    client: &Arc<ClientConfig>,
    host: &str,
) -> Result<Outcome, Box<Refusal>> {
    let mut client = ClientConnection::new(client.clone(), expected_name(host).unwrap()).unwrap();
    let mut server = ServerConnection::new(server.clone()).unwrap();
    let mut refusal = Refusal::default();
    while transfer(&mut client, &mut server, &mut refusal.server)
        | transfer(&mut server, &mut client, &mut refusal.client)
    {}
    if refusal.server.is_some() || refusal.client.is_some() {
        return Err(Box::new(refusal));
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok(Outcome { server, client })
}

/// Moves what one end has to send to the other; true if there was anything. The first error is kept.
fn transfer<A: SideData, B: SideData>(
    from: &mut ConnectionCommon<A>,
    to: &mut ConnectionCommon<B>,
    failure: &mut Option<rustls::Error>,
) -> bool {
    let mut bytes = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut bytes).unwrap();
    }
    let mut rest = bytes.as_slice();
    while !rest.is_empty() && failure.is_none() {
        to.read_tls(&mut rest).unwrap();
        *failure = to.process_new_packets().err();
    }
    !bytes.is_empty()
}

/// Two handshakes of one client, with a first and a second server.
pub fn resume(first: &ServerTls, second: &ServerTls, client: &Arc<ClientConfig>) -> [HandshakeKind; 2] {
    [first, second].map(|server| handshake(server, client).unwrap().server.handshake_kind().unwrap())
}

/// Two connections that have not exchanged anything yet.
pub fn anonymous_pair() -> (ClientConnection, ServerConnection) {
    let site = Site::new();
    let client = ClientConnection::new(site.anonymous_client(), expected_name("localhost").unwrap()).unwrap();
    (client, ServerConnection::new(site.server().config).unwrap())
}
