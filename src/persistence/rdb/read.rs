//! Reading lengths, strings and numbers from a stream of bytes.
//!
//! Room for a string grows with the bytes that arrive, so a length that lies costs nothing. Everything read goes into the checksum.

use std::io::Read;

use super::code::string;
use super::error::RdbError;
use crate::base::crc64::Crc64;
use crate::base::lzf;
use crate::base::number::parse_f64;
use crate::data::Mending;

/// Bytes asked of the source at a time.
const BUFFER: usize = 64 << 10;
/// Room made in advance for a string that claims to be long.
const ADVANCE: usize = 1 << 20;

/// Reads from a source.
pub struct Reader<R> {
    source: R,
    buffer: Box<[u8]>,
    /// What of the buffer is not read yet.
    at: usize,
    end: usize,
    /// Where what is not in the checksum yet begins.
    unsummed: usize,
    checksum: Option<Crc64>,
    /// Bytes taken out of the source.
    taken: u64,
    /// Whether values that are off are put right, and what was.
    pub mending: Mending,
}

/// A length, or the special encoding in its place.
enum Length {
    Plain(u64),
    Special(u8),
}

impl<R: Read> Reader<R> {
    /// A reader, with or without a checksum of what it reads.
    pub fn new(source: R, checksum: bool) -> Self {
        Self::with_buffer(source, checksum, BUFFER)
    }

    /// A reader of a source that is known to be small.
    pub fn with_buffer(source: R, checksum: bool, bytes: usize) -> Self {
        Self {
            source,
            buffer: vec![0; bytes.clamp(16, BUFFER)].into_boxed_slice(),
            at: 0,
            end: 0,
            unsummed: 0,
            checksum: checksum.then(Crc64::default),
            taken: 0,
            mending: Mending::default(),
        }
    }

    /// How many bytes have been read.
    pub fn offset(&self) -> u64 {
        self.taken - (self.end - self.at) as u64
    }

    /// The checksum of everything read; `None` where there is to be none.
    pub fn checksum(&mut self) -> Option<u64> {
        self.sum_up();
        self.checksum.as_ref().map(Crc64::value)
    }

    /// What follows: bytes taken from the source but not read, and the source.
    pub fn into_rest(self) -> (Vec<u8>, R) {
        (self.buffer[self.at..self.end].to_vec(), self.source)
    }

    /// The source.
    pub fn source(&self) -> &R {
        &self.source
    }

    /// Bytes, as many as `out` has room for.
    pub fn exact(&mut self, out: &mut [u8]) -> Result<(), RdbError> {
        let mut filled = 0;
        while filled < out.len() {
            let piece = self.some(out.len() - filled)?;
            out[filled..filled + piece.len()].copy_from_slice(piece);
            filled += piece.len();
        }
        Ok(())
    }

    /// One byte.
    pub fn byte(&mut self) -> Result<u8, RdbError> {
        Ok(self.some(1)?[0])
    }

    /// A length, or another unsigned number.
    pub fn length(&mut self) -> Result<u64, RdbError> {
        match self.length_or_special()? {
            Length::Plain(length) => Ok(length),
            // Redis takes the number of the encoding for the length here; no writer means that.
            Length::Special(code) => Ok(u64::from(code)),
        }
    }

    /// A string.
    pub fn string(&mut self) -> Result<Vec<u8>, RdbError> {
        let int = |value: i64| Ok(itoa::Buffer::new().format(value).as_bytes().to_vec());
        match self.length_or_special()? {
            Length::Plain(length) => self.bytes(length),
            Length::Special(string::INT8) => int(i64::from(self.byte()? as i8)),
            Length::Special(string::INT16) => int(i64::from(i16::from_le_bytes(self.array()?))),
            Length::Special(string::INT32) => int(i64::from(i32::from_le_bytes(self.array()?))),
            Length::Special(string::LZF) => {
                let (packed, length) = (self.length()?, self.length()?);
                if !lzf::can_hold(packed, length) {
                    return Err(RdbError::Corrupt("invalid LZF compressed string"));
                }
                let packed = self.bytes(packed)?;
                let length = usize::try_from(length).map_err(|_| RdbError::Truncated)?;
                lzf::decompress(&packed, length).ok_or(RdbError::Corrupt("invalid LZF compressed string"))
            }
            Length::Special(_) => Err(RdbError::Corrupt("unknown string encoding")),
        }
    }

