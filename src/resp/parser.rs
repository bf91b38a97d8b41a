//! The request parser: turns the bytes a client sent into requests, without copying or allocating.
//!
//! A request is an array of bulk strings, or an *inline* line of words. The parser is incremental: called
//! with a longer buffer it goes on where it stopped. All offsets are relative to the first byte of the request, so
//! the caller may move unparsed bytes to the front of its buffer at any time. Every length is bounded before
//! anything is reserved for it.

use super::args::{Args, Span};
use crate::base::quoting::each_word;

/// The longest line (inline request, or a length line) in bytes.
const MAX_LINE: usize = 64 * 1024;
/// The most arguments and the longest argument before a client has authenticated.
const MAX_ARGS_UNAUTHENTICATED: i64 = 10;
const MAX_BULK_UNAUTHENTICATED: i64 = 16384;

/// What a request may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest argument in bytes (`proto-max-bulk-len`).
    pub max_bulk_bytes: u64,
    /// Whether the client may send requests of full size.
    pub authenticated: bool,
}

/// The outcome of one call.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A whole request: see [`Parser::args`]; it took [`Parser::consumed`] bytes.
    Request,
    /// A blank line or an empty array: nothing to run, `consumed` bytes to drop.
    Nothing,
    /// More bytes are needed.
    Incomplete,
    /// The stream cannot be understood any further.
    Broken(ProtocolError),
}

/// Why a stream was given up. The text is Redis's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// An inline line past the limit.
    InlineTooBig,
    /// Quotes of an inline line do not match.
    UnbalancedQuotes,
    /// The argument count has no end.
    CountTooBig,
    /// The argument count is no count.
    InvalidCount,
    /// Too many arguments before authentication.
    UnauthenticatedCount,
    /// An argument's length has no end.
    BulkTooBig,
    /// Something else than a bulk string.
    ExpectedBulk(u8),
    /// An argument's length is no length, or past the limit.
    InvalidBulk,
    /// An argument too long before authentication.
    UnauthenticatedBulk,
}

impl std::fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::InlineTooBig => "too big inline request",
            Self::UnbalancedQuotes => "unbalanced quotes in request",
            Self::CountTooBig => "too big mbulk count string",
            Self::InvalidCount => "invalid multibulk length",
            Self::UnauthenticatedCount => "unauthenticated multibulk length",
            Self::BulkTooBig => "too big bulk count string",
            Self::InvalidBulk => "invalid bulk length",
            Self::UnauthenticatedBulk => "unauthenticated bulk length",
            Self::ExpectedBulk(got) => return write!(f, "expected '$', got '{}'", printable(*got)),
        })
    }
}

fn printable(byte: u8) -> char {
    if byte.is_ascii_graphic() || byte == b' ' { byte as char } else { ' ' }
}

/// Parser state of one connection. The vectors are reused, so a steady stream allocates nothing.
#[derive(Debug, Default)]
pub struct Parser {
    spans: Vec<Span>,
    /// Words of an inline request, unquoted; empty for an array.
    inline: Vec<u8>,
    /// The next unread byte, from the start of the request.
    position: usize,
    /// Arguments still to come of the array being read.
    missing: usize,
    /// Length of the argument being read, once its length line is known.
    bulk: Option<usize>,
    is_inline: bool,
}

impl Parser {
    /// A parser at the start of a request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads on; `buffer` starts at the first byte of the current request.
    pub fn parse(&mut self, buffer: &[u8], limits: Limits) -> Parsed {
        if self.position == 0 {
            match buffer.first() {
                None => return Parsed::Incomplete,
                Some(b'*') => {
                    self.spans.clear();
                    self.is_inline = false;
                    match self.count(buffer, limits) {
                        Ok(Some(0)) => return Parsed::Nothing,
                        Ok(Some(count)) => self.missing = count,
                        Ok(None) => return Parsed::Incomplete,
                        Err(error) => return Parsed::Broken(error),
                    }
                }
                Some(_) => return self.inline(buffer),
            }
        }
        match self.bulks(buffer, limits) {
            Ok(true) => Parsed::Request,
            Ok(false) => Parsed::Incomplete,
            Err(error) => Parsed::Broken(error),
        }
    }

    /// The arguments of the request just parsed out of `buffer`.
    pub fn args<'a>(&'a self, buffer: &'a [u8]) -> Args<'a> {
        Args::new(if self.is_inline { &self.inline } else { buffer }, &self.spans)
    }

