//! What is in the files: certificates, a private key, revocation lists.
//!
//! It stands alone as the only code that opens TLS files, so that every read is bounded and every error
//! names its file. It decodes armour and encryption, and judges nothing: whether a key belongs to a
//! certificate, or a certificate is still valid, is the reader's question.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use pkcs8::{EncryptedPrivateKeyInfo, SecretDocument, pkcs5};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls_pemfile::Item;

use super::TlsError;
use super::options::Passphrase;

/// More than any certificate chain, CA bundle or key needs.
const MAX_FILE_BYTES: u64 = 8 << 20;
/// A revocation list of a large CA has tens of megabytes.
const MAX_CRL_FILE_BYTES: u64 = 64 << 20;

const ENCRYPTED_BEGIN: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
const ENCRYPTED_END: &str = "-----END ENCRYPTED PRIVATE KEY-----";
/// The header of keys encrypted the way OpenSSL did before PKCS#8 (RFC 1421).
const LEGACY_HEADER: &str = "Proc-Type: 4,ENCRYPTED";

/// All certificates of a file, in its order; at least one.
pub fn certificates(file: &Path, role: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(file, role, MAX_FILE_BYTES)?;
    let found = rustls_pemfile::certs(&mut text.as_slice())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| malformed(file, "certificate", error))?;
    if found.is_empty() {
        return Err(TlsError::Empty { file: file.into(), expected: "certificate" });
    }
    Ok(found)
}

/// All revocation lists of a file; at least one.
pub fn revocation_lists(file: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    let text = read(file, "certificate revocation list", MAX_CRL_FILE_BYTES)?;
    let found = rustls_pemfile::crls(&mut text.as_slice())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| malformed(file, "certificate revocation list", error))?;
    if found.is_empty() {
        return Err(TlsError::Empty { file: file.into(), expected: "certificate revocation list" });
    }
    Ok(found)
}

/// The first private key of a file: PKCS#1, PKCS#8 (encrypted or not) or SEC1.
///
/// The passphrase serves encrypted keys only; `parameter` is where it is configured. Like OpenSSL, a
/// passphrase for a key that is not encrypted does no harm.
pub fn private_key(
    file: &Path,
    passphrase: Option<&Passphrase>,
    parameter: &'static str,
) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read(file, "private key", MAX_FILE_BYTES)?;
    let readable = String::from_utf8_lossy(&text);
    if let Some(armour) = encrypted_section(&readable) {
        let Some(passphrase) = passphrase else {
            return Err(TlsError::PassphraseMissing { file: file.into(), parameter });
        };
        return decrypt(file, armour, passphrase, parameter);
    }
    if readable.contains(LEGACY_HEADER) {
        return Err(unsupported(file, "the format from before PKCS#8"));
    }
    first_key(&text, file)
}

fn first_key(mut text: &[u8], file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    while let Some(item) = rustls_pemfile::read_one(&mut text).map_err(|error| malformed(file, "private key", error))? {
        match item {
            Item::Pkcs1Key(key) => return Ok(key.into()),
            Item::Pkcs8Key(key) => return Ok(key.into()),
            Item::Sec1Key(key) => return Ok(key.into()),
            _ => {}
        }
    }
    Err(TlsError::Empty { file: file.into(), expected: "private key" })
}

/// The armour of an encrypted PKCS#8 key, cut out of whatever stands around it.
fn encrypted_section(text: &str) -> Option<&str> {
    let start = text.find(ENCRYPTED_BEGIN)?;
    let length = text[start..].find(ENCRYPTED_END)? + ENCRYPTED_END.len();
    Some(&text[start..start + length])
}

fn decrypt(
    file: &Path,
    armour: &str,
    passphrase: &Passphrase,
    parameter: &'static str,
) -> Result<PrivateKeyDer<'static>, TlsError> {
    let armour = armour.replace('\r', "");
    let (_, sealed) =
        SecretDocument::from_pem(&armour).map_err(|error| malformed(file, "encrypted private key", error))?;
    let info = EncryptedPrivateKeyInfo::try_from(sealed.as_bytes()).map_err(|error| unsupported(file, error))?;
    let opened = info.decrypt(passphrase.reveal()).map_err(|error| match error {
        // Told from a wrong passphrase, which shows as bad padding.
        pkcs8::Error::EncryptedPrivateKey(
            pkcs5::Error::UnsupportedAlgorithm { .. }
            | pkcs5::Error::NoPbes1CryptSupport
            | pkcs5::Error::AlgorithmParametersInvalid { .. },
        ) => unsupported(file, error),
        _ => TlsError::PassphraseWrong { file: file.into(), parameter, detail: error.to_string() },
    })?;
    Ok(PrivatePkcs8KeyDer::from(opened.as_bytes().to_vec()).into())
}

fn read(file: &Path, role: &'static str, limit_bytes: u64) -> Result<Vec<u8>, TlsError> {
    let unreadable = |error| TlsError::Unreadable { file: file.into(), role, error };
    let mut text = Vec::new();
    File::open(file).map_err(unreadable)?.take(limit_bytes + 1).read_to_end(&mut text).map_err(unreadable)?;
    if text.len() as u64 > limit_bytes {
        return Err(TlsError::TooBig { file: file.into(), limit_bytes });
    }
    Ok(text)
}

fn unsupported(file: &Path, detail: impl ToString) -> TlsError {
    TlsError::UnsupportedEncryption { file: file.into(), detail: detail.to_string() }
}

