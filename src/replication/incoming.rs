//! A snapshot on the wire as a source of bytes that ends where the snapshot does.
//!
//! What follows a snapshot with its length in front is left where it is. A mark is looked for at the end of whatever has arrived, since the
//! primary sends nothing behind it before it is asked to; bytes that may be a part of the mark are held back until that is known.

use std::io::{self, Read};

use super::transfer::{EOF_MARK_BYTES, Header, TailScanner};

/// Where the bytes arrive.
pub trait Incoming {
    /// What has arrived and was not taken: at least one byte. An error if nothing comes any more, or is not wanted any more.
    fn receive(&mut self) -> io::Result<&[u8]>;
    /// So many of these bytes are done with.
    fn take(&mut self, count: usize);
}

enum Ending {
    Left(u64),
    Mark { scanner: TailScanner, reached: bool },
}

/// Bytes of a snapshot, and no others.
pub struct SnapshotBytes<I> {
    incoming: I,
    ending: Ending,
    /// What has come in before a mark and may be a part of it.
    held: Vec<u8>,
}

impl<I: Incoming> SnapshotBytes<I> {
    /// The snapshot that this header announced.
    pub fn new(incoming: I, header: Header) -> Self {
        let ending = match header {
            Header::Length(bytes) => Ending::Left(bytes),
            Header::Mark(mark) => Ending::Mark { scanner: TailScanner::new(mark), reached: false },
        };
        Self { incoming, ending, held: Vec::new() }
    }

    /// Takes what is left; an error if the end never comes.
    pub fn drain(&mut self) -> io::Result<()> {
        io::copy(self, &mut io::sink()).map(drop)
    }

    /// Takes in whatever has arrived, once something has.
    fn receive(&mut self) -> io::Result<()> {
        let there = self.incoming.receive()?;
        let count = match &mut self.ending {
            Ending::Left(left) => {
                let count = there.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= count as u64;
                count
            }
            Ending::Mark { scanner, reached } => {
                *reached = scanner.push(there);
                there.len()
            }
        };
        self.held.extend_from_slice(&there[..count]);
        self.incoming.take(count);
        Ok(())
    }

    fn is_over(&self) -> bool {
        matches!(self.ending, Ending::Left(0) | Ending::Mark { reached: true, .. })
    }

    /// Bytes of the held ones that belong to the snapshot for sure.
    fn certain(&self) -> usize {
        match self.ending {
            Ending::Left(_) => self.held.len(),
            Ending::Mark { .. } => self.held.len().saturating_sub(EOF_MARK_BYTES),
        }
    }
}

impl<I: Incoming> Read for SnapshotBytes<I> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.certain() == 0 && !self.is_over() {
            self.receive()?;
        }
        let count = self.certain().min(out.len());
        out[..count].copy_from_slice(&self.held[..count]);
        self.held.drain(..count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replication::EofMark;

    /// Bytes that arrive in pieces of one size.
    struct Pieces<'a> {
        bytes: &'a [u8],
        size: usize,
    }

    impl Incoming for &mut Pieces<'_> {
        fn receive(&mut self) -> io::Result<&[u8]> {
            match self.bytes {
                [] => Err(io::ErrorKind::UnexpectedEof.into()),
                bytes => Ok(&bytes[..bytes.len().min(self.size)]),
            }
        }

        fn take(&mut self, count: usize) {
            self.bytes = &self.bytes[count..];
        }
    }

    #[test]
    fn a_snapshot_ends_where_it_should_however_it_arrives() {
        let snapshot: Vec<u8> = (0..300).map(|byte| byte as u8).collect();
        let mark = EofMark::random();
        let marked = [&snapshot[..], &mark.0].concat();
        let counted = [&snapshot[..], b"*1\r\n"].concat();
        let length = Header::Length(snapshot.len() as u64);
        for size in [1, 7, 39, 40, 41, 100, 1000] {
            for (bytes, header, rest) in [(&marked, Header::Mark(mark), &b""[..]), (&counted, length, b"*1\r\n")] {
                let mut pieces = Pieces { bytes, size };
                let mut read = Vec::new();
                SnapshotBytes::new(&mut pieces, header).read_to_end(&mut read).unwrap();
                assert_eq!((&read, pieces.bytes), (&snapshot, rest), "pieces of {size}");
                let mut pieces = Pieces { bytes: &bytes[..250], size };
                assert!(SnapshotBytes::new(&mut pieces, header).drain().is_err(), "the end never comes");
            }
        }
    }
}
