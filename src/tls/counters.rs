//! Handshakes by outcome, and why they fail, in a word for INFO and in a sentence for the log.
//!
//! It stands alone so that the one who drives handshakes needs to know nothing of rustls's errors. Counting
//! is a relaxed atomic addition: many workers count, INFO reads, nobody waits.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rustls::{AlertDescription, CertificateError, Error, HandshakeKind, InvalidMessage, PeerIncompatible};

macro_rules! failure_reasons {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)*) => {
        /// Why a handshake failed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum FailureReason { $($(#[$doc])* $variant,)* }

        impl FailureReason {
            /// Every reason, in INFO's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in INFO.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

failure_reasons! {
    /// The client showed no certificate and must.
    NoCertificate => "no_certificate",
    /// A certificate that is not trusted: unknown CA, bad signature, wrong purpose or name.
    BadCertificate => "bad_certificate",
    /// A certificate outside its validity.
    Expired => "expired",
    /// A certificate on a revocation list.
    Revoked => "revoked",
    /// No protocol version in common.
    ProtocolVersion => "protocol_version",
    /// No cipher suite, key exchange or signature scheme in common.
    NoCipher => "no_cipher",
    /// The handshake took too long.
    Timeout => "timeout",
    /// The peer went away.
    Closed => "closed",
    /// Plaintext on a TLS listener, or TLS on a plaintext one.
    WrongMode => "wrong_mode",
    /// Too many handshakes at once.
    Limit => "limit",
    /// Anything else.
    Other => "other",
}

/// Handshakes since the start, or since they were last reset.
#[derive(Debug, Default)]
pub struct HandshakeCounters {
    started: AtomicU64,
    completed: AtomicU64,
    resumed: AtomicU64,
    failed: [AtomicU64; FailureReason::ALL.len()],
}

impl HandshakeCounters {
    /// One begins.
    pub fn start(&self) {
        self.started.fetch_add(1, Relaxed);
    }

    /// One has ended well; `kind` is what the connection says of itself.
    pub fn complete(&self, kind: Option<HandshakeKind>) {
        self.completed.fetch_add(1, Relaxed);
        if kind == Some(HandshakeKind::Resumed) {
            self.resumed.fetch_add(1, Relaxed);
        }
    }

    /// One has ended badly, or a connection was refused before one began.
    pub fn fail(&self, reason: FailureReason) {
        self.failed[reason as usize].fetch_add(1, Relaxed);
    }

    /// Handshakes begun.
    pub fn started(&self) -> u64 {
        self.started.load(Relaxed)
    }

    /// Handshakes that ended well, resumptions included.
    pub fn completed(&self) -> u64 {
        self.completed.load(Relaxed)
    }

    /// Resumptions.
    pub fn resumed(&self) -> u64 {
        self.resumed.load(Relaxed)
    }

    /// Failures for one reason.
    pub fn failed(&self, reason: FailureReason) -> u64 {
        self.failed[reason as usize].load(Relaxed)
    }

    /// Failures of handshakes: all reasons but the wrong mode, where no handshake began.
    pub fn failed_total(&self) -> u64 {
        let handshakes = FailureReason::ALL.iter().filter(|reason| **reason != FailureReason::WrongMode);
        handshakes.map(|reason| self.failed(*reason)).sum()
    }

    /// Connections in the wrong mode, on either kind of listener.
    pub fn wrong_mode_refusals(&self) -> u64 {
        self.failed(FailureReason::WrongMode)
    }

    /// Sets everything to zero, for CONFIG RESETSTAT.
    pub fn reset(&self) {
        for counter in [&self.started, &self.completed, &self.resumed].into_iter().chain(&self.failed) {
            counter.store(0, Relaxed);
        }
    }
}

/// A failure, classified and put into words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What to count.
    pub reason: FailureReason,
    /// What to log.
    pub sentence: String,
}

/// Classifies what a handshake's driver returned, from the server's point of view.
pub fn classify_io(error: &io::Error) -> Failure {
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        return classify(error);
    }
    let (reason, sentence) = match error.kind() {
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotConnected => {
            (FailureReason::Closed, "the client closed the connection during the handshake".into())
        }
        io::ErrorKind::TimedOut => (FailureReason::Timeout, "the handshake took too long".into()),
        _ => (FailureReason::Other, format!("the connection failed during the handshake: {error}")),
    };
    Failure { reason, sentence }
}

