//! Cipher suites and protocol versions under OpenSSL's names, which is how Redis configures and shows them.
//!
//! One table holds every suite that rustls offers; configuration, `CLIENT LIST` and error texts all read
//! it. Cipher lists follow OpenSSL's grammar (ciphers(1)) as far as it means anything for nine suites. The
//! one difference is on purpose: a name that OpenSSL would skip in silence is an error here, unless the
//! list only excludes it.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider};
use rustls::{CipherSuite, ProtocolVersion, SupportedCipherSuite, SupportedProtocolVersion};

use super::TlsError;
use super::options::Protocols;

/// One suite.
struct Suite {
    /// OpenSSL's name.
    name: &'static str,
    suite: SupportedCipherSuite,
    /// Key length, for `@STRENGTH`.
    bits: u16,
    /// Words of the cipher list language that select it, beside those that select every suite.
    words: &'static [&'static str],
}

/// TLS 1.3 suites, best first: AES-128 costs least where the processor has AES, and breaking it is beyond
/// anyone; ChaCha20 is for processors that do not.
static TLS13: [Suite; 3] = [
    Suite { name: "TLS_AES_128_GCM_SHA256", suite: cipher_suite::TLS13_AES_128_GCM_SHA256, bits: 128, words: &[] },
    Suite { name: "TLS_AES_256_GCM_SHA384", suite: cipher_suite::TLS13_AES_256_GCM_SHA384, bits: 256, words: &[] },
    Suite {
        name: "TLS_CHACHA20_POLY1305_SHA256",
        suite: cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        bits: 256,
        words: &[],
    },
];

/// TLS 1.2 suites, best first, in the same order.
static TLS12: [Suite; 6] = [
    Suite {
        name: "ECDHE-ECDSA-AES128-GCM-SHA256",
        suite: cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        bits: 128,
        words: &["ECDSA", "aECDSA", "AES", "AESGCM", "AES128", "SHA256"],
    },
    Suite {
        name: "ECDHE-RSA-AES128-GCM-SHA256",
        suite: cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        bits: 128,
        words: &["RSA", "aRSA", "AES", "AESGCM", "AES128", "SHA256"],
    },
    Suite {
        name: "ECDHE-ECDSA-AES256-GCM-SHA384",
        suite: cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        bits: 256,
        words: &["ECDSA", "aECDSA", "AES", "AESGCM", "AES256", "SHA384"],
    },
    Suite {
        name: "ECDHE-RSA-AES256-GCM-SHA384",
        suite: cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        bits: 256,
        words: &["RSA", "aRSA", "AES", "AESGCM", "AES256", "SHA384"],
    },
    Suite {
        name: "ECDHE-ECDSA-CHACHA20-POLY1305",
        suite: cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        bits: 256,
        words: &["ECDSA", "aECDSA", "CHACHA20"],
    },
    Suite {
        name: "ECDHE-RSA-CHACHA20-POLY1305",
        suite: cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        bits: 256,
        words: &["RSA", "aRSA", "CHACHA20"],
    },
];

/// Words that select every TLS 1.2 suite there is here: all are ephemeral, authenticated and strong.
const EVERY_SUITE: [&str; 11] =
    ["DEFAULT", "ALL", "COMPLEMENTOFALL", "HIGH", "ECDHE", "EECDH", "kECDHE", "kEECDH", "ECDH", "TLSv1.2", "AEAD"];

/// The parameters, for error texts.
const CIPHERS: &str = "tls-ciphers";
const CIPHERSUITES: &str = "tls-ciphersuites";

/// A crypto provider with the chosen suites, in the chosen order.
pub fn provider(protocols: Protocols, ciphers: &str, ciphersuites: &str) -> Result<Arc<CryptoProvider>, TlsError> {
    let tls13 = select_tls13(ciphersuites)?;
    let tls12 = select_tls12(ciphers)?;
    for (enabled, left, parameter, protocol) in
        [(protocols.tls13, tls13.len(), CIPHERSUITES, "TLSv1.3"), (protocols.tls12, tls12.len(), CIPHERS, "TLSv1.2")]
    {
        if enabled && left == 0 {
            return Err(TlsError::NoCipherLeft { parameter, protocol });
        }
    }
    let cipher_suites = tls13
        .iter()
        .filter(|_| protocols.tls13)
        .chain(tls12.iter().filter(|_| protocols.tls12))
        .map(|suite| suite.suite)
        .collect();
    Ok(Arc::new(CryptoProvider { cipher_suites, ..default_provider() }))
}

