//! Who this program is: a certificate chain and the private key that belongs to it.
//!
//! It stands alone because the acceptor and the connector both need one. What always holds: an `Identity`
//! exists only if key and certificate are a pair and the certificate is valid at the time it was read.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::TlsError;
use super::options::Passphrase;
use super::pem;

/// Where an identity's parts are, and what to call them in errors.
#[derive(Clone, Copy, Debug)]
pub struct IdentityFiles<'a> {
    /// The chain, leaf first.
    pub certificate: &'a Path,
    /// The leaf's key.
    pub key: &'a Path,
    /// Opens the key if it is encrypted.
    pub passphrase: Option<&'a Passphrase>,
    /// The parameter the passphrase comes from.
    pub passphrase_parameter: &'static str,
}

/// A certificate chain with its key.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Chain and signing key, as rustls takes them.
    pub certified: Arc<CertifiedKey>,
    /// What the leaf says.
    pub facts: CertificateFacts,
}

/// What INFO and the log tell of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The subject's distinguished name, e.g. `CN=server`.
    pub subject: String,
    /// The serial number, upper-case hexadecimal.
    pub serial: String,
    /// Start of validity, Unix seconds.
    pub not_before: i64,
    /// End of validity, Unix seconds.
    pub not_after: i64,
    /// Subject alternative names: host names, addresses, URIs, mail addresses.
    pub sans: Vec<String>,
    /// SHA-256 of the certificate, as OpenSSL prints it: `AB:CD:…`.
    pub fingerprint: String,
}

impl Identity {
    /// Reads and checks an identity at a time in Unix seconds.
    pub fn read(files: IdentityFiles<'_>, now: i64) -> Result<Self, TlsError> {
        let chain = pem::certificates(files.certificate, "certificate")?;
        let facts = CertificateFacts::of(&chain[0]).map_err(|detail| TlsError::Malformed {
            file: files.certificate.into(),
            what: "certificate",
            detail,
        })?;
        facts.check_dates(files.certificate, now)?;
        let certified = pair(chain, files)?;
        Ok(Self { certified: Arc::new(certified), facts })
    }
}

/// Joins chain and key, if the key's public half is the leaf's.
fn pair(chain: Vec<CertificateDer<'static>>, files: IdentityFiles<'_>) -> Result<CertifiedKey, TlsError> {
    let der = pem::private_key(files.key, files.passphrase, files.passphrase_parameter)?;
    let key = any_supported_type(&der).map_err(|error| TlsError::Malformed {
        file: files.key.into(),
        what: "private key",
        detail: format!("{error}; RSA (2048 to 8192 bits), ECDSA (P-256, P-384, P-521) and Ed25519 are supported"),
    })?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) => Ok(certified),
        Err(rustls::Error::InconsistentKeys(_)) => {
            Err(TlsError::Mismatch { certificate: files.certificate.into(), key: files.key.into() })
        }
        Err(error) => {
            Err(TlsError::Malformed { file: files.certificate.into(), what: "certificate", detail: error.to_string() })
        }
    }
}

impl CertificateFacts {
    /// Reads a certificate's facts, or says why it cannot be read.
    pub fn of(der: &[u8]) -> Result<Self, String> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
        let validity = certificate.validity();
        Ok(Self {
            subject: certificate.subject().to_string(),
            serial: hex(certificate.raw_serial(), ""),
            not_before: validity.not_before.timestamp(),
            not_after: validity.not_after.timestamp(),
            sans: alternative_names(&certificate),
            fingerprint: hex(&Sha256::digest(der), ":"),
        })
    }

    /// Seconds until the certificate expires; negative once it has.
    pub fn seconds_to_expiry(&self, now: i64) -> i64 {
        self.not_after.saturating_sub(now)
    }

    fn check_dates(&self, file: &Path, now: i64) -> Result<(), TlsError> {
        if now < self.not_before {
            let not_before = self.not_before;
            return Err(TlsError::NotYetValid { file: file.into(), what: "certificate", not_before });
        }
        if now > self.not_after {
            return Err(TlsError::Expired { file: file.into(), what: "certificate", not_after: self.not_after });
        }
        Ok(())
    }
}

fn alternative_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    extension.value.general_names.iter().filter_map(alternative_name).collect()
}

fn alternative_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(text) | GeneralName::URI(text) | GeneralName::RFC822Name(text) => Some((*text).into()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|octets| Ipv4Addr::from(octets).to_string()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|octets| Ipv6Addr::from(octets).to_string()),
            _ => None,
        },
        _ => None,
    }
}

