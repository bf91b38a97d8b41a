//! redis-tls

pub mod catalog;
