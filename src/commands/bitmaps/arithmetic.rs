//! Bit arithmetic on byte strings, free of keys and replies.

/// The bit at an offset; bits behind the end are 0.
pub fn get(bytes: &[u8], offset: u64) -> bool {
    let byte = usize::try_from(offset >> 3).ok().and_then(|index| bytes.get(index)).copied().unwrap_or(0);
    byte >> (7 - (offset & 7)) & 1 == 1
}

/// Sets the bit at an offset inside the string; the old one comes back.
pub fn set(bytes: &mut [u8], offset: u64, on: bool) -> bool {
    let byte = &mut bytes[(offset >> 3) as usize];
    let mask = 0x80u8 >> (offset & 7);
    let old = *byte & mask != 0;
    if on {
        *byte |= mask;
    } else {
        *byte &= !mask;
    }
    old
}

/// How many of the bits `first..=last` are 1.
pub fn count(bytes: &[u8], first: u64, last: u64) -> u64 {
    let (start, end) = ((first >> 3) as usize, (last >> 3) as usize);
    let masked = |index: usize| {
        let mut byte = bytes[index];
        if index == start {
            byte &= 0xff >> (first & 7);
        }
        if index == end {
            byte &= 0xffu8 << (7 - (last & 7));
        }
        u64::from(byte.count_ones())
    };
    if start == end {
        return masked(start);
    }
    let (words, rest) = bytes[start + 1..end].as_chunks::<8>();
    let inner: u64 = words.iter().map(|word| u64::from(u64::from_ne_bytes(*word).count_ones())).sum::<u64>()
        + rest.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>();
    masked(start) + inner + masked(end)
}

/// The first of the bits `first..=last` that is `on`.
pub fn position(bytes: &[u8], on: bool, first: u64, last: u64) -> Option<u64> {
    let skip = if on { 0x00 } else { 0xff };
    let mut offset = first;
    while offset <= last {
        if offset & 7 == 0 && bytes[(offset >> 3) as usize] == skip {
            let from = (offset >> 3) as usize;
            let run = bytes[from..=(last >> 3) as usize].iter().take_while(|byte| **byte == skip).count();
            offset += run as u64 * 8;
            continue;
        }
        if get(bytes, offset) == on {
            return Some(offset);
        }
        offset += 1;
    }
    None
}

/// A type of integer field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldType {
    /// Two's complement.
    pub signed: bool,
    /// Bits: 1 to 64, unsigned at most 63.
    pub width: u32,
}

/// What happens when a value does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// The low bits are kept.
    Wrap,
    /// The nearest value that fits is taken.
    Saturate,
    /// Nothing is written.
    Fail,
}

impl FieldType {
    /// Reads `i16`, `u8`, ….
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (signed, digits) = match text {
            [b'i', rest @ ..] => (true, rest),
            [b'u', rest @ ..] => (false, rest),
            _ => return None,
        };
        let width = crate::base::number::parse_i64(digits)?;
        let max = if signed { 64 } else { 63 };
        (1..=max).contains(&width).then_some(Self { signed, width: width as u32 })
    }

    fn range(self) -> (i128, i128) {
        if self.signed {
            (-(1i128 << (self.width - 1)), (1i128 << (self.width - 1)) - 1)
        } else {
            (0, (1i128 << self.width) - 1)
        }
    }

    /// The value that is written for `value`; `None` where it does not fit and must not be written.
    pub fn fit(self, value: i128, overflow: Overflow) -> Option<i64> {
        let (min, max) = self.range();
        if (min..=max).contains(&value) {
            return Some(value as i64);
        }
        match overflow {
            Overflow::Fail => None,
            Overflow::Saturate => Some(value.clamp(min, max) as i64),
            Overflow::Wrap => {
                let low = value & ((1i128 << self.width) - 1);
                Some(if low > max { low - (1i128 << self.width) } else { low } as i64)
            }
        }
    }

    /// Reads a field; bits behind the end are 0.
    pub fn read(self, bytes: &[u8], offset: u64) -> i64 {
        let mut value = 0u64;
        for bit in 0..u64::from(self.width) {
            value = value << 1 | u64::from(get(bytes, offset + bit));
        }
        if self.signed && self.width < 64 && value >> (self.width - 1) & 1 == 1 {
            value |= u64::MAX << self.width;
        }
        value as i64
    }

    /// Writes a field inside the string.
    pub fn write(self, bytes: &mut [u8], offset: u64, value: i64) {
        for bit in 0..u64::from(self.width) {
            let on = value as u64 >> (u64::from(self.width) - 1 - bit) & 1 == 1;
            set(bytes, offset + bit, on);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn counting_and_searching_agree_with_single_bits(bytes in proptest::collection::vec(prop_oneof![Just(0u8), Just(255), any::<u8>()], 1..60), a in any::<u64>(), b in any::<u64>(), on in any::<bool>()) {
            let bits = bytes.len() as u64 * 8;
            let (first, last) = ((a % bits).min(b % bits), (a % bits).max(b % bits));
            let ones = (first..=last).filter(|i| get(&bytes, *i)).count() as u64;
            prop_assert_eq!(count(&bytes, first, last), ones);
            prop_assert_eq!(position(&bytes, on, first, last), (first..=last).find(|i| get(&bytes, *i) == on));
        }

        #[test]
        fn a_field_reads_back_what_was_written(signed in any::<bool>(), width in 1u32..=64, offset in 0u64..200, value in any::<i64>()) {
            let field = FieldType { signed, width: if signed { width } else { width.min(63) } };
            let mut bytes = vec![0xa5; 40];
            let before = bytes.clone();
            let fitted = field.fit(value.into(), Overflow::Wrap).unwrap();
            field.write(&mut bytes, offset, fitted);
            prop_assert_eq!(field.read(&bytes, offset), fitted);
            for bit in (0..320).filter(|bit| !(offset..offset + u64::from(field.width)).contains(bit)) {
                prop_assert_eq!(get(&bytes, bit), get(&before, bit));
            }
        }
    }

    #[test]
    fn overflow_wraps_saturates_or_fails() {
        let u8_ = FieldType::parse(b"u8").unwrap();
        let i8_ = FieldType::parse(b"i8").unwrap();
        assert_eq!(
            [Overflow::Wrap, Overflow::Saturate, Overflow::Fail].map(|o| u8_.fit(257, o)),
            [Some(1), Some(255), None]
        );
        assert_eq!(
            [Overflow::Wrap, Overflow::Saturate, Overflow::Fail].map(|o| i8_.fit(-129, o)),
            [Some(127), Some(-128), None]
        );
        assert_eq!(["u64", "i65", "i0", "x8", "u"].map(|t| FieldType::parse(t.as_bytes())), [None; 5]);
    }
}
