//! What the debugger is going to say: lines, sent together as an array of simple strings.
//!
//! Dumps of values and replies are cut to a length the client chooses. All lines together have a bound too, since a script
//! may write as many as it likes between two stops.

/// The length of dumps, unless another is chosen.
const DEFAULT_LENGTH: usize = 256;
/// The shortest that may be chosen.
const MIN_LENGTH: i64 = 60;
/// The longest line, for whoever chooses no limit.
pub(super) const MAX_LINE_BYTES: usize = 8 << 20;
/// The most bytes of lines that wait to be sent. What comes above that is dropped, and this is said.
const MAX_BYTES: usize = 16 << 20;

const CUT: &[u8] = b" ...";
const HINT: &str = "<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming.";
const DROPPED: &str = "<hint> More lines were dropped: there are too many.";

/// Lines to be sent.
pub(super) struct Transcript {
    lines: Vec<Vec<u8>>,
    bytes: usize,
    /// How long dumps may be; 0 means no limit.
    length: usize,
    hinted: bool,
    dropped: bool,
}

impl Transcript {
    /// An empty one.
    pub fn new() -> Self {
        Self { lines: Vec::new(), bytes: 0, length: DEFAULT_LENGTH, hinted: false, dropped: false }
    }

    /// Adds a line.
    pub fn line(&mut self, line: impl Into<Vec<u8>>) {
        if self.dropped {
            return;
        }
        let mut line: Vec<u8> = line.into();
        line.truncate(MAX_LINE_BYTES + CUT.len());
        self.bytes += line.len();
        self.dropped = self.bytes > MAX_BYTES;
        self.lines.push(if self.dropped { DROPPED.into() } else { line });
    }

    /// How many bytes of a dump are worth making.
    pub fn room(&self) -> usize {
        if self.length == 0 { MAX_LINE_BYTES } else { self.length }
    }

    /// Adds a dump, of which there was more than the room for it if it is longer than that.
    pub fn dump(&mut self, mut text: Vec<u8>) {
        let room = self.room();
        let cut = text.len() > room;
        if cut {
            text.truncate(room);
            text.extend_from_slice(CUT);
        }
        self.line(text);
        if cut && !self.hinted && self.length != 0 {
            self.hinted = true;
            self.line(HINT);
        }
    }

    /// Chooses how long dumps may be, where a length is given, and says how long they may be.
    pub fn limit(&mut self, length: Option<i64>) {
        if let Some(length) = length {
            self.hinted = true;
            self.length = if length == 0 { 0 } else { length.max(MIN_LENGTH) as usize };
        }
        self.line(match self.length {
            0 => "<value> replies are unlimited.".to_owned(),
            length => format!("<value> replies are truncated at {length} bytes."),
        });
    }

    /// Takes all lines, as they are sent. A line end within a line becomes a space.
    pub fn take(&mut self) -> Vec<u8> {
        let mut out = format!("*{}\r\n", self.lines.len()).into_bytes();
        for line in self.lines.drain(..) {
            out.push(b'+');
            out.extend(line.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }));
            out.extend_from_slice(b"\r\n");
        }
        (self.bytes, self.dropped) = (0, false);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(transcript: &mut Transcript) -> String {
        String::from_utf8(transcript.take()).unwrap()
    }

    #[test]
    fn lines_are_sent_as_an_array_of_simple_strings() {
        let mut transcript = Transcript::new();
        assert_eq!(taken(&mut transcript), "*0\r\n");
        transcript.line("a\r\nb");
        transcript.line("");
        assert_eq!(taken(&mut transcript), "*2\r\n+a  b\r\n+\r\n");
        assert_eq!(taken(&mut transcript), "*0\r\n");
    }

    #[test]
    fn dumps_are_cut_and_the_way_out_is_told_once() {
        let mut transcript = Transcript::new();
        transcript.dump(vec![b'x'; 256]);
        assert_eq!(taken(&mut transcript).len(), "*1\r\n+\r\n".len() + 256);
        for hinted in [true, false] {
            transcript.dump(vec![b'x'; 257]);
            let text = taken(&mut transcript);
            assert!(text.contains("xx ...\r\n"), "{text}");
            assert_eq!(text.contains("<hint>"), hinted);
        }
        for (length, told) in [
            (Some(1), "truncated at 60 bytes."),
            (Some(-5), "truncated at 60 bytes."),
            (Some(0), "unlimited."),
            (None, "unlimited."),
            (Some(300), "truncated at 300 bytes."),
        ] {
            transcript.limit(length);
            assert!(taken(&mut transcript).contains(told), "{length:?}");
        }
    }

    #[test]
    fn a_flood_of_lines_is_dropped() {
        let mut transcript = Transcript::new();
        transcript.limit(Some(0));
        for _ in 0..100 {
            transcript.dump(vec![b'x'; MAX_LINE_BYTES / 8]);
            transcript.dump(vec![b'x'; MAX_LINE_BYTES * 2]);
        }
        let text = taken(&mut transcript);
        assert!(text.len() < MAX_BYTES + 1000, "{}", text.len());
        assert!(text.ends_with("there are too many.\r\n"));
        transcript.line("again");
        assert_eq!(taken(&mut transcript), "*1\r\n+again\r\n");
    }
}
