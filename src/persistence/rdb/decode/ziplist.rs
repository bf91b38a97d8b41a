//! A ziplist, what small values were before listpacks (Redis 6.2 and earlier).
//!
//! ```text
//! | total bytes u32 | offset of the last entry u32 | count u16 | entry … | 0xFF |
//! entry: length of the entry before (1 byte, or 0xFE and 4) | encoding | data
//! 00xxxxxx           string up to 63 bytes         11000000 +2   16-bit      11110000 +3   24-bit
//! 01xxxxxx +1        string up to 16383 bytes      11010000 +4   32-bit      11111110 +1   8-bit
//! 10______ +4        longer string                 11100000 +8   64-bit      1111xxxx      1 to 13, for 0 to 12
//! ```
//! All in little endian, apart from the lengths of strings. Count 65535 means "walk and count".

use crate::data::listpack::Listpack;
use crate::data::{Element, Malformed};

const HEADER: usize = 10;
const END: u8 = 0xff;
const COUNT_UNKNOWN: u16 = u16::MAX;

/// Visits the elements; an error where the bytes are not a ziplist through and through, whatever was visited before.
pub fn for_each(bytes: &[u8], visit: impl FnMut(Element<'_>)) -> Result<(), Malformed> {
    walk(bytes, visit).ok_or(Malformed("ziplist"))
}

/// The same elements in a listpack.
pub fn to_listpack(bytes: &[u8]) -> Result<Listpack, Malformed> {
    let mut pack = Listpack::new();
    let mut digits = itoa::Buffer::new();
    for_each(bytes, |element| pack.push_back(element.as_bytes(&mut digits)))?;
    Ok(pack)
}

fn walk(bytes: &[u8], mut visit: impl FnMut(Element<'_>)) -> Option<()> {
    let header = bytes.first_chunk::<HEADER>()?;
    let total = u32::from_le_bytes([header[0], header[1], header[2], header[3]]) as usize;
    let tail = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
    let count = u16::from_le_bytes([header[8], header[9]]);
    let (last, entries) = bytes.split_last().filter(|(last, rest)| **last == END && rest.len() >= HEADER)?;
    if total != bytes.len() || tail > entries.len() {
        return None;
    }
    debug_assert_eq!(*last, END);
    let (mut at, mut before, mut last_at, mut seen) = (HEADER, 0, None, 0usize);
    while at < entries.len() {
        let (element, length, said_before) = entry(&entries[at..])?;
        if said_before != before {
            return None;
        }
        visit(element);
        (before, last_at) = (length, Some(at));
        at += length;
        seen += 1;
    }
    let tail_fits = last_at.is_none_or(|last_at| last_at == tail);
    let count_fits = count == COUNT_UNKNOWN || usize::from(count) == seen;
    (tail_fits && count_fits).then_some(())
}

/// The entry that bytes begin with: its element, its length, and the length it states of the entry before.
fn entry(bytes: &[u8]) -> Option<(Element<'_>, usize, usize)> {
    let (before, start) = match *bytes.first()? {
        0xfe => (u32::from_le_bytes(bytes.get(1..5)?.try_into().ok()?) as usize, 5),
        END => return None,
        short => (usize::from(short), 1),
    };
    let rest = &bytes[start..];
    let encoding = *rest.first()?;
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
    let (element, length) = match encoding {
        0..=0x3f => string(1, usize::from(encoding)),
        0x40..=0x7f => string(2, usize::from(encoding & 0x3f) << 8 | usize::from(*rest.get(1)?)),
        0x80..=0xbf => string(5, u32::from_be_bytes(rest.get(1..5)?.try_into().ok()?) as usize),
        0xc0 => int(2),
        0xd0 => int(4),
        0xe0 => int(8),
        0xf0 => int(3),
        0xfe => int(1),
        0xf1..=0xfd => Some((Element::Int(i64::from(encoding & 0x0f) - 1), 1)),
        _ => None,
    }?;
    Some((element, start + length, before))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `2`, `1024`, `hello`, `-1`.
    fn specimen() -> Vec<u8> {
        let mut entries = vec![0, 0xf3, 2, 0xc0, 0, 4, 4, 5];
        entries.extend_from_slice(b"hello");
        entries.extend_from_slice(&[7, 0xfe, 0xff, END]);
        let total = (HEADER + entries.len()) as u32;
        let mut bytes = total.to_le_bytes().to_vec();
        bytes.extend_from_slice(&(total - 4).to_le_bytes());
        bytes.extend_from_slice(&4u16.to_le_bytes());
        bytes.extend_from_slice(&entries);
        bytes
    }

    #[test]
    fn reads_every_entry() {
        let pack = to_listpack(&specimen()).unwrap();
        let elements: Vec<_> = pack.iter().collect();
        assert_eq!(elements, [Element::Int(2), Element::Int(1024), Element::Bytes(b"hello"), Element::Int(-1)]);
    }

    #[test]
    fn damage_is_refused_or_harmless() {
        let good = specimen();
        for at in 0..good.len() {
            assert!(to_listpack(&good[..at]).is_err());
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                if let Ok(pack) = to_listpack(&bad) {
                    assert!(pack.len() <= 4 && at >= 8, "{at} {bit}");
                }
            }
        }
    }
}
