//! From the parameters that begin with `tls-` to what the TLS module is built from.
//!
//! It stands alone because the start and CONFIG SET must read them in exactly the same way.

use std::path::Path;

use crate::config::Settings;
use crate::config::values;
use crate::tls::TlsError;
use crate::tls::options::{AuthClients, AuthClientsUser, Passphrase, Protocols, TlsOptions};

/// The options that the settings ask for; relative paths begin at `start_dir`.
pub fn tls_options(settings: &Settings, start_dir: &Path) -> Result<TlsOptions, TlsError> {
    let tls = &settings.tls;
    let path = |name: &str| (!name.is_empty()).then(|| start_dir.join(name));
    let passphrase = |secret: &values::Secret| {
        let text = String::from_utf8_lossy(&secret.0);
        (!text.is_empty()).then(|| Passphrase::new(text))
    };
    Ok(TlsOptions {
        cert_file: path(&tls.tls_cert_file),
        key_file: path(&tls.tls_key_file),
        key_file_pass: passphrase(&tls.tls_key_file_pass),
        client_cert_file: path(&tls.tls_client_cert_file),
        client_key_file: path(&tls.tls_client_key_file),
        client_key_file_pass: passphrase(&tls.tls_client_key_file_pass),
        ca_cert_file: path(&tls.tls_ca_cert_file),
        ca_cert_dir: path(&tls.tls_ca_cert_dir),
        crl_file: path(&tls.tls_crl_file),
        auth_clients: match tls.tls_auth_clients {
            values::TlsAuthClients::No => AuthClients::No,
            values::TlsAuthClients::Yes => AuthClients::Yes,
            values::TlsAuthClients::Optional => AuthClients::Optional,
        },
        auth_clients_user: match tls.tls_auth_clients_user {
            values::TlsAuthClientsUser::Off => AuthClientsUser::Off,
            values::TlsAuthClientsUser::CommonName => AuthClientsUser::Cn,
            values::TlsAuthClientsUser::Uri => AuthClientsUser::Uri,
        },
        protocols: Protocols::parse(&tls.tls_protocols)?,
        ciphers: tls.tls_ciphers.clone(),
        ciphersuites: tls.tls_ciphersuites.clone(),
        prefer_server_ciphers: tls.tls_prefer_server_ciphers,
        session_caching: tls.tls_session_caching,
        session_cache_size: tls.tls_session_cache_size as usize,
        session_cache_timeout_s: u64::from(tls.tls_session_cache_timeout),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_agree_and_paths_begin_at_the_start_directory() {
        let mut settings = Settings::default();
        let start_dir = Path::new("/srv");
        assert_eq!(tls_options(&settings, start_dir).unwrap(), TlsOptions::default());
        settings.tls.tls_cert_file = "certs/server.crt".into();
        settings.tls.tls_key_file = "/etc/server.key".into();
        let options = tls_options(&settings, start_dir).unwrap();
        assert_eq!(options.cert_file, Some(std::path::PathBuf::from("/srv/certs/server.crt")));
        assert_eq!(options.key_file, Some(std::path::PathBuf::from("/etc/server.key")));
    }
}
