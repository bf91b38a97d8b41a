//! Listpacks by byte position: for owners that lay a structure of their own into one and step through it in both directions.
//!
//! A position is where an element begins, or the end. It is good until the listpack is changed in front of it; any other number is
//! answered with nothing or with an element that means nothing, never with a panic.

use super::{HEADER, Listpack, back_length_size, decode, encode, encoded_len, entry_size, read_back_length};
use crate::base::number::parse_i64;
use crate::data::Element;

impl Listpack {
    /// The position of the first element.
    pub fn first_position(&self) -> usize {
        HEADER
    }

    /// The position behind the last element.
    pub fn end_position(&self) -> usize {
        self.bytes.len() - 1
    }

    /// The element at a position and the position behind it; `None` at the end.
    pub fn at(&self, position: usize) -> Option<(Element<'_>, usize)> {
        let (element, length) = decode(&self.bytes, position)?;
        Some((element, position + length + back_length_size(length)))
    }

    /// The position behind `count` elements from a position on; `None` where there are not so many.
    pub fn skip(&self, mut position: usize, count: usize) -> Option<usize> {
        for _ in 0..count {
            if position >= self.end_position() {
                return None;
            }
            position += entry_size(&self.bytes, position);
        }
        Some(position)
    }

    /// The position of the element in front of a position; `None` at the first.
    pub fn before(&self, position: usize) -> Option<usize> {
        let (length, back) = read_back_length(self.bytes.get(..position)?, position)?;
        position.checked_sub(length + back).filter(|start| *start >= HEADER)
    }

    /// Replaces the element at a position by an integer.
    pub fn set_int(&mut self, position: usize, value: i64) {
        let length = encoded_len(b"", Some(value));
        self.open_gap(position, entry_size(&self.bytes, position), length + back_length_size(length));
        encode(b"", Some(value), &mut self.bytes[position..]);
    }

    /// Appends elements, with one change of the allocation at most. Bytes that are an integer's text are stored as the integer.
    pub fn extend(&mut self, elements: &[Element<'_>]) {
        let parts = || {
            elements.iter().map(|element| match element {
                Element::Int(value) => (&b""[..], Some(*value)),
                Element::Bytes(bytes) => (*bytes, parse_i64(bytes)),
            })
        };
        let size = |(bytes, int): (&[u8], Option<i64>)| {
            let length = encoded_len(bytes, int);
            length + back_length_size(length)
        };
        let at = self.end_position();
        self.open_gap(at, 0, parts().map(size).sum());
        let mut rest = &mut self.bytes[at..];
        for (bytes, int) in parts() {
            let written = encode(bytes, int, rest);
            rest = &mut rest[written..];
        }
        debug_assert_eq!(rest.len(), 1, "only the end mark is left");
        self.add_count(elements.len() as isize);
    }

    /// Removes everything from a position on: `count` elements.
    pub fn truncate(&mut self, position: usize, count: usize) {
        self.open_gap(position, self.end_position() - position, 0);
        self.add_count(-(count as isize));
    }

    /// Gives back memory that was reserved for growing.
    pub fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_step_in_both_directions() {
        let mut pack = Listpack::new();
        pack.extend(&[
            Element::Int(7),
            Element::Bytes(b"name"),
            Element::Bytes(b"-1000"),
            Element::Bytes(&[b'x'; 5000]),
        ]);
        assert_eq!(pack.len(), 4);
        let mut positions = vec![pack.first_position()];
        while let Some((_, next)) = pack.at(positions[positions.len() - 1]) {
            positions.push(next);
        }
        assert_eq!(positions.last(), Some(&pack.end_position()));
        assert_eq!(pack.skip(positions[0], 4), Some(positions[4]));
        assert_eq!(pack.skip(positions[0], 5), None);
        for pair in positions.windows(2) {
            assert_eq!(pack.before(pair[1]), Some(pair[0]));
        }
        assert_eq!(pack.before(positions[0]), None);
        assert_eq!(pack.at(positions[2]).unwrap().0, Element::Int(-1000));
    }

    #[test]
    fn an_integer_replaces_an_element_of_another_size() {
        let mut pack = Listpack::new();
        pack.extend(&[Element::Int(1), Element::Int(2), Element::Int(3)]);
        let second = pack.at(pack.first_position()).unwrap().1;
        pack.set_int(second, 1 << 40);
        pack.set_int(pack.first_position(), 300);
        let elements: Vec<_> = pack.iter().collect();
        assert_eq!(elements, [Element::Int(300), Element::Int(1 << 40), Element::Int(3)]);
        pack.truncate(pack.skip(pack.first_position(), 1).unwrap(), 2);
        assert_eq!(pack.iter().collect::<Vec<_>>(), [Element::Int(300)]);
        assert!(Listpack::from_bytes_validated(pack.as_bytes().to_vec()).is_ok());
    }
}
