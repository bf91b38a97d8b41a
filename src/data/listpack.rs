//! A listpack: a sequence of strings and integers in one allocation, in Redis's own byte format.
//!
//! ```text
//! | total bytes u32 | count u16 | entry … | 0xFF |      entry: | encoding + data | back length |
//! 0xxxxxxx                 7-bit unsigned      10xxxxxx + data           string up to 63 bytes
//! 110xxxxx +1              13-bit signed       1110xxxx +1 + data        string up to 4095 bytes
//! 11110001/2/3/4 +2/3/4/8  16/24/32/64-bit     11110000 +4 + data        longer string
//! ```
//! The back length is the entry's length in 7-bit groups, readable from its end. Specification: `listpack.md` of antirez/listpack.
//! Count 65535 means "walk and count".

use super::element::Element;
use super::malformed::Malformed;
use super::mending::Mending;
use crate::base::number::parse_i64;

const HEADER: usize = 6;
const END: u8 = 0xff;
const COUNT_UNKNOWN: u16 = u16::MAX;
/// A listpack must stay below this size: what would grow past it is converted or split by its owner.
pub const MAX_BYTES: usize = 1 << 30;

/// A listpack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listpack {
    bytes: Vec<u8>,
}

impl Default for Listpack {
    fn default() -> Self {
        Self::new()
    }
}

impl Listpack {
    /// An empty one.
    pub fn new() -> Self {
        Self { bytes: vec![7, 0, 0, 0, 0, 0, END] }
    }

    /// Takes bytes from outside; every entry is checked, so that walking it in either direction is safe afterwards.
    pub fn from_bytes_validated(bytes: Vec<u8>) -> Result<Self, Malformed> {
        Self::from_bytes(bytes, &mut Mending::default())
    }

    /// As [`Listpack::from_bytes_validated`], but a stored count that is wrong may be put right.
    pub fn from_bytes(mut bytes: Vec<u8>, mending: &mut Mending) -> Result<Self, Malformed> {
        let count = count_entries(&bytes).ok_or(Malformed("listpack"))?;
        let stored = u16::from_le_bytes([bytes[4], bytes[5]]);
        if stored != COUNT_UNKNOWN && usize::from(stored) != count {
            mending.mend(Malformed("listpack"))?;
            let count = u16::try_from(count).unwrap_or(COUNT_UNKNOWN);
            bytes[4..6].copy_from_slice(&count.to_le_bytes());
        }
        Ok(Self { bytes })
    }

