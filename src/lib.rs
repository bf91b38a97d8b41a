//! redis-tls

pub mod base;
pub mod config;
