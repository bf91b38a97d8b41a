//! The TLS parameters of the configuration in the form the TLS module takes them.

use std::path::PathBuf;

use crate::config::Settings;
use crate::config::values::{Secret, TlsAuthClients, TlsAuthClientsUser};
use crate::tls::TlsError;
use crate::tls::options::{AuthClients, AuthClientsUser, Passphrase, Protocols, TlsOptions};

/// The options; an empty text is none.
pub fn tls_options(settings: &Settings) -> Result<TlsOptions, TlsError> {
    let tls = &settings.tls;
    let path = |text: &str| (!text.is_empty()).then(|| PathBuf::from(text));
    let secret = |secret: &Secret| (!secret.is_empty()).then(|| Passphrase::new(String::from_utf8_lossy(&secret.0)));
    Ok(TlsOptions {
        cert_file: path(&tls.tls_cert_file),
        key_file: path(&tls.tls_key_file),
        key_file_pass: secret(&tls.tls_key_file_pass),
        client_cert_file: path(&tls.tls_client_cert_file),
        client_key_file: path(&tls.tls_client_key_file),
        client_key_file_pass: secret(&tls.tls_client_key_file_pass),
        ca_cert_file: path(&tls.tls_ca_cert_file),
        ca_cert_dir: path(&tls.tls_ca_cert_dir),
        crl_file: path(&tls.tls_crl_file),
        expected_peer_name: (!tls.tls_expected_peer_name.is_empty()).then(|| tls.tls_expected_peer_name.clone()),
        auth_clients: match tls.tls_auth_clients {
            TlsAuthClients::No => AuthClients::No,
            TlsAuthClients::Yes => AuthClients::Yes,
            TlsAuthClients::Optional => AuthClients::Optional,
        },
        auth_clients_user: match tls.tls_auth_clients_user {
            TlsAuthClientsUser::Off => AuthClientsUser::Off,
            TlsAuthClientsUser::CommonName => AuthClientsUser::Cn,
            TlsAuthClientsUser::Uri => AuthClientsUser::Uri,
        },
        protocols: Protocols::parse(&tls.tls_protocols)?,
        ciphers: tls.tls_ciphers.clone(),
        ciphersuites: tls.tls_ciphersuites.clone(),
        prefer_server_ciphers: tls.tls_prefer_server_ciphers,
        session_caching: tls.tls_session_caching,
        session_cache_size: tls.tls_session_cache_size as usize,
        session_cache_timeout_s: tls.tls_session_cache_timeout.into(),
    })
}