    /// The bytes, in Redis's format.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Size in bytes.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// Capacity in bytes.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        match u16::from_le_bytes([self.bytes[4], self.bytes[5]]) {
            COUNT_UNKNOWN => self.iter().count(),
            count => usize::from(count),
        }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.bytes.len() == HEADER + 1
    }

    /// The elements, first to last.
    pub fn iter(&self) -> Iter<'_> {
        Iter { bytes: &self.bytes, at: HEADER }
    }

    /// The elements, last to first.
    pub fn iter_rev(&self) -> IterRev<'_> {
        IterRev { bytes: &self.bytes, end: self.bytes.len() - 1 }
    }

    /// The element at a position; negative positions count from the end.
    pub fn get(&self, index: isize) -> Option<Element<'_>> {
        if index >= 0 { self.iter().nth(index as usize) } else { self.iter_rev().nth((-1 - index) as usize) }
    }

    /// Appends an element.
    pub fn push_back(&mut self, value: &[u8]) {
        self.splice(self.bytes.len() - 1, 0, &[value]);
        self.add_count(1);
    }

    /// Prepends an element.
    pub fn push_front(&mut self, value: &[u8]) {
        self.splice(HEADER, 0, &[value]);
        self.add_count(1);
    }

    /// Inserts elements in front of position `index` (at the end if it is the length).
    pub fn insert(&mut self, index: usize, values: &[&[u8]]) {
        let at = self.offset(index);
        self.splice(at, 0, values);
        self.add_count(values.len() as isize);
    }

    /// Replaces the element at a position.
    pub fn replace(&mut self, index: usize, value: &[u8]) {
        let at = self.offset(index);
        self.splice(at, entry_size(&self.bytes, at), &[value]);
    }

    /// Removes `count` elements from position `index` on.
    pub fn remove(&mut self, index: usize, count: usize) {
        let start = self.offset(index);
        let (mut end, mut removed) = (start, 0);
        while removed < count && self.bytes[end] != END {
            end += entry_size(&self.bytes, end);
            removed += 1;
        }
        self.splice(start, end - start, &[]);
        self.add_count(-(removed as isize));
    }

    /// Removes the first element.
    pub fn pop_front(&mut self) -> Option<Vec<u8>> {
        let first = self.iter().next()?.to_vec();
        self.remove(0, 1);
        Some(first)
    }

    /// Removes the last element.
    pub fn pop_back(&mut self) -> Option<Vec<u8>> {
        let end = self.bytes.len() - 1;
        let last = self.iter_rev().next()?.to_vec();
        let (length, back) = read_back_length(&self.bytes, end)?;
        self.splice(end - length - back, length + back, &[]);
        self.add_count(-1);
        Some(last)
    }

    /// Keeps the elements that `keep` is true for.
    pub fn retain(&mut self, mut keep: impl FnMut(Element<'_>) -> bool) {
        let (mut from, mut to, mut removed) = (HEADER, HEADER, 0);
        while let Some((element, length)) = decode(&self.bytes, from) {
            let kept = keep(element);
            let size = length + back_length_size(length);
            if kept {
                self.bytes.copy_within(from..from + size, to);
                to += size;
            } else {
                removed += 1;
            }
            from += size;
        }
        self.splice(to, from - to, &[]);
        self.add_count(-removed);
    }

    /// Cuts it at position `index`; the elements from there on come back.
    pub fn split_off(&mut self, index: usize) -> Self {
        let at = self.offset(index);
        let mut tail = Self::new();
        tail.append_entries(&self.bytes[at..self.bytes.len() - 1], 0);
        let moved = tail.iter().count();
        tail.add_count(moved as isize);
        self.splice(at, self.bytes.len() - 1 - at, &[]);
        self.add_count(-(moved as isize));
        tail
    }

    /// Appends all elements of another one.
    pub fn append(&mut self, other: &Self) {
        self.append_entries(&other.bytes[HEADER..other.bytes.len() - 1], other.len());
    }

    fn append_entries(&mut self, entries: &[u8], count: usize) {
        let at = self.bytes.len() - 1;
        self.open_gap(at, 0, entries.len());
        self.bytes[at..at + entries.len()].copy_from_slice(entries);
        self.add_count(count as isize);
    }

    /// The position of the first of every `step`-th element (from position 0 on) that equals `value`.
    pub fn find(&self, value: &[u8], step: usize) -> Option<usize> {
        let int = parse_i64(value);
        let found = self.iter().step_by(step).position(|element| match element {
            Element::Int(own) => int == Some(own),
            Element::Bytes(own) => own == value,
        });
        found.map(|position| position * step)
    }

    /// The bytes an element would take.
    pub fn entry_bytes(value: &[u8]) -> usize {
        let length = encoded_len(value, parse_i64(value));
        length + back_length_size(length)
    }

    /// The byte offset of position `index`.
    fn offset(&self, index: usize) -> usize {
        let mut at = HEADER;
        for _ in 0..index {
            at += entry_size(&self.bytes, at);
        }
        at
    }

    /// Replaces `removed` bytes at `at` by the encoded values.
    fn splice(&mut self, at: usize, removed: usize, values: &[&[u8]]) {
        let ints: smallvec::SmallVec<[Option<i64>; 2]> = values.iter().map(|value| parse_i64(value)).collect();
        let size = |(value, int): (&&[u8], &Option<i64>)| {
            let length = encoded_len(value, *int);
            length + back_length_size(length)
        };
        self.open_gap(at, removed, values.iter().zip(&ints).map(size).sum());
        let mut rest = &mut self.bytes[at..];
        for (value, int) in values.iter().zip(&ints) {
            let written = encode(value, *int, rest);
            rest = &mut rest[written..];
        }
    }

    /// Makes room for `new` bytes in place of `old` ones at `at`, and states the new total.
    fn open_gap(&mut self, at: usize, old: usize, new: usize) {
        let length = self.bytes.len();
        if new > old {
            let more = new - old;
            if self.bytes.capacity() - length < more {
                self.bytes.reserve_exact(growth(length, more));
            }
            self.bytes.resize(length + more, 0);
            self.bytes.copy_within(at + old..length, at + new);
        } else if new < old {
            self.bytes.copy_within(at + old..length, at + new);
            self.bytes.truncate(length + new - old);
        }
        debug_assert!(u32::try_from(self.bytes.len()).is_ok());
        let total = self.bytes.len() as u32;
        self.bytes[..4].copy_from_slice(&total.to_le_bytes());
        if self.bytes.capacity() > 64 && self.bytes.len() < self.bytes.capacity() / 4 {
            self.bytes.shrink_to(self.bytes.len() * 2);
        }
    }

    /// Changes the stored count; once it says "unknown" it stays so.
    fn add_count(&mut self, change: isize) {
        let stored = u16::from_le_bytes([self.bytes[4], self.bytes[5]]);
        if stored != COUNT_UNKNOWN {
            let stored = u16::try_from(stored as isize + change).unwrap_or(COUNT_UNKNOWN);
            self.bytes[4..6].copy_from_slice(&stored.to_le_bytes());
        }
    }
}

