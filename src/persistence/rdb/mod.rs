//! RDB, Redis's format of snapshots and of what DUMP makes: written in version 11 (Redis 7.2) or 10 (Redis 7.0), read in every
//! version up to 12 (Redis 7.4). A hash whose fields expire has the form of version 12 whatever is asked for: in an older one its
//! fields would live for ever.
//!
//! ```text
//! file:   "REDIS" version | (AUX name value | FUNCTION2 code)… | (SELECTDB n | RESIZEDB keys volatile | key…)… | EOF | CRC-64
//! key:    [EXPIRETIME_MS when] [IDLE seconds | FREQ counter] type name value
//! DUMP:   type value | version, 2 bytes | CRC-64
//! ```
//! [`code`] names the bytes, [`write`] and [`read`] are lengths, strings and numbers, [`encode`] and [`decode`] are values, [`payload`] and
//! [`mod@file`] what is around them. Bytes that
//! are read are checked before anything is built on them: whatever they are, reading ends, and takes memory only in proportion to
//! what was really there.

pub mod code;
pub mod decode;
pub mod encode;
pub mod error;
pub mod file;
mod hash_expiry;
pub mod module;
pub mod payload;
pub mod read;
pub mod stream;
pub mod write;

pub use code::Version;
pub use error::RdbError;
