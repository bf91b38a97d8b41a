//! Certificates for a first start: an own CA, one certificate for the server, one for a client.
//!
//! It stands alone, used by a start that finds none and by `redis-tls certs create`. What always holds: no
//! existing file is ever overwritten; what is missing is made to fit what is there; a file appears whole or
//! not at all; keys are readable by their owner only.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, SanType,
};
use x509_parser::asn1_rs::Tag;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};

use super::TlsError;
use super::identity::CertificateFacts;
use super::pem;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const CA_VALIDITY: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
/// The most that common TLS clients accept of a server certificate.
const LEAF_VALIDITY: Duration = Duration::from_secs(825 * 24 * 60 * 60);
/// Names under which a server is reached on its own machine.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A certificate file and its key file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairPaths {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Where everything is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// The CA.
    pub ca: PairPaths,
    /// The server's pair.
    pub server: PairPaths,
    /// The client's pair.
    pub client: PairPaths,
    /// The files that did not exist before, in the order they were made.
    pub made: Vec<PathBuf>,
}

/// Makes whatever is missing of `ca`, `server` and `client` (`.crt` and `.key` each) in a directory.
/// `sans` are the server's names beside localhost and loopback: host names, addresses or URIs.
pub fn create_certificates(directory: &Path, sans: &[String]) -> Result<Created, TlsError> {
    let at = |name: &str| PairPaths {
        certificate: directory.join(format!("{name}.crt")),
        key: directory.join(format!("{name}.key")),
    };
    let mut created = Created { ca: at("ca"), server: at("server"), client: at("client"), made: Vec::new() };
    let leaves =
        [(created.server.clone(), server_params(sans, &created.server)?), (created.client.clone(), client_params())];
    for (pair, _) in &leaves {
        require_key(pair)?;
    }
    if leaves.iter().all(|(pair, _)| pair.certificate.exists()) && created.ca.certificate.exists() {
        return Ok(created);
    }
    create_directory(directory)?;
    let authority = authority(&created.ca, &leaves.each_ref().map(|(pair, _)| pair), &mut created.made)?;
    for (pair, params) in leaves {
        if !pair.certificate.exists() {
            issue(&authority, params, &pair, &mut created.made)?;
        }
    }
    Ok(created)
}

/// A CA that can sign.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// The issuer's name as its certificate has it.
    name_der: Vec<u8>,
    not_after: i64,
}

/// The existing CA, or a new one if nothing has been issued yet.
fn authority(ca: &PairPaths, leaves: &[&PairPaths], made: &mut Vec<PathBuf>) -> Result<Authority, TlsError> {
    if !ca.certificate.exists() {
        if let Some(orphan) = leaves.iter().find(|pair| pair.certificate.exists()) {
            let detail =
                format!("'{}' was issued by another CA; remove it or bring its CA back", orphan.certificate.display());
            return Err(TlsError::Issue { file: ca.certificate.clone(), detail });
        }
        let key = key_pair(ca, made)?;
        let certificate = ca_params().self_signed(&key).map_err(|error| failed(&ca.certificate, error))?;
        write_new(&ca.certificate, certificate.pem().as_bytes(), 0o644, made)?;
    }
    require_key(ca)?;
    load_authority(ca)
}

