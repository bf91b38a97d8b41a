//! How a snapshot stands on the wire: with its length in front, or, where that is not known before, between two marks.
//!
//! `$<length>\r\n` is followed by exactly so many bytes; `$EOF:<40 bytes>\r\n` by the snapshot and the same forty bytes again.

use super::id::ReplicationId;

/// Bytes of a mark.
pub const EOF_MARK_BYTES: usize = 40;

/// A mark that ends a snapshot whose length is not known before; random, so that it does not occur in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EofMark(pub [u8; EOF_MARK_BYTES]);

impl EofMark {
    /// A new mark.
    pub fn random() -> Self {
        let mut mark = [0; EOF_MARK_BYTES];
        mark.copy_from_slice(ReplicationId::random().as_str().as_bytes());
        Self(mark)
    }

    /// The line that announces it.
    pub fn header(&self) -> Vec<u8> {
        [b"$EOF:", &self.0[..], b"\r\n"].concat()
    }
}

/// The line in front of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// So many bytes follow.
    Length(u64),
    /// What follows ends with this mark.
    Mark(EofMark),
}

impl Header {
    /// A line without its end; `None` if it announces no snapshot.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let rest = line.strip_prefix(b"$")?;
        if let Some(mark) = rest.strip_prefix(b"EOF:") {
            return mark.get(..EOF_MARK_BYTES)?.try_into().ok().map(|mark| Self::Mark(EofMark(mark)));
        }
        std::str::from_utf8(rest).ok()?.parse().ok().map(Self::Length)
    }
}

/// Looks for a mark at the end of what has arrived. The primary sends nothing behind it before it is asked to.
#[derive(Clone, Debug)]
pub struct TailScanner {
    mark: EofMark,
    tail: Vec<u8>,
}

impl TailScanner {
    /// Looks for this mark.
    pub fn new(mark: EofMark) -> Self {
        Self { mark, tail: Vec::with_capacity(2 * EOF_MARK_BYTES) }
    }

    /// Takes in bytes; whether the mark is now at the end.
    pub fn push(&mut self, bytes: &[u8]) -> bool {
        let recent = &bytes[bytes.len().saturating_sub(EOF_MARK_BYTES)..];
        self.tail.extend_from_slice(recent);
        let surplus = self.tail.len().saturating_sub(EOF_MARK_BYTES);
        self.tail.drain(..surplus);
        self.tail == self.mark.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_read_back() {
        let mark = EofMark::random();
        let line = mark.header();
        assert_eq!(Header::parse(&line[..line.len() - 2]), Some(Header::Mark(mark)));
        assert_eq!(Header::parse(b"$12"), Some(Header::Length(12)));
        for bad in [&b"12"[..], b"$", b"$-1", b"$EOF:short", b"$EOF:", b"$99999999999999999999", b""] {
            assert_eq!(Header::parse(bad), None, "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn the_mark_is_found_however_the_bytes_are_cut() {
        let mark = EofMark::random();
        let all = [b"snapshot of some length, longer than a mark, and ", &mark.0[..]].concat();
        for size in 1..=all.len() {
            let mut scanner = TailScanner::new(mark);
            let chunks: Vec<&[u8]> = all.chunks(size).collect();
            for (index, chunk) in chunks.iter().enumerate() {
                assert_eq!(scanner.push(chunk), index + 1 == chunks.len(), "cut into {size}");
            }
        }
    }
}