/// The enabled protocol versions, as rustls takes them.
pub fn versions(protocols: Protocols) -> Result<Vec<&'static SupportedProtocolVersion>, TlsError> {
    let mut versions = Vec::with_capacity(2);
    if protocols.tls13 {
        versions.push(&rustls::version::TLS13);
    }
    if protocols.tls12 {
        versions.push(&rustls::version::TLS12);
    }
    if versions.is_empty() { Err(TlsError::Protocol(String::new())) } else { Ok(versions) }
}

/// A suite's name as OpenSSL spells it.
pub fn openssl_name(suite: CipherSuite) -> &'static str {
    let known = TLS13.iter().chain(&TLS12).find(|known| known.suite.suite() == suite);
    known.map_or("UNKNOWN", |known| known.name)
}

/// A protocol version's name as OpenSSL spells it.
pub fn protocol_name(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLSv1_3 => "TLSv1.3",
        ProtocolVersion::TLSv1_2 => "TLSv1.2",
        _ => "UNKNOWN",
    }
}

/// A colon-separated list of names, each a suite.
fn select_tls13(list: &str) -> Result<Vec<&'static Suite>, TlsError> {
    if list.trim().is_empty() {
        return Ok(TLS13.iter().collect());
    }
    let mut chosen: Vec<&Suite> = Vec::new();
    for name in words(list) {
        let suite =
            TLS13.iter().find(|suite| suite.name == name).ok_or_else(|| unsupported(CIPHERSUITES, name, &TLS13))?;
        if !chosen.iter().any(|known| known.name == suite.name) {
            chosen.push(suite);
        }
    }
    Ok(chosen)
}

/// OpenSSL's cipher list language.
fn select_tls12(list: &str) -> Result<Vec<&'static Suite>, TlsError> {
    if list.trim().is_empty() {
        return Ok(TLS12.iter().collect());
    }
    let mut chosen: Vec<&Suite> = Vec::new();
    let mut killed: Vec<&str> = Vec::new();
    for word in words(list) {
        let (sign, rest) = word.split_at(usize::from(word.starts_with(['@', '!', '-', '+'])));
        match (sign, rest) {
            ("@", "STRENGTH") => chosen.sort_by_key(|suite| std::cmp::Reverse(suite.bits)),
            // Security levels rule out what is not on offer here in the first place.
            ("@", rest) if rest.starts_with("SECLEVEL=") => {}
            ("!", rest) => {
                let matched = matching(rest);
                chosen.retain(|suite| !contains(&matched, suite));
                killed.extend(matched.iter().map(|suite| suite.name));
            }
            ("-", rest) => {
                let matched = matching(rest);
                chosen.retain(|suite| !contains(&matched, suite));
            }
            ("+", rest) => {
                let matched = matching(rest);
                let (last, first): (Vec<_>, Vec<_>) = chosen.iter().partition(|suite| contains(&matched, suite));
                chosen = [first, last].concat();
            }
            _ => {
                let matched = matching(word);
                if matched.is_empty() {
                    return Err(unsupported(CIPHERS, word, &TLS12));
                }
                for suite in matched {
                    if !contains(&chosen, suite) && !killed.contains(&suite.name) {
                        chosen.push(suite);
                    }
                }
            }
        }
    }
    Ok(chosen)
}

/// The suites that a name, a word, or words joined by `+` select.
fn matching(words: &str) -> Vec<&'static Suite> {
    let selects =
        |suite: &Suite, word: &str| suite.name == word || EVERY_SUITE.contains(&word) || suite.words.contains(&word);
    TLS12.iter().filter(|suite| words.split('+').all(|word| selects(suite, word))).collect()
}