/// Rebuilds an issuer from its files.
fn load_authority(ca: &PairPaths) -> Result<Authority, TlsError> {
    let unusable =
        |detail: String| TlsError::Malformed { file: ca.certificate.clone(), what: "CA certificate", detail };
    let chain = pem::certificates(&ca.certificate, "CA certificate")?;
    let (_, certificate) = X509Certificate::from_der(&chain[0]).map_err(|error| unusable(error.to_string()))?;
    let facts = CertificateFacts::of(&chain[0]).map_err(unusable)?;
    if facts.not_after < unix_seconds() {
        let not_after = facts.not_after;
        return Err(TlsError::Expired { file: ca.certificate.clone(), what: "CA certificate", not_after });
    }
    let der = pem::private_key(&ca.key, None, "an unencrypted key for the development CA")?;
    let key = KeyPair::try_from(&der).map_err(|error| failed(&ca.key, error))?;
    if rcgen::PublicKeyData::subject_public_key_info(&key) != certificate.public_key().raw {
        return Err(TlsError::Mismatch { certificate: ca.certificate.clone(), key: ca.key.clone() });
    }
    let mut params = ca_params();
    params.distinguished_name = distinguished_name(certificate.subject());
    if let Some(identifier) = key_identifier(&certificate) {
        params.key_identifier_method = KeyIdMethod::PreSpecified(identifier);
    }
    Ok(Authority {
        issuer: Issuer::new(params, key),
        name_der: certificate.subject().as_raw().to_vec(),
        not_after: facts.not_after,
    })
}

/// The name in rcgen's terms. What those cannot express shows when the issued certificate is compared.
fn distinguished_name(name: &X509Name<'_>) -> DistinguishedName {
    let mut copy = DistinguishedName::new();
    for attribute in name.iter_attributes() {
        let (Some(oid), Ok(text)) = (attribute.attr_type().iter(), attribute.as_str()) else {
            continue;
        };
        let value = match attribute.attr_value().tag() {
            Tag::PrintableString => text.try_into().map(DnValue::PrintableString),
            Tag::Ia5String => text.try_into().map(DnValue::Ia5String),
            _ => Ok(DnValue::Utf8String(text.into())),
        };
        if let Ok(value) = value {
            copy.push(DnType::from_oid(&oid.collect::<Vec<_>>()), value);
        }
    }
    copy
}

fn key_identifier(certificate: &X509Certificate<'_>) -> Option<Vec<u8>> {
    certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(identifier) => Some(identifier.0.to_vec()),
        _ => None,
    })
}

fn issue(
    authority: &Authority,
    mut params: CertificateParams,
    pair: &PairPaths,
    made: &mut Vec<PathBuf>,
) -> Result<(), TlsError> {
    let remaining = Duration::from_secs(authority.not_after.saturating_sub(unix_seconds()).max(0) as u64);
    set_validity(&mut params, LEAF_VALIDITY.min(remaining));
    let key = key_pair(pair, made)?;
    let certificate = params.signed_by(&key, &authority.issuer).map_err(|error| failed(&pair.certificate, error))?;
    let (_, issued) = X509Certificate::from_der(certificate.der()).map_err(|error| failed(&pair.certificate, error))?;
    if issued.issuer().as_raw() != authority.name_der {
        return Err(failed(
            &pair.certificate,
            "the CA's name has a form that cannot be issued under; use its own tools",
        ));
    }
    write_new(&pair.certificate, certificate.pem().as_bytes(), 0o644, made)
}

/// The pair's key: the existing one, if a certificate was never made for it, or a new one.
fn key_pair(pair: &PairPaths, made: &mut Vec<PathBuf>) -> Result<KeyPair, TlsError> {
    if pair.key.exists() {
        let der = pem::private_key(&pair.key, None, "an unencrypted key for development certificates")?;
        return KeyPair::try_from(&der).map_err(|error| failed(&pair.key, error));
    }
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(|error| failed(&pair.key, error))?;
    write_new(&pair.key, key.serialize_pem().as_bytes(), 0o600, made)?;
    Ok(key)
}

/// A certificate without its key is of no use, and not ours to replace.
fn require_key(pair: &PairPaths) -> Result<(), TlsError> {
    if pair.certificate.exists() && !pair.key.exists() {
        let detail =
            format!("its certificate '{}' exists; bring the key back or remove it", pair.certificate.display());
        return Err(TlsError::Issue { file: pair.key.clone(), detail });
    }
    Ok(())
}