/// Classifies an error of the TLS library, from the server's point of view.
pub fn classify(error: &Error) -> Failure {
    let (reason, sentence) = match error {
        Error::NoCertificatesPresented => {
            (FailureReason::NoCertificate, "the client showed no certificate, and tls-auth-clients demands one".into())
        }
        Error::InvalidCertificate(error) => certificate(error),
        Error::InvalidCertRevocationList(error) => {
            (FailureReason::BadCertificate, format!("the client's certificate could not be checked: {error:?}"))
        }
        Error::PeerIncompatible(error) => incompatible(error),
        Error::InvalidMessage(InvalidMessage::UnknownProtocolVersion) => {
            (FailureReason::ProtocolVersion, "the client speaks an unknown protocol version".into())
        }
        Error::AlertReceived(alert) => refused_by_client(*alert),
        other => (FailureReason::Other, format!("the handshake failed: {other}")),
    };
    Failure { reason, sentence }
}

fn certificate(error: &CertificateError) -> (FailureReason, String) {
    use CertificateError as E;
    match error {
        E::Expired | E::ExpiredContext { .. } => {
            (FailureReason::Expired, format!("the client's certificate has expired ({error})"))
        }
        E::NotValidYet | E::NotValidYetContext { .. } => {
            (FailureReason::Expired, format!("the client's certificate is not valid yet ({error})"))
        }
        E::Revoked => (FailureReason::Revoked, "the client's certificate is revoked".into()),
        E::UnknownIssuer => {
            (FailureReason::BadCertificate, "the client's certificate comes from no CA that is trusted here".into())
        }
        E::UnknownRevocationStatus => (
            FailureReason::BadCertificate,
            "tls-crl-file holds no revocation list of the CA that issued the client's certificate".into(),
        ),
        E::ExpiredRevocationList | E::ExpiredRevocationListContext { .. } => {
            (FailureReason::BadCertificate, format!("the revocation list in tls-crl-file has expired ({error})"))
        }
        _ => (FailureReason::BadCertificate, format!("the client's certificate is not acceptable: {error}")),
    }
}

fn incompatible(error: &PeerIncompatible) -> (FailureReason, String) {
    use PeerIncompatible as P;
    match error {
        P::Tls12NotOffered
        | P::Tls12NotOfferedOrEnabled
        | P::ServerDoesNotSupportTls12Or13
        | P::ServerTlsVersionIsDisabledByOurConfig
        | P::SupportedVersionsExtensionRequired
        // Mandatory since TLS 1.2: whoever lacks it is older.
        | P::SignatureAlgorithmsExtensionRequired => (
            FailureReason::ProtocolVersion,
            "the client supports no protocol version that tls-protocols enables".into(),
        ),
        P::NoCipherSuitesInCommon
        | P::NoKxGroupsInCommon
        | P::NoSignatureSchemesInCommon
        | P::NoCertificateRequestSignatureSchemesInCommon
        | P::NoEcPointFormatsInCommon => {
            (FailureReason::NoCipher, format!("the client and this server have no cipher in common ({error:?})"))
        }
        _ => (FailureReason::Other, format!("the client is incompatible ({error:?})")),
    }
}