fn hex(bytes: &[u8], separator: &str) -> String {
    let mut text = String::with_capacity(bytes.len() * (2 + separator.len()));
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 {
            text.push_str(separator);
        }
        let _ = write!(text, "{byte:02X}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::testing::{Authority, Folder, Leaf, NOW, encrypted_pem};

    fn read(folder: &Folder, certificate: &str, key: &str, passphrase: Option<&str>) -> Result<Identity, TlsError> {
        let passphrase = passphrase.map(Passphrase::new);
        let files = IdentityFiles {
            certificate: &folder.path(certificate),
            key: &folder.path(key),
            passphrase: passphrase.as_ref(),
            passphrase_parameter: "tls-key-file-pass",
        };
        Identity::read(files, NOW)
    }

    #[test]
    fn keys_of_every_kind_pair_with_their_certificates() {
        let folder = Folder::new();
        let authority = Authority::new("CA");
        let algorithms = [
            &rcgen::PKCS_ECDSA_P256_SHA256,
            &rcgen::PKCS_ECDSA_P384_SHA384,
            &rcgen::PKCS_ECDSA_P521_SHA512,
            &rcgen::PKCS_ED25519,
            &rcgen::PKCS_RSA_SHA256,
        ];
        for algorithm in algorithms {
            let leaf = authority.issue(Leaf { algorithm, ..Leaf::server() });
            folder.write("chain.crt", leaf.pem.clone() + &authority.pem());
            folder.write("open.key", leaf.key.serialize_pem());
            folder.write("sealed.key", encrypted_pem(leaf.key.serialized_der(), "sesame"));
            let identity = read(&folder, "chain.crt", "open.key", None).unwrap();
            assert_eq!(identity.certified.cert.len(), 2, "the full chain");
            read(&folder, "chain.crt", "sealed.key", Some("sesame")).unwrap();
        }
    }

    #[test]
    fn old_containers_are_read() {
        let folder = Folder::new();
        let authority = Authority::new("CA");
        for (algorithm, label) in
            [(&rcgen::PKCS_RSA_SHA256, "RSA PRIVATE KEY"), (&rcgen::PKCS_ECDSA_P256_SHA256, "EC PRIVATE KEY")]
        {
            let leaf = authority.issue(Leaf { algorithm, ..Leaf::server() });
            folder.write("server.crt", &leaf.pem);
            // A PKCS#8 key is the older container with an algorithm name around it.
            let info = pkcs8::PrivateKeyInfo::try_from(leaf.key.serialized_der()).unwrap();
            let inner = if label.starts_with("EC") { sec1(info.private_key) } else { info.private_key.to_vec() };
            let document = pkcs8::SecretDocument::try_from(inner.as_slice()).unwrap();
            folder.write("old.key", document.to_pem(label, pkcs8::LineEnding::LF).unwrap().as_str());
            read(&folder, "server.crt", "old.key", None).unwrap();
        }
    }

    /// Adds the curve's name, which PKCS#8 states outside of the SEC1 structure, to the inside.
    fn sec1(inner: &[u8]) -> Vec<u8> {
        const P256: [u8; 12] = [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
        // SEQUENCE (2 bytes), version (3 bytes), OCTET STRING of 32 bytes (34 bytes), then [1] publicKey.
        let (head, public) = inner[2..].split_at(3 + 34);
        let body = [head, &P256, public].concat();
        [&[0x30, body.len() as u8], body.as_slice()].concat()
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let folder = Folder::new();
        let authority = Authority::new("CA");
        folder.write("server.crt", authority.issue(Leaf::server()).pem);
        folder.write("other.key", authority.issue(Leaf::server()).key.serialize_pem());
        let error = read(&folder, "server.crt", "other.key", None).unwrap_err();
        assert!(matches!(error, TlsError::Mismatch { .. }), "{error}");
    }

    #[test]
    fn certificates_outside_their_validity_are_refused() {
        let folder = Folder::new();
        let authority = Authority::new("CA");
        for (days, refused) in [((-30, -1), "expired on"), ((1, 30), "not valid before")] {
            let leaf = authority.issue(Leaf { valid_days: days, ..Leaf::server() });
            folder.write("server.crt", &leaf.pem);
            folder.write("server.key", leaf.key.serialize_pem());
            let sentence = read(&folder, "server.crt", "server.key", None).unwrap_err().to_string();
            assert!(sentence.contains(refused) && sentence.contains("server.crt"), "{sentence}");
        }
    }

    #[test]
    fn facts_are_the_certificates() {
        let authority = Authority::new("CA");
        let leaf = authority.issue(Leaf { serial: Some(0x0A0B), uri: Some("urn:x"), ..Leaf::server() });
        let facts = CertificateFacts::of(&leaf.der).unwrap();
        assert_eq!(facts.subject, "CN=server");
        assert_eq!(facts.serial, "0A0B");
        assert_eq!(facts.sans, ["localhost", "127.0.0.1", "::1", "urn:x"]);
        assert_eq!(facts.fingerprint.len(), 32 * 3 - 1);
        assert_eq!(facts.seconds_to_expiry(facts.not_after - 5), 5);
        assert!(facts.seconds_to_expiry(facts.not_after + 5) < 0);
    }

    #[test]
    fn damaged_certificates_are_errors_and_never_panics() {
        let der = Authority::new("CA").issue(Leaf::server()).der;
        for length in 0..der.len() {
            assert!(CertificateFacts::of(&der[..length]).is_err());
        }
        let mut state = 1u64;
        for _ in 0..5_000 {
            let mut damaged = der.to_vec();
            for _ in 0..3 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (state >> 33) as usize % damaged.len();
                damaged[at] = (state >> 16) as u8;
            }
            let _ = CertificateFacts::of(&damaged);
        }
    }
}