fn ca_params() -> CertificateParams {
    let mut params = named("redis-tls development CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    set_validity(&mut params, CA_VALIDITY);
    params
}

/// A server is a client, too, once it replicates from another.
fn server_params(sans: &[String], server: &PairPaths) -> Result<CertificateParams, TlsError> {
    let mut params =
        leaf("redis-tls-server", &[ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth]);
    for name in LOCAL_NAMES.into_iter().chain(sans.iter().map(String::as_str)) {
        let name = alternative_name(name)
            .ok_or_else(|| failed(&server.certificate, format!("'{name}' is no host name, address or URI")))?;
        if !params.subject_alt_names.contains(&name) {
            params.subject_alt_names.push(name);
        }
    }
    Ok(params)
}

fn client_params() -> CertificateParams {
    leaf("redis-tls-client", &[ExtendedKeyUsagePurpose::ClientAuth])
}

fn leaf(name: &str, purposes: &[ExtendedKeyUsagePurpose]) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = purposes.to_vec();
    params.use_authority_key_identifier_extension = true;
    params
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let mut serial: [u8; 16] = rand::random();
    // Positive and of full length (RFC 5280, section 4.1.2.2).
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(serial.to_vec().into());
    params
}

fn alternative_name(name: &str) -> Option<SanType> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Some(SanType::IpAddress(address));
    }
    if name.is_empty() || name.chars().any(|character| character.is_whitespace() || character.is_control()) {
        return None;
    }
    let text = name.try_into().ok()?;
    if name.contains("://") || name.starts_with("urn:") {
        return Some(SanType::URI(text));
    }
    let host = name.strip_prefix("*.").unwrap_or(name).to_owned();
    rustls::pki_types::DnsName::try_from(host).ok().map(|_| SanType::DnsName(text))
}

/// From a day ago, for machines whose clocks differ.
fn set_validity(params: &mut CertificateParams, validity: Duration) {
    let now = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(unix_seconds().unsigned_abs());
    params.not_before = now - DAY;
    params.not_after = params.not_before + validity;
}

fn unix_seconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as i64
}

fn create_directory(directory: &Path) -> Result<(), TlsError> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|error| failed(directory, error))
}

/// Writes beside the final name and links into place: the link fails if the name is taken.
fn write_new(file: &Path, content: &[u8], mode: u32, made: &mut Vec<PathBuf>) -> Result<(), TlsError> {
    let draft = file.with_extension(format!("{:08x}.tmp", rand::random::<u32>()));
    let written = write_draft(&draft, content, mode).and_then(|()| fs::hard_link(&draft, file));
    let _ = fs::remove_file(&draft);
    written.map_err(|error| failed(file, error))?;
    made.push(file.into());
    Ok(())
}

fn write_draft(draft: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut output = OpenOptions::new().write(true).create_new(true).mode(mode).open(draft)?;
    output.write_all(content)?;
    output.sync_all()
}

