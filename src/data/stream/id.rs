//! IDs of stream entries: `<milliseconds>-<sequence>`, ordered as a pair.

use crate::base::number::parse_i64;

/// An ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct StreamId {
    /// Unix time in milliseconds, as a rule.
    pub ms: u64,
    /// Tells entries of the same millisecond apart.
    pub seq: u64,
}

/// What an ID may leave to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartialId {
    /// Nothing.
    Full(StreamId),
    /// The sequence number (`<milliseconds>-*`).
    Milliseconds(u64),
}

/// Longer text cannot be an ID.
const MAX_TEXT: usize = 127;

impl StreamId {
    /// The lowest, `0-0`, which no entry has.
    pub const MIN: Self = Self { ms: 0, seq: 0 };
    /// The highest.
    pub const MAX: Self = Self { ms: u64::MAX, seq: u64::MAX };

    /// An ID.
    pub const fn new(ms: u64, seq: u64) -> Self {
        Self { ms, seq }
    }

    /// Reads `<ms>-<seq>` or `<ms>`, where `missing` stands for the sequence number that is not there.
    pub fn parse(text: &[u8], missing: u64) -> Option<Self> {
        match PartialId::parse(text, missing)? {
            PartialId::Full(id) => Some(id),
            PartialId::Milliseconds(_) => None,
        }
    }

    /// The ID right after it; `None` after the highest.
    pub fn next(self) -> Option<Self> {
        match (self.ms, self.seq) {
            (u64::MAX, u64::MAX) => None,
            (ms, u64::MAX) => Some(Self::new(ms + 1, 0)),
            (ms, seq) => Some(Self::new(ms, seq + 1)),
        }
    }

    /// The ID right before it; `None` before the lowest.
    pub fn previous(self) -> Option<Self> {
        match (self.ms, self.seq) {
            (0, 0) => None,
            (ms, 0) => Some(Self::new(ms - 1, u64::MAX)),
            (ms, seq) => Some(Self::new(ms, seq - 1)),
        }
    }

    /// Whether it is `0-0`.
    pub fn is_zero(self) -> bool {
        self == Self::MIN
    }

    /// The text, in `buffer`.
    pub fn text(self, buffer: &mut IdText) -> &[u8] {
        let mut digits = itoa::Buffer::new();
        buffer.clear();
        buffer.extend_from_slice(digits.format(self.ms).as_bytes());
        buffer.push(b'-');
        buffer.extend_from_slice(digits.format(self.seq).as_bytes());
        buffer
    }
}

/// Room for the text of an ID.
pub type IdText = smallvec::SmallVec<[u8; 48]>;

impl PartialId {
    /// Reads an ID that may leave its sequence number open.
    pub fn parse(text: &[u8], missing: u64) -> Option<Self> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let text = c_text(text);
        let Some(dash) = text.iter().position(|byte| *byte == b'-') else {
            return Some(Self::Full(StreamId::new(parse_part(text)?, missing)));
        };
        let ms = parse_part(&text[..dash])?;
        match &text[dash + 1..] {
            b"*" => Some(Self::Milliseconds(ms)),
            seq => Some(Self::Full(StreamId::new(ms, parse_part(seq)?))),
        }
    }
}

/// The text up to a NUL, which ends it as it ends a C string.
pub fn c_text(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Reads a part of an ID with the leniency of `strtoull`: spaces in front, a sign, leading zeros.
fn parse_part(text: &[u8]) -> Option<u64> {
    if let Some(value) = parse_i64(text) {
        return u64::try_from(value).ok();
    }
    let spaces = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    let (negative, digits) = match &text[spaces..] {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() {
        return None;
    }
    let value = digits.iter().try_fold(0u64, |value, digit| match digit {
        b'0'..=b'9' => value.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })?;
    Some(if negative { value.wrapping_neg() } else { value })
}

impl std::fmt::Display for StreamId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_as_redis_reads_it() {
        let full = |ms, seq| Some(PartialId::Full(StreamId::new(ms, seq)));
        for (text, expected) in [
            ("5", full(5, 9)),
            ("5-6", full(5, 6)),
            ("5-*", Some(PartialId::Milliseconds(5))),
            ("18446744073709551615-18446744073709551615", full(u64::MAX, u64::MAX)),
            ("18446744073709551616", None),
            ("", None),
            ("-", None),
            ("5-", None),
            ("-5", None),
            ("5-6-7", None),
            ("*", None),
            ("*-5", None),
            (" 5", full(5, 9)),
            ("+5", full(5, 9)),
            ("005-07", full(5, 7)),
            ("5--0", full(5, 0)),
            ("5--7", None),
            ("5 ", None),
            ("5\0junk", full(5, 9)),
        ] {
            assert_eq!(PartialId::parse(text.as_bytes(), 9), expected, "{text}");
        }
        assert_eq!(PartialId::parse(&[b'0'; 128], 0), None);
    }

    #[test]
    fn neighbours_carry_over_and_stop_at_the_ends() {
        assert_eq!(StreamId::new(1, u64::MAX).next(), Some(StreamId::new(2, 0)));
        assert_eq!(StreamId::new(2, 0).previous(), Some(StreamId::new(1, u64::MAX)));
        assert_eq!(StreamId::MAX.next(), None);
        assert_eq!(StreamId::MIN.previous(), None);
        assert_eq!(StreamId::new(3, 14).text(&mut IdText::new()), b"3-14");
    }
}
