//! Hashes whose fields expire, as Redis 7.4 writes them.
//!
//! ```text
//! field by field:  earliest expiry, 8 bytes | fields | (expiry - earliest + 1, or 0 for none | field | value)…
//! in a listpack:   earliest expiry, 8 bytes | listpack of (field, value, expiry or 0)…
//! ```

use std::io::Read;

use super::error::RdbError;
use super::read::Reader;
use super::write::Writer;
use crate::base::clock::UnixMillis;
use crate::data::hash::Hash;
use crate::data::limits::Limits;
use crate::data::listpack::Listpack;
use crate::data::{Element, Malformed};

/// The latest expiry of a field: 48 bits.
const LATEST: i64 = (1 << 48) - 1;

/// Writes a hash, the first of whose fields expires at `earliest`.
pub fn write(writer: &mut Writer, hash: &Hash, earliest: UnixMillis) {
    writer.millis(earliest.0);
    writer.length(hash.len() as u64);
    let mut digits = itoa::Buffer::new();
    for (field, value) in hash.iter() {
        let field = field.to_vec();
        let after = hash.expiry(&field).map_or(0, |when| when.0.saturating_sub(earliest.0).saturating_add(1));
        writer.length(after.max(0) as u64);
        writer.string(&field);
        writer.string(value.as_bytes(&mut digits));
    }
}

/// Reads a hash that was written field by field.
pub fn read<R: Read>(reader: &mut Reader<R>, limits: &Limits) -> Result<Hash, RdbError> {
    let earliest = reader.millis()?;
    let mut hash = Hash::new();
    for _ in 0..reader.length()? {
        let (after, field, value) = (reader.length()?, reader.string()?, reader.string()?);
        let when = match after {
            0 => None,
            after => {
                let after = i64::try_from(after - 1).ok();
                Some(after.and_then(|after| earliest.checked_add(after)).ok_or(OUT_OF_RANGE)?)
            }
        };
        add(&mut hash, &field, &value, when, limits)?;
    }
    Ok(hash)
}

/// Reads a hash that was written as a listpack.
pub fn read_packed<R: Read>(reader: &mut Reader<R>, limits: &Limits) -> Result<Hash, RdbError> {
    reader.millis()?;
    let pack = Listpack::from_bytes_validated(reader.string()?)?;
    let mut hash = Hash::new();
    let mut elements = pack.iter();
    while let Some(field) = elements.next() {
        let (Some(value), Some(Element::Int(when))) = (elements.next(), elements.next()) else {
            return Err(Malformed("hash listpack").into());
        };
        add(&mut hash, &field.to_vec(), &value.to_vec(), Some(when).filter(|when| *when != 0), limits)?;
    }
    Ok(hash)
}

const OUT_OF_RANGE: RdbError = RdbError::Corrupt("the expiry of a field of a hash is out of range");

fn add(hash: &mut Hash, field: &[u8], value: &[u8], when: Option<i64>, limits: &Limits) -> Result<(), RdbError> {
    if !hash.set(field, value, limits) {
        return Err(RdbError::Corrupt("a field of a hash comes twice"));
    }
    if let Some(when) = when {
        if !(0..=LATEST).contains(&when) {
            return Err(OUT_OF_RANGE);
        }
        hash.set_expiry(field, UnixMillis(when));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(hash: &Hash) -> Vec<(Vec<u8>, Vec<u8>, Option<i64>)> {
        let shown = |(field, value): (Element<'_>, Element<'_>)| {
            let field = field.to_vec();
            let when = hash.expiry(&field).map(|when| when.0);
            (field, value.to_vec(), when)
        };
        let mut all: Vec<_> = hash.iter().map(shown).collect();
        all.sort();
        all
    }

    #[test]
    fn fields_keep_their_expiry() {
        for count in [3, 500] {
            let mut hash = Hash::new();
            for i in 0..count {
                let field = format!("field{i}");
                hash.set(field.as_bytes(), b"value", &Limits::default());
                if i % 3 > 0 {
                    hash.set_expiry(field.as_bytes(), UnixMillis(1_000_000 + i));
                }
            }
            let mut writer = Writer::new(true);
            write(&mut writer, &hash, hash.next_expiry().unwrap());
            let back = read(&mut Reader::new(&writer.out[..], false), &Limits::default()).unwrap();
            assert_eq!(shown(&back), shown(&hash));
        }
    }

    #[test]
    fn listpacks_have_triples() {
        let packed = |elements: &[&[u8]]| {
            let mut pack = Listpack::new();
            elements.iter().for_each(|element| pack.push_back(element));
            let mut writer = Writer::new(false);
            writer.millis(5);
            writer.string(pack.as_bytes());
            read_packed(&mut Reader::new(&writer.out[..], false), &Limits::default())
        };
        let hash = packed(&[b"a", b"1", b"5", b"b", b"2", b"0"]).unwrap();
        assert_eq!(shown(&hash), [(b"a".to_vec(), b"1".to_vec(), Some(5)), (b"b".to_vec(), b"2".to_vec(), None)]);
        for broken in
            [&[&b"a"[..], b"1"][..], &[b"a", b"1", b"x"], &[b"a", b"1", b"-1"], &[b"a", b"1", b"0", b"a", b"2", b"0"]]
        {
            assert!(packed(broken).is_err());
        }
    }
}
