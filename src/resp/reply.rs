//! Writing replies, RESP2 or RESP3, straight into a connection's output buffer.
//!
//! A handler says what it answers (a map, a double, a null); which bytes that takes in the client's
//! protocol is decided here and nowhere else.

use super::error::WireError;
use crate::base::long_double::LongDouble;
use crate::base::number::format_f64;
use crate::data::Element;

/// The protocol version a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Protocol {
    /// RESP2, what every connection starts with.
    #[default]
    Resp2,
    /// RESP3, after `HELLO 3`.
    Resp3,
}

/// Bytes of the shortest reply there is: RESP3's null.
const SHORTEST_REPLY: usize = 3;

/// A place in the output where the length of an aggregate will be put once it is known.
#[must_use = "an aggregate without its length breaks the stream"]
#[derive(Debug)]
pub struct Mark(usize);

impl Mark {
    /// Where it is in the buffer.
    pub fn position(&self) -> usize {
        self.0
    }
}

/// Appends replies to a buffer.
pub struct Reply<'a> {
    out: &'a mut Vec<u8>,
    /// The client's protocol.
    pub protocol: Protocol,
    /// Bytes in the buffer beyond which the reply will not be sent.
    limit: usize,
}

impl<'a> Reply<'a> {
    /// Replies go to the end of `out`.
    pub fn new(out: &'a mut Vec<u8>, protocol: Protocol) -> Self {
        Self { out, protocol, limit: usize::MAX }
    }

