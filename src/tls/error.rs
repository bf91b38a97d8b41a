//! What can be wrong with a TLS configuration, each with the file or parameter at fault and the way out.
//!
//! One enum for the module: every variant carries its evidence, and the sentence is made here and nowhere
//! else, because the same sentence serves the start, CONFIG SET, the log and INFO.

use std::fmt;
use std::io;
use std::path::PathBuf;

use x509_parser::time::ASN1Time;

/// An unusable TLS configuration.
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsError {
    /// A parameter is needed and not set.
    NotConfigured {
        /// The parameter, or the alternatives.
        parameter: &'static str,
        /// What needs it.
        reason: &'static str,
    },
    /// One of two parameters that only make sense together is set.
    HalfConfigured {
        /// The one that is set.
        present: &'static str,
        /// The one that is not.
        absent: &'static str,
    },
    /// A file or directory could not be read.
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What it was to be.
        role: &'static str,
        /// Why.
        error: io::Error,
    },
    /// A file is bigger than any of its kind should be.
    TooBig {
        /// The file.
        file: PathBuf,
        /// The limit in bytes.
        limit_bytes: u64,
    },
    /// A file holds no PEM section of the kind that is expected.
    Empty {
        /// The file or directory.
        file: PathBuf,
        /// The kind.
        expected: &'static str,
    },
    /// A PEM section, certificate or CRL that cannot be decoded.
    Malformed {
        /// The file.
        file: PathBuf,
        /// What was to be decoded.
        what: &'static str,
        /// What the decoder says.
        detail: String,
    },
    /// A certificate or CRL from the future.
    NotYetValid {
        /// The file.
        file: PathBuf,
        /// What it holds.
        what: &'static str,
        /// Start of validity, Unix seconds.
        not_before: i64,
    },
    /// A certificate or CRL of the past.
    Expired {
        /// The file.
        file: PathBuf,
        /// What it holds.
        what: &'static str,
        /// End of validity, Unix seconds.
        not_after: i64,
    },
    /// An encrypted key without a passphrase.
    PassphraseMissing {
        /// The key file.
        file: PathBuf,
        /// The parameter to set.
        parameter: &'static str,
    },
    /// An encrypted key that its passphrase does not open.
    PassphraseWrong {
        /// The key file.
        file: PathBuf,
        /// The parameter that was used.
        parameter: &'static str,
        /// What the decryption says.
        detail: String,
    },
    /// A key in an encryption that is not supported, such as OpenSSL's from before PKCS#8.
    UnsupportedEncryption {
        /// The key file.
        file: PathBuf,
        /// Which one, or what the decoder says.
        detail: String,
    },
    /// Certificate and key are not a pair.
    Mismatch {
        /// The certificate file.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
    },
    /// A protocol name that is unknown or too old.
    Protocol(String),
    /// A cipher name that is not supported.
    Cipher {
        /// The parameter.
        parameter: &'static str,
        /// The name.
        name: String,
        /// All names that are.
        supported: String,
    },
    /// A list of ciphers that leaves none for an enabled protocol.
    NoCipherLeft {
        /// The parameter.
        parameter: &'static str,
        /// The protocol.
        protocol: &'static str,
    },
    /// A host name that no certificate can carry.
    HostName(String),
    /// Development certificates could not be made.
    Issue {
        /// The file concerned.
        file: PathBuf,
        /// What went wrong.
        detail: String,
    },
    /// rustls refused what this module thought right.
    Library(rustls::Error),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConfigured { parameter, reason } => write!(f, "{parameter} must be set: {reason}"),
            Self::HalfConfigured { present, absent } => {
                write!(f, "{present} is set but {absent} is not: set both or neither")
            }
            Self::Unreadable { file, role, error } => {
                write!(f, "cannot read the {role} '{}': {error}", file.display())?;
                match error.kind() {
                    io::ErrorKind::NotFound => write!(f, "; check the path"),
                    io::ErrorKind::PermissionDenied => write!(f, "; let the user the server runs as read it"),
                    _ => Ok(()),
                }
            }
            Self::TooBig { file, limit_bytes } => {
                write!(f, "'{}' is bigger than {limit_bytes} bytes; is it the right file?", file.display())
            }
            Self::Empty { file, expected } => {
                write!(f, "'{}' holds no {expected} in PEM form; is it the right file?", file.display())
            }
            Self::Malformed { file, what, detail } => {
                write!(f, "the {what} in '{}' is not usable: {detail}", file.display())
            }
            Self::NotYetValid { file, what, not_before } => write!(
                f,
                "the {what} in '{}' is not valid before {}; check this machine's clock or wait",
                file.display(),
                date(*not_before)
            ),
            Self::Expired { file, what, not_after } => write!(
                f,
                "the {what} in '{}' expired on {}; put a renewed one in its place",
                file.display(),
                date(*not_after)
            ),
            Self::PassphraseMissing { file, parameter } => {
                write!(f, "the private key in '{}' is encrypted; set {parameter}", file.display())
            }
            Self::PassphraseWrong { file, parameter, detail } => write!(
                f,
                "the private key in '{}' does not open with {parameter} ({detail}); check the passphrase",
                file.display()
            ),
            Self::UnsupportedEncryption { file, detail } => write!(
                f,
                "the encryption of the private key in '{0}' is not supported ({detail}); convert it with: openssl pkcs8 -topk8 -v2 aes256 -in '{0}' -out FILE",
                file.display()
            ),
            Self::Mismatch { certificate, key } => write!(
                f,
                "the private key in '{}' does not belong to the certificate in '{}'; set both files of one pair",
                key.display(),
                certificate.display()
            ),
            Self::Protocol(name) => match name.to_ascii_lowercase().as_str() {
                "tlsv1" | "tlsv1.0" | "tlsv1.1" | "sslv3" | "sslv2" => write!(
                    f,
                    "tls-protocols: '{name}' is too old to be secure and is not supported; use TLSv1.2 and TLSv1.3"
                ),
                "" => write!(f, "tls-protocols leaves no protocol; use TLSv1.2, TLSv1.3 or both"),
                _ => write!(f, "tls-protocols: '{name}' is not a protocol; use TLSv1.2, TLSv1.3 or both"),
            },
            Self::Cipher { parameter, name, supported } => {
                write!(f, "{parameter}: '{name}' is not supported; supported are {supported}")
            }
            Self::NoCipherLeft { parameter, protocol } => write!(
                f,
                "{parameter} leaves no cipher for {protocol}; add one or remove {protocol} from tls-protocols"
            ),
            Self::HostName(name) => write!(f, "'{name}' is neither a host name nor an IP address"),
            Self::Issue { file, detail } => write!(f, "cannot create '{}': {detail}", file.display()),
            Self::Library(error) => write!(f, "TLS configuration refused: {error}"),
        }
    }
}

