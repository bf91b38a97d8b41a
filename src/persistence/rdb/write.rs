//! Writing lengths, strings and numbers to the end of a buffer.
//!
//! A length takes 1, 2, 5 or 9 bytes. A string is a length and bytes, or one of the special forms: a small integer, or compressed.

use super::code::string;
use crate::base::lzf::Compressor;
use crate::base::number::parse_i64;

/// Strings up to this length are not worth compressing.
const NOT_COMPRESSED: usize = 20;
/// No integer of 32 bits has more digits.
const INT32_DIGITS: usize = 11;

/// Writes to the end of a buffer.
#[derive(Default)]
pub struct Writer {
    /// What is written.
    pub out: Vec<u8>,
    compression: bool,
    compressor: Option<Compressor>,
}

impl Writer {
    /// A writer with nothing written yet, that compresses strings or does not.
    pub fn new(compression: bool) -> Self {
        Self { out: Vec::new(), compression, compressor: None }
    }

    /// Compresses strings from here on, or does not.
    pub fn set_compression(&mut self, compression: bool) {
        self.compression = compression;
    }

    /// One byte.
    pub fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    /// A length, or another unsigned number.
    pub fn length(&mut self, length: u64) {
        match length {
            0..0x40 => self.out.push(length as u8),
            0x40..0x4000 => self.out.extend_from_slice(&(0x4000 | length as u16).to_be_bytes()),
            _ => match u32::try_from(length) {
                Ok(length) => {
                    self.out.push(0x80);
                    self.out.extend_from_slice(&length.to_be_bytes());
                }
                Err(_) => {
                    self.out.push(0x81);
                    self.out.extend_from_slice(&length.to_be_bytes());
                }
            },
        }
    }

    /// A string, in the shortest form it has.
    pub fn string(&mut self, bytes: &[u8]) {
        let int = if bytes.len() <= INT32_DIGITS { parse_i64(bytes) } else { None };
        if int.is_some_and(|value| self.small_int(value)) {
            return;
        }
        if self.compression && bytes.len() > NOT_COMPRESSED && self.compressed(bytes) {
            return;
        }
        self.length(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    /// The decimal text of an integer, as a string.
    pub fn int_string(&mut self, value: i64) {
        if !self.small_int(value) {
            let mut digits = itoa::Buffer::new();
            let text = digits.format(value).as_bytes();
            self.length(text.len() as u64);
            self.out.extend_from_slice(text);
        }
    }

    /// Milliseconds, signed.
    pub fn millis(&mut self, millis: i64) {
        self.out.extend_from_slice(&millis.to_le_bytes());
    }

    /// A number in binary.
    pub fn double(&mut self, value: f64) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    fn small_int(&mut self, value: i64) -> bool {
        const SPECIAL: u8 = 0b11 << 6;
        if let Ok(value) = i8::try_from(value) {
            self.out.extend_from_slice(&[SPECIAL | string::INT8, value as u8]);
        } else if let Ok(value) = i16::try_from(value) {
            self.out.push(SPECIAL | string::INT16);
            self.out.extend_from_slice(&value.to_le_bytes());
        } else if let Ok(value) = i32::try_from(value) {
            self.out.push(SPECIAL | string::INT32);
            self.out.extend_from_slice(&value.to_le_bytes());
        } else {
            return false;
        }
        true
    }

    fn compressed(&mut self, bytes: &[u8]) -> bool {
        /// Compression must save at least so many bytes.
        const SAVED: usize = 4;
        // The lengths stand in front of the compressed bytes, so these are made aside.
        let mut packed = Vec::new();
        let compressor = self.compressor.get_or_insert_default();
        if !compressor.compress(bytes, bytes.len() - SAVED, &mut packed) {
            return false;
        }
        self.out.push(0b11 << 6 | string::LZF);
        self.length(packed.len() as u64);
        self.length(bytes.len() as u64);
        self.out.extend_from_slice(&packed);
        true
    }
}