    /// Bytes the request just parsed took.
    pub fn consumed(&self) -> usize {
        self.position
    }

    /// Gets ready for the next request.
    pub fn next(&mut self) {
        self.position = 0;
        self.bulk = None;
        // A huge request must not keep its memory for ever.
        if self.spans.capacity() > 4096 {
            self.spans.shrink_to(64);
        }
    }

    /// How long the buffer must at least be for the argument being read, where that is known.
    pub fn wanted(&self) -> Option<usize> {
        self.bulk.map(|length| self.position + length + 2)
    }

    /// Bytes of the arguments that have been read of a request that has not ended.
    pub fn argument_bytes(&self) -> usize {
        if self.is_midway() { self.spans.iter().map(|span| span.end - span.start).sum() } else { 0 }
    }

    /// Arguments that the request has announced which has begun.
    pub fn announced(&self) -> usize {
        if self.is_midway() { self.spans.len() + self.missing } else { 0 }
    }

    /// Whether a request has begun but not ended.
    pub fn is_midway(&self) -> bool {
        self.position != 0
    }

    /// The argument count behind `*`; `Some(0)` for an empty or negative one.
    fn count(&mut self, buffer: &[u8], limits: Limits) -> Result<Option<usize>, ProtocolError> {
        let Some(end) = line_end(buffer, 1) else {
            return if buffer.len() > MAX_LINE { Err(ProtocolError::CountTooBig) } else { Ok(None) };
        };
        let count =
            decimal(&buffer[1..end]).filter(|n| *n <= i64::from(i32::MAX)).ok_or(ProtocolError::InvalidCount)?;
        if count > MAX_ARGS_UNAUTHENTICATED && !limits.authenticated {
            return Err(ProtocolError::UnauthenticatedCount);
        }
        self.position = end + 2;
        Ok(Some(count.max(0) as usize))
    }

    /// Reads arguments while they are complete; `true` when none is missing.
    fn bulks(&mut self, buffer: &[u8], limits: Limits) -> Result<bool, ProtocolError> {
        while self.missing > 0 {
            let length = match self.bulk {
                Some(length) => length,
                None => match self.bulk_length(buffer, limits)? {
                    Some(length) => length,
                    None => return Ok(false),
                },
            };
            let end = self.position + length;
            if buffer.len() < end + 2 {
                self.bulk = Some(length);
                return Ok(false);
            }
            self.spans.push(Span { start: self.position, end });
            self.position = end + 2;
            self.bulk = None;
            self.missing -= 1;
        }
        Ok(true)
    }

    fn bulk_length(&mut self, buffer: &[u8], limits: Limits) -> Result<Option<usize>, ProtocolError> {
        let Some(&first) = buffer.get(self.position) else { return Ok(None) };
        let Some(end) = line_end(buffer, self.position) else {
            return if buffer.len() - self.position > MAX_LINE { Err(ProtocolError::BulkTooBig) } else { Ok(None) };
        };
        if first != b'$' {
            return Err(ProtocolError::ExpectedBulk(first));
        }
        let length = decimal(&buffer[self.position + 1..end])
            .filter(|n| *n >= 0 && *n as u64 <= limits.max_bulk_bytes)
            .ok_or(ProtocolError::InvalidBulk)?;
        if length > MAX_BULK_UNAUTHENTICATED && !limits.authenticated {
            return Err(ProtocolError::UnauthenticatedBulk);
        }
        self.position = end + 2;
        Ok(Some(length as usize))
    }

    fn inline(&mut self, buffer: &[u8]) -> Parsed {
        let Some(newline) = buffer.iter().position(|b| *b == b'\n') else {
            return if buffer.len() > MAX_LINE {
                Parsed::Broken(ProtocolError::InlineTooBig)
            } else {
                Parsed::Incomplete
            };
        };
        let line = buffer[..newline].strip_suffix(b"\r").unwrap_or(&buffer[..newline]);
        self.is_inline = true;
        self.position = newline + 1;
        self.inline.clear();
        self.spans.clear();
        let balanced = each_word(line, |word| {
            let start = self.inline.len();
            self.inline.extend_from_slice(word);
            self.spans.push(Span { start, end: self.inline.len() });
        });
        if balanced.is_none() {
            return Parsed::Broken(ProtocolError::UnbalancedQuotes);
        }
        if self.spans.is_empty() { Parsed::Nothing } else { Parsed::Request }
    }
}

