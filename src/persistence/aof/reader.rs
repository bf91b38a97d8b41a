//! Reading a part record by record, with the place of each.
//!
//! Whatever the bytes are, reading ends, and takes memory only in proportion to what was really there.

use std::io::{self, BufRead, Read};

use super::record::{ANNOTATION, MAX_LINE};
use crate::resp::OwnedArgs;

/// The most room that is made for an argument before it has arrived.
const ROOM_BYTES: usize = 1 << 16;

/// A record.
#[derive(Debug)]
pub enum Item {
    /// A command with its arguments.
    Command(OwnedArgs),
    /// A line that is no command, with its end.
    Annotation(Vec<u8>),
}

/// Why there is no next record.
#[derive(Debug)]
pub enum Damage {
    /// The bytes cannot be had.
    Io(io::Error),
    /// They end within a record.
    End(String),
    /// They are no record.
    Format(String),
}

impl From<io::Error> for Damage {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads records.
pub struct RecordReader<R> {
    source: R,
    offset: u64,
    /// Where the piece begins that was read last.
    piece: u64,
    lines: u64,
}

impl<R: BufRead> RecordReader<R> {
    /// A reader of a source whose first byte stands at `offset` of its file.
    pub fn new(source: R, offset: u64) -> Self {
        Self { source, offset, piece: offset, lines: 1 }
    }

    /// Where the next record begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Where the line or argument begins that was read last.
    pub fn piece(&self) -> u64 {
        self.piece
    }

    /// The number of the line that was reached, from 1.
    pub fn line(&self) -> u64 {
        self.lines
    }

    /// The next record; `None` at the end.
    pub fn next_item(&mut self) -> Result<Option<Item>, Damage> {
        let Some(first) = self.source.fill_buf()?.first().copied() else { return Ok(None) };
        match first {
            ANNOTATION => self.annotation().map(|line| Some(Item::Annotation(line))),
            b'*' => self.command().map(|arguments| Some(Item::Command(arguments))),
            _ => Err(Damage::Format(String::new())),
        }
    }

    fn annotation(&mut self) -> Result<Vec<u8>, Damage> {
        let line = self.read_line()?;
        if line.ends_with(b"\n") { Ok(line) } else { Err(Damage::End(String::new())) }
    }

    fn command(&mut self) -> Result<OwnedArgs, Damage> {
        let count = self.number(b'*')?;
        if count < 1 {
            return Err(Damage::Format(format!("Expected a command, got one of {count} arguments")));
        }
        let mut arguments = OwnedArgs::default();
        let mut argument = Vec::new();
        for _ in 0..count {
            self.argument(&mut argument)?;
            arguments.push(&argument);
        }
        Ok(arguments)
    }

    fn argument(&mut self, into: &mut Vec<u8>) -> Result<(), Damage> {
        let length = self.number(b'$')?;
        let Some(total) = u64::try_from(length).ok().and_then(|length| length.checked_add(2)) else {
            return Err(Damage::Format(format!(
                "Expected to read string of {length} bytes, which is not in the suitable range"
            )));
        };
        into.clear();
        into.reserve(usize::try_from(total).unwrap_or(usize::MAX).min(ROOM_BYTES));
        self.piece = self.offset;
        let read = self.source.by_ref().take(total).read_to_end(into)? as u64;
        self.offset += read;
        if read < total {
            return Err(Damage::End(format!("Expected to read {total} bytes, got {read} bytes")));
        }
        let end = into.split_off(into.len() - 2);
        self.expect_line_end(&end)
    }

    /// A line of `mark` and a number.
    fn number(&mut self, mark: u8) -> Result<i64, Damage> {
        let line = self.read_line()?;
        match line.first() {
            None => return Err(Damage::End(String::new())),
            Some(first) if *first != mark => {
                return Err(Damage::Format(format!(
                    "Expected prefix '{}', got: '{}'",
                    mark as char,
                    first.escape_ascii()
                )));
            }
            Some(_) => {}
        }
        if !line.ends_with(b"\n") && line.len() < MAX_LINE {
            return Err(Damage::End(String::new()));
        }
        let digits = line[1..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'-').count();
        let (text, end) = line[1..].split_at(digits);
        self.expect_line_end(end)?;
        crate::base::number::parse_i64(text)
            .ok_or_else(|| Damage::Format(format!("Expected a number, got: '{}'", text.escape_ascii())))
    }

