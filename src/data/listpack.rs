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

    /// Takes bytes from outside, every entry checked; `None` when they are no listpack.
    pub fn from_bytes_validated(bytes: Vec<u8>) -> Option<Self> {
        let total = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
        if total != bytes.len() || total < HEADER + 1 || bytes[total - 1] != END {
            return None;
        }
        let mut at = HEADER;
        let mut count = 0usize;
        while at < total - 1 {
            let (_, length) = decode_checked(&bytes[..total - 1], at)?;
            let back = back_length_size(length);
            if at + length + back > total - 1 || read_back_length(&bytes, at + length + back)? != (length, back) {
                return None;
            }
            at += length + back;
            count += 1;
        }
        let stored = u16::from_le_bytes([bytes[4], bytes[5]]);
        (stored == COUNT_UNKNOWN || usize::from(stored) == count).then_some(Self { bytes })
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

    /// The position of the first of every `step`-th element (from position 0 on) that equals `value`.
    pub fn find(&self, value: &[u8], step: usize) -> Option<usize> {
        let int = parse_i64(value);
        let found = self.iter().step_by(step).position(|element| match (element, int) {
            (Element::Int(own), Some(int)) => own == int,
            (Element::Bytes(own), None) => own == value,
            _ => false,
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
        let mut encoded = smallvec::SmallVec::<[u8; 128]>::new();
        for value in values {
            encode(value, &mut encoded);
        }
        let (old, new) = (removed, encoded.len());
        let length = self.bytes.len();
        if new > old {
            self.bytes.reserve_exact(growth(length, new - old));
            self.bytes.resize(length + new - old, 0);
            self.bytes.copy_within(at + old..length, at + new);
        } else {
            self.bytes.copy_within(at + old..length, at + new);
            self.bytes.truncate(length + new - old);
        }
        self.bytes[at..at + new].copy_from_slice(&encoded);
        let total = self.bytes.len() as u32;
        self.bytes[..4].copy_from_slice(&total.to_le_bytes());
        if self.bytes.capacity() > 64 && self.bytes.len() < self.bytes.capacity() / 4 {
            self.bytes.shrink_to(self.bytes.len() * 2);
        }
    }

    fn add_count(&mut self, change: isize) {
        let stored = u16::from_le_bytes([self.bytes[4], self.bytes[5]]);
        let count = if stored == COUNT_UNKNOWN { self.iter().count() as isize } else { stored as isize + change };
        let stored = u16::try_from(count).unwrap_or(COUNT_UNKNOWN);
        self.bytes[4..6].copy_from_slice(&stored.to_le_bytes());
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
        if self.bytes[self.at] == END {
            return None;
        }
        let (element, length) = decode_checked(self.bytes, self.at)?;
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
        decode_checked(self.bytes, self.end).map(|(element, _)| element)
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

fn encode(value: &[u8], out: &mut smallvec::SmallVec<[u8; 128]>) {
    let int = parse_i64(value);
    let length = encoded_len(value, int);
    match int {
        Some(v) => match length {
            1 => out.push(v as u8),
            2 => {
                let v = (v & 0x1fff) as u16;
                out.extend_from_slice(&[0xc0 | (v >> 8) as u8, v as u8]);
            }
            _ => {
                out.push(match length {
                    3 => 0xf1,
                    4 => 0xf2,
                    5 => 0xf3,
                    _ => 0xf4,
                });
                out.extend_from_slice(&v.to_le_bytes()[..length - 1]);
            }
        },
        None => {
            match value.len() {
                0..=63 => out.push(0x80 | value.len() as u8),
                64..=4095 => out.extend_from_slice(&[0xe0 | (value.len() >> 8) as u8, value.len() as u8]),
                long => {
                    out.push(0xf0);
                    out.extend_from_slice(&(long as u32).to_le_bytes());
                }
            }
            out.extend_from_slice(value);
        }
    }
    let groups = back_length_size(length);
    for group in (0..groups).rev() {
        let seven = (length >> (7 * group)) as u8 & 0x7f;
        // Read from the end: every byte but the first of the groups says that more follow to its left.
        out.push(if group == groups - 1 { seven } else { seven | 0x80 });
    }
}

/// The element at `at` and the length of its encoding; `None` where bytes are missing or unknown.
fn decode_checked(bytes: &[u8], at: usize) -> Option<(Element<'_>, usize)> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(pack: &Listpack) -> Vec<Vec<u8>> {
        pack.iter().map(|e| e.to_vec()).collect()
    }

    #[test]
    fn bytes_are_those_of_redis() {
        let mut pack = Listpack::new();
        for value in [&b"1"[..], b"hello", b"-300", b"100000"] {
            pack.push_back(value);
        }
        let expected = [
            &[31u8, 0, 0, 0, 4, 0][..],
            &[0x01, 0x01],
            &[0x85, b'h', b'e', b'l', b'l', b'o', 0x06],
            &[0xde, 0xd4, 0x02],
            &[0xf2, 0xa0, 0x86, 0x01, 0x04],
            &[0xff],
        ];
        let mut expected: Vec<u8> = expected.concat();
        expected[0] = expected.len() as u8;
        assert_eq!(pack.as_bytes(), expected);
    }

    #[test]
    fn damaged_bytes_are_refused_or_harmless() {
        let mut pack = Listpack::new();
        for i in 0..50 {
            pack.push_back(format!("value-{i}-{}", "x".repeat(i * 7)).as_bytes());
            pack.push_back(format!("{}", i * 1_000_003).as_bytes());
        }
        let mut seed = 42u64;
        for _ in 0..20_000 {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let mut bytes = pack.as_bytes().to_vec();
            let at = (seed >> 33) as usize % bytes.len();
            bytes[at] ^= 1 << (seed >> 20 & 7);
            if let Some(pack) = Listpack::from_bytes_validated(bytes) {
                assert_eq!(pack.iter().count(), pack.iter_rev().count());
            }
        }
    }

    fn value() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            any::<i64>().prop_map(|v| v.to_string().into_bytes()),
            (-5000i64..5000).prop_map(|v| v.to_string().into_bytes()),
            proptest::collection::vec(any::<u8>(), 0..150),
            Just(vec![b'z'; 5000]),
        ]
    }

    proptest! {
        #[test]
        fn behaves_as_a_vector(operations in proptest::collection::vec((0u8..7, any::<u16>(), value()), 1..60)) {
            let mut pack = Listpack::new();
            let mut model: Vec<Vec<u8>> = Vec::new();
            for (operation, at, value) in operations {
                let at = at as usize % (model.len() + 1);
                match operation {
                    0 => { pack.push_back(&value); model.push(value); }
                    1 => { pack.push_front(&value); model.insert(0, value); }
                    2 => { pack.insert(at, &[&value]); model.insert(at, value); }
                    3 if at < model.len() => { pack.replace(at, &value); model[at] = value; }
                    4 if at < model.len() => { pack.remove(at, 1); model.remove(at); }
                    5 => prop_assert_eq!(pack.pop_back(), model.pop()),
                    _ => prop_assert_eq!(pack.find(&value, 1), model.iter().position(|v| *v == value)),
                }
                prop_assert_eq!(&all(&pack), &model);
                prop_assert_eq!(pack.len(), model.len());
            }
            let mut backwards: Vec<_> = pack.iter_rev().map(|e| e.to_vec()).collect();
            backwards.reverse();
            prop_assert_eq!(&backwards, &model);
            prop_assert_eq!(Listpack::from_bytes_validated(pack.as_bytes().to_vec()), Some(pack));
        }
    }
}
