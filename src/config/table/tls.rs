//! Certificates, trust, handshakes.

use crate::config::kind::{BOOL, INT_MAX, Kind, TEXT, int, one_of, text};
use crate::config::parameter::{Effect, parameters};
use crate::config::text_checks;
use crate::config::values::{Secret, TlsAuthClients, TlsAuthClientsUser};

parameters! {
    /// Certificates, trust, handshakes.
    pub struct Tls, tls;

    /// PEM file with this server's certificate and the chain behind it. Files are watched and read again when they change.
    "tls-cert-file" => tls_cert_file: String = "", TEXT, [volatile(), effect(Effect::Tls)];

    /// PEM file with the private key: RSA, ECDSA or Ed25519, in PKCS#1, SEC1 or PKCS#8 form, encrypted or not.
    "tls-key-file" => tls_key_file: String = "", TEXT, [volatile(), effect(Effect::Tls)];

    /// Password of an encrypted private key.
    "tls-key-file-pass" => tls_key_file_pass: Secret = "", Kind::Secret, [sensitive(), effect(Effect::Tls)];

    /// Certificate for outgoing connections, if another than tls-cert-file.
    "tls-client-cert-file" => tls_client_cert_file: String = "", TEXT, [volatile(), effect(Effect::Tls)];

    /// Private key of tls-client-cert-file.
    "tls-client-key-file" => tls_client_key_file: String = "", TEXT, [volatile(), effect(Effect::Tls)];

    /// Password of tls-client-key-file.
    "tls-client-key-file-pass" => tls_client_key_file_pass: Secret = "", Kind::Secret,
        [sensitive(), effect(Effect::Tls)];

    /// PEM file with the certificate authorities that clients, replicas and primaries are checked against.
    "tls-ca-cert-file" => tls_ca_cert_file: String = "", TEXT, [volatile(), effect(Effect::Tls)];

    /// Directory of PEM files with certificate authorities, beside or instead of tls-ca-cert-file.
    "tls-ca-cert-dir" => tls_ca_cert_dir: String = "", TEXT, [volatile(), effect(Effect::Tls)];

    /// PEM file with revocation lists for client certificates.
    "tls-crl-file" => tls_crl_file: String = "", TEXT, [volatile(), effect(Effect::Tls)];

    /// The name that a primary's certificate must carry, if another than the one it is dialled by.
    "tls-expected-peer-name" => tls_expected_peer_name: String = "", TEXT, [effect(Effect::Tls)];

    /// Must clients show a certificate? With optional, one that is shown must be valid.
    "tls-auth-clients" => tls_auth_clients: TlsAuthClients = "yes", one_of::<TlsAuthClients>(), [effect(Effect::Tls)];

    /// Which part of a client certificate names the ACL user that the client becomes: the common name, a URI, or none.
    "tls-auth-clients-user" => tls_auth_clients_user: TlsAuthClientsUser = "off", one_of::<TlsAuthClientsUser>(),
        [effect(Effect::Tls)];

    /// TLS versions, TLSv1.2 and TLSv1.3; both if empty.
    "tls-protocols" => tls_protocols: String = "", text(text_checks::tls_protocols), [effect(Effect::Tls)];

    /// Cipher suites of TLS 1.2 in OpenSSL's names, parted by colons; a sound choice if empty.
    "tls-ciphers" => tls_ciphers: String = "", TEXT, [effect(Effect::Tls)];

    /// Cipher suites of TLS 1.3, parted by colons; all if empty, AES-128 first.
    "tls-ciphersuites" => tls_ciphersuites: String = "", TEXT, [effect(Effect::Tls)];

    /// Choose cipher suites by the server's order and not the client's (in Redis: no).
    "tls-prefer-server-ciphers" => tls_prefer_server_ciphers: bool = "yes", BOOL, [effect(Effect::Tls)];

    /// Let clients resume sessions, which makes reconnecting cheap.
    "tls-session-caching" => tls_session_caching: bool = "yes", BOOL, [effect(Effect::Tls)];

    /// TLS 1.2 sessions remembered for resumption.
    "tls-session-cache-size" => tls_session_cache_size: u32 = "20480", int(0, INT_MAX), [effect(Effect::Tls)];

    /// Seconds for which a session can be resumed.
    "tls-session-cache-timeout" => tls_session_cache_timeout: u32 = "300", int(0, INT_MAX), [effect(Effect::Tls)];

    /// Milliseconds a client has to complete its handshake.
    "tls-handshake-timeout" => tls_handshake_timeout: u32 = "10000", int(1, INT_MAX);

    /// Handshakes in flight at once; further connections wait their turn, or for the oldest of these to have had a second.
    "tls-max-handshakes" => tls_max_handshakes: u32 = "256", int(1, 65535), [effect(Effect::Bind)];

    /// Encrypt the link to the primary. An encrypted group always does; yes in a plaintext group is refused.
    "tls-replication" => tls_replication: bool = "no", BOOL, [effect(Effect::Tls)];

    /// Encrypt the cluster bus. An encrypted group always does; yes in a plaintext group is refused.
    "tls-cluster" => tls_cluster: bool = "no", BOOL, [effect(Effect::Tls)];

    /// Diffie-Hellman parameters; key exchange here uses elliptic curves and X25519MLKEM768 only.
    "tls-dh-params-file" => tls_dh_params_file: String = "", TEXT, [volatile(), inert()];
}
