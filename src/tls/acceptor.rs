//! The server's end: from the parameters to a configuration that accepts connections.
//!
//! It stands alone as the one place that decides how handshakes are answered. What always holds: a
//! `ServerTls` exists only whole and checked; 0-RTT is off, because a replayed INCR would count twice; and
//! sessions of clients that are no longer trusted cannot be resumed, because a resumption skips the
//! certificate check.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::sign::SingleCertAndKey;
use rustls::time_provider::TimeProvider;
use sha2::{Digest, Sha256};

use super::TlsError;
use super::ciphers;
use super::identity::{CertificateFacts, Identity, IdentityFiles};
use super::options::TlsOptions;
use super::sessions::Sessions;
use super::trust::Trust;

/// One ticket suffices: a client resumes with it and gets the next, and each costs bytes and encryption.
const TICKETS_PER_HANDSHAKE: usize = 1;

/// A checked server configuration.
#[derive(Clone, Debug)]
pub struct ServerTls {
    /// What accepts connections.
    pub config: Arc<ServerConfig>,
    /// What the certificate says.
    pub facts: CertificateFacts,
    sessions: Sessions,
    /// Identifies everything that a session's validity hangs on.
    sessions_belong_to: [u8; 32],
}

impl ServerTls {
    /// Builds a configuration from parameters and trust. Sessions of the previous one stay valid if the
    /// same clients are trusted under the same terms; a renewed certificate alone does not end them.
    pub fn build(
        options: &TlsOptions,
        trust: &Trust,
        previous: Option<&Self>,
        clock: Arc<dyn TimeProvider>,
    ) -> Result<Self, TlsError> {
        let now = unix_seconds(clock.as_ref())?;
        let identity = Identity::read(identity_files(options)?, now)?;
        let provider = ciphers::provider(options.protocols, &options.ciphers, &options.ciphersuites)?;
        let verifier = trust.client_verifier(options.auth_clients, provider.clone())?;
        let sessions_belong_to = session_terms(options, trust);
        let sessions = match previous.filter(|previous| previous.sessions_belong_to == sessions_belong_to) {
            Some(previous) => previous.sessions.clone(),
            None => Sessions::new(options, clock.clone())?,
        };

        let mut config = ServerConfig::builder_with_details(provider, clock)
            .with_protocol_versions(&ciphers::versions(options.protocols)?)?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified)));
        config.ignore_client_order = options.prefer_server_ciphers;
        config.max_early_data_size = 0;
        config.session_storage = sessions.storage.clone();
        config.send_tls13_tickets = 0;
        if let Some(ticketer) = &sessions.ticketer {
            config.ticketer = ticketer.clone();
            config.send_tls13_tickets = TICKETS_PER_HANDSHAKE;
        }
        Ok(Self { config: Arc::new(config), facts: identity.facts, sessions, sessions_belong_to })
    }
}

/// The server's own certificate and key.
pub fn identity_files(options: &TlsOptions) -> Result<IdentityFiles<'_>, TlsError> {
    let missing = |parameter| TlsError::NotConfigured { parameter, reason: "a TLS listener shows a certificate" };
    Ok(IdentityFiles {
        certificate: options.cert_file.as_deref().ok_or_else(|| missing("tls-cert-file"))?,
        key: options.key_file.as_deref().ok_or_else(|| missing("tls-key-file"))?,
        passphrase: options.key_file_pass.as_ref(),
        passphrase_parameter: "tls-key-file-pass",
    })
}