/// Room to ask for when `more` bytes do not fit: an eighth of the length beside them, so that appending stays cheap and memory tight.
fn growth(length: usize, more: usize) -> usize {
    more + (length + more) / 8
}

/// Iterator over elements, first to last.
#[derive(Clone)]
pub struct Iter<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let (element, length) = decode(self.bytes, self.at)?;
        self.at += length + back_length_size(length);
        Some(element)
    }
}

/// Iterator over elements, last to first.
#[derive(Clone)]
pub struct IterRev<'a> {
    bytes: &'a [u8],
    end: usize,
}

impl<'a> Iterator for IterRev<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        if self.end <= HEADER {
            return None;
        }
        let (length, back) = read_back_length(self.bytes, self.end)?;
        self.end -= length + back;
        decode(self.bytes, self.end).map(|(element, _)| element)
    }
}

fn encoded_len(value: &[u8], int: Option<i64>) -> usize {
    match int {
        Some(0..=127) => 1,
        Some(-4096..=4095) => 2,
        Some(v) if i16::try_from(v).is_ok() => 3,
        Some(-8_388_608..=8_388_607) => 4,
        Some(v) if i32::try_from(v).is_ok() => 5,
        Some(_) => 9,
        None => match value.len() {
            0..=63 => 1 + value.len(),
            64..=4095 => 2 + value.len(),
            _ => 5 + value.len(),
        },
    }
}

/// Writes an entry to the start of `out`; how many bytes it took.
fn encode(value: &[u8], int: Option<i64>, out: &mut [u8]) -> usize {
    let length = encoded_len(value, int);
    match int {
        Some(v) => match length {
            1 => out[0] = v as u8,
            2 => {
                out[0] = 0xc0 | (v >> 8) as u8 & 0x1f;
                out[1] = v as u8;
            }
            _ => {
                out[0] = match length {
                    3 => 0xf1,
                    4 => 0xf2,
                    5 => 0xf3,
                    _ => 0xf4,
                };
                out[1..length].copy_from_slice(&v.to_le_bytes()[..length - 1]);
            }
        },
        None => {
            match value.len() {
                short @ 0..=63 => out[0] = 0x80 | short as u8,
                middle @ 64..=4095 => {
                    out[0] = 0xe0 | (middle >> 8) as u8;
                    out[1] = middle as u8;
                }
                long => {
                    out[0] = 0xf0;
                    out[1..5].copy_from_slice(&(long as u32).to_le_bytes());
                }
            }
            out[length - value.len()..length].copy_from_slice(value);
        }
    }
    let groups = back_length_size(length);
    for (at, group) in (0..groups).rev().enumerate() {
        let seven = (length >> (7 * group)) as u8 & 0x7f;
        // Read from the end: every byte but the leftmost says that more follow to its left.
        out[length + at] = if at == 0 { seven } else { seven | 0x80 };
    }
    length + groups
}