fn contains(list: &[&Suite], suite: &Suite) -> bool {
    list.iter().any(|known| known.name == suite.name)
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split([':', ',', ' ']).filter(|word| !word.is_empty())
}

fn unsupported(parameter: &'static str, name: &str, table: &[Suite]) -> TlsError {
    let supported = table.iter().map(|suite| suite.name).collect::<Vec<_>>().join(", ");
    TlsError::Cipher { parameter, name: name.into(), supported }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls12(list: &str) -> Vec<&'static str> {
        select_tls12(list).unwrap().iter().map(|suite| suite.name).collect()
    }

    #[test]
    fn the_table_holds_every_suite_of_the_library() {
        let known = TLS13.len() + TLS12.len();
        assert_eq!(known, rustls::crypto::aws_lc_rs::ALL_CIPHER_SUITES.len());
        for suite in rustls::crypto::aws_lc_rs::ALL_CIPHER_SUITES {
            assert_ne!(openssl_name(suite.suite()), "UNKNOWN", "{suite:?}");
        }
    }

    #[test]
    fn cipher_lists_follow_openssl() {
        let all: Vec<_> = TLS12.iter().map(|suite| suite.name).collect();
        for list in ["", " ", "DEFAULT", "HIGH:!aNULL:!MD5:!RC4", "ALL:@SECLEVEL=2", "DEFAULT:-AES128-SHA256"] {
            assert_eq!(tls12(list), all, "{list:?}");
        }
        let cases: &[(&str, &[&str])] = &[
            ("ECDHE-RSA-AES256-GCM-SHA384", &["ECDHE-RSA-AES256-GCM-SHA384"]),
            (
                "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256",
                &["ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-AES128-GCM-SHA256"],
            ),
            ("ECDSA+AESGCM", &["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"]),
            ("HIGH:!AES:!ECDSA", &["ECDHE-RSA-CHACHA20-POLY1305"]),
            ("!RSA:ALL:-AES128:-CHACHA20", &["ECDHE-ECDSA-AES256-GCM-SHA384"]),
            ("aRSA+AES:@STRENGTH", &["ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256"]),
            ("aRSA+AES:+AES128", &["ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256"]),
        ];
        for (list, expected) in cases {
            assert_eq!(tls12(list), *expected, "{list:?}");
        }
    }

    #[test]
    fn unsupported_names_are_refused_with_the_supported_ones() {
        let both = Protocols::default();
        let error = provider(both, "AES128-SHA256:AES256-SHA256", "").unwrap_err().to_string();
        assert!(error.contains("AES128-SHA256") && error.contains("ECDHE-RSA-AES128-GCM-SHA256"), "{error}");
        assert!(provider(both, "é", "é").is_err(), "names are any text");
        let error = provider(both, "", "TLS_AES_128_CCM_SHA256").unwrap_err().to_string();
        assert!(error.contains("tls-ciphersuites") && error.contains("TLS_AES_256_GCM_SHA384"), "{error}");
    }

    #[test]
    fn an_enabled_protocol_without_ciphers_is_refused() {
        let only13 = Protocols { tls12: false, tls13: true };
        assert!(provider(Protocols::default(), "ALL:!ALL", "").is_err());
        assert!(provider(only13, "ALL:!ALL", "").is_ok(), "an unused list does no harm");
        assert!(versions(Protocols { tls12: false, tls13: false }).is_err());
    }

    #[test]
    fn the_provider_has_the_chosen_suites_and_post_quantum_first() {
        let provider = provider(Protocols::default(), "ECDHE-RSA-AES128-GCM-SHA256", "TLS_AES_256_GCM_SHA384").unwrap();
        let names: Vec<_> = provider.cipher_suites.iter().map(|suite| openssl_name(suite.suite())).collect();
        assert_eq!(names, ["TLS_AES_256_GCM_SHA384", "ECDHE-RSA-AES128-GCM-SHA256"]);
        assert_eq!(provider.kx_groups[0].name(), rustls::NamedGroup::X25519MLKEM768);
    }
}
