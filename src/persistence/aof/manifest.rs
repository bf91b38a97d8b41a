//! The manifest: which parts an append only file consists of, in which order they are read, and which are no longer needed.
//!
//! ```text
//! file appendonly.aof.2.base.rdb seq 2 type b      at most one base, and it comes first
//! file appendonly.aof.1.incr.aof seq 1 type h      history: to be removed
//! file appendonly.aof.3.incr.aof seq 3 type i      increments, by rising number
//! ```
//! A line may have further pairs of name and value, which later versions may add; a line that begins with `#` is a comment.
//! Changing a manifest changes nothing on disk: whoever does keeps the old one until the new one is written.

use crate::base::quoting::{quote, split_args};

/// The longest line.
const MAX_LINE: usize = 1024;
/// What a temporary file's name begins with.
const TEMPORARY: &str = "temp-";

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The data at one instant.
    Base,
    /// Not needed any more.
    History,
    /// Commands.
    Increment,
}

impl Kind {
    fn letter(self) -> char {
        match self {
            Self::Base => 'b',
            Self::History => 'h',
            Self::Increment => 'i',
        }
    }
}

/// A file of the append only file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name in the folder.
    pub name: String,
    /// Its number.
    pub number: i64,
}

/// All parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    base: Option<Part>,
    history: Vec<Part>,
    increments: Vec<Part>,
    last_base: i64,
    last_increment: i64,
}

/// Why a manifest cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// The line that is wrong, from 1, and its text; none if the file as a whole is.
    pub line: Option<(usize, String)>,
    /// What is wrong.
    pub reason: &'static str,
}

impl Manifest {
    /// Reads a manifest.
    pub fn parse(text: &[u8]) -> Result<Self, ManifestError> {
        if text.is_empty() {
            return Err(ManifestError { line: None, reason: "Found an empty AOF manifest" });
        }
        let mut manifest = Self::default();
        for (index, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            if line.starts_with(b"#") {
                continue;
            }
            if line.len() > MAX_LINE || !line.ends_with(b"\n") {
                return Err(ManifestError { line: None, reason: "The AOF manifest file contains too long line" });
            }
            let trimmed = line.trim_ascii();
            let wrong = |reason| {
                let line = (!trimmed.is_empty()).then(|| (index + 1, String::from_utf8_lossy(trimmed).into_owned()));
                ManifestError { line, reason }
            };
            let (kind, part) = parse_line(trimmed).map_err(wrong)?;
            manifest.add(kind, part).map_err(wrong)?;
        }
        Ok(manifest)
    }

    fn add(&mut self, kind: Kind, part: Part) -> Result<(), &'static str> {
        match kind {
            Kind::Base if self.base.is_some() => return Err("Found duplicate base file information"),
            Kind::Base => {
                self.last_base = part.number;
                self.base = Some(part);
            }
            Kind::History => self.history.push(part),
            Kind::Increment if part.number <= self.last_increment => {
                return Err("Found a non-monotonic sequence number");
            }
            Kind::Increment => {
                self.last_increment = part.number;
                self.increments.push(part);
            }
        }
        Ok(())
    }

    /// The text of the manifest.
    pub fn to_text(&self) -> String {
        let base = self.base.iter().map(|part| (Kind::Base, part));
        let history = self.history.iter().map(|part| (Kind::History, part));
        let increments = self.increments.iter().map(|part| (Kind::Increment, part));
        base.chain(history).chain(increments).map(|(kind, part)| line(kind, part)).collect()
    }

    /// The base.
    pub fn base(&self) -> Option<&Part> {
        self.base.as_ref()
    }

    /// The increments, in order.
    pub fn increments(&self) -> &[Part] {
        &self.increments
    }

    /// The parts to read, in order.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.base.iter().chain(&self.increments)
    }

    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.parts().next().is_none()
    }

    /// Makes the file of an old server, which was the only one, the base.
    pub fn adopt(&mut self, name: &str) {
        self.base = Some(Part { name: name.into(), number: 1 });
        self.last_base = 1;
    }

    /// Begins a new base; the last one becomes history. Its name comes back.
    pub fn new_base(&mut self, stem: &str, is_snapshot: bool) -> String {
        if let Some(last) = self.base.take() {
            self.history.insert(0, last);
        }
        self.last_base += 1;
        let suffix = if is_snapshot { "rdb" } else { "aof" };
        let name = format!("{stem}.{}.base.{suffix}", self.last_base);
        self.base = Some(Part { name: name.clone(), number: self.last_base });
        name
    }

    /// Begins a new increment; its name comes back.
    pub fn new_increment(&mut self, stem: &str) -> String {
        self.last_increment += 1;
        let name = format!("{stem}.{}.incr.aof", self.last_increment);
        self.increments.push(Part { name: name.clone(), number: self.last_increment });
        name
    }

    /// The increments become history, but for the last one where that is being written.
    pub fn retire_increments(&mut self, keep_last: bool) {
        let kept = self.increments.len().saturating_sub(usize::from(keep_last));
        self.history.splice(0..0, self.increments.drain(..kept));
    }

    /// Takes out what is no longer needed.
    pub fn take_history(&mut self) -> Vec<Part> {
        std::mem::take(&mut self.history)
    }

    /// Whether anything is no longer needed.
    pub fn has_history(&self) -> bool {
        !self.history.is_empty()
    }
}

/// The name of the manifest itself.
pub fn name(stem: &str) -> String {
    format!("{stem}.manifest")
}

/// The name under which a manifest is written before it takes the other's place.
pub fn temporary_name(stem: &str) -> String {
    format!("{TEMPORARY}{stem}.manifest")
}

