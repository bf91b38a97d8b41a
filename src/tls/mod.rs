//! Floor 1: transport encryption. Identity, trust, mode, acceptor, connector, reload.
//!
//! Knows files, certificates and handshakes; knows no keys, commands or clients, opens no socket and
//! starts no task. What always holds: a configuration is built whole and validated before anything of it
//! is published, so that there is no moment at which a listener has half a configuration or none.
//!
//! | file | what it is |
//! |---|---|
//! | `mode` | in-transit encryption on or off; telling the modes apart, and the words to the wrong one |
//! | `options` | the parameters, as plain data |
//! | `pem` | what is in the files: certificates, keys, CRLs |
//! | `identity` | certificate chain and key that belong together |
//! | `trust` | whom to believe: CAs, CRLs, the two verifiers |
//! | `ciphers` | OpenSSL's names for cipher suites and protocols |
//! | `sessions` | what resumption remembers, and for how long |
//! | `acceptor`, `connector` | the two ends' configurations |
//! | `live` | the configuration in force, and its replacement |
//! | `watch` | noticing that files have changed |
//! | `counters` | handshakes by outcome, and failures in words |
//! | `peer_name` | judging a dialled server by a configured name |
//! | `peer_identity` | what a peer's certificate and session say |
//! | `development` | certificates for a first start |

pub mod acceptor;
pub mod ciphers;
pub mod connector;
pub mod counters;
pub mod development;
pub mod error;
pub mod identity;
pub mod live;
pub mod mode;
pub mod options;
pub mod peer_identity;
pub mod peer_name;
pub mod pem;
pub mod sessions;
pub mod trust;
pub mod watch;

#[cfg(test)]
mod testing;

pub use error::TlsError;