/// How many entries well-formed bytes hold; `None` where they are not well-formed.
fn count_entries(bytes: &[u8]) -> Option<usize> {
    let total = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    if total != bytes.len() || total < HEADER + 1 || bytes[total - 1] != END {
        return None;
    }
    let (mut at, mut count) = (HEADER, 0);
    while at < total - 1 {
        let (_, length) = decode(&bytes[..total - 1], at)?;
        let back = back_length_size(length);
        let end = at + length + back;
        if end > total - 1 || read_back_length(bytes, end)? != (length, back) {
            return None;
        }
        at = end;
        count += 1;
    }
    Some(count)
}

/// The element at `at` and the length of its encoding; `None` at the end mark and where bytes are missing or unknown.
fn decode(bytes: &[u8], at: usize) -> Option<(Element<'_>, usize)> {
    let rest = bytes.get(at..)?;
    let first = *rest.first()?;
    let string = |header: usize, length: usize| {
        let end = header.checked_add(length)?;
        Some((Element::Bytes(rest.get(header..end)?), end))
    };
    let int = |size: usize| {
        let data = rest.get(1..1 + size)?;
        let mut wide = [if data[size - 1] & 0x80 != 0 { 0xff } else { 0 }; 8];
        wide[..size].copy_from_slice(data);
        Some((Element::Int(i64::from_le_bytes(wide)), 1 + size))
    };
    match first {
        0..=0x7f => Some((Element::Int(i64::from(first)), 1)),
        0x80..=0xbf => string(1, usize::from(first & 0x3f)),
        0xc0..=0xdf => {
            let raw = i64::from(first & 0x1f) << 8 | i64::from(*rest.get(1)?);
            Some((Element::Int(if raw >= 4096 { raw - 8192 } else { raw }), 2))
        }
        0xe0..=0xef => string(2, usize::from(first & 0x0f) << 8 | usize::from(*rest.get(1)?)),
        0xf0 => string(5, u32::from_le_bytes(rest.get(1..5)?.try_into().ok()?) as usize),
        0xf1 => int(2),
        0xf2 => int(3),
        0xf3 => int(4),
        0xf4 => int(8),
        _ => None,
    }
}

/// Length of the encoding of the entry at `at`, without decoding its data.
fn entry_size(bytes: &[u8], at: usize) -> usize {
    let length = match bytes[at] {
        0..=0x7f => 1,
        first @ 0x80..=0xbf => 1 + usize::from(first & 0x3f),
        0xc0..=0xdf => 2,
        first @ 0xe0..=0xef => 2 + (usize::from(first & 0x0f) << 8 | usize::from(bytes[at + 1])),
        0xf0 => 5 + u32::from_le_bytes([bytes[at + 1], bytes[at + 2], bytes[at + 3], bytes[at + 4]]) as usize,
        0xf1 => 3,
        0xf2 => 4,
        0xf3 => 5,
        _ => 9,
    };
    length + back_length_size(length)
}

const fn back_length_size(length: usize) -> usize {
    match length {
        0..=127 => 1,
        128..=16383 => 2,
        16384..=2_097_151 => 3,
        2_097_152..=268_435_455 => 4,
        _ => 5,
    }
}

/// Reads the back length that ends at `end`: the entry's length and the bytes the back length takes.
fn read_back_length(bytes: &[u8], end: usize) -> Option<(usize, usize)> {
    let mut length = 0usize;
    for group in 0..5 {
        let byte = *bytes.get(end.checked_sub(group + 1)?)?;
        length |= usize::from(byte & 0x7f) << (7 * group);
        if byte & 0x80 == 0 {
            return (end > HEADER + length + group).then_some((length, group + 1));
        }
    }
    None
}

mod positions;

#[cfg(test)]
mod tests;
