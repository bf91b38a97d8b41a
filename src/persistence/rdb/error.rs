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
    /// A packed value whose bytes are not what they should be.
    Malformed(Malformed),
    /// A file of a version that is not understood.
    Version(String),
    /// A file whose checksum is wrong.
    Checksum {
        /// What its bytes have.
        computed: u64,
        /// What it says.
        stored: u64,
    },
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
            Self::Truncated => f.write_str("Unexpected EOF: the data ends too early"),
            Self::Io(error) => write!(f, "{error}"),
            Self::Corrupt(what) => write!(f, "{what}"),
            Self::Malformed(Malformed(what)) => {
                let (first, rest) = what.split_at(what.len().min(1));
                write!(f, "{}{rest} integrity check failed", first.to_ascii_uppercase())
            }
            Self::Version(version) => write!(f, "Can't handle RDB format version {version}"),
            Self::Checksum { computed, stored } => {
                write!(f, "RDB CRC error: the bytes have {computed:016x}, the file says {stored:016x}")
            }
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
        Self::Malformed(malformed)
    }
}