fn malformed(file: &Path, what: &'static str, error: impl ToString) -> TlsError {
    TlsError::Malformed { file: file.into(), what, detail: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::testing::{Folder, encrypted_pem};

    const PARAMETER: &str = "tls-key-file-pass";

    #[test]
    fn an_encrypted_key_opens_with_its_passphrase_only() {
        let folder = Folder::new();
        let plain = rcgen::KeyPair::generate().unwrap();
        let file = folder.write("server.key", encrypted_pem(plain.serialized_der(), "sesame"));

        let key = private_key(&file, Some(&Passphrase::new("sesame")), PARAMETER).unwrap();
        assert_eq!(key.secret_der(), plain.serialized_der());

        let wrong = private_key(&file, Some(&Passphrase::new("wrong")), PARAMETER).unwrap_err();
        assert!(matches!(wrong, TlsError::PassphraseWrong { .. }), "{wrong}");
        let missing = private_key(&file, None, PARAMETER).unwrap_err();
        assert!(matches!(missing, TlsError::PassphraseMissing { .. }), "{missing}");
    }

    #[test]
    fn text_around_a_key_and_crlf_are_tolerated() {
        let folder = Folder::new();
        let plain = rcgen::KeyPair::generate().unwrap();
        let armour = encrypted_pem(plain.serialized_der(), "sesame").replace('\n', "\r\n");
        let file = folder.write("server.key", format!("Bag Attributes\r\n  name: x\r\n{armour}trailing\r\n"));
        let key = private_key(&file, Some(&Passphrase::new("sesame")), PARAMETER).unwrap();
        assert_eq!(key.secret_der(), plain.serialized_der());
    }

    #[test]
    fn a_passphrase_for_an_open_key_does_no_harm() {
        let folder = Folder::new();
        let plain = rcgen::KeyPair::generate().unwrap();
        let file = folder.write("server.key", plain.serialize_pem());
        assert!(private_key(&file, Some(&Passphrase::new("sesame")), PARAMETER).is_ok());
    }

    #[test]
    fn keys_in_the_old_encryption_are_refused_with_the_conversion() {
        let folder = Folder::new();
        let text = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        let file = folder.write("server.key", text);
        let error = private_key(&file, Some(&Passphrase::new("x")), PARAMETER).unwrap_err();
        assert!(matches!(error, TlsError::UnsupportedEncryption { .. }), "{error}");
    }

    /// Two throwaway keys as OpenSSL encrypts them with `-v2prf hmacWithSHA1` and with `-v2 des3`.
    const OUTDATED: [&str; 2] = [
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n\
         MIHeMEkGCSqGSIb3DQEFDTA8MBsGCSqGSIb3DQEFDDAOBAi7jtdU4lE5nQICCAAw\n\
         HQYJYIZIAWUDBAEqBBAa6Qfgpljn/cPslsk8gir3BIGQgJfctfKpRjHwz9Ns8XH1\n\
         AhrK6na8YICuA4mCOfr+RkNUuC2K49qOjoD3URZYCQILJzLmXkzK74ugWCji5DLv\n\
         y5mFbWxxG6ncPlVFqybZLps8akjj/O7WHE3niTwI3pMjJ8hUJsi6VFZalTkFYKGd\n\
         6gFbV9Ae40dMAvkV7+lwnCKHGa+6rgea9r4D5MPQ68G6\n\
         -----END ENCRYPTED PRIVATE KEY-----",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n\
         MIHjME4GCSqGSIb3DQEFDTBBMCkGCSqGSIb3DQEFDDAcBAiLxC5JpL94FQICCAAw\n\
         DAYIKoZIhvcNAgkFADAUBggqhkiG9w0DBwQIrIBazKjw5xYEgZDHJWFjXBfLP6G8\n\
         /2TYgsdx+w0lN7aDee7k0DOphb1s2SGHkuX/t6eJmjthc8d2TegMj19wKiOQd6h9\n\
         rngpGQCOEN/h9MXehrmK84zj1h1WCJdhllyABtCIrFxFBCIm2JFGfeUVUhSfjmQz\n\
         KeeleDJzQxsRQ9KxlVcg8nGDL98BFVDsKfZuiccaAtqIM9bLgCM=\n\
         -----END ENCRYPTED PRIVATE KEY-----",
    ];

    #[test]
    fn outdated_encryption_is_told_from_a_wrong_passphrase() {
        let folder = Folder::new();
        for text in OUTDATED {
            let file = folder.write("server.key", text);
            let error = private_key(&file, Some(&Passphrase::new("1234")), PARAMETER).unwrap_err();
            assert!(matches!(error, TlsError::UnsupportedEncryption { .. }), "{error}");
        }
    }

    #[test]
    fn wrong_files_are_named() {
        let folder = Folder::new();
        let key = folder.write("server.key", rcgen::KeyPair::generate().unwrap().serialize_pem());
        let garbage = folder.write("garbage.pem", "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n");
        let broken = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let broken = folder.write("broken.key", broken);

        let no_certificate = certificates(&key, "certificate").unwrap_err();
        assert!(matches!(no_certificate, TlsError::Empty { .. }), "{no_certificate}");
        assert!(matches!(certificates(&garbage, "certificate").unwrap_err(), TlsError::Malformed { .. }));
        assert!(matches!(revocation_lists(&key).unwrap_err(), TlsError::Empty { .. }));
        let error = private_key(&broken, Some(&Passphrase::new("x")), PARAMETER).unwrap_err();
        assert!(matches!(error, TlsError::Malformed { .. }), "{error}");
        let missing = certificates(&folder.path("nowhere"), "certificate").unwrap_err();
        assert!(missing.to_string().contains("nowhere"), "{missing}");
    }
}
