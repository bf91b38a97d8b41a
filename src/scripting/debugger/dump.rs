//! A dump of something, as long as it is allowed to be: nothing is made that would be cut off.

use crate::base::quoting::quote;

/// A text that grows until it is longer than its room.
pub(super) struct Dump {
    text: Vec<u8>,
    room: usize,
}

impl Dump {
    /// One that begins with `prefix`.
    pub fn new(prefix: impl Into<Vec<u8>>, room: usize) -> Self {
        Self { text: prefix.into(), room }
    }

    /// Whether it is longer than its room: whatever follows is not seen.
    pub fn is_full(&self) -> bool {
        self.text.len() > self.room
    }

    /// Adds bytes as they are.
    pub fn add(&mut self, bytes: &[u8]) {
        if !self.is_full() {
            self.text.extend_from_slice(&bytes[..bytes.len().min(self.beyond())]);
        }
    }

    /// Adds bytes in quotes, with escapes for what is not printable.
    pub fn add_quoted(&mut self, bytes: &[u8]) {
        if !self.is_full() {
            let quoted = quote(&bytes[..bytes.len().min(self.beyond())]);
            self.add(quoted.as_bytes());
        }
    }

    /// Its text, which is longer than the room if anything was left out.
    pub fn into_text(self) -> Vec<u8> {
        self.text
    }

    /// So many bytes make it longer than its room.
    fn beyond(&self) -> usize {
        self.room.saturating_sub(self.text.len()) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_grows_one_byte_beyond_its_room() {
        let mut dump = Dump::new("ab", 6);
        dump.add_quoted(b"\n");
        assert!(!dump.is_full());
        dump.add_quoted(&[b'x'; 1000]);
        assert!(dump.is_full());
        dump.add(b"more");
        assert_eq!(dump.into_text(), b"ab\"\\n\"\"");
        assert!(!Dump::new("abc", 3).is_full() && Dump::new("abcd", 3).is_full());
    }
}
