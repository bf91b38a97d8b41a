//! Why bytes cannot be read as RDB.

use crate::data::Malformed;

/// Why not.
#[derive(Debug)]
pub enum RdbError {
    /// The bytes end before the value does.
    Truncated,
    /// The source of the bytes failed.
    Io(std::io::Error),
    /// The bytes are not what they should be.
    Corrupt(&'static str),
    /// A container with nothing in it, which no key may hold. Older releases of Redis could write one.
    EmptyKey,
    /// A value or data of a module.
    Module(String),
    /// A function from before functions had their final form.
    OldFunction,
}

impl std::fmt::Display for RdbError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Truncated => f.write_str("the data ends too early"),
            Self::Io(error) => write!(f, "{error}"),
            Self::Corrupt(what) => write!(f, "{what}"),
            Self::EmptyKey => f.write_str("a key without elements"),
            Self::Module(name) => write!(f, "data of the module type '{name}', and this server has no modules"),
            Self::OldFunction => f.write_str("a function in the format of a preliminary release of Redis 7.0"),
        }
    }
}

impl std::error::Error for RdbError {}

impl From<std::io::Error> for RdbError {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::UnexpectedEof { Self::Truncated } else { Self::Io(error) }
    }
}

impl From<Malformed> for RdbError {
    fn from(malformed: Malformed) -> Self {
        Self::Corrupt(malformed.0)
    }
}