/// The time of a clock in Unix seconds.
pub(super) fn unix_seconds(clock: &dyn TimeProvider) -> Result<i64, TlsError> {
    let time = clock.current_time().ok_or(rustls::Error::FailedToGetCurrentTime)?;
    Ok(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
}

/// A digest of what a session was granted under: CAs, lists, the duty to authenticate, and its lifetime.
fn session_terms(options: &TlsOptions, trust: &Trust) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(trust.digest());
    digest.update([options.auth_clients as u8, options.session_caching.into()]);
    digest.update([options.protocols.tls12.into(), options.protocols.tls13.into()]);
    digest.update((options.session_cache_size as u64).to_be_bytes());
    digest.update(options.session_cache_timeout_s.to_be_bytes());
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use rustls::HandshakeKind;
    use rustls::NamedGroup;

    use super::super::ciphers::{openssl_name, protocol_name};
    use super::super::options::{AuthClients, Protocols};
    use super::super::testing::{Authority, Leaf, Site, handshake, handshake_with, resume};

    #[test]
    fn the_default_handshake_is_post_quantum_tls13_with_client_authentication() {
        let site = Site::new();
        let outcome = handshake(&site.server(), &site.client()).unwrap();
        assert_eq!(outcome.server.handshake_kind(), Some(HandshakeKind::Full));
        assert_eq!(outcome.server.negotiated_key_exchange_group().unwrap().name(), NamedGroup::X25519MLKEM768);
        assert_eq!(protocol_name(outcome.server.protocol_version().unwrap()), "TLSv1.3");
        assert_eq!(outcome.server.peer_certificates().unwrap().len(), 1);
    }

    #[test]
    fn the_full_chain_is_sent() {
        let mut site = Site::new();
        let intermediate = site.authority.subordinate("intermediate");
        let leaf = intermediate.issue(Leaf::server());
        site.options.cert_file = Some(site.folder.write("chain.crt", leaf.pem + &intermediate.pem()));
        site.options.key_file = Some(site.folder.write("chain.key", leaf.key.serialize_pem()));
        let outcome = handshake(&site.server(), &site.client()).unwrap();
        assert_eq!(outcome.client.peer_certificates().unwrap().len(), 2);
    }

    #[test]
    fn client_certificates_are_demanded_as_configured() {
        let mut site = Site::new();
        let stranger = Authority::new("stranger").issue(Leaf::client("mallory"));
        let cases = [
            (AuthClients::Yes, [true, false, false]),
            (AuthClients::Optional, [true, true, false]),
            (AuthClients::No, [true, true, true]),
        ];
        for (auth, expected) in cases {
            site.options.auth_clients = auth;
            let server = site.server();
            let clients = [site.client(), site.anonymous_client(), site.client_with(&stranger)];
            let accepted = clients.map(|client| handshake(&server, &client).is_ok());
            assert_eq!(accepted, expected, "{auth:?}");
        }
    }

    #[test]
    fn revoked_clients_are_refused_and_others_are_not() {
        let mut site = Site::new();
        let revoked = site.authority.issue(Leaf { serial: Some(4711), ..Leaf::client("revoked") });
        site.options.crl_file = Some(site.folder.write("ca.crl", site.authority.revoke(&[4711])));
        let server = site.server();
        handshake(&server, &site.client()).unwrap();
        let error = handshake(&server, &site.client_with(&revoked)).unwrap_err();
        assert_eq!(error.server, Some(rustls::CertificateError::Revoked.into()));
    }

    #[test]
    fn clients_of_a_ca_without_a_list_are_refused_when_lists_are_configured() {
        let mut site = Site::new();
        let second = Authority::new("second");
        site.options.ca_cert_file = Some(site.folder.write("cas.crt", site.authority.pem() + &second.pem()));
        site.options.crl_file = Some(site.folder.write("ca.crl", site.authority.revoke(&[])));
        let client = site.client_with(&second.issue(Leaf::client("eve")));
        let error = handshake(&site.server(), &client).unwrap_err();
        assert_eq!(error.server, Some(rustls::CertificateError::UnknownRevocationStatus.into()));
    }

    #[test]
    fn both_protocols_resume() {
        let mut site = Site::new();
        for protocols in [Protocols { tls12: false, tls13: true }, Protocols { tls12: true, tls13: false }] {
            site.options.protocols = protocols;
            let kinds = resume(&site.server(), &site.server(), &site.client());
            assert_eq!(kinds, [HandshakeKind::Full, HandshakeKind::Full], "other keys, {protocols:?}");
            let server = site.server();
            assert_eq!(resume(&server, &server, &site.client()), [HandshakeKind::Full, HandshakeKind::Resumed]);
        }
    }

    #[test]
    fn nothing_resumes_without_session_caching() {
        let mut site = Site::new();
        site.options.session_caching = false;
        for protocols in [Protocols { tls12: false, tls13: true }, Protocols { tls12: true, tls13: false }] {
            site.options.protocols = protocols;
            let server = site.server();
            assert_eq!(resume(&server, &server, &site.client()), [HandshakeKind::Full; 2], "{protocols:?}");
        }
    }

    #[test]
    fn a_resumed_session_still_has_its_clients_certificate() {
        let site = Site::new();
        let (server, client) = (site.server(), site.client());
        handshake(&server, &client).unwrap();
        let outcome = handshake(&server, &client).unwrap();
        assert_eq!(outcome.server.handshake_kind(), Some(HandshakeKind::Resumed));
        assert!(outcome.server.peer_certificates().is_some());
    }

    #[test]
    fn sessions_outlive_a_renewed_certificate_but_no_change_of_trust() {
        let mut site = Site::new();
        let first = site.server();
        site.renew_server_certificate();
        let renewed = site.server_after(&first);
        assert_ne!(renewed.facts, first.facts);
        assert_eq!(resume(&first, &renewed, &site.client()), [HandshakeKind::Full, HandshakeKind::Resumed]);

        site.options.crl_file = Some(site.folder.write("ca.crl", site.authority.revoke(&[1])));
        let listed = site.server_after(&renewed);
        assert_eq!(resume(&renewed, &listed, &site.client()), [HandshakeKind::Full; 2]);

        site.options.auth_clients = AuthClients::Optional;
        let optional = site.server_after(&listed);
        assert_eq!(resume(&listed, &optional, &site.client()), [HandshakeKind::Full; 2]);

        site.options.ca_cert_file =
            Some(site.folder.write("cas.crt", site.authority.pem() + &Authority::new("second").pem()));
        let more = site.server_after(&optional);
        assert_eq!(resume(&optional, &more, &site.client()), [HandshakeKind::Full; 2]);
    }

    #[test]
    fn protocols_and_ciphers_are_the_configured_ones() {
        let mut site = Site::new();
        site.options.protocols = Protocols { tls12: true, tls13: false };
        site.options.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305".into();
        let outcome = handshake(&site.server(), &site.client()).unwrap();
        assert_eq!(protocol_name(outcome.server.protocol_version().unwrap()), "TLSv1.2");
        let suite = outcome.server.negotiated_cipher_suite().unwrap();
        assert_eq!(openssl_name(suite.suite()), "ECDHE-ECDSA-CHACHA20-POLY1305");

        let server = site.server();
        site.options.protocols = Protocols { tls12: false, tls13: true };
        assert!(handshake(&server, &site.client()).is_err(), "no protocol in common");
    }

    #[test]
    fn the_servers_order_of_ciphers_counts_unless_the_client_is_to_choose() {
        let mut site = Site::new();
        let client = {
            let mut other = site.options.clone();
            other.ciphersuites = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256".into();
            site.client_of(&other)
        };
        let chosen = |site: &Site| {
            let outcome = handshake(&site.server(), &client).unwrap();
            openssl_name(outcome.server.negotiated_cipher_suite().unwrap().suite())
        };
        assert_eq!(chosen(&site), "TLS_AES_128_GCM_SHA256", "by default");
        site.options.prefer_server_ciphers = false;
        assert_eq!(chosen(&site), "TLS_AES_256_GCM_SHA384");
        site.options.prefer_server_ciphers = true;
        site.options.ciphersuites = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256".into();
        assert_eq!(chosen(&site), "TLS_AES_256_GCM_SHA384", "the first that the client has too");
    }

    #[test]
    fn a_server_is_verified_by_the_name_that_was_dialled() {
        let site = Site::new();
        let (server, client) = (site.server(), site.client());
        for host in ["localhost", "127.0.0.1", "::1"] {
            handshake_with(&server, &client, host).unwrap();
        }
        for host in ["elsewhere.example", "10.1.2.3"] {
            assert!(handshake_with(&server, &client, host).is_err(), "{host}");
        }
    }

    #[test]
    fn a_listener_needs_certificate_and_key() {
        let mut site = Site::new();
        site.options.key_file = None;
        assert!(site.try_server().unwrap_err().to_string().contains("tls-key-file"));
        site.options.cert_file = None;
        assert!(site.try_server().unwrap_err().to_string().contains("tls-cert-file"));
    }
}
