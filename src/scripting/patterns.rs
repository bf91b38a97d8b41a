//! Lua's patterns: matching one at one place of a text.
//!
//! Lua's own matcher cannot be interrupted, and takes stack for every item of a pattern. This one does the same (Lua 5.1 Reference Manual,
//! section 5.4.1), looks at the clock as it goes, and gives up on patterns that would take too much stack.
//! A pattern ends at its first NUL, as a C string does.

use super::clock;

/// Most captures of a pattern.
const MAX_CAPTURES: usize = 32;
/// Items of a pattern within one another, of which each takes stack.
const MAX_DEPTH: usize = 1000;
/// Work after which the clock hears of it.
const WORK: usize = 4096;

/// Why matching ended without an answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The pattern makes no sense, or is too much.
    Pattern(&'static str),
    /// The script is to end.
    Ended(mlua::Error),
}

impl From<mlua::Error> for Failure {
    fn from(error: mlua::Error) -> Self {
        Self::Ended(error)
    }
}

type Result<T> = std::result::Result<T, Failure>;

/// What a pair of parentheses has captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Capture {
    /// From here to there in the text.
    Text(usize, usize),
    /// A position.
    Position(usize),
    /// The closing parenthesis has not been passed.
    Open(usize),
}

/// A pattern on a text.
pub(super) struct Matcher<'m> {
    text: &'m [u8],
    pattern: &'m [u8],
    captures: smallvec::SmallVec<[Capture; 4]>,
    depth: usize,
    /// Work that the clock has not heard of.
    work: usize,
}

/// Whether a pattern is only a text to look for.
pub(super) fn is_plain(pattern: &[u8]) -> bool {
    !until_nul(pattern).iter().any(|byte| b"^$*+?.([%-".contains(byte))
}

fn until_nul(pattern: &[u8]) -> &[u8] {
    &pattern[..memchr::memchr(0, pattern).unwrap_or(pattern.len())]
}

impl<'m> Matcher<'m> {
    /// For a pattern without the `^` that anchors it.
    pub fn new(text: &'m [u8], pattern: &'m [u8]) -> Self {
        Self { text, pattern: until_nul(pattern), captures: smallvec::SmallVec::new(), depth: 0, work: 0 }
    }

    /// Matches at one place: where the match ends.
    pub fn match_at(&mut self, at: usize) -> Result<Option<usize>> {
        self.captures.clear();
        self.depth = 0;
        let matched = self.go(at, 0);
        clock::work(std::mem::take(&mut self.work) + 1)?;
        matched
    }

    fn step(&mut self, work: usize) -> Result<()> {
        self.work += work;
        if self.work > WORK {
            clock::work(std::mem::take(&mut self.work))?;
        }
        Ok(())
    }

    /// How many values the last match has: its captures, or itself.
    pub fn values(&self) -> usize {
        self.captures.len().max(1)
    }

    /// How many captures the last match has.
    pub fn captures(&self) -> usize {
        self.captures.len()
    }

    /// Value `index` of the last match, which is `from..to`.
    pub fn value(&self, index: usize, from: usize, to: usize) -> Result<Capture> {
        match self.captures.get(index) {
            Some(Capture::Open(_)) => Err(Failure::Pattern("unfinished capture")),
            Some(capture) => Ok(*capture),
            None if index == 0 => Ok(Capture::Text(from, to)),
            None => Err(Failure::Pattern("invalid capture index")),
        }
    }

    /// The byte of the pattern; NUL at its end.
    fn item(&self, at: usize) -> u8 {
        self.pattern.get(at).copied().unwrap_or(0)
    }

    /// Matches what is left of the pattern, one level deeper.
    fn go(&mut self, at: usize, item: usize) -> Result<Option<usize>> {
        if self.depth == MAX_DEPTH {
            return Err(Failure::Pattern("pattern too complex"));
        }
        self.depth += 1;
        let matched = self.rest(at, item);
        self.depth -= 1;
        matched
    }

    fn rest(&mut self, mut at: usize, mut item: usize) -> Result<Option<usize>> {
        loop {
            match (self.item(item), self.item(item + 1)) {
                (0, _) => return Ok(Some(at)),
                (b'(', b')') => return self.open(at, item + 2, Capture::Position(at)),
                (b'(', _) => return self.open(at, item + 1, Capture::Open(at)),
                (b')', _) => return self.close(at, item + 1),
                (b'$', 0) => return Ok((at == self.text.len()).then_some(at)),
                (b'%', b'b') => match self.balance(at, item + 2)? {
                    Some(end) => (at, item) = (end, item + 4),
                    None => return Ok(None),
                },
                (b'%', b'f') => match self.frontier(at, item + 2)? {
                    Some(next) => item = next,
                    None => return Ok(None),
                },
                (b'%', digit @ b'0'..=b'9') => match self.back_reference(at, digit)? {
                    Some(end) => (at, item) = (end, item + 2),
                    None => return Ok(None),
                },
                _ => {
                    let end = self.class_end(item)?;
                    self.step(end - item)?;
                    let here = self.matches(at, item, end);
                    match self.item(end) {
                        b'?' => {
                            if here && let Some(found) = self.go(at + 1, end + 1)? {
                                return Ok(Some(found));
                            }
                            item = end + 1;
                        }
                        b'*' => return self.most(at, item, end),
                        b'+' => return if here { self.most(at + 1, item, end) } else { Ok(None) },
                        b'-' => return self.least(at, item, end),
                        _ if here => (at, item) = (at + 1, end),
                        _ => return Ok(None),
                    }
                }
            }
        }
    }

