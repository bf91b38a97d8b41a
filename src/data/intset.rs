//! An intset: sorted distinct integers in one allocation, in Redis's own byte format.
//!
//! ```text
//! | width u32 (2, 4 or 8) | count u32 | integers, little endian, ascending |
//! ```

use super::malformed::Malformed;
use super::mending::Mending;

const HEADER: usize = 8;

/// An intset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intset {
    bytes: Vec<u8>,
}

impl Default for Intset {
    fn default() -> Self {
        Self { bytes: vec![2, 0, 0, 0, 0, 0, 0, 0] }
    }
}

impl Intset {
    /// Takes bytes from outside; width, length and order are checked.
    pub fn from_bytes_validated(bytes: Vec<u8>) -> Result<Self, Malformed> {
        Self::from_bytes(bytes, &mut Mending::default())
    }

    /// As [`Intset::from_bytes_validated`], but integers out of order, or there twice, may be put right.
    pub fn from_bytes(bytes: Vec<u8>, mending: &mut Mending) -> Result<Self, Malformed> {
        let set = Self { bytes };
        if !set.is_framed() {
            return Err(Malformed("intset"));
        }
        if set.iter().is_sorted_by(|a, b| a < b) {
            return Ok(set);
        }
        mending.mend(Malformed("intset"))?;
        let mut values: Vec<i64> = set.iter().collect();
        values.sort_unstable();
        let mut sorted = Self::default();
        // Each goes to the end, or is there already.
        for value in values {
            sorted.insert(value);
        }
        Ok(sorted)
    }

    /// Whether the header is one and states the length that the bytes have.
    fn is_framed(&self) -> bool {
        let Some((header, integers)) = self.bytes.split_first_chunk::<HEADER>() else { return false };
        let [w0, w1, w2, w3, c0, c1, c2, c3] = *header;
        let width = u32::from_le_bytes([w0, w1, w2, w3]) as usize;
        let count = u32::from_le_bytes([c0, c1, c2, c3]) as usize;
        matches!(width, 2 | 4 | 8) && count.checked_mul(width) == Some(integers.len())
    }

    /// The bytes, in Redis's format.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Capacity in bytes.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        (self.bytes.len() - HEADER) / self.width()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The member at a position, in ascending order; the position must be below the length.
    pub fn get(&self, index: usize) -> i64 {
        let (width, at) = (self.width(), HEADER + index * self.width());
        let data = &self.bytes[at..at + width];
        let mut wide = [if data[width - 1] & 0x80 != 0 { 0xff } else { 0 }; 8];
        wide[..width].copy_from_slice(data);
        i64::from_le_bytes(wide)
    }

    /// A random member.
    pub fn random(&self) -> Option<i64> {
        (!self.is_empty()).then(|| self.get(rand::random_range(0..self.len())))
    }

    /// The members, ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = i64> + '_ {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Whether `value` is a member.
    pub fn contains(&self, value: i64) -> bool {
        self.search(value).is_ok()
    }

    /// Adds a member; whether it is new.
    pub fn insert(&mut self, value: i64) -> bool {
        let Err(index) = self.search(value) else { return false };
        let needed = width_of(value);
        if needed > self.width() {
            self.widen(needed);
        }
        let width = self.width();
        let at = HEADER + index * width;
        let length = self.bytes.len();
        if self.bytes.capacity() - length < width {
            self.bytes.reserve_exact(width + length / 8);
        }
        self.bytes.resize(length + width, 0);
        self.bytes.copy_within(at..length, at + width);
        self.bytes[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
        self.store_count();
        true
    }

    /// Removes a member; whether it was one.
    pub fn remove(&mut self, value: i64) -> bool {
        let Ok(index) = self.search(value) else { return false };
        let at = HEADER + index * self.width();
        self.bytes.drain(at..at + self.width());
        if self.bytes.capacity() > 64 && self.bytes.len() < self.bytes.capacity() / 4 {
            self.bytes.shrink_to(self.bytes.len() * 2);
        }
        self.store_count();
        true
    }

    fn width(&self) -> usize {
        usize::from(self.bytes[0])
    }

    fn search(&self, value: i64) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = (low + high) / 2;
            match self.get(middle).cmp(&value) {
                std::cmp::Ordering::Equal => return Ok(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    fn widen(&mut self, width: usize) {
        let values: Vec<i64> = self.iter().collect();
        self.bytes.clear();
        self.bytes.extend_from_slice(&(width as u32).to_le_bytes());
        self.bytes.extend_from_slice(&(values.len() as u32).to_le_bytes());
        for value in values {
            self.bytes.extend_from_slice(&value.to_le_bytes()[..width]);
        }
    }

    fn store_count(&mut self) {
        let count = self.len() as u32;
        self.bytes[4..8].copy_from_slice(&count.to_le_bytes());
    }
}

fn width_of(value: i64) -> usize {
    if i16::try_from(value).is_ok() {
        2
    } else if i32::try_from(value).is_ok() {
        4
    } else {
        8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn bytes_are_those_of_redis() {
        let mut set = Intset::default();
        for value in [5, -1, 300] {
            set.insert(value);
        }
        assert_eq!(set.as_bytes(), [2, 0, 0, 0, 3, 0, 0, 0, 0xff, 0xff, 5, 0, 0x2c, 1]);
        set.insert(70_000);
        assert_eq!(set.as_bytes()[..8], [4, 0, 0, 0, 4, 0, 0, 0]);
        assert_eq!(set.as_bytes().len(), 8 + 4 * 4);
    }

    #[test]
    fn damaged_bytes_are_refused_or_harmless() {
        use rand::{Rng, SeedableRng};
        let mut random = rand::rngs::SmallRng::seed_from_u64(7);
        let mut accepted = 0;
        for round in 0..20_000 {
            let mut set = Intset::default();
            for _ in 0..random.random_range(0..20) {
                set.insert(random.random_range(-1000..1000) << if round % 2 == 0 { 0 } else { 40 });
            }
            let mut bytes = set.as_bytes().to_vec();
            let at = random.random_range(0..bytes.len());
            bytes[at] ^= 1 << random.random_range(0..8);
            if round % 3 == 0 {
                bytes.truncate(random.random_range(0..bytes.len()));
            }
            if let Ok(set) = Intset::from_bytes_validated(bytes) {
                assert!(set.iter().all(|value| set.contains(value)));
                accepted += 1;
            }
        }
        assert!(accepted > 100, "the fuzz must reach past the checks, {accepted}");
    }

    proptest! {
        #[test]
        fn behaves_as_an_ordered_set(operations in proptest::collection::vec((any::<bool>(), prop_oneof![-40i64..40, -70_000i64..70_000, any::<i64>()]), 1..200)) {
            let (mut set, mut model) = (Intset::default(), BTreeSet::new());
            for (insert, value) in operations {
                if insert {
                    prop_assert_eq!(set.insert(value), model.insert(value));
                } else {
                    prop_assert_eq!(set.remove(value), model.remove(&value));
                }
                prop_assert_eq!(set.contains(value), model.contains(&value));
            }
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), model.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(Intset::from_bytes_validated(set.as_bytes().to_vec()), Ok(set));
        }
    }
}