    fn expect_line_end(&mut self, end: &[u8]) -> Result<(), Damage> {
        if end == b"\r\n" {
            self.lines += 1;
            return Ok(());
        }
        let byte = |index: usize| end.get(index).copied().unwrap_or(0);
        Err(Damage::Format(format!("Expected \\r\\n, got: {:02x}{:02x}", byte(0), byte(1))))
    }

    /// A line with its end, or what there is of it.
    fn read_line(&mut self) -> Result<Vec<u8>, Damage> {
        self.piece = self.offset;
        let mut line = Vec::new();
        self.offset += self.source.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line)? as u64;
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use super::super::record;
    use super::*;

    fn specimen() -> Vec<u8> {
        let mut out = Vec::new();
        record::time(&mut out, 1_700_000_000);
        record::command(&mut out, [&b"SET"[..], b"key", b"a\r\nb"].into_iter());
        record::command(&mut out, [&b"DEL"[..], b""].into_iter());
        out
    }

    fn read(bytes: &[u8]) -> (Vec<String>, u64, Option<Damage>) {
        let mut reader = RecordReader::new(bytes, 0);
        let (mut items, mut good) = (Vec::new(), 0);
        loop {
            match reader.next_item() {
                Ok(None) => return (items, good, None),
                Ok(Some(Item::Annotation(line))) => items.push(String::from_utf8_lossy(&line).into_owned()),
                Ok(Some(Item::Command(args))) => {
                    let words: Vec<_> = args.as_args().from(0).map(|word| word.escape_ascii().to_string()).collect();
                    items.push(words.join(" "));
                }
                Err(damage) => return (items, good, Some(damage)),
            }
            good = reader.offset();
        }
    }

    #[test]
    fn records_come_back_in_order() {
        let (items, good, damage) = read(&specimen());
        assert_eq!(items, ["#TS:1700000000\r\n", "SET key a\\r\\nb", "DEL "]);
        assert!(good == specimen().len() as u64 && damage.is_none());
    }

    #[test]
    fn a_cut_anywhere_is_the_end_within_a_record_and_leaves_the_records_before_it() {
        let whole = specimen();
        let ends: Vec<usize> = {
            let mut reader = RecordReader::new(&whole[..], 0);
            let mut ends = vec![0];
            while let Ok(Some(_)) = reader.next_item() {
                ends.push(reader.offset() as usize);
            }
            ends
        };
        for cut in 0..whole.len() {
            let (_, good, damage) = read(&whole[..cut]);
            let last = ends.iter().copied().filter(|end| *end <= cut).max().unwrap_or(0);
            assert_eq!(good as usize, last, "{cut}");
            match damage {
                None => assert_eq!(cut, last, "{cut}"),
                Some(Damage::End(_)) => assert_ne!(cut, last, "{cut}"),
                Some(other) => panic!("{cut}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_is_no_record_is_told() {
        for (bytes, expected) in [
            ("!!!", ""),
            ("*0\r\n", "Expected a command, got one of 0 arguments"),
            ("*x\r\n", "Expected \\r\\n, got: 780d"),
            ("*1\n$4\r\nPING\r\n", "Expected \\r\\n, got: 0a00"),
            ("*1\r\n+4\r\n", "Expected prefix '$', got: '+'"),
            ("*1\r\n$-4\r\n", "Expected to read string of -4 bytes, which is not in the suitable range"),
            ("*1\r\n$4\r\nPINGxx", "Expected \\r\\n, got: 7878"),
            ("*99999999999999999999\r\n", "Expected a number, got: '99999999999999999999'"),
        ] {
            match read(bytes.as_bytes()) {
                (_, 0, Some(Damage::Format(text))) => assert_eq!(text, expected, "{bytes:?}"),
                other => panic!("{bytes:?}: {other:?}"),
            }
        }
        let endless = format!("*{}", "1".repeat(5000));
        assert!(matches!(read(endless.as_bytes()).2, Some(Damage::Format(_))));
        for huge in ["*1\r\n$9223372036854775807\r\nx", "*9223372036854775807\r\n$1\r\nx\r\n"] {
            assert!(matches!(read(huge.as_bytes()).2, Some(Damage::End(_) | Damage::Format(_))), "{huge:?}");
        }
    }

    #[test]
    fn damage_never_does_harm() {
        use rand::{Rng, SeedableRng};
        let mut random = rand::rngs::SmallRng::seed_from_u64(9);
        let whole = specimen();
        for _ in 0..5000 {
            let mut bad = whole.clone();
            for _ in 0..random.random_range(1..4) {
                let at = random.random_range(0..bad.len());
                bad[at] = random.random();
            }
            let _ = read(&bad);
        }
    }
}
