//! redis-tls
pub mod tls;
