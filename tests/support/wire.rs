//! A RESP client that hides nothing: it sends exactly what it is told and writes replies down as one line of text.
//!
//! | reply | text |
//! |---|---|
//! | status, error, integer | `+OK`, `-ERR …`, `5` |
//! | bulk string | `'text'`, other bytes as `\x00` |
//! | null bulk, null array, RESP3 null | `nil`, `nil*`, `_` |
//! | array, set, map, push | `['a' 1]`, `~['a']`, `{'a': 1}`, `>['a']` |
//! | double, boolean, big number, verbatim | `,1.5`, `#t`, `(123`, `=txt:text` |

use std::io::{self, Read, Write};
use std::time::Duration;

/// A byte stream in either mode.
pub use redis_tls::peer::Stream;

/// A client on a stream.
pub struct Wire {
    stream: Stream,
    input: Vec<u8>,
}

impl Wire {
    /// A client at the start of a stream.
    pub fn new(stream: Stream) -> Self {
        Self { stream, input: Vec::new() }
    }

    /// The stream, for raw bytes.
    pub fn stream(&mut self) -> &mut Stream {
        &mut self.stream
    }

    /// Runs a command line (words, quoted as redis-cli takes them) and writes the reply down.
    pub fn run(&mut self, line: &str) -> String {
        self.send(line);
        self.reply()
    }

    /// Runs a command of any bytes.
    pub fn run_args(&mut self, args: &[&[u8]]) -> String {
        self.try_run(args).unwrap_or_else(|error| panic!("{}: {error}", args[0].escape_ascii()))
    }

    /// As [`Wire::run_args`], for a connection that may end.
    pub fn try_run(&mut self, args: &[&[u8]]) -> io::Result<String> {
        self.write(&encode(args))?;
        self.try_reply()
    }

    /// Sends a command line without reading the reply.
    pub fn send(&mut self, line: &str) {
        let words = words(line);
        let args: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        self.send_raw(&encode(&args));
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.try_send_raw(bytes).expect("send");
    }

