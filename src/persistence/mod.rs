//! The bytes of what outlives the process. Knows values and their encodings; knows no socket, task or client.

pub mod aof;
pub mod rdb;
