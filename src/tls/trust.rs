//! Whom to believe: the trusted CAs, the revocation lists, and the verifiers made of them.
//!
//! It stands alone because acceptor and connector trust the same CAs, and because its digest decides
//! whether sessions survive a reload. What always holds: doubt is refusal. A client whose CA has no list,
//! when lists are configured, is refused; so is everybody once a list has expired.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use sha2::{Digest, Sha256};
use webpki::BorrowedCertRevocationList;
use x509_parser::prelude::{CertificateRevocationList, FromDer};

use super::TlsError;
use super::identity::CertificateFacts;
use super::options::{AuthClients, TlsOptions};
use super::pem;

/// More entries than a directory of CAs has.
const MAX_DIRECTORY_ENTRIES: usize = 10_000;
/// With more CAs than this, a certificate request does not list them: the list would be longer than the
/// rest of the handshake, and clients have one certificate to show anyway.
const MAX_HINTED_AUTHORITIES: usize = 16;

/// Trusted CAs and revocation lists.
#[derive(Clone, Debug)]
pub struct Trust {
    roots: Arc<RootCertStore>,
    crls: Vec<CertificateRevocationListDer<'static>>,
    crl_file: Option<PathBuf>,
    digest: [u8; 32],
}

impl Trust {
    /// Reads what the options name, at a time in Unix seconds. No CA at all is not an error here: a server
    /// that asks no client for a certificate and dials nobody needs none.
    pub fn read(options: &TlsOptions, now: i64) -> Result<Self, TlsError> {
        let mut digest = Sha256::new();
        let roots = read_roots(options, now, &mut digest)?;
        let crls = match &options.crl_file {
            Some(file) => read_crls(file, now)?,
            None => Vec::new(),
        };
        for crl in &crls {
            digest.update(b"crl");
            digest.update(Sha256::digest(crl));
        }
        Ok(Self { roots: Arc::new(roots), crls, crl_file: options.crl_file.clone(), digest: digest.finalize().into() })
    }

    /// Changes whenever the set of CAs or the revocation lists do.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Whether no CA is configured.
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// Judges clients' certificates.
    pub fn client_verifier(
        &self,
        auth: AuthClients,
        provider: Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        if auth == AuthClients::No {
            return Ok(WebPkiClientVerifier::no_client_auth());
        }
        if self.is_empty() {
            return Err(TlsError::NotConfigured {
                parameter: "tls-ca-cert-file or tls-ca-cert-dir",
                reason: "tls-auth-clients asks clients for certificates, which need a CA to be checked against",
            });
        }
        let mut builder = WebPkiClientVerifier::builder_with_provider(self.roots.clone(), provider)
            .with_crls(self.crls.iter().cloned())
            .enforce_revocation_expiration();
        if auth == AuthClients::Optional {
            builder = builder.allow_unauthenticated();
        }
        if self.roots.len() > MAX_HINTED_AUTHORITIES {
            builder = builder.clear_root_hint_subjects();
        }
        builder.build().map_err(|error| self.refused(error))
    }

