//! A look at a pipelined request before its turn: where its first key probably is, and where the next request begins.
//!
//! What it says is a hint for caches and never decides anything: the parser reads the same bytes again, with all checks.
//! Anything unusual (inline lines, long arguments, what has not arrived yet) simply ends the look.

use super::args::Span;

/// Arguments past this many are not worth walking over.
const MAX_ARGS: usize = 8;

/// A request that was skimmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skimmed {
    /// Its second argument: the key of almost every command.
    pub key: Span,
    /// Offset behind the request.
    pub end: usize,
}

/// Skims the request that starts at `start`.
pub fn skim(buffer: &[u8], start: usize) -> Option<Skimmed> {
    let (count, mut at) = length(buffer, start, b'*')?;
    if !(2..=MAX_ARGS).contains(&count) {
        return None;
    }
    let mut key = Span { start: 0, end: 0 };
    for index in 0..count {
        let (bytes, from) = length(buffer, at, b'$')?;
        at = from + bytes + 2;
        if index == 1 {
            key = Span { start: from, end: from + bytes };
        }
    }
    (at <= buffer.len()).then_some(Skimmed { key, end: at })
}

/// A length of up to four digits behind `sign`, and the offset behind its line.
fn length(buffer: &[u8], at: usize, sign: u8) -> Option<(usize, usize)> {
    let line = buffer.get(at..(at + 7).min(buffer.len()))?;
    let (&first, digits) = line.split_first()?;
    if first != sign {
        return None;
    }
    let mut value = 0;
    for (index, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' if index < 4 => value = value * 10 + usize::from(byte - b'0'),
            b'\r' if index > 0 => return Some((value, at + index + 3)),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_requests_are_skimmed_and_anything_else_is_left() {
        let buffer =
            b"*2\r\n$3\r\nGET\r\n$2\r\nab\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$12\r\nvalue-value-\r\n*1\r\n$4\r\nPING\r\n";
        let first = skim(buffer, 0).unwrap();
        assert_eq!(&buffer[first.key.start..first.key.end], b"ab");
        let second = skim(buffer, first.end).unwrap();
        assert_eq!(&buffer[second.key.start..second.key.end], b"k");
        assert_eq!(skim(buffer, second.end), None, "no key");
        for end in 0..first.end {
            assert_eq!(skim(&buffer[..end], 0), None, "cut at {end}");
        }
        for other in [&b"PING\r\n"[..], b"*2\r\n$99999\r\n", b"*-1\r\n", b"*9\r\n", b"*2\r\n:3\r\n", b"*\r\n"] {
            assert_eq!(skim(other, 0), None, "{}", other.escape_ascii());
        }
    }
}