    /// Sends bytes as they are; an error when the server has hung up.
    pub fn try_send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write(bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// The next reply.
    pub fn reply(&mut self) -> String {
        self.try_reply().expect("a reply")
    }

    /// The next reply, or why there is none.
    pub fn try_reply(&mut self) -> io::Result<String> {
        let mut text = String::new();
        self.describe(&mut text)?;
        Ok(text)
    }

    /// Everything until the server closes; an unclean end of TLS counts as an end.
    pub fn read_to_close(&mut self) -> Vec<u8> {
        let mut all = std::mem::take(&mut self.input);
        let mut chunk = [0; 4096];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => return all,
                Ok(read) => all.extend_from_slice(&chunk[..read]),
                Err(error) if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
                    return all;
                }
                Err(error) => panic!("expected a close, got {error}"),
            }
        }
    }

    /// Whether nothing arrives for as long as `pause`.
    pub fn is_silent_for(&mut self, pause: Duration) -> bool {
        let socket = self.stream.socket();
        let before = socket.read_timeout().expect("timeout");
        socket.set_read_timeout(Some(pause)).expect("timeout");
        let silent = self.input.is_empty() && self.fill().is_err_and(|error| would_block(&error));
        self.stream.socket().set_read_timeout(before).expect("timeout");
        silent
    }

    /// The bytes of a bulk or verbatim string.
    pub fn text(&mut self, line: &str) -> String {
        self.send(line);
        let header = self.line().expect("a reply");
        let length = header[1..].parse::<usize>().unwrap_or_else(|_| panic!("{line}: {header}"));
        let bytes = self.take(length + 2).expect("a bulk string");
        let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
        if header.starts_with('=') { text[4..].to_owned() } else { text }
    }

    /// Reads past the snapshot that answers a SYNC; empty lines may come first.
    pub fn skip_snapshot(&mut self) {
        let header = self.line().expect("a snapshot");
        let length = header.rsplit('$').next().and_then(|length| length.parse().ok());
        let length = length.unwrap_or_else(|| panic!("no snapshot: {header}"));
        self.take(length).expect("a whole snapshot");
    }

    /// An integer reply.
    pub fn int(&mut self, line: &str) -> i64 {
        let reply = self.run(line);
        reply.parse().unwrap_or_else(|_| panic!("{line}: {reply}"))
    }

    // ---- reading

    fn describe(&mut self, text: &mut String) -> io::Result<()> {
        let line = self.line()?;
        let (kind, rest) = line.split_at(1);
        match kind {
            "+" | "-" | "," | "#" | "(" => text.push_str(&line),
            ":" => text.push_str(rest),
            "_" => text.push('_'),
            "$" if rest == "-1" => text.push_str("nil"),
            "*" if rest == "-1" => text.push_str("nil*"),
            "$" => {
                let bytes = self.take(length(rest)? + 2)?;
                text.push('\'');
                text.push_str(&printable(&bytes[..bytes.len() - 2]));
                text.push('\'');
            }
            "=" => {
                let bytes = self.take(length(rest)? + 2)?;
                text.push('=');
                text.push_str(&printable(&bytes[..bytes.len() - 2]));
            }
            "*" => self.describe_many(text, "[", length(rest)?)?,
            "~" => self.describe_many(text, "~[", length(rest)?)?,
            ">" => self.describe_many(text, ">[", length(rest)?)?,
            "%" => self.describe_map(text, length(rest)?)?,
            _ => return Err(io::Error::other(format!("not RESP: {line:?}"))),
        }
        Ok(())
    }

    fn describe_many(&mut self, text: &mut String, open: &str, length: usize) -> io::Result<()> {
        text.push_str(open);
        for index in 0..length {
            if index > 0 {
                text.push(' ');
            }
            self.describe(text)?;
        }
        text.push(']');
        Ok(())
    }

    fn describe_map(&mut self, text: &mut String, length: usize) -> io::Result<()> {
        text.push('{');
        for index in 0..length {
            if index > 0 {
                text.push_str(", ");
            }
            self.describe(text)?;
            text.push_str(": ");
            self.describe(text)?;
        }
        text.push('}');
        Ok(())
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.input.windows(2).position(|pair| pair == b"\r\n") {
                let bytes = self.take(end + 2)?;
                let line = printable(&bytes[..end]);
                return if line.is_empty() { Err(io::Error::other("an empty line is not RESP")) } else { Ok(line) };
            }
            self.fill()?;
        }
    }

    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.input.len() < length {
            self.fill()?;
        }
        let rest = self.input.split_off(length);
        Ok(std::mem::replace(&mut self.input, rest))
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                self.input.extend_from_slice(&chunk[..read]);
                Ok(())
            }
        }
    }
}

fn would_block(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn length(digits: &str) -> io::Result<usize> {
    digits.parse().map_err(|_| io::Error::other(format!("not a length: {digits:?}")))
}

/// UTF-8 as it is, control characters and other bytes escaped.
fn printable(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains(|c: char| c.is_control()) => text.to_owned(),
        _ => bytes.escape_ascii().to_string(),
    }
}

/// A request as an array of bulk strings.
pub fn encode(args: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        bytes.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        bytes.extend_from_slice(arg);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// The words of a line; `"…"` knows `\xHH`, `\n`, `\r`, `\\` and `\"`.
pub fn words(line: &str) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut rest = line.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        match first {
            b' ' => rest = tail,
            b'"' => {
                let mut word = Vec::new();
                rest = quoted(tail, &mut word);
                words.push(word);
            }
            _ => {
                let end = rest.iter().position(|b| *b == b' ').unwrap_or(rest.len());
                words.push(rest[..end].to_vec());
                rest = &rest[end..];
            }
        }
    }
    words
}

fn quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> &'a [u8] {
    loop {
        match rest {
            [b'\\', b'x', high, low, tail @ ..] => {
                let digit = |b: &u8| (*b as char).to_digit(16).expect("a hex digit") as u8;
                word.push(digit(high) << 4 | digit(low));
                rest = tail;
            }
            [b'\\', escaped, tail @ ..] => {
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    other => *other,
                });
                rest = tail;
            }
            [b'"', tail @ ..] => return tail,
            [byte, tail @ ..] => {
                word.push(*byte);
                rest = tail;
            }
            [] => panic!("a quote does not close"),
        }
    }
}