/// An alert is the client's word: it is the one who refuses.
fn refused_by_client(alert: AlertDescription) -> (FailureReason, String) {
    use AlertDescription as A;
    let reason = match alert {
        A::UnknownCA
        | A::BadCertificate
        | A::UnsupportedCertificate
        | A::CertificateUnknown
        | A::DecryptError
        | A::BadCertificateStatusResponse => FailureReason::BadCertificate,
        A::CertificateExpired => FailureReason::Expired,
        A::CertificateRevoked => FailureReason::Revoked,
        A::CertificateRequired | A::NoCertificate => FailureReason::NoCertificate,
        A::ProtocolVersion => FailureReason::ProtocolVersion,
        A::HandshakeFailure | A::InsufficientSecurity => FailureReason::NoCipher,
        A::CloseNotify | A::UserCanceled => FailureReason::Closed,
        _ => FailureReason::Other,
    };
    let sentence = match reason {
        FailureReason::BadCertificate => {
            format!("the client does not accept this server's certificate ({alert:?}); it may lack the CA")
        }
        FailureReason::Closed => "the client gave the handshake up".into(),
        _ => format!("the client refused the handshake ({alert:?})"),
    };
    (reason, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::options::Protocols;
    use crate::tls::testing::{Authority, Leaf, Site, handshake};

    #[test]
    fn real_failures_are_told_apart() {
        let mut site = Site::new();
        let revoked = site.authority.issue(Leaf { serial: Some(7), ..Leaf::client("revoked") });
        let expired = site.authority.issue(Leaf { valid_days: (-9, -1), ..Leaf::client("late") });
        let stranger = Authority::new("stranger").issue(Leaf::client("stranger"));
        site.options.crl_file = Some(site.folder.write("ca.crl", site.authority.revoke(&[7])));
        site.options.ciphersuites = "TLS_AES_128_GCM_SHA256".into();
        site.options.protocols = Protocols { tls12: false, tls13: true };
        let server = site.server();
        let mut other = site.options.clone();
        other.ciphersuites = "TLS_AES_256_GCM_SHA384".into();
        let no_cipher = site.client_of(&other);
        other.protocols = Protocols { tls12: true, tls13: false };
        let old = site.client_of(&other);
        let distrustful = {
            let mut other = site.options.clone();
            other.crl_file = None;
            other.ca_cert_file = Some(site.folder.write("other.crt", Authority::new("other").pem()));
            site.client_of(&other)
        };
        let cases = [
            (site.anonymous_client(), FailureReason::NoCertificate),
            (site.client_with(&stranger), FailureReason::BadCertificate),
            (site.client_with(&expired), FailureReason::Expired),
            (site.client_with(&revoked), FailureReason::Revoked),
            (old, FailureReason::ProtocolVersion),
            (no_cipher, FailureReason::NoCipher),
            (distrustful, FailureReason::BadCertificate),
        ];
        for (client, expected) in cases {
            let error = handshake(&server, &client).unwrap_err().server.unwrap();
            let failure = classify_io(&io::Error::new(io::ErrorKind::InvalidData, error));
            assert_eq!(failure.reason, expected, "{}", failure.sentence);
            assert!(failure.sentence.contains("client"), "{}", failure.sentence);
        }
    }

    #[test]
    fn broken_connections_are_told_apart() {
        for (kind, expected) in [
            (io::ErrorKind::UnexpectedEof, FailureReason::Closed),
            (io::ErrorKind::ConnectionReset, FailureReason::Closed),
            (io::ErrorKind::TimedOut, FailureReason::Timeout),
            (io::ErrorKind::OutOfMemory, FailureReason::Other),
        ] {
            assert_eq!(classify_io(&kind.into()).reason, expected);
        }
    }

    #[test]
    fn counters_add_up() {
        let counters = HandshakeCounters::default();
        let site = Site::new();
        let (server, client) = (site.server(), site.client());
        for _ in 0..3 {
            counters.start();
            counters.complete(handshake(&server, &client).unwrap().server.handshake_kind());
        }
        counters.start();
        counters.fail(FailureReason::Timeout);
        counters.fail(FailureReason::WrongMode);
        assert_eq!((counters.started(), counters.completed(), counters.resumed()), (4, 3, 2));
        assert_eq!((counters.failed_total(), counters.wrong_mode_refusals()), (1, 1));
        assert_eq!(counters.failed(FailureReason::Timeout), 1);
        counters.reset();
        assert_eq!((counters.started(), counters.failed_total(), counters.wrong_mode_refusals()), (0, 0, 0));
    }

    #[test]
    fn every_reason_has_a_name_of_its_own() {
        let names: std::collections::HashSet<_> = FailureReason::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(names.len(), FailureReason::ALL.len());
    }
}
