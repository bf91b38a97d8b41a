//! LZF, the compression of strings in snapshots. Format (Marc Lehmann's liblzf):
//!
//! ```text
//! 000LLLLL                     a run of L+1 literal bytes follows
//! LLLooooo oooooooo            copy L+2 bytes (L is 1 to 6) from o+1 bytes back
//! 111ooooo LLLLLLLL oooooooo   copy L+9 bytes from o+1 bytes back
//! ```
//! Decompression never reads or writes outside what it was given, whatever the bytes.

const HASH_BITS: u32 = 14;
const MAX_LITERALS: usize = 1 << 5;
const MAX_OFFSET: usize = 1 << 13;
const MAX_COPY: usize = (1 << 8) + (1 << 3);
/// A copy of three bytes stands for at most this many; no byte stands for more than a third of it.
const MAX_RATIO: u64 = MAX_COPY as u64 / 3;
/// Longer inputs are left alone, so that positions fit 32 bits.
const MAX_INPUT: usize = 1 << 30;

/// Compresses; keeps its table from one string to the next.
pub struct Compressor {
    /// Where three bytes with a hash were seen last: a position counted over all strings.
    seen: Box<[u32]>,
    /// The position at which the current string begins; what is below belongs to earlier ones.
    base: u32,
}

impl Default for Compressor {
    fn default() -> Self {
        Self { seen: vec![0; 1 << HASH_BITS].into_boxed_slice(), base: 1 }
    }
}

impl Compressor {
    /// Appends the compressed form; `false`, with `out` as it was, where that would take more than `limit` bytes.
    pub fn compress(&mut self, input: &[u8], limit: usize, out: &mut Vec<u8>) -> bool {
        if input.len() > MAX_INPUT {
            return false;
        }
        let start = out.len();
        let fits = self.compress_within(input, start + limit, out);
        if !fits {
            out.truncate(start);
        }
        self.base += input.len() as u32;
        // Positions of earlier strings are below the base, hence ignored, until they would overflow.
        if self.base > u32::MAX - MAX_INPUT as u32 - 1 {
            self.seen.fill(0);
            self.base = 1;
        }
        fits
    }

    fn compress_within(&mut self, input: &[u8], end: usize, out: &mut Vec<u8>) -> bool {
        let (mut at, mut literals) = (0, 0);
        while at + 2 < input.len() {
            let Some((offset, length)) = self.find(input, at) else {
                at += 1;
                // Checked now and then, so that bytes that do not compress are given up early.
                if at - literals == MAX_LITERALS {
                    put_literals(&input[literals..at], out);
                    literals = at;
                    if out.len() > end {
                        return false;
                    }
                }
                continue;
            };
            put_literals(&input[literals..at], out);
            put_copy(offset, length, out);
            if out.len() > end {
                return false;
            }
            for inside in (at + 1..at + length).take_while(|inside| inside + 2 < input.len()) {
                self.note(input, inside);
            }
            at += length;
            literals = at;
        }
        put_literals(&input[literals..], out);
        out.len() <= end
    }

    /// Notes position `at`; where its three bytes were seen before, if that is known.
    fn note(&mut self, input: &[u8], at: usize) -> Option<usize> {
        let three = u32::from_le_bytes([input[at], input[at + 1], input[at + 2], 0]);
        let slot = (three.wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)) as usize;
        let before = std::mem::replace(&mut self.seen[slot], self.base + at as u32);
        before.checked_sub(self.base).map(|before| before as usize)
    }

    /// An earlier stretch that begins as the bytes at `at` do: how far back it starts, less one, and its length.
    fn find(&mut self, input: &[u8], at: usize) -> Option<(usize, usize)> {
        let before = self.note(input, at)?;
        let offset = at - before - 1;
        if offset >= MAX_OFFSET {
            return None;
        }
        let longest = (input.len() - at).min(MAX_COPY);
        let length = (0..longest).take_while(|i| input[before + i] == input[at + i]).count();
        (length >= 3).then_some((offset, length))
    }
}

fn put_literals(bytes: &[u8], out: &mut Vec<u8>) {
    for run in bytes.chunks(MAX_LITERALS) {
        out.push((run.len() - 1) as u8);
        out.extend_from_slice(run);
    }
}

fn put_copy(offset: usize, length: usize, out: &mut Vec<u8>) {
    let (high, low) = ((offset >> 8) as u8, offset as u8);
    match length - 2 {
        short @ 1..=6 => out.push((short as u8) << 5 | high),
        long => out.extend_from_slice(&[0b111 << 5 | high, (long - 7) as u8]),
    }
    out.push(low);
}

/// Whether `compressed` bytes can stand for as many as `length`: to be asked before room is made for them.
pub fn can_hold(compressed: u64, length: u64) -> bool {
    length <= compressed.saturating_mul(MAX_RATIO)
}

/// Decompresses to exactly `length` bytes; `None` where the bytes do not say that.
pub fn decompress(mut input: &[u8], length: usize) -> Option<Vec<u8>> {
    if !can_hold(input.len() as u64, length as u64) {
        return None;
    }
    let mut out = Vec::with_capacity(length);
    while let Some((&control, rest)) = input.split_first() {
        input = rest;
        if control < 1 << 5 {
            let (run, rest) = input.split_at_checked(usize::from(control) + 1)?;
            input = rest;
            out.extend_from_slice(run);
        } else {
            let mut copied = usize::from(control >> 5) + 2;
            if control >> 5 == 7 {
                let (&more, rest) = input.split_first()?;
                input = rest;
                copied += usize::from(more);
            }
            let (&low, rest) = input.split_first()?;
            input = rest;
            let offset = usize::from(control & 0x1f) << 8 | usize::from(low);
            let from = out.len().checked_sub(offset + 1)?;
            if out.len() + copied > length {
                return None;
            }
            // The stretch may overlap what it makes, so it is copied in pieces no longer than the distance.
            let mut left = copied;
            while left > 0 {
                let piece = left.min(out.len() - from);
                out.extend_from_within(from..from + piece);
                left -= piece;
            }
        }
        if out.len() > length {
            return None;
        }
    }
    (out.len() == length).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What liblzf, as Redis ships it, makes of `a` sixty times.
    const SIXTY_A: &[u8] = &[0x01, b'a', b'a', 0xe0, 0x2f, 0x00, 0x01, b'a', b'a'];

    #[test]
    fn reads_what_redis_writes() {
        assert_eq!(decompress(SIXTY_A, 60).as_deref(), Some(&[b'a'; 60][..]));
        for length in [0, 59, 61, 100_000] {
            assert_eq!(decompress(SIXTY_A, length), None, "{length}");
        }
    }

    #[test]
    fn what_does_not_compress_is_left_alone() {
        let mut out = b"before".to_vec();
        assert!(!Compressor::default().compress(b"abcdefghijklmnopqrstuvwxyz", 22, &mut out));
        assert_eq!(out, b"before");
    }

    proptest! {
        #[test]
        fn returns_what_went_in(strings in proptest::collection::vec("[ab]{0,700}|[a-z]{0,40}", 1..8)) {
            let mut compressor = Compressor::default();
            for string in strings {
                let mut out = Vec::new();
                if compressor.compress(string.as_bytes(), usize::MAX / 2, &mut out) {
                    let back = decompress(&out, string.len());
                    prop_assert_eq!(back.as_deref(), Some(string.as_bytes()));
                }
            }
        }

        #[test]
        fn any_bytes_are_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..80), length in 0usize..3000) {
            if let Some(out) = decompress(&bytes, length) {
                prop_assert_eq!(out.len(), length);
            }
        }
    }
}