/// The name of an increment that has no base yet.
pub fn temporary_increment(stem: &str) -> String {
    format!("{TEMPORARY}{stem}.incr")
}

/// Whether these bytes begin as a manifest does.
pub fn is_manifest(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').find(|line| !line.starts_with(b"#")).is_some_and(|line| line.starts_with(b"file"))
}

fn line(kind: Kind, part: &Part) -> String {
    let plain = part.name.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'\''));
    let name = if plain { part.name.clone() } else { quote(part.name.as_bytes()) };
    format!("file {name} seq {} type {}\n", part.number, kind.letter())
}

fn parse_line(line: &[u8]) -> Result<(Kind, Part), &'static str> {
    const INVALID: &str = "Invalid AOF manifest file format";
    let words = split_args(line).ok_or(INVALID)?;
    if words.len() < 6 || words.len() % 2 != 0 {
        return Err(INVALID);
    }
    let (mut name, mut number, mut kind) = (None, 0, None);
    for pair in words.chunks_exact(2) {
        let value = &pair[1];
        match pair[0].to_ascii_lowercase().as_slice() {
            b"file" if value.contains(&b'/') || value.contains(&b'\\') => {
                return Err("File can't be a path, just a filename");
            }
            b"file" => name = String::from_utf8(value.clone()).ok().filter(|name| !name.is_empty()),
            b"seq" => number = crate::base::number::parse_i64(value).unwrap_or(0),
            b"type" => kind = value.first().copied(),
            _ => {}
        }
    }
    let (Some(name), Some(letter), 1..) = (name, kind, number) else { return Err(INVALID) };
    let kind = match letter {
        b'b' => Kind::Base,
        b'h' => Kind::History,
        b'i' => Kind::Increment,
        _ => return Err("Unknown AOF file type"),
    };
    Ok((kind, Part { name, number }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "file a.2.base.rdb seq 2 type b\nfile a.1.incr.aof seq 1 type h\nfile a.3.incr.aof seq 3 type i\n\
                        file a.5.incr.aof seq 5 type i\n";

    #[test]
    fn comes_back_as_it_was_written() {
        let manifest = Manifest::parse(TEXT.as_bytes()).unwrap();
        assert_eq!(manifest.to_text(), TEXT);
        let names: Vec<_> = manifest.parts().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["a.2.base.rdb", "a.3.incr.aof", "a.5.incr.aof"]);
        let mut spaced = Manifest::default();
        spaced.new_base("with blank \"and\" quote", true);
        assert_eq!(Manifest::parse(spaced.to_text().as_bytes()), Ok(spaced));
    }

    #[test]
    fn a_rewrite_retires_what_was_there() {
        let mut manifest = Manifest::parse(TEXT.as_bytes()).unwrap();
        assert_eq!(manifest.new_increment("a"), "a.6.incr.aof");
        assert_eq!(manifest.new_base("a", false), "a.3.base.aof");
        manifest.retire_increments(true);
        assert_eq!(
            manifest.to_text(),
            "file a.3.base.aof seq 3 type b\nfile a.3.incr.aof seq 3 type h\nfile a.5.incr.aof seq 5 type h\n\
             file a.2.base.rdb seq 2 type h\nfile a.1.incr.aof seq 1 type h\nfile a.6.incr.aof seq 6 type i\n"
        );
        assert_eq!(manifest.take_history().len(), 4);
        assert!(!manifest.has_history());
        assert_eq!(manifest.new_increment("a"), "a.7.incr.aof", "numbers are not used again");
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        let good = "file a.1.incr.aof seq 1 type i\n";
        let long = format!("{}\n", "x".repeat(1100));
        for (text, line, reason) in [
            ("", None, "Found an empty AOF manifest"),
            ("\n", None, "Invalid AOF manifest file format"),
            (&long, None, "The AOF manifest file contains too long line"),
            ("file a.1.incr.aof seq 1 type i", None, "The AOF manifest file contains too long line"),
            ("file a seq 1\n", Some(1), "Invalid AOF manifest file format"),
            ("file a seq 1 type i extra\n", Some(1), "Invalid AOF manifest file format"),
            ("file a seq 0 type i\n", Some(1), "Invalid AOF manifest file format"),
            ("file a filx b type i\n", Some(1), "Invalid AOF manifest file format"),
            ("file \"a seq 1 type i\n", Some(1), "Invalid AOF manifest file format"),
            ("file ../a seq 1 type i\n", Some(1), "File can't be a path, just a filename"),
            ("# comment\nfile a seq 1 type x\n", Some(2), "Unknown AOF file type"),
            (&good.repeat(2), Some(2), "Found a non-monotonic sequence number"),
            ("file a seq 1 type b\nfile b seq 2 type b\n", Some(2), "Found duplicate base file information"),
        ] {
            let error = Manifest::parse(text.as_bytes()).unwrap_err();
            assert_eq!((error.line.map(|line| line.0), error.reason), (line, reason), "{text:?}");
        }
        let more = "file a.1.incr.aof seq 1 type i newkey newvalue\n";
        assert_eq!(Manifest::parse(more.as_bytes()).unwrap().to_text(), good);
    }

    #[test]
    fn every_cut_is_an_error_or_a_shorter_manifest() {
        for cut in 0..TEXT.len() {
            let parsed = Manifest::parse(&TEXT.as_bytes()[..cut]);
            assert_eq!(parsed.is_ok(), cut > 0 && TEXT.as_bytes()[cut - 1] == b'\n', "{cut}");
        }
    }
}
