//! One element of a packed value: bytes, or an integer that stands for its decimal text.

/// An element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element<'a> {
    /// An integer.
    Int(i64),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl<'a> Element<'a> {
    /// The bytes; an integer is formatted into `buffer`.
    pub fn as_bytes<'b>(&'b self, buffer: &'b mut itoa::Buffer) -> &'b [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Int(value) => buffer.format(*value).as_bytes(),
        }
    }

    /// Whether it stands for exactly these bytes.
    pub fn eq_bytes(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Bytes(own) => *own == bytes,
            Self::Int(value) => itoa::Buffer::new().format(*value).as_bytes() == bytes,
        }
    }

    /// A copy of the bytes.
    pub fn to_vec(&self) -> Vec<u8> {
        self.as_bytes(&mut itoa::Buffer::new()).to_vec()
    }

    /// Length of the bytes.
    pub fn len(&self) -> usize {
        self.as_bytes(&mut itoa::Buffer::new()).len()
    }

    /// Whether it is the empty string.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Bytes([]))
    }
}
