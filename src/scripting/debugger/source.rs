//! A script's lines as the debugger shows them, with the breakpoints that are set.

use std::cell::{Cell, RefCell};

/// The most breakpoints.
const MAX_BREAKPOINTS: usize = 64;

/// A script's text. Lines are counted from 1.
pub(super) struct Source {
    lines: Vec<Vec<u8>>,
    /// In the order they were set in.
    breakpoints: RefCell<Vec<usize>>,
    /// The line that runs; 0 before the first one.
    pub current: Cell<usize>,
}

/// Why a breakpoint is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotSet {
    /// There are too many.
    TooMany,
    /// There is one already, or no such line.
    WrongLine,
}

impl Source {
    /// Of a script; line ends behind the last line are no lines.
    pub fn new(text: &[u8]) -> Self {
        let end = text.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
        let lines =
            if end == 0 { Vec::new() } else { text[..end].split(|byte| *byte == b'\n').map(Vec::from).collect() };
        Self { lines, breakpoints: RefCell::default(), current: Cell::new(0) }
    }

    /// Whether there is a breakpoint in a line.
    pub fn stops_at(&self, line: usize) -> bool {
        self.breakpoints.borrow().contains(&line)
    }

    /// All breakpoints.
    pub fn breakpoints(&self) -> Vec<usize> {
        self.breakpoints.borrow().clone()
    }

    /// Sets a breakpoint.
    pub fn set(&self, line: usize) -> Result<(), NotSet> {
        let mut breakpoints = self.breakpoints.borrow_mut();
        if breakpoints.len() == MAX_BREAKPOINTS {
            Err(NotSet::TooMany)
        } else if line == 0 || line > self.lines.len() || breakpoints.contains(&line) {
            Err(NotSet::WrongLine)
        } else {
            breakpoints.push(line);
            Ok(())
        }
    }

    /// Removes a breakpoint; `false` if there is none.
    pub fn remove(&self, line: usize) -> bool {
        let mut breakpoints = self.breakpoints.borrow_mut();
        let before = breakpoints.len();
        breakpoints.retain(|other| *other != line);
        breakpoints.len() < before
    }

    /// Removes all breakpoints.
    pub fn remove_all(&self) {
        self.breakpoints.borrow_mut().clear();
    }

    /// A line as it is shown: with signs for where the script is and for a breakpoint, and its number.
    pub fn shown(&self, line: usize) -> Vec<u8> {
        let sign = match (line == self.current.get(), self.stops_at(line)) {
            (true, true) => "->#",
            (true, false) => "-> ",
            (false, true) => "  #",
            (false, false) => "   ",
        };
        let text = line.checked_sub(1).and_then(|index| self.lines.get(index));
        let text = text.map_or(&b"<out of range source code line>"[..], Vec::as_slice);
        [format!("{sign}{line:<3} ").as_bytes(), text].concat()
    }

    /// The lines around one, as they are shown: so many on both sides.
    pub fn around(&self, line: usize, context: i64) -> impl Iterator<Item = Vec<u8>> + '_ {
        let reach = usize::try_from(context).ok();
        let first = reach.map_or(1, |reach| line.saturating_sub(reach).max(1));
        let last = reach.map_or(0, |reach| line.saturating_add(reach).min(self.lines.len()));
        (first..=last).map(|line| self.shown(line))
    }

    /// All lines as they are shown.
    pub fn whole(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        (1..=self.lines.len()).map(|line| self.shown(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(source: &Source, line: usize, context: i64) -> Vec<String> {
        source.around(line, context).map(|line| String::from_utf8(line).unwrap()).collect()
    }

    #[test]
    fn lines_carry_signs_and_numbers() {
        let source = Source::new(b"a\n\nc\nd\r\n\n");
        source.current.set(3);
        assert_eq!(listed(&source, 3, 1), ["   2   ", "-> 3   c", "   4   d"]);
        source.set(3).unwrap();
        source.set(4).unwrap();
        assert_eq!(listed(&source, 1, 1000), ["   1   a", "   2   ", "->#3   c", "  #4   d"]);
        assert_eq!(source.whole().count(), 4);
        assert!(listed(&source, 2, -1).is_empty() && listed(&source, 900, 5).is_empty());
        assert_eq!(source.shown(9), b"   9   <out of range source code line>");
        assert_eq!(listed(&source, 1, i64::MAX).len(), 4);
        assert_eq!(Source::new(b"\n\n").whole().count(), 0);
    }

    #[test]
    fn breakpoints_are_set_once_and_not_without_bound() {
        let source = Source::new(&b"x\n".repeat(100).as_slice()[..199]);
        assert_eq!(source.set(0), Err(NotSet::WrongLine));
        assert_eq!(source.set(101), Err(NotSet::WrongLine));
        source.set(7).unwrap();
        assert_eq!(source.set(7), Err(NotSet::WrongLine));
        assert!(source.stops_at(7) && source.remove(7) && !source.remove(7) && !source.stops_at(7));
        for line in 1..=MAX_BREAKPOINTS {
            source.set(line).unwrap();
        }
        assert_eq!(source.set(100), Err(NotSet::TooMany));
        assert_eq!(source.breakpoints().len(), MAX_BREAKPOINTS);
        source.remove_all();
        assert!(source.breakpoints().is_empty());
    }
}