    /// Judges the certificates of servers that this program dials. The name to expect goes with each
    /// connection. Revoked servers are refused; a server whose CA has no list is not, since the lists are
    /// there for clients.
    pub fn server_verifier(&self, provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
        if self.is_empty() {
            return Err(TlsError::NotConfigured {
                parameter: "tls-ca-cert-file or tls-ca-cert-dir",
                reason: "an outgoing connection verifies the server it reaches, which needs a CA",
            });
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(self.roots.clone(), provider)
            .with_crls(self.crls.iter().cloned())
            .allow_unknown_revocation_status()
            .enforce_revocation_expiration()
            .build()
            .map_err(|error| self.refused(error))?;
        Ok(verifier)
    }

    fn refused(&self, error: VerifierBuilderError) -> TlsError {
        TlsError::Malformed {
            file: self.crl_file.clone().unwrap_or_default(),
            what: "certificate revocation list",
            detail: error.to_string(),
        }
    }
}

fn read_roots(options: &TlsOptions, now: i64, digest: &mut Sha256) -> Result<RootCertStore, TlsError> {
    let mut found = Vec::new();
    if let Some(file) = &options.ca_cert_file {
        found.extend(authorities(file, now)?);
    }
    if let Some(directory) = &options.ca_cert_dir {
        let before = found.len();
        for file in certificate_files(directory)? {
            match authorities(&file, now) {
                Ok(authorities) => found.extend(authorities),
                // Other things than certificates, and expired ones, may lie around in a directory.
                Err(TlsError::Empty { .. } | TlsError::Expired { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        if found.len() == before {
            return Err(TlsError::Empty { file: directory.clone(), expected: "valid CA certificate" });
        }
    }
    let mut seen = HashSet::new();
    let mut roots = RootCertStore::empty();
    found.sort_by(|(one, _), (other, _)| one.as_ref().cmp(other.as_ref()));
    for (der, file) in found {
        if seen.insert(der.clone()) {
            digest.update(b"ca");
            digest.update(Sha256::digest(&der));
            roots.add(der).map_err(|error| TlsError::Malformed {
                file,
                what: "CA certificate",
                detail: error.to_string(),
            })?;
        }
    }
    Ok(roots)
}

/// The unexpired certificates of one file, each with the file's name. All expired is an error.
fn authorities(file: &Path, now: i64) -> Result<Vec<(CertificateDer<'static>, PathBuf)>, TlsError> {
    let mut latest = i64::MIN;
    let mut valid = Vec::new();
    for der in pem::certificates(file, "CA certificate")? {
        let facts = CertificateFacts::of(&der).map_err(|detail| TlsError::Malformed {
            file: file.into(),
            what: "CA certificate",
            detail,
        })?;
        latest = latest.max(facts.not_after);
        if facts.not_after >= now {
            valid.push((der, file.into()));
        }
    }
    if valid.is_empty() {
        return Err(TlsError::Expired { file: file.into(), what: "CA certificate", not_after: latest });
    }
    Ok(valid)
}

/// The files of a CA directory that can hold certificates: by the usual endings, or named by hash as
/// OpenSSL's `rehash` does (`5ed36f99.0`).
pub fn certificate_files(directory: &Path) -> Result<Vec<PathBuf>, TlsError> {
    let unreadable =
        |error| TlsError::Unreadable { file: directory.into(), role: "directory of CA certificates", error };
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)?.take(MAX_DIRECTORY_ENTRIES) {
        let path = entry.map_err(unreadable)?.path();
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let hashed = !ending.is_empty() && ending.bytes().all(|byte| byte.is_ascii_digit());
        if (hashed || ["crt", "pem", "cer"].contains(&ending)) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read_crls(file: &Path, now: i64) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    let what = "certificate revocation list";
    let crls = pem::revocation_lists(file)?;
    for der in &crls {
        let malformed = |detail| TlsError::Malformed { file: file.into(), what, detail };
        BorrowedCertRevocationList::from_der(der).map_err(|error| malformed(format!("{error:?}")))?;
        let (_, crl) = CertificateRevocationList::from_der(der).map_err(|error| malformed(error.to_string()))?;
        let not_before = crl.last_update().timestamp();
        if not_before > now {
            return Err(TlsError::NotYetValid { file: file.into(), what, not_before });
        }
        if let Some(not_after) = crl.next_update().map(|time| time.timestamp()).filter(|end| *end < now) {
            return Err(TlsError::Expired { file: file.into(), what, not_after });
        }
    }
    Ok(crls)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::testing::{Authority, Folder, NOW};

    fn options(file: Option<PathBuf>, directory: Option<PathBuf>, crl_file: Option<PathBuf>) -> TlsOptions {
        TlsOptions { ca_cert_file: file, ca_cert_dir: directory, crl_file, ..TlsOptions::default() }
    }

    #[test]
    fn a_directory_is_read_for_certificates_only() {
        let folder = Folder::new();
        let (first, second) = (Authority::new("first"), Authority::new("second"));
        folder.write("first.crt", first.pem());
        folder.write("0a1b2c3d.0", second.pem());
        folder.write("again.pem", first.pem());
        folder.write("first.key", first.key_pem());
        folder.write("notes.pem", "no certificate");
        folder.write("README", "text");
        let trust = Trust::read(&options(None, Some(folder.root()), None), NOW).unwrap();
        assert_eq!(trust.roots.len(), 2);
    }

    #[test]
    fn missing_and_empty_places_are_named() {
        let folder = Folder::new();
        for place in [options(None, Some(folder.root()), None), options(Some(folder.path("no.crt")), None, None)] {
            let sentence = Trust::read(&place, NOW).unwrap_err().to_string();
            assert!(sentence.contains(folder.root().to_str().unwrap()), "{sentence}");
        }
    }

    #[test]
    fn verifiers_need_a_ca() {
        let trust = Trust::read(&TlsOptions::default(), NOW).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        assert!(trust.client_verifier(AuthClients::No, provider.clone()).is_ok());
        for auth in [AuthClients::Yes, AuthClients::Optional] {
            let sentence = trust.client_verifier(auth, provider.clone()).unwrap_err().to_string();
            assert!(sentence.contains("tls-ca-cert-file"), "{sentence}");
        }
        assert!(trust.server_verifier(provider).is_err());
    }

    #[test]
    fn the_digest_follows_cas_and_lists_but_not_their_order() {
        let folder = Folder::new();
        let (first, second) = (Authority::new("first"), Authority::new("second"));
        let ab = folder.write("ab.crt", first.pem() + &second.pem());
        let ba = folder.write("ba.crt", second.pem() + &first.pem());
        let a = folder.write("a.crt", first.pem());
        let crl = folder.write("a.crl", first.revoke(&[]));
        let crl2 = folder.write("b.crl", first.revoke(&[7]));
        let digest = |file: &PathBuf, crl: Option<&PathBuf>| {
            Trust::read(&options(Some(file.clone()), None, crl.cloned()), NOW).unwrap().digest()
        };
        assert_eq!(digest(&ab, None), digest(&ba, None));
        let different = [digest(&ab, None), digest(&a, None), digest(&a, Some(&crl)), digest(&a, Some(&crl2))];
        assert_eq!(different.iter().collect::<HashSet<_>>().len(), different.len());
    }

    #[test]
    fn expired_lists_and_cas_are_refused() {
        let folder = Folder::new();
        let authority = Authority::new("CA");
        let ca = folder.write("ca.crt", authority.pem());
        let crl = folder.write("ca.crl", authority.revoke(&[]));
        let month = 31 * 24 * 60 * 60;
        let sentence = Trust::read(&options(Some(ca.clone()), None, Some(crl)), NOW + month).unwrap_err().to_string();
        assert!(sentence.contains("revocation list") && sentence.contains("expired"), "{sentence}");
        let century = 100 * 365 * 24 * 60 * 60;
        let sentence = Trust::read(&options(Some(ca), None, None), NOW + century).unwrap_err().to_string();
        assert!(sentence.contains("CA certificate") && sentence.contains("expired"), "{sentence}");
    }
}
