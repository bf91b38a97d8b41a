//! Who wrote a stream of changes, and a position in it.

use std::fmt;

/// Digits of an id.
const DIGITS: usize = 40;

/// The id of one history of changes: 40 hexadecimal digits, chosen at random.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReplicationId([u8; DIGITS]);

impl ReplicationId {
    /// The id of no history.
    pub const NONE: Self = Self([b'0'; DIGITS]);

    /// A new id.
    pub fn random() -> Self {
        let mut digits = [0; DIGITS];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(rand::random::<[u8; DIGITS / 2]>()) {
            let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
            (pair[0], pair[1]) = (digit(byte >> 4), digit(byte & 15));
        }
        Self(digits)
    }

    /// An id as it was sent; `None` if it is none.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let digits: [u8; DIGITS] = text.try_into().ok()?;
        digits.iter().all(u8::is_ascii_graphic).then_some(Self(digits))
    }

    /// Whether `text` names this history; case does not matter.
    pub fn is(&self, text: &[u8]) -> bool {
        self.0.eq_ignore_ascii_case(text)
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        // Graphic ASCII only, see `parse`.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for ReplicationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ReplicationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A position in a stream of changes: how many bytes of it lie before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ReplOffset(pub u64);

impl ReplOffset {
    /// The position that a PSYNC asks for, which names the first byte that is wanted and counts from one.
    pub fn of_request(wanted: i64) -> Option<Self> {
        u64::try_from(wanted).ok()?.checked_sub(1).map(Self)
    }

    /// What a PSYNC asks for to go on from here.
    pub fn request(self) -> u64 {
        self.0 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_forty_digits() {
        let id = ReplicationId::random();
        assert_eq!(ReplicationId::parse(id.as_str().as_bytes()), Some(id));
        assert!(id.is(id.as_str().to_uppercase().as_bytes()) && !id.is(b"?") && id != ReplicationId::random());
        for bad in [&b"?"[..], &[b'a'; 39], &[b'a'; 41], &[b'\n'; 40], &[0xff; 40]] {
            assert_eq!(ReplicationId::parse(bad), None);
        }
    }

    #[test]
    fn requests_count_from_one() {
        assert_eq!(ReplOffset::of_request(1), Some(ReplOffset(0)));
        assert_eq!((ReplOffset::of_request(0), ReplOffset::of_request(-1)), (None, None));
        assert_eq!(ReplOffset(7).request(), 8);
    }
}