    fn open(&mut self, at: usize, item: usize, capture: Capture) -> Result<Option<usize>> {
        if self.captures.len() == MAX_CAPTURES {
            return Err(Failure::Pattern("too many captures"));
        }
        self.captures.push(capture);
        let matched = self.go(at, item)?;
        if matched.is_none() {
            self.captures.pop();
        }
        Ok(matched)
    }

    fn close(&mut self, at: usize, item: usize) -> Result<Option<usize>> {
        let innermost = self.captures.iter().rposition(|capture| matches!(capture, Capture::Open(_)));
        let innermost = innermost.ok_or(Failure::Pattern("invalid pattern capture"))?;
        let opened = self.captures[innermost];
        if let Capture::Open(from) = opened {
            self.captures[innermost] = Capture::Text(from, at);
        }
        let matched = self.go(at, item)?;
        if matched.is_none() {
            self.captures[innermost] = opened;
        }
        Ok(matched)
    }

    /// As many as there are, then fewer, until the rest matches.
    fn most(&mut self, at: usize, item: usize, end: usize) -> Result<Option<usize>> {
        let mut count = 0;
        while self.matches(at + count, item, end) {
            self.step(end - item)?;
            count += 1;
        }
        loop {
            let matched = self.go(at + count, end + 1)?;
            if matched.is_some() || count == 0 {
                return Ok(matched);
            }
            count -= 1;
        }
    }

    /// None, then more, until the rest matches.
    fn least(&mut self, mut at: usize, item: usize, end: usize) -> Result<Option<usize>> {
        loop {
            let matched = self.go(at, end + 1)?;
            if matched.is_some() || !self.matches(at, item, end) {
                return Ok(matched);
            }
            self.step(end - item)?;
            at += 1;
        }
    }

    fn balance(&mut self, at: usize, item: usize) -> Result<Option<usize>> {
        let (open, close) = (self.item(item), self.item(item + 1));
        if open == 0 || close == 0 {
            return Err(Failure::Pattern("unbalanced pattern"));
        }
        if self.text.get(at) != Some(&open) {
            return Ok(None);
        }
        let mut nested = 1usize;
        for (offset, byte) in self.text[at + 1..].iter().enumerate() {
            if *byte == close {
                nested -= 1;
                if nested == 0 {
                    self.step(offset)?;
                    return Ok(Some(at + offset + 2));
                }
            } else if *byte == open {
                nested += 1;
            }
        }
        self.step(self.text.len() - at)?;
        Ok(None)
    }

    /// `%f[set]`: nothing that is no member before, and a member here. Where the pattern goes on.
    fn frontier(&mut self, at: usize, set: usize) -> Result<Option<usize>> {
        if self.item(set) != b'[' {
            return Err(Failure::Pattern("missing '[' after '%f' in pattern"));
        }
        let end = self.class_end(set)?;
        self.step(end - set)?;
        let before = at.checked_sub(1).map_or(0, |before| self.text[before]);
        let here = self.text.get(at).copied().unwrap_or(0);
        let passed = !self.in_set(before, set, end - 1) && self.in_set(here, set, end - 1);
        Ok(passed.then_some(end))
    }

    fn back_reference(&mut self, at: usize, digit: u8) -> Result<Option<usize>> {
        let capture = usize::from(digit).checked_sub(usize::from(b'1')).and_then(|index| self.captures.get(index));
        match capture.copied() {
            None | Some(Capture::Open(_)) => Err(Failure::Pattern("invalid capture index")),
            Some(Capture::Position(_)) => Ok(None),
            Some(Capture::Text(from, to)) => {
                self.step(to - from)?;
                Ok(self.text[at..].starts_with(&self.text[from..to]).then_some(at + to - from))
            }
        }
    }

    /// Where the single item that begins here ends.
    fn class_end(&self, item: usize) -> Result<usize> {
        match self.item(item) {
            b'%' if self.item(item + 1) == 0 => Err(Failure::Pattern("malformed pattern (ends with '%')")),
            b'%' => Ok(item + 2),
            b'[' => {
                let mut at = item + 1;
                if self.item(at) == b'^' {
                    at += 1;
                }
                // A bracket right at the beginning is a member.
                loop {
                    match self.item(at) {
                        0 => return Err(Failure::Pattern("malformed pattern (missing ']')")),
                        b'%' if self.item(at + 1) != 0 => at += 2,
                        _ => at += 1,
                    }
                    if self.item(at) == b']' {
                        return Ok(at + 1);
                    }
                }
            }
            _ => Ok(item + 1),
        }
    }

    /// Whether the text has, here, what the item `item..end` stands for.
    fn matches(&self, at: usize, item: usize, end: usize) -> bool {
        let Some(&byte) = self.text.get(at) else { return false };
        match self.item(item) {
            b'.' => true,
            b'%' => in_class(byte, self.item(item + 1)),
            b'[' => self.in_set(byte, item, end - 1),
            literal => literal == byte,
        }
    }

    /// Whether a set has a byte. The set begins with its bracket and ends with the one at `last`.
    fn in_set(&self, byte: u8, set: usize, last: usize) -> bool {
        let mut at = set + 1;
        let negated = self.item(at) == b'^';
        at += usize::from(negated);
        while at < last {
            if self.item(at) == b'%' {
                at += 1;
                if in_class(byte, self.item(at)) {
                    return !negated;
                }
            } else if self.item(at + 1) == b'-' && at + 2 < last {
                if (self.item(at)..=self.item(at + 2)).contains(&byte) {
                    return !negated;
                }
                at += 2;
            } else if self.item(at) == byte {
                return !negated;
            }
            at += 1;
        }
        negated
    }
}

/// Whether a byte is of the class that a letter stands for; in upper case, of all that are not.
fn in_class(byte: u8, class: u8) -> bool {
    let is = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => byte.is_ascii_whitespace() || byte == 0x0b,
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return class == byte,
    };
    is != class.is_ascii_uppercase()
}