    /// Milliseconds, signed.
    pub fn millis(&mut self) -> Result<i64, RdbError> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    /// Seconds, signed, of 32 bits.
    pub fn seconds(&mut self) -> Result<i32, RdbError> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    /// A number in binary.
    pub fn double(&mut self) -> Result<f64, RdbError> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    /// A number as text behind its length.
    pub fn double_text(&mut self) -> Result<f64, RdbError> {
        match self.byte()? {
            255 => Ok(f64::NEG_INFINITY),
            254 => Ok(f64::INFINITY),
            253 => Ok(f64::NAN),
            length => {
                let text = self.bytes(u64::from(length))?;
                parse_f64(&text).ok_or(RdbError::Corrupt("invalid score"))
            }
        }
    }

    /// So many bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], RdbError> {
        let mut array = [0; N];
        self.exact(&mut array)?;
        Ok(array)
    }

    fn bytes(&mut self, length: u64) -> Result<Vec<u8>, RdbError> {
        let length = usize::try_from(length).map_err(|_| RdbError::Truncated)?;
        let mut bytes = Vec::with_capacity(length.min(ADVANCE));
        while bytes.len() < length {
            let piece = self.some(length - bytes.len())?;
            bytes.extend_from_slice(piece);
        }
        Ok(bytes)
    }

    fn length_or_special(&mut self) -> Result<Length, RdbError> {
        let first = self.byte()?;
        match first >> 6 {
            0b00 => Ok(Length::Plain(u64::from(first))),
            0b01 => Ok(Length::Plain(u64::from(first & 0x3f) << 8 | u64::from(self.byte()?))),
            0b11 => Ok(Length::Special(first & 0x3f)),
            _ => match first {
                0x80 => Ok(Length::Plain(u64::from(u32::from_be_bytes(self.array()?)))),
                0x81 => Ok(Length::Plain(u64::from_be_bytes(self.array()?))),
                _ => Err(RdbError::Corrupt("unknown length encoding")),
            },
        }
    }

    /// The next bytes: at least one, at most `limit`.
    fn some(&mut self, limit: usize) -> Result<&[u8], RdbError> {
        if self.at == self.end {
            self.refill()?;
        }
        let start = self.at;
        self.at = self.end.min(start.saturating_add(limit));
        Ok(&self.buffer[start..self.at])
    }

    fn refill(&mut self) -> Result<(), RdbError> {
        self.sum_up();
        loop {
            match self.source.read(&mut self.buffer) {
                Ok(0) => return Err(RdbError::Truncated),
                Ok(count) => {
                    (self.at, self.end, self.unsummed) = (0, count, 0);
                    self.taken += count as u64;
                    return Ok(());
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(RdbError::Io(error)),
            }
        }
    }

    fn sum_up(&mut self) {
        if let Some(checksum) = &mut self.checksum {
            checksum.update(&self.buffer[self.unsummed..self.at]);
        }
        self.unsummed = self.at;
    }
}

#[cfg(test)]
mod tests {
    use super::super::write::Writer;
    use super::*;

    #[test]
    fn lengths_come_back_in_their_shortest_form() {
        for (length, bytes) in
            [(0, 1), (63, 1), (64, 2), (16383, 2), (16384, 5), (u64::from(u32::MAX), 5), (1 << 32, 9)]
        {
            let mut writer = Writer::new(true);
            writer.length(length);
            assert_eq!(writer.out.len(), bytes, "{length}");
            assert_eq!(Reader::new(&writer.out[..], false).length().unwrap(), length);
        }
    }

    #[test]
    fn strings_come_back_whatever_form_they_took() {
        let long = b"ab".repeat(5000);
        let cases: [(&[u8], usize); 10] = [
            (b"", 1),
            (b"0", 2),
            (b"-128", 2),
            (b"128", 3),
            (b"-32769", 5),
            (b"2147483648", 11),
            (b"007", 4),
            (b"aaaaaaaaaaaaaaaaaaaa", 21),
            (b"aaaaaaaaaaaaaaaaaaaaa", 10),
            (&long, 124),
        ];
        for (string, most) in cases {
            let mut writer = Writer::new(true);
            writer.string(string);
            assert!(writer.out.len() <= most, "{string:?} took {}", writer.out.len());
            let mut reader = Reader::with_buffer(&writer.out[..], true, 0);
            assert_eq!(reader.string().unwrap(), string);
            assert_eq!(reader.offset(), writer.out.len() as u64);
            assert_eq!(reader.checksum(), Some(crate::base::crc64::crc64(&writer.out)));
        }
    }

    #[test]
    fn a_length_that_lies_costs_nothing() {
        for bytes in [
            &[0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1][..],
            &[0xc3, 0x02, 0x80, 0x7f, 0xff, 0xff, 0xff],
        ] {
            assert!(Reader::new(bytes, false).string().is_err());
        }
    }
}
