//! What SCAN and its kin share: the arguments (cursor, MATCH, COUNT, TYPE, NOVALUES), and one step over the elements of a container.

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
    /// Names alone, without what belongs to them.
    names_only: bool,
}

/// What is scanned: each takes an option of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scanned {
    /// The keys of a database: TYPE.
    Keys,
    /// A hash: NOVALUES.
    Fields,
    /// A set or a sorted set.
    Members,
}

impl<'a> ScanOptions<'a> {
    /// Reads the cursor at argument `first` and the options behind it.
    pub fn parse(ctx: &Context<'a>, first: usize, scanned: Scanned) -> Result<Self, WireError> {
        let args = ctx.args;
        let cursor = parse_cursor(args.at(first)).ok_or(WireError::BAD_CURSOR)?;
        let mut options = Self { cursor, count: 10, pattern: None, type_name: None, names_only: false };
        let mut index = first + 1;
        while index < args.len() {
            if args.is(index, "NOVALUES") {
                if scanned != Scanned::Fields {
                    return Err(WireError::fixed("ERR NOVALUES option can only be used in HSCAN"));
                }
                options.names_only = true;
                index += 1;
                continue;
            }
            let Some(value) = args.get(index + 1) else { return Err(WireError::SYNTAX) };
            if args.is(index, "COUNT") {
                let count = ctx.int(index + 1)?;
                options.count = usize::try_from(count).ok().filter(|count| *count > 0).ok_or(WireError::SYNTAX)?;
            } else if args.is(index, "MATCH") {
                options.pattern = Some(value).filter(|pattern| *pattern != b"*");
            } else if scanned == Scanned::Keys && args.is(index, "TYPE") {
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
    names_only: bool,
    items: Vec<Vec<u8>>,
}

impl Found<'_> {
    /// Takes a name if it matches; `true` when what belongs to it is wanted too.
    pub fn take(&mut self, name: Element<'_>) -> bool {
        let name = name.to_vec();
        let matches = self.pattern.is_none_or(|pattern| glob::matches(pattern, &name));
        if matches {
            self.items.push(name);
        }
        matches && !self.names_only
    }

    /// Takes what belongs to the name before.
    pub fn take_value(&mut self, value: Vec<u8>) {
        self.items.push(value);
    }
}

impl Context<'_> {
    /// Answers SSCAN, HSCAN or ZSCAN: `walk` goes one step over the container from a cursor on, visits about so many elements, and
    /// returns the next cursor. Where there is nothing to scan, cursor and type are checked, options are not.
    pub(in crate::commands) fn scan_elements<T: Container>(
        &mut self,
        scanned: Scanned,
        walk: impl FnOnce(&T, u64, usize, &mut Found<'_>) -> u64,
    ) -> CommandResult {
        parse_cursor(self.args.at(2)).ok_or(WireError::BAD_CURSOR)?;
        let (next, items) = match self.keys.read::<T>(self.args.at(1))? {
            None => (0, Vec::new()),
            Some(container) => {
                let options = ScanOptions::parse(self, 2, scanned)?;
                let ScanOptions { cursor, count, pattern, names_only, .. } = options;
                let mut found = Found { pattern, names_only, items: Vec::new() };
                (walk(container, cursor, count, &mut found), found.items)
            }
        };
        self.reply.array(2);
        self.reply.bulk(next.to_string().as_bytes());
        self.reply.array(items.len());
        for item in &items {
            self.reply.bulk(item);
        }
        Ok(Outcome::Done)
    }
}
