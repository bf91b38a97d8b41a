//! What a peer's certificate and session say about it: the ACL user it stands for, protocol and cipher.
//!
//! It stands alone as the bridge from certificates to names. The certificate has been verified by then;
//! still, a name that an ACL could not hold maps to nobody rather than to something like it.

use rustls::CommonState;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::ciphers;
use super::options::AuthClientsUser;

/// More than any sensible user name, less than a nuisance.
const MAX_USER_NAME_BYTES: usize = 1024;

/// The user that a verified client certificate stands for; none if it names none.
pub fn user_of(certificate_der: &[u8], field: AuthClientsUser) -> Option<String> {
    if field == AuthClientsUser::Off {
        return None;
    }
    let (_, certificate) = X509Certificate::from_der(certificate_der).ok()?;
    let name = match field {
        AuthClientsUser::Off => return None,
        AuthClientsUser::Cn => certificate.subject().iter_common_name().next()?.as_str().ok()?,
        AuthClientsUser::Uri => {
            let names = &certificate.subject_alternative_name().ok()??.value.general_names;
            names.iter().find_map(|name| match name {
                GeneralName::URI(uri) => Some(*uri),
                _ => None,
            })?
        }
    };
    is_user_name(name).then(|| name.to_owned())
}

/// ACL user names hold neither spaces nor NUL.
fn is_user_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_USER_NAME_BYTES
        && !name.chars().any(|character| character.is_whitespace() || character.is_control())
}

/// Protocol and cipher of an established session, as CLIENT LIST shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionFacts {
    /// E.g. `TLSv1.3`.
    pub protocol: &'static str,
    /// E.g. `TLS_AES_256_GCM_SHA384`.
    pub cipher: &'static str,
}

impl SessionFacts {
    /// Asks a connection; none before its handshake is done.
    pub fn of(connection: &CommonState) -> Option<Self> {
        Some(Self {
            protocol: ciphers::protocol_name(connection.protocol_version()?),
            cipher: ciphers::openssl_name(connection.negotiated_cipher_suite()?.suite()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::testing::{Authority, Leaf, Site, handshake};

    #[test]
    fn a_certificate_names_its_user() {
        let authority = Authority::new("CA");
        let der = authority.issue(Leaf { uri: Some("spiffe://prod/alice"), ..Leaf::client("alice") }).der;
        let cases = [
            (AuthClientsUser::Off, None),
            (AuthClientsUser::Cn, Some("alice")),
            (AuthClientsUser::Uri, Some("spiffe://prod/alice")),
        ];
        for (field, expected) in cases {
            assert_eq!(user_of(&der, field).as_deref(), expected);
        }
    }

    #[test]
    fn unusable_names_are_nobody() {
        let authority = Authority::new("CA");
        for name in ["", "two words", "nul\0byte", "line\nbreak"] {
            assert_eq!(user_of(&authority.issue(Leaf::client(name)).der, AuthClientsUser::Cn), None, "{name:?}");
        }
        assert_eq!(user_of(&authority.issue(Leaf::client("alice")).der, AuthClientsUser::Uri), None);
        assert_eq!(user_of(b"garbage", AuthClientsUser::Cn), None);
    }

    #[test]
    fn a_session_tells_protocol_and_cipher_once_it_stands() {
        let mut site = Site::new();
        site.options.ciphersuites = "TLS_AES_256_GCM_SHA384".into();
        let outcome = handshake(&site.server(), &site.client()).unwrap();
        let facts = SessionFacts { protocol: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384" };
        assert_eq!(SessionFacts::of(&outcome.server), Some(facts));
        let (fresh, _) = crate::tls::testing::anonymous_pair();
        assert_eq!(SessionFacts::of(&fresh), None);
    }
}
