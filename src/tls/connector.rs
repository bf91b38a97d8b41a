//! The client's end: how this program dials other servers, as a replica or for a peer call.
//!
//! It stands alone because dialling is the acceptor's mirror, with its own identity and its own verifier.
//! What always holds: the other end is always verified, by chain and by name; there is no way to switch
//! that off.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::sign::SingleCertAndKey;
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};

use super::TlsError;
use super::acceptor::{identity_files, unix_seconds};
use super::ciphers;
use super::identity::{Identity, IdentityFiles};
use super::options::TlsOptions;
use super::peer_name::ExpectedPeerName;
use super::trust::Trust;

/// Sessions remembered for resumption: one for each server that one dials.
const REMEMBERED_SESSIONS: usize = 64;

/// Builds the configuration of a server's outgoing connections. Like Redis, it shows `tls-client-cert-file`, or in
/// its absence the server's own certificate.
pub fn client_config(
    options: &TlsOptions,
    trust: &Trust,
    clock: Arc<dyn TimeProvider>,
) -> Result<Arc<ClientConfig>, TlsError> {
    build(options, trust, clock, Some(client_identity_files(options)?))
}

/// Builds the configuration of a tool's connections, which shows a certificate only where the options name one.
pub fn tool_config(options: &TlsOptions) -> Result<Arc<ClientConfig>, TlsError> {
    let clock = Arc::new(DefaultTimeProvider);
    let trust = Trust::read(options, unix_seconds(clock.as_ref())?)?;
    let named = options.client_cert_file.is_some() || options.client_key_file.is_some();
    let identity = named.then(|| client_identity_files(options)).transpose()?;
    build(options, &trust, clock, identity)
}

fn build(
    options: &TlsOptions,
    trust: &Trust,
    clock: Arc<dyn TimeProvider>,
    identity: Option<IdentityFiles<'_>>,
) -> Result<Arc<ClientConfig>, TlsError> {
    let now = unix_seconds(clock.as_ref())?;
    let provider = ciphers::provider(options.protocols, &options.ciphers, &options.ciphersuites)?;
    let mut verifier = trust.server_verifier(provider.clone())?;
    if let Some(name) = &options.expected_peer_name {
        verifier = Arc::new(ExpectedPeerName::new(verifier, name.clone()));
    }
    let identity = identity.map(|files| Identity::read(files, now)).transpose()?;
    let builder = ClientConfig::builder_with_details(provider, clock)
        .with_protocol_versions(&ciphers::versions(options.protocols)?)?
        // The name is rustls's warning for verifiers that accept everything; this one is its own strict one.
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match identity {
        Some(identity) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified))),
        None => builder.with_no_client_auth(),
    };
    config.resumption = Resumption::in_memory_sessions(REMEMBERED_SESSIONS);
    config.enable_early_data = false;
    Ok(Arc::new(config))
}

/// The name or address that the certificate of a dialled server must carry.
pub fn expected_name(host: &str) -> Result<ServerName<'static>, TlsError> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    ServerName::try_from(bare.to_owned()).map_err(|_| TlsError::HostName(host.into()))
}

/// The certificate and key shown when dialling.
pub fn client_identity_files(options: &TlsOptions) -> Result<IdentityFiles<'_>, TlsError> {
    let (present, absent) = ("tls-client-cert-file", "tls-client-key-file");
    match (&options.client_cert_file, &options.client_key_file) {
        (Some(certificate), Some(key)) => Ok(IdentityFiles {
            certificate,
            key,
            passphrase: options.client_key_file_pass.as_ref(),
            passphrase_parameter: "tls-client-key-file-pass",
        }),
        (Some(_), None) => Err(TlsError::HalfConfigured { present, absent }),
        (None, Some(_)) => Err(TlsError::HalfConfigured { present: absent, absent: present }),
        (None, None) => identity_files(options),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::testing::{Authority, Leaf, Site, handshake};

    #[test]
    fn a_server_that_is_revoked_or_of_another_ca_is_refused() {
        let mut site = Site::new();
        let dial = |site: &Site| handshake(&site.server(), &site.client()).map(drop);
        let serve = |site: &Site, authority: &Authority| {
            let leaf = authority.issue(Leaf { serial: Some(99), ..Leaf::server() });
            site.folder.write("server.crt", leaf.pem);
            site.folder.write("server.key", leaf.key.serialize_pem());
        };
        serve(&site, &site.authority);
        dial(&site).unwrap();
        site.options.crl_file = Some(site.folder.write("ca.crl", site.authority.revoke(&[99])));
        assert_eq!(dial(&site).unwrap_err().client, Some(rustls::CertificateError::Revoked.into()));
        serve(&site, &Authority::new("stranger"));
        assert_eq!(dial(&site).unwrap_err().client, Some(rustls::CertificateError::UnknownIssuer.into()));
    }

    #[test]
    fn names_and_addresses_can_be_expected() {
        assert!(matches!(expected_name("primary.example"), Ok(ServerName::DnsName(_))));
        for address in ["10.0.0.1", "::1", "[::1]"] {
            assert!(matches!(expected_name(address), Ok(ServerName::IpAddress(_))), "{address}");
        }
        for bad in ["", "two words", "[x", "-"] {
            assert!(expected_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_tool_needs_a_ca_and_no_certificate() {
        let site = Site::new();
        let tool = TlsOptions { ca_cert_file: site.options.ca_cert_file.clone(), ..TlsOptions::default() };
        assert!(tool_config(&tool).is_ok());
        let sentence = tool_config(&TlsOptions::default()).unwrap_err().to_string();
        assert!(sentence.contains("needs a CA"), "{sentence}");
        let half = TlsOptions { client_key_file: Some("client.key".into()), ..tool };
        assert!(tool_config(&half).is_err());
    }

    #[test]
    fn half_a_client_identity_is_refused() {
        let half = TlsOptions { client_cert_file: Some("client.crt".into()), ..TlsOptions::default() };
        let sentence = client_identity_files(&half).unwrap_err().to_string();
        assert!(sentence.contains("tls-client-key-file is not"), "{sentence}");
    }
}
