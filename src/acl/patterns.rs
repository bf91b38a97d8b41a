//! Which keys and which channels: glob patterns, for keys with what may be done to them.

use bitflags::bitflags;

use super::has_spaces;
use super::rule_error::RuleError;
use crate::base::glob;
use crate::catalog::KeyFlags;

bitflags! {
    /// What is done to the data at a key.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct KeyAccess: u8 {
        /// Data is read.
        const READ = 1 << 0;
        /// Data is added, changed or deleted.
        const WRITE = 1 << 1;
    }
}

impl KeyAccess {
    /// What a command does to the data, by the flags of its key.
    pub fn of(flags: KeyFlags) -> Self {
        let mut access = Self::empty();
        access.set(Self::READ, flags.contains(KeyFlags::ACCESS));
        access.set(Self::WRITE, flags.intersects(KeyFlags::INSERT | KeyFlags::DELETE | KeyFlags::UPDATE));
        access
    }
}

/// Keys that may be used, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPattern {
    /// How.
    pub access: KeyAccess,
    /// Which.
    pub pattern: Box<[u8]>,
}

impl KeyPattern {
    /// Reads `~pattern`, `%R~pattern`, `%W~pattern` or `%RW~pattern`.
    pub fn parse(rule: &[u8]) -> Result<Self, RuleError> {
        let (access, pattern) = match rule {
            [b'~', pattern @ ..] => (KeyAccess::all(), pattern),
            [b'%', rest @ ..] => Self::parse_access(rest)?,
            _ => return Err(RuleError::Syntax),
        };
        if has_spaces(pattern) {
            return Err(RuleError::Syntax);
        }
        Ok(Self { access, pattern: pattern.into() })
    }

    fn parse_access(mut rest: &[u8]) -> Result<(KeyAccess, &[u8]), RuleError> {
        let mut access = KeyAccess::empty();
        loop {
            let letter = match rest {
                [b'R' | b'r', ..] => KeyAccess::READ,
                [b'W' | b'w', ..] => KeyAccess::WRITE,
                [b'~', pattern @ ..] if !access.is_empty() => return Ok((access, pattern)),
                [] if !access.is_empty() => return Ok((access, rest)),
                _ => return Err(RuleError::Syntax),
            };
            if access.contains(letter) {
                return Err(RuleError::Syntax);
            }
            access |= letter;
            rest = &rest[1..];
        }
    }

    /// Whether it admits this use of a key.
    pub fn admits(&self, key: &[u8], access: KeyAccess) -> bool {
        self.access.contains(access) && glob::matches(&self.pattern, key)
    }

    /// The rule it was made by.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(match (self.access.contains(KeyAccess::READ), self.access.contains(KeyAccess::WRITE)) {
            (true, false) => b"%R~",
            (false, true) => b"%W~",
            _ => b"~",
        });
        out.extend_from_slice(&self.pattern);
    }
}

/// Whether patterns admit a channel; a pattern to subscribe to must be among them letter by letter.
pub fn admit_channel<P: AsRef<[u8]>>(patterns: &[P], channel: &[u8], is_pattern: bool) -> bool {
    patterns.iter().map(AsRef::as_ref).any(|known| match is_pattern {
        true => known == channel,
        false => glob::matches(known, channel),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(rule: &str) -> Option<String> {
        let pattern = KeyPattern::parse(rule.as_bytes()).ok()?;
        let mut out = Vec::new();
        pattern.write(&mut out);
        String::from_utf8(out).ok()
    }

    #[test]
    fn key_patterns_read_and_write() {
        for (rule, expected) in [
            ("~app:*", Some("~app:*")),
            ("%R~x", Some("%R~x")),
            ("%w~x", Some("%W~x")),
            ("%RW~x", Some("~x")),
            ("%wr~", Some("~")),
            ("%R", Some("%R~")),
            ("%", None),
            ("%~x", None),
            ("%RR~x", None),
            ("%X~x", None),
            ("~a b", None),
            ("~a\0", None),
            ("x", None),
        ] {
            assert_eq!(written(rule).as_deref(), expected, "{rule}");
        }
    }

    #[test]
    fn reading_and_writing_are_told_apart() {
        let read = KeyPattern::parse(b"%R~k*").unwrap();
        assert!(read.admits(b"key", KeyAccess::of(KeyFlags::READ)));
        assert!(!read.admits(b"key", KeyAccess::of(KeyFlags::EXCHANGE)));
        assert!(!read.admits(b"other", KeyAccess::of(KeyFlags::READ)));
        assert!(
            read.admits(b"key", KeyAccess::of(KeyFlags::RO)),
            "looking at a key without its data needs no permission"
        );
    }

    #[test]
    fn a_pattern_is_admitted_only_as_it_is() {
        let known = [b"news.*".as_slice(), b"chat"];
        assert!(admit_channel(&known, b"news.sport", false) && admit_channel(&known, b"chat", false));
        assert!(admit_channel(&known, b"news.*", true) && !admit_channel(&known, b"news.s*", true));
        assert!(!admit_channel(&known, b"chats", false));
    }
}
