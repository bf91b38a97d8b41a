//! The name that a dialled server's certificate must carry, where it is another than the one that was dialled
//! (`tls-expected-peer-name`).
//!
//! It stands alone because it is the one place that reads a common name: certificates without alternative names, which name their holder
//! there only, are accepted under a name that the configuration spells out, and under no other. Chain, validity and revocation are
//! judged as ever.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Judges servers by a name of the configuration instead of the one that was dialled.
#[derive(Debug)]
pub struct ExpectedPeerName {
    inner: Arc<dyn ServerCertVerifier>,
    name: String,
}

impl ExpectedPeerName {
    /// Judges by `name`, and otherwise as `inner` does.
    pub fn new(inner: Arc<dyn ServerCertVerifier>, name: String) -> Self {
        Self { inner, name }
    }

    /// Whether a certificate without alternative names has the expected common name.
    fn is_common_name(&self, certificate: &CertificateDer<'_>) -> bool {
        let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return false };
        let has_no_names = matches!(certificate.subject_alternative_name(), Ok(None));
        let mut names = certificate.subject().iter_common_name();
        has_no_names && names.any(|name| name.as_str().is_ok_and(|name| name == self.name))
    }
}

impl ServerCertVerifier for ExpectedPeerName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        dialled: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // A name that cannot stand in a certificate's list of names may still be a common name.
        let expected = ServerName::try_from(self.name.as_str()).unwrap_or_else(|_| dialled.clone());
        match self.inner.verify_server_cert(end_entity, intermediates, &expected, ocsp_response, now) {
            // The chain is judged before the name.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.is_common_name(end_entity) => Ok(ServerCertVerified::assertion()),
            judgement => judgement,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
