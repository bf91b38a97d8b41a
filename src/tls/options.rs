//! The TLS parameters as plain data, free of how a configuration file spells them.
//!
//! It stands alone so that the rest of the module can be built and tested without the parameter table.
//! Defaults are Redis's. Passphrases never reach a log: their type does not print.

use std::fmt;
use std::path::PathBuf;

use super::TlsError;

/// Everything that shapes a TLS configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsOptions {
    /// `tls-cert-file`: this server's certificate, followed by the intermediates.
    pub cert_file: Option<PathBuf>,
    /// `tls-key-file`.
    pub key_file: Option<PathBuf>,
    /// `tls-key-file-pass`.
    pub key_file_pass: Option<Passphrase>,
    /// `tls-client-cert-file`: shown when this server dials; without it, `tls-cert-file` is.
    pub client_cert_file: Option<PathBuf>,
    /// `tls-client-key-file`.
    pub client_key_file: Option<PathBuf>,
    /// `tls-client-key-file-pass`.
    pub client_key_file_pass: Option<Passphrase>,
    /// `tls-ca-cert-file`: the CAs that clients, and servers this one dials, must come from.
    pub ca_cert_file: Option<PathBuf>,
    /// `tls-ca-cert-dir`: a directory of such files.
    pub ca_cert_dir: Option<PathBuf>,
    /// `tls-crl-file`: revoked certificates. Every CA that issues client certificates needs its list here.
    pub crl_file: Option<PathBuf>,
    /// `tls-expected-peer-name`: the name that dialled servers must carry; without it, the one that was dialled.
    pub expected_peer_name: Option<String>,
    /// `tls-auth-clients`.
    pub auth_clients: AuthClients,
    /// `tls-auth-clients-user`.
    pub auth_clients_user: AuthClientsUser,
    /// `tls-protocols`.
    pub protocols: Protocols,
    /// `tls-ciphers`: TLS 1.2 suites, in OpenSSL's cipher list format. Empty: all.
    pub ciphers: String,
    /// `tls-ciphersuites`: TLS 1.3 suites. Empty: all.
    pub ciphersuites: String,
    /// `tls-prefer-server-ciphers`.
    pub prefer_server_ciphers: bool,
    /// `tls-session-caching`.
    pub session_caching: bool,
    /// `tls-session-cache-size`: sessions; 0 is as many as this program ever keeps.
    pub session_cache_size: usize,
    /// `tls-session-cache-timeout`, seconds. Holds for tickets, too.
    pub session_cache_timeout_s: u64,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            cert_file: None,
            key_file: None,
            key_file_pass: None,
            client_cert_file: None,
            client_key_file: None,
            client_key_file_pass: None,
            ca_cert_file: None,
            ca_cert_dir: None,
            crl_file: None,
            expected_peer_name: None,
            auth_clients: AuthClients::Yes,
            auth_clients_user: AuthClientsUser::Off,
            protocols: Protocols::default(),
            ciphers: String::new(),
            ciphersuites: String::new(),
            prefer_server_ciphers: true,
            session_caching: true,
            session_cache_size: 20 * 1024,
            session_cache_timeout_s: 300,
        }
    }
}

/// Whether clients must show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuthClients {
    /// They are not asked.
    No,
    /// They must.
    #[default]
    Yes,
    /// They may; what they show must be good.
    Optional,
}

/// Which part of a client's certificate names its ACL user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuthClientsUser {
    /// None does.
    #[default]
    Off,
    /// The subject's common name.
    Cn,
    /// The first URI among the subject alternative names.
    Uri,
}

/// The enabled protocol versions; at least one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocols {
    /// TLS 1.2.
    pub tls12: bool,
    /// TLS 1.3.
    pub tls13: bool,
}

impl Default for Protocols {
    fn default() -> Self {
        Self { tls12: true, tls13: true }
    }
}

impl Protocols {
    /// Reads the value of `tls-protocols`: names between spaces; empty means the default.
    pub fn parse(text: &str) -> Result<Self, TlsError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let mut protocols = Self { tls12: false, tls13: false };
        for name in text.split_whitespace() {
            match name.to_ascii_lowercase().as_str() {
                "tlsv1.2" => protocols.tls12 = true,
                "tlsv1.3" => protocols.tls13 = true,
                _ => return Err(TlsError::Protocol(name.into())),
            }
        }
        Ok(protocols)
    }
}

/// A passphrase: readable where it is used, absent from every print.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(String);

impl Passphrase {
    /// Wraps a passphrase.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_read_as_redis_reads_them() {
        let both = Protocols { tls12: true, tls13: true };
        let cases = [
            ("", both),
            ("  ", both),
            ("TLSv1.2", Protocols { tls12: true, tls13: false }),
            ("tlsv1.3", Protocols { tls12: false, tls13: true }),
            ("TLSv1.3 TLSv1.2", both),
        ];
        for (text, expected) in cases {
            assert_eq!(Protocols::parse(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn old_and_unknown_protocols_are_refused() {
        for text in ["TLSv1", "TLSv1.1 TLSv1.2", "SSLv3", "TLSv1.4"] {
            assert!(Protocols::parse(text).unwrap_err().to_string().contains("TLSv1.2"), "{text:?}");
        }
    }

    #[test]
    fn passphrases_do_not_print() {
        let options = TlsOptions { key_file_pass: Some(Passphrase::new("s3cret")), ..TlsOptions::default() };
        assert!(!format!("{options:?}").contains("s3cret"));
    }
}
