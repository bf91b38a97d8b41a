//! redis-tls
