//! A zipmap, what small hashes were in Redis 2.4 and earlier.
//!
//! ```text
//! | count (254: walk and count) | length field length unused value … | 0xFF |      length: 1 byte below 254, or 254 and u32
//! ```

const END: u8 = 0xff;
const BIG: u8 = 254;

/// Fields and values; `None` where the bytes are no zipmap, or an empty one.
pub fn pairs(bytes: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let (&count, rest) = bytes.split_first()?;
    let (&END, mut rest) = rest.split_last()? else { return None };
    let mut pairs = Vec::new();
    while !rest.is_empty() {
        let field_len = length(&mut rest)?;
        let field = take(&mut rest, field_len)?;
        let value_len = length(&mut rest)?;
        let unused = usize::from(take(&mut rest, 1)?[0]);
        let value = take(&mut rest, value_len)?;
        take(&mut rest, unused)?;
        pairs.push((field, value));
    }
    let count_fits = count >= BIG || usize::from(count) == pairs.len();
    (count_fits && !pairs.is_empty()).then_some(pairs)
}

fn length(rest: &mut &[u8]) -> Option<usize> {
    match take(rest, 1)?[0] {
        END => None,
        // The long form is for lengths that need it.
        BIG => {
            let length = u32::from_le_bytes(take(rest, 4)?.try_into().ok()?);
            (length >= u32::from(BIG)).then_some(length as usize)
        }
        short => Some(usize::from(short)),
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECIMEN: &[u8] = b"\x02\x03foo\x03\x00bar\x05hello\x05\x02worldxx\xff";

    #[test]
    fn reads_fields_and_values() {
        assert_eq!(pairs(SPECIMEN).unwrap(), [(&b"foo"[..], &b"bar"[..]), (b"hello", b"world")]);
    }

    #[test]
    fn a_short_length_in_the_long_form_is_refused() {
        assert_eq!(pairs(b"\x01\x01k\xfe\x04\x00\x00\x00\x00val1\xff"), None);
        assert!(pairs(b"\x01\x01k\x04\x00val1\xff").is_some());
    }

    #[test]
    fn damage_is_refused_or_harmless() {
        for at in 0..SPECIMEN.len() {
            assert_eq!(pairs(&SPECIMEN[..at]), None);
            for bit in 0..8 {
                let mut bad = SPECIMEN.to_vec();
                bad[at] ^= 1 << bit;
                let _ = pairs(&bad);
            }
        }
    }
}
