//! What SCAN and its kin share: the arguments (cursor, MATCH, COUNT, TYPE), and one step over the elements of a container.

use crate::base::glob;
use crate::data::Element;
use crate::engine::{CommandResult, Context, Outcome};
use crate::keyspace::Container;
use crate::resp::WireError;

/// The arguments of one step.
pub struct ScanOptions<'a> {
    /// Where to go on; 0 at the start.
    pub cursor: u64,
    /// How many to visit, about.
    pub count: usize,
    /// Only names that match.
    pub pattern: Option<&'a [u8]>,
    /// Only keys of this type.
    pub type_name: Option<&'a [u8]>,
}

impl<'a> ScanOptions<'a> {
    /// Reads the cursor at argument `first` and the options behind it.
    pub fn parse(ctx: &Context<'a>, first: usize, allows_type: bool) -> Result<Self, WireError> {
        let args = ctx.args;
        let cursor = parse_cursor(args.at(first)).ok_or(WireError::BAD_CURSOR)?;
        let mut options = Self { cursor, count: 10, pattern: None, type_name: None };
        let mut index = first + 1;
        while index < args.len() {
            let Some(value) = args.get(index + 1) else { return Err(WireError::SYNTAX) };
            if args.is(index, "COUNT") {
                let count = ctx.int(index + 1)?;
                options.count = usize::try_from(count).ok().filter(|count| *count > 0).ok_or(WireError::SYNTAX)?;
            } else if args.is(index, "MATCH") {
                options.pattern = Some(value).filter(|pattern| *pattern != b"*");
            } else if allows_type && args.is(index, "TYPE") {
                options.type_name = Some(value);
            } else {
                return Err(WireError::SYNTAX);
            }
            index += 2;
        }
        Ok(options)
    }
}

/// A cursor as `strtoul` reads it: a sign and leading zeros are fine, and nothing at all is 0.
fn parse_cursor(text: &[u8]) -> Option<u64> {
    let (negative, digits) = match text {
        [] => return Some(0),
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(if negative { value.wrapping_neg() } else { value })
}

/// What a step over the elements of a container found: names that match, each with what belongs to it behind it.
pub struct Found<'p> {
    pattern: Option<&'p [u8]>,
    items: Vec<Vec<u8>>,
}

impl Found<'_> {
    /// Takes a name if it matches; `true` when it did.
    pub fn take(&mut self, name: Element<'_>) -> bool {
        let name = name.to_vec();
        let matches = self.pattern.is_none_or(|pattern| glob::matches(pattern, &name));
        if matches {
            self.items.push(name);
        }
        matches
    }

    /// Takes what belongs to the name before.
    pub fn take_value(&mut self, value: Vec<u8>) {
        self.items.push(value);
    }
}

impl Context<'_> {
    /// Answers SSCAN, HSCAN or ZSCAN: `walk` goes one step over the container from a cursor on, visits about so many elements, and
    /// returns the next cursor.
    pub(in crate::commands) fn scan_elements<T: Container>(
        &mut self,
        walk: impl FnOnce(&T, u64, usize, &mut Found<'_>) -> u64,
    ) -> CommandResult {
        if self.scan_of_nothing::<T>()? {
            return Ok(Outcome::Done);
        }
        let options = ScanOptions::parse(self, 2, false)?;
        let mut found = Found { pattern: options.pattern, items: Vec::new() };
        let container = self.keys.read::<T>(self.args.at(1))?;
        let next = container.map_or(0, |container| walk(container, options.cursor, options.count, &mut found));
        self.reply.array(2);
        self.reply.bulk(next.to_string().as_bytes());
        self.reply.array(found.items.len());
        for item in &found.items {
            self.reply.bulk(item);
        }
        Ok(Outcome::Done)
    }

    /// Answers the scan of a missing key at argument 1: cursor and type are checked, options are not.
    fn scan_of_nothing<T: Container>(&mut self) -> Result<bool, WireError> {
        parse_cursor(self.args.at(2)).ok_or(WireError::BAD_CURSOR)?;
        if self.keys.peek(self.args.at(1)).map(|entry| T::of(entry.value())).transpose()?.is_some() {
            return Ok(false);
        }
        self.reply.array(2);
        self.reply.bulk(b"0");
        self.reply.array(0);
        Ok(true)
    }
}
