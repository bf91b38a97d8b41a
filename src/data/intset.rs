//! An intset: sorted distinct integers in one allocation, in Redis's own byte format.
//!
//! ```text
//! | width u32 (2, 4 or 8) | count u32 | integers, little endian, ascending |
//! ```

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
    /// Takes bytes from outside; `None` when they are no intset.
    pub fn from_bytes_validated(bytes: Vec<u8>) -> Option<Self> {
        let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize);
        let (width, count) = (word(0)?, word(4)?);
        if !matches!(width, 2 | 4 | 8) || count.checked_mul(width)?.checked_add(HEADER)? != bytes.len() {
            return None;
        }
        let set = Self { bytes };
        set.iter().is_sorted_by(|a, b| a < b).then_some(set)
    }

    /// The bytes, in Redis's format.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        (self.bytes.len() - HEADER) / self.width()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The member at a position, in ascending order.
    pub fn get(&self, index: usize) -> i64 {
        let (width, at) = (self.width(), HEADER + index * self.width());
        let data = &self.bytes[at..at + width];
        let mut wide = [if data[width - 1] & 0x80 != 0 { 0xff } else { 0 }; 8];
        wide[..width].copy_from_slice(data);
        i64::from_le_bytes(wide)
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
        self.bytes.splice(at..at, value.to_le_bytes().into_iter().take(width));
        self.store_count();
        true
    }

    /// Removes a member; whether it was one.
    pub fn remove(&mut self, value: i64) -> bool {
        let Ok(index) = self.search(value) else { return false };
        let at = HEADER + index * self.width();
        self.bytes.drain(at..at + self.width());
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
            prop_assert_eq!(Intset::from_bytes_validated(set.as_bytes().to_vec()), Some(set));
        }
    }
}
