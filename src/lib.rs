//! redis-tls

pub mod base;