    /// With more than `limit` bytes in the buffer nothing will be sent, and nothing more is written.
    pub fn limited(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Whether whatever is written more will not be sent: who writes without bound may stop.
    pub fn is_futile(&self) -> bool {
        self.out.len() > self.limit
    }

    /// Bytes in the buffer so far.
    pub fn position(&self) -> usize {
        self.out.len()
    }

    /// Forgets what was written since `position`, and that it passed a limit.
    pub fn rewind(&mut self, position: usize) {
        if self.is_futile() {
            self.limit = usize::MAX;
        }
        self.out.truncate(position);
    }

    /// Bytes that already are RESP.
    pub fn raw(&mut self, bytes: &[u8]) {
        if self.is_futile() {
            return;
        }
        self.out.extend_from_slice(bytes);
    }

    /// What was written since `position`.
    pub fn since(&self, position: usize) -> &[u8] {
        &self.out[position..]
    }

    /// `+OK`
    pub fn ok(&mut self) {
        self.out.extend_from_slice(b"+OK\r\n");
    }

    /// A simple string.
    pub fn status(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    /// An error, code first.
    pub fn error(&mut self, error: &WireError) {
        self.line(b'-', error.as_bytes());
    }

    /// An integer.
    pub fn int(&mut self, value: i64) {
        self.header(b':', value);
    }

    /// An integer from a length or a count.
    pub fn count(&mut self, value: usize) {
        self.header(b':', value as i64);
    }

    /// A bulk string.
    pub fn bulk(&mut self, bytes: &[u8]) {
        if self.is_futile() {
            return;
        }
        self.header(b'$', bytes.len() as i64);
        self.out.extend_from_slice(bytes);
        self.out.extend_from_slice(b"\r\n");
    }

    /// A bulk string, or null.
    pub fn bulk_or_null(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.bulk(bytes),
            None => self.null(),
        }
    }

    /// An integer as a bulk string.
    pub fn bulk_int(&mut self, value: i64) {
        self.bulk(itoa::Buffer::new().format(value).as_bytes());
    }

    /// An element of a value, as a bulk string.
    pub fn element(&mut self, element: Element<'_>) {
        match element {
            Element::Bytes(bytes) => self.bulk(bytes),
            Element::Int(value) => self.bulk_int(value),
        }
    }

    /// Null (RESP2: the null bulk string).
    pub fn null(&mut self) {
        self.raw(match self.protocol {
            Protocol::Resp2 => b"$-1\r\n",
            Protocol::Resp3 => b"_\r\n",
        });
    }

    /// Null where an array was asked for (RESP2: the null array).
    pub fn null_array(&mut self) {
        self.raw(match self.protocol {
            Protocol::Resp2 => b"*-1\r\n",
            Protocol::Resp3 => b"_\r\n",
        });
    }

    /// A boolean (RESP2: 0 or 1).
    pub fn bool(&mut self, value: bool) {
        match self.protocol {
            Protocol::Resp2 => self.int(i64::from(value)),
            Protocol::Resp3 => self.raw(if value { b"#t\r\n" } else { b"#f\r\n" }),
        }
    }

    /// A double (RESP2: a bulk string).
    pub fn double(&mut self, value: f64) {
        let mut text = Vec::with_capacity(24);
        format_f64(value, &mut text);
        match self.protocol {
            Protocol::Resp2 => self.bulk(&text),
            Protocol::Resp3 => self.line(b',', &text),
        }
    }

    /// A double in extended precision: all its decimals, without an exponent (RESP2: a bulk string).
    pub fn long_double(&mut self, value: f64) {
        let text = LongDouble::from_f64(value).to_text();
        match self.protocol {
            Protocol::Resp2 => self.bulk(text.as_bytes()),
            Protocol::Resp3 => self.line(b',', text.as_bytes()),
        }
    }

    /// A verbatim string (RESP2: a bulk string); `format` is three characters, `txt` or `mkd`.
    pub fn verbatim(&mut self, format: &str, text: &[u8]) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(text),
            Protocol::Resp3 => {
                self.header(b'=', text.len() as i64 + 4);
                self.raw(format.as_bytes());
                self.raw(b":");
                self.raw(text);
                self.raw(b"\r\n");
            }
        }
    }

    /// A big number, given as its decimal text (RESP2: a bulk string).
    pub fn big_number(&mut self, digits: &[u8]) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(digits),
            Protocol::Resp3 => self.line(b'(', digits),
        }
    }

    /// An array of `length` replies, which follow.
    pub fn array(&mut self, length: usize) {
        self.announce(b'*', length);
    }

    /// A map of `pairs` keys and values, which follow (RESP2: an array of twice as many).
    pub fn map(&mut self, pairs: usize) {
        match self.protocol {
            Protocol::Resp2 => self.announce(b'*', pairs.saturating_mul(2)),
            Protocol::Resp3 => self.announce(b'%', pairs),
        }
    }

    /// A set of `length` replies, which follow (RESP2: an array).
    pub fn set(&mut self, length: usize) {
        self.announce(if self.protocol == Protocol::Resp3 { b'~' } else { b'*' }, length);
    }

    /// An out-of-band message of `length` replies, which follow (RESP2: an array).
    pub fn push(&mut self, length: usize) {
        self.header(if self.protocol == Protocol::Resp3 { b'>' } else { b'*' }, length as i64);
    }

    /// Starts an aggregate whose length is not known yet.
    pub fn deferred(&mut self) -> Mark {
        Mark(self.out.len())
    }

    /// Ends a deferred array.
    pub fn end_array(&mut self, mark: Mark, length: usize) {
        self.end(mark, b'*', length);
    }

    /// Ends a deferred set.
    pub fn end_set(&mut self, mark: Mark, length: usize) {
        self.end(mark, if self.protocol == Protocol::Resp3 { b'~' } else { b'*' }, length);
    }

    /// Ends a deferred map of `pairs`.
    pub fn end_map(&mut self, mark: Mark, pairs: usize) {
        match self.protocol {
            Protocol::Resp2 => self.end(mark, b'*', pairs * 2),
            Protocol::Resp3 => self.end(mark, b'%', pairs),
        }
    }

    /// The lines of a HELP subcommand.
    pub fn help(&mut self, command: &str, lines: &[&str]) {
        self.array(lines.len() + 3);
        self.status(&format!("{command} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
        for line in lines {
            self.status(line);
        }
        self.status("HELP");
        self.status("    Prints this help.");
    }

    fn end(&mut self, mark: Mark, kind: u8, length: usize) {
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(length).as_bytes();
        let mut header = smallvec::SmallVec::<[u8; 24]>::new();
        header.push(kind);
        header.extend_from_slice(digits);
        header.extend_from_slice(b"\r\n");
        self.out.splice(mark.0..mark.0, header);
    }

    /// The header of so many replies. If they alone would pass the limit, however short they are, it is passed at once.
    fn announce(&mut self, kind: u8, replies: usize) {
        self.header(kind, replies as i64);
        if replies.saturating_mul(SHORTEST_REPLY) > self.limit.saturating_sub(self.out.len()) {
            self.limit = 0;
        }
    }

    fn header(&mut self, kind: u8, value: i64) {
        if (0..10).contains(&value) {
            self.out.extend_from_slice(&[kind, b'0' + value as u8, b'\r', b'\n']);
            return;
        }
        self.line(kind, itoa::Buffer::new().format(value).as_bytes());
    }

    fn line(&mut self, kind: u8, text: &[u8]) {
        if self.is_futile() {
            return;
        }
        self.out.reserve(text.len() + 3);
        self.out.push(kind);
        self.out.extend_from_slice(text);
        self.out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(protocol: Protocol, write: impl Fn(&mut Reply)) -> String {
        let mut out = Vec::new();
        write(&mut Reply::new(&mut out, protocol));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_reply_that_passes_its_limit_does_not_grow() {
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, Protocol::Resp2).limited(1000);
        (0..100).for_each(|_| reply.bulk(&[0; 100]));
        assert!(reply.is_futile() && reply.position() < 1200);
        reply.rewind(0);
        reply.ok();
        assert_eq!(out, b"+OK\r\n");
        for count in [0, 300, 1000, usize::MAX] {
            let mut out = Vec::new();
            let mut reply = Reply::new(&mut out, Protocol::Resp2).limited(1000);
            reply.array(count);
            assert_eq!(reply.is_futile(), count >= 1000, "{count}");
        }
    }

    #[test]
    fn each_kind_has_its_bytes_in_both_protocols() {
        type Case = (fn(&mut Reply), &'static str, &'static str);
        let cases: [Case; 11] = [
            (|r| r.null(), "$-1\r\n", "_\r\n"),
            (|r| r.null_array(), "*-1\r\n", "_\r\n"),
            (|r| r.bool(true), ":1\r\n", "#t\r\n"),
            (|r| r.double(1.5), "$3\r\n1.5\r\n", ",1.5\r\n"),
            (|r| r.map(2), "*4\r\n", "%2\r\n"),
            (|r| r.set(12), "*12\r\n", "~12\r\n"),
            (|r| r.push(3), "*3\r\n", ">3\r\n"),
            (|r| r.verbatim("txt", b"hi"), "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n"),
            (|r| r.int(-42), ":-42\r\n", ":-42\r\n"),
            (|r| r.bulk(b""), "$0\r\n\r\n", "$0\r\n\r\n"),
            (
                |r| {
                    let m = r.deferred();
                    r.int(1);
                    r.end_map(m, 5)
                },
                "*10\r\n:1\r\n",
                "%5\r\n:1\r\n",
            ),
        ];
        for (write, resp2, resp3) in cases {
            assert_eq!(written(Protocol::Resp2, write), resp2);
            assert_eq!(written(Protocol::Resp3, write), resp3);
        }
    }
}