/// The `\r` of the line that starts at `from`, where its `\n` (whatever byte that is) has arrived too.
fn line_end(buffer: &[u8], from: usize) -> Option<usize> {
    let end = from + buffer[from..].iter().position(|b| *b == b'\r')?;
    (end + 1 < buffer.len()).then_some(end)
}

/// A decimal as Redis writes it: optional minus, no plus, no leading zero, no space.
fn decimal(digits: &[u8]) -> Option<i64> {
    let (negative, digits) = match digits {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, digits),
    };
    if digits.is_empty() || digits.len() > 18 || (digits[0] == b'0' && (digits.len() > 1 || negative)) {
        return None;
    }
    let mut value = 0i64;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(digit - b'0');
    }
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { max_bulk_bytes: 512 << 20, authenticated: true };

    fn parse_all(bytes: &[u8], limits: Limits) -> (Vec<Vec<Vec<u8>>>, Option<ProtocolError>) {
        let mut parser = Parser::new();
        let (mut start, mut requests) = (0, Vec::new());
        loop {
            match parser.parse(&bytes[start..], limits) {
                Parsed::Request => {
                    requests.push(parser.args(&bytes[start..]).from(0).map(<[u8]>::to_vec).collect());
                }
                Parsed::Nothing => {}
                Parsed::Incomplete => return (requests, None),
                Parsed::Broken(error) => return (requests, Some(error)),
            }
            start += parser.consumed();
            parser.next();
        }
    }

    #[test]
    fn arrays_and_inline_lines_mix() {
        let (requests, error) = parse_all(
            b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n\r\nPING  \"a b\"\r\n*0\r\n*-1\r\nECHO x\n*1\r\n$4\r\nPI",
            LIMITS,
        );
        assert_eq!(error, None);
        let expected: [&[&[u8]]; 3] = [&[b"GET", b"k"], &[b"PING", b"a b"], &[b"ECHO", b"x"]];
        assert_eq!(
            requests.iter().map(|r| r.iter().map(Vec::as_slice).collect::<Vec<_>>()).collect::<Vec<_>>(),
            expected.map(<[&[u8]]>::to_vec)
        );
    }

    #[test]
    fn a_request_in_single_bytes_is_the_same_request() {
        let bytes = b"*3\r\n$3\r\nSET\r\n$3\r\na\r\nb\r\n$0\r\n\r\n";
        let bytes = [&bytes[..], b""].concat();
        let bytes = String::from_utf8(bytes).unwrap().replace("$3\r\na\r\nb", "$4\r\na\r\nb").into_bytes();
        let mut parser = Parser::new();
        for cut in 0..bytes.len() {
            assert_eq!(parser.parse(&bytes[..cut], LIMITS), Parsed::Incomplete, "{cut}");
        }
        assert_eq!(parser.parse(&bytes, LIMITS), Parsed::Request);
        assert_eq!(parser.args(&bytes).from(0).collect::<Vec<_>>(), [&b"SET"[..], b"a\r\nb", b""]);
        assert_eq!(parser.consumed(), bytes.len());
    }

    #[test]
    fn broken_streams_get_redis_texts() {
        let unauthenticated = Limits { authenticated: false, ..LIMITS };
        for (bytes, limits, text) in [
            (&b"*3\r\n$3\r\nSET\r\nfoo\r\n"[..], LIMITS, "expected '$', got 'f'"),
            (b"*abc\r\n", LIMITS, "invalid multibulk length"),
            (b"*2147483648\r\n", LIMITS, "invalid multibulk length"),
            (b"*1\r\n$-5\r\n", LIMITS, "invalid bulk length"),
            (b"*1\r\n$2000000000\r\n", LIMITS, "invalid bulk length"),
            (b"*100\r\n", unauthenticated, "unauthenticated multibulk length"),
            (b"*1\r\n$20000\r\n", unauthenticated, "unauthenticated bulk length"),
            (b"set \"a\r\n", LIMITS, "unbalanced quotes in request"),
        ] {
            let (_, error) = parse_all(bytes, limits);
            assert_eq!(error.map(|e| e.to_string()).as_deref(), Some(text), "{}", bytes.escape_ascii());
        }
        assert_eq!(parse_all(&vec![b'a'; MAX_LINE + 1], LIMITS).1, Some(ProtocolError::InlineTooBig));
        assert_eq!(
            parse_all(&[b"*".as_slice(), &vec![b'1'; MAX_LINE + 1]].concat(), LIMITS).1,
            Some(ProtocolError::CountTooBig)
        );
    }
}