impl std::error::Error for TlsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { error, .. } => Some(error),
            Self::Library(error) => Some(error),
            _ => None,
        }
    }
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        Self::Library(error)
    }
}

/// A time in Unix seconds as people read it.
pub fn date(unix_seconds: i64) -> String {
    ASN1Time::from_timestamp(unix_seconds).map_or_else(|_| unix_seconds.to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_name_the_file_and_the_way_out() {
        let file = PathBuf::from("/etc/tls/server.key");
        let cases = [
            (
                TlsError::Mismatch { certificate: "/etc/tls/server.crt".into(), key: file.clone() },
                &["/etc/tls/server.key", "/etc/tls/server.crt", "set both"][..],
            ),
            (
                TlsError::PassphraseMissing { file: file.clone(), parameter: "tls-key-file-pass" },
                &["/etc/tls/server.key", "set tls-key-file-pass"],
            ),
            (
                TlsError::Expired { file: file.clone(), what: "certificate", not_after: 0 },
                &["/etc/tls/server.key", "1970", "renewed"],
            ),
            (TlsError::UnsupportedEncryption { file, detail: "DES".into() }, &["openssl pkcs8 -topk8", "DES"]),
            (TlsError::Protocol("TLSv1.1".into()), &["TLSv1.1", "too old", "TLSv1.3"]),
        ];
        for (error, parts) in cases {
            let sentence = error.to_string();
            for part in parts {
                assert!(sentence.contains(part), "{sentence:?} lacks {part:?}");
            }
        }
    }
}
