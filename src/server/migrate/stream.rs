//! The source's stream taken apart into commands, without sockets.
//!
//! Positions count every byte of the stream, as the source does, those included that are for replicas alone.

use crate::replication::{is_endless, stream_limits};
use crate::resp::{Args, Parsed, Parser};

/// Room given back when a large command has gone through.
const SPARE_BYTES: usize = 1 << 20;

/// A piece of the stream.
pub enum Piece<'a> {
    /// A command for the target, as it is sent.
    Command {
        /// Its words.
        args: Args<'a>,
        /// All of it.
        request: &'a [u8],
        /// Where it begins.
        from: u64,
    },
    /// The source asks how far its replicas are.
    Question,
    /// For replicas alone.
    Other,
}

/// The stream.
pub struct CommandStream {
    parser: Parser,
    /// What has come in; a piece is dropped from it when the next one is asked for.
    input: Vec<u8>,
    done: usize,
    pending: usize,
    /// Where `input` begins.
    start: u64,
}

impl CommandStream {
    /// A stream that begins at a position.
    pub fn new(start: u64) -> Self {
        Self { parser: Parser::new(), input: Vec::new(), done: 0, pending: 0, start }
    }

    /// Room for bytes that come in.
    pub fn input(&mut self) -> &mut Vec<u8> {
        &mut self.input
    }

    /// The position behind the last whole piece.
    pub fn position(&self) -> u64 {
        self.start + (self.done + self.pending) as u64
    }

    /// Forgets the part of a piece that has come in: it comes again.
    pub fn forget_part(&mut self) {
        *self = Self::new(self.position());
    }

    /// The next whole piece.
    pub fn next(&mut self) -> Result<Option<Piece<'_>>, String> {
        if self.pending > 0 {
            self.done += std::mem::take(&mut self.pending);
            self.parser.next();
        }
        let from = self.start + self.done as u64;
        let (rest, bounds) = (&self.input[self.done..], stream_limits(0));
        match self.parser.parse(rest, bounds) {
            Parsed::Incomplete if is_endless(bounds, rest.len()) => {
                return Err("the source's stream cannot be read: a command without an end".into());
            }
            Parsed::Incomplete => {
                self.input.drain(..self.done);
                self.start = from;
                self.done = 0;
                if self.input.capacity() > SPARE_BYTES && self.input.len() < SPARE_BYTES / 2 {
                    self.input.shrink_to(SPARE_BYTES);
                }
                return Ok(None);
            }
            Parsed::Broken(error) => return Err(format!("the source's stream cannot be read: {error}")),
            Parsed::Nothing | Parsed::Request if self.parser.consumed() == 0 => {
                return Err("the source's stream does not go on".into());
            }
            Parsed::Nothing => {
                self.pending = self.parser.consumed();
                return Ok(Some(Piece::Other));
            }
            Parsed::Request => self.pending = self.parser.consumed(),
        }
        let request = &self.input[self.done..self.done + self.pending];
        let args = self.parser.args(request);
        let is_question = args.is(0, "REPLCONF") && args.is(1, "GETACK");
        let is_own = args.is(0, "REPLCONF") || args.is(0, "PING") || request.first() != Some(&b'*');
        let piece = match (is_question, is_own) {
            (true, _) => Piece::Question,
            (_, true) => Piece::Other,
            _ => Piece::Command { args, request, from },
        };
        Ok(Some(piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] =
        b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n\r\n*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2\r\n\r\n\r\n\
        *3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n*2\r\n$3\r\nDEL\r\n$1\r\na\r\n";

    fn pieces(stream: &mut CommandStream, bytes: &[u8]) -> Vec<String> {
        let mut seen = Vec::new();
        stream.input().extend_from_slice(bytes);
        while let Some(piece) = stream.next().unwrap() {
            seen.push(match piece {
                Piece::Command { args, from, .. } => format!("{}@{from}", args.at(0).escape_ascii()),
                Piece::Question => "?".into(),
                Piece::Other => ".".into(),
            });
        }
        seen
    }

    #[test]
    fn commands_come_whole_however_they_arrive() {
        let expected = ["SELECT@100", ".", ".", "SET@139", "?", "DEL@204"];
        let whole = pieces(&mut CommandStream::new(100), STREAM);
        assert_eq!(whole, expected);
        for size in 1..STREAM.len() {
            let mut stream = CommandStream::new(100);
            let seen: Vec<String> = STREAM.chunks(size).flat_map(|chunk| pieces(&mut stream, chunk)).collect();
            assert_eq!((seen, stream.position()), (whole.clone(), 100 + STREAM.len() as u64), "pieces of {size}");
        }
    }

    #[test]
    fn after_a_cut_the_last_piece_comes_again() {
        for cut in 0..STREAM.len() {
            let mut stream = CommandStream::new(0);
            let mut seen = pieces(&mut stream, &STREAM[..cut]);
            stream.forget_part();
            let from = stream.position() as usize;
            seen.extend(pieces(&mut stream, &STREAM[from..]));
            assert_eq!(seen, pieces(&mut CommandStream::new(0), STREAM), "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_stream_is_an_error() {
        let mut stream = CommandStream::new(0);
        stream.input().extend_from_slice(b"*1\r\n+OK\r\n");
        assert!(stream.next().is_err());
        let mut stream = CommandStream::new(0);
        stream.input().extend_from_slice(b"*2\r\n$3\r\nGET\r\n$999999999999999\r\n");
        assert!(stream.next().is_err());
    }
}