fn failed(file: &Path, error: impl ToString) -> TlsError {
    TlsError::Issue { file: file.into(), detail: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::tls::live::LiveTls;
    use crate::tls::options::TlsOptions;
    use crate::tls::testing::{Folder, handshake_configs};

    fn options(created: &Created) -> TlsOptions {
        TlsOptions {
            cert_file: Some(created.server.certificate.clone()),
            key_file: Some(created.server.key.clone()),
            client_cert_file: Some(created.client.certificate.clone()),
            client_key_file: Some(created.client.key.clone()),
            ca_cert_file: Some(created.ca.certificate.clone()),
            ..TlsOptions::default()
        }
    }

    fn shakes_hands(options: TlsOptions, host: &str) -> bool {
        let live = LiveTls::start(options).unwrap().current();
        handshake_configs(live.server(), live.client().unwrap(), host).is_ok()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_fresh_set_serves_and_dials() {
        let folder = Folder::new();
        let directory = folder.path("certs");
        let sans = ["redis.example".to_owned(), "10.0.0.7".to_owned(), "localhost".to_owned()];
        let created = create_certificates(&directory, &sans).unwrap();
        assert_eq!(created.made.len(), 6);
        for host in ["localhost", "127.0.0.1", "::1", "redis.example", "10.0.0.7"] {
            assert!(shakes_hands(options(&created), host), "{host}");
        }
        let as_replica = TlsOptions { client_cert_file: None, client_key_file: None, ..options(&created) };
        assert!(shakes_hands(as_replica, "localhost"), "the server's certificate serves for dialling, too");
    }

    #[test]
    fn keys_and_a_new_directory_are_the_owners_only() {
        let folder = Folder::new();
        let created = create_certificates(&folder.path("certs"), &[]).unwrap();
        assert_eq!(mode(&folder.path("certs")), 0o700);
        for key in [&created.ca.key, &created.server.key, &created.client.key] {
            assert_eq!(mode(key), 0o600);
        }
        assert_eq!(fs::read_dir(folder.path("certs")).unwrap().count(), 6, "no drafts left");
    }

    #[test]
    fn existing_files_stay_as_they_are() {
        let folder = Folder::new();
        let first = create_certificates(&folder.root(), &[]).unwrap();
        let before: Vec<_> = first.made.iter().map(|file| fs::read(file).unwrap()).collect();
        let again = create_certificates(&folder.root(), &["other.example".into()]).unwrap();
        assert!(again.made.is_empty());
        assert_eq!(before, first.made.iter().map(|file| fs::read(file).unwrap()).collect::<Vec<_>>());
    }

    #[test]
    fn a_missing_leaf_is_issued_by_the_existing_ca() {
        let folder = Folder::new();
        let first = create_certificates(&folder.root(), &[]).unwrap();
        fs::remove_file(&first.client.certificate).unwrap();
        fs::remove_file(&first.client.key).unwrap();
        fs::remove_file(&first.server.certificate).unwrap();
        let again = create_certificates(&folder.root(), &["late.example".into()]).unwrap();
        assert_eq!(
            again.made,
            [&first.server.certificate, &first.client.key, &first.client.certificate].map(Clone::clone)
        );
        assert!(shakes_hands(options(&again), "late.example"));
    }

    #[test]
    fn a_ca_of_other_tools_is_issued_under() {
        let folder = Folder::new();
        let mut params = ca_params();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CountryName, DnValue::PrintableString("DE".try_into().unwrap()));
        params.distinguished_name.push(DnType::OrganizationName, "Example");
        params.distinguished_name.push(DnType::CommonName, "Example CA");
        let key = KeyPair::generate().unwrap();
        folder.write("ca.crt", params.self_signed(&key).unwrap().pem());
        folder.write("ca.key", key.serialize_pem());
        let created = create_certificates(&folder.root(), &[]).unwrap();
        assert!(shakes_hands(options(&created), "localhost"));
    }

    #[test]
    fn incomplete_sets_are_refused_with_the_file_at_fault() {
        let cases = [("server.key", "server.key"), ("ca.crt", "server.crt"), ("ca.key", "ca.key")];
        for (removed, named) in cases {
            let folder = Folder::new();
            create_certificates(&folder.root(), &[]).unwrap();
            fs::remove_file(folder.path(removed)).unwrap();
            if removed == "ca.key" {
                assert!(create_certificates(&folder.root(), &[]).unwrap().made.is_empty(), "nothing needs signing");
                fs::remove_file(folder.path("client.crt")).unwrap();
            }
            let sentence = create_certificates(&folder.root(), &[]).unwrap_err().to_string();
            assert!(sentence.contains(named), "{sentence}");
        }
    }

    #[test]
    fn unusable_names_are_refused() {
        let folder = Folder::new();
        for name in ["", "two words", "bad\nname", "ümlaut.example", "-.-"] {
            let sentence = create_certificates(&folder.path("certs"), &[name.to_owned()]).unwrap_err().to_string();
            assert!(sentence.contains("host name"), "{sentence}");
        }
        assert!(!folder.path("certs").exists(), "nothing touched");
        for name in ["*.example.com", "spiffe://prod/redis", "fe80::1"] {
            assert!(alternative_name(name).is_some(), "{name}");
        }
    }
}
