//! Error replies: the one place where their texts stand.
//!
//! Clients match these texts, so they are Redis's to the letter. A text starts with its code (`ERR`,
//! `WRONGTYPE`, …); the `-` and the line end are added when it is written.

use std::borrow::Cow;

/// An error as a client sees it, code first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireError {
    text: Cow<'static, str>,
    /// The text as it is sent, where it quotes bytes that are not UTF-8.
    raw: Option<Box<[u8]>>,
}

impl WireError {
    /// An operation against a key of another type.
    pub const WRONG_TYPE: Self = Self::fixed("WRONGTYPE Operation against a key holding the wrong kind of value");
    /// Options that do not parse.
    pub const SYNTAX: Self = Self::fixed("ERR syntax error");
    /// Not an integer, or not one in range.
    pub const NOT_INTEGER: Self = Self::fixed("ERR value is not an integer or out of range");
    /// Not a floating point number.
    pub const NOT_FLOAT: Self = Self::fixed("ERR value is not a valid float");
    /// The key must exist.
    pub const NO_SUCH_KEY: Self = Self::fixed("ERR no such key");
    /// A position outside the value.
    pub const INDEX_OUT_OF_RANGE: Self = Self::fixed("ERR index out of range");
    /// An integer outside its range.
    pub const OUT_OF_RANGE: Self = Self::fixed("ERR value is out of range");
    /// A count that must not be negative.
    pub const NOT_POSITIVE: Self = Self::fixed("ERR value is out of range, must be positive");
    /// Source and destination must differ.
    pub const SAME_OBJECT: Self = Self::fixed("ERR source and destination objects are the same");
    /// A database number that does not exist.
    pub const DB_OUT_OF_RANGE: Self = Self::fixed("ERR DB index is out of range");
    /// A cursor that is not a number.
    pub const BAD_CURSOR: Self = Self::fixed("ERR invalid cursor");
    /// The connection has not authenticated.
    pub const NO_AUTH: Self = Self::fixed("NOAUTH Authentication required.");
    /// Wrong user name or password.
    pub const WRONG_PASS: Self = Self::fixed("WRONGPASS invalid username-password pair or user is disabled.");
    /// A transaction with a command that did not queue.
    pub const EXEC_ABORT: Self = Self::fixed("EXECABORT Transaction discarded because of previous errors.");
    /// Memory is used up and nothing may be evicted.
    pub const OUT_OF_MEMORY: Self = Self::fixed("OOM command not allowed when used memory > 'maxmemory'.");
    /// Snapshots cannot be saved, and writes are refused until they can.
    pub const CANNOT_SAVE: Self = Self::fixed(
        "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that \
         may modify the data set are disabled, because this instance is configured to report errors during writes if RDB \
         snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB \
         error.",
    );
    /// The snapshot is being loaded.
    pub const LOADING: Self = Self::fixed("LOADING Redis is loading the dataset in memory");
    /// A negative timeout.
    pub const NEGATIVE_TIMEOUT: Self = Self::fixed("ERR timeout is negative");
    /// A string that would pass proto-max-bulk-len.
    pub const STRING_TOO_LONG: Self = Self::fixed("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    /// A bit offset that is no offset.
    pub const BIT_OFFSET: Self = Self::fixed("ERR bit offset is not an integer or out of range");
    /// A key that is already taken.
    pub const BUSY_KEY: Self = Self::fixed("BUSYKEY Target key name already exists.");

    /// An error with a text known at compile time, code included.
    pub const fn fixed(text: &'static str) -> Self {
        Self { text: Cow::Borrowed(text), raw: None }
    }

    /// An error with its own text, code included. Line breaks become spaces, as they would end the reply.
    pub fn new(text: impl Into<String>) -> Self {
        let mut text: String = text.into();
        if text.contains(['\r', '\n']) {
            text = text.replace(['\r', '\n'], " ");
        }
        Self { text: Cow::Owned(text), raw: None }
    }

    /// An error whose text quotes bytes of a client, code included: the parts, one behind the other, each up to a NUL as if it
    /// were a C string.
    pub fn quoting(parts: &[&[u8]]) -> Self {
        let shown = parts.iter().map(|part| part.split(|byte| *byte == 0).next().unwrap_or_default());
        let bytes = shown.collect::<Vec<_>>().concat();
        let text = Self::new(String::from_utf8_lossy(&bytes)).text;
        let raw = (text.as_bytes() != bytes)
            .then(|| bytes.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }).collect());
        Self { text, raw }
    }

    /// The arity error of a command (`config|get` for a subcommand).
    pub fn wrong_arity(command: &str) -> Self {
        Self::new(format!("ERR wrong number of arguments for '{command}' command"))
    }

    /// A timeout, expiry or similar that a command does not accept.
    pub fn invalid_expire(command: &str) -> Self {
        Self::new(format!("ERR invalid expire time in '{command}' command"))
    }

    /// A subcommand that a container does not have.
    pub fn unknown_subcommand(container: &str, given: &[u8]) -> Self {
        let container = container.to_ascii_uppercase();
        let given = &given[..given.len().min(128)];
        Self::quoting(&[b"ERR unknown subcommand '", given, b"'. Try ", container.as_bytes(), b" HELP."])
    }

    /// The text, code first.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text as it is sent.
    pub fn as_bytes(&self) -> &[u8] {
        self.raw.as_deref().unwrap_or(self.text.as_bytes())
    }

    /// The code: the first word.
    pub fn code(&self) -> &str {
        self.text.split(' ').next().unwrap_or_default()
    }
}

impl std::fmt::Display for WireError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for WireError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_bytes_are_sent_as_they_came_but_for_line_breaks() {
        for (quoted, sent) in [
            (&b"name"[..], &b"ERR 'name'"[..]),
            (b"\xff\r\n", b"ERR '\xff  '"),
            (b"a\nb", b"ERR 'a b'"),
            (b"a\0b", b"ERR 'a'"),
        ] {
            let error = WireError::quoting(&[b"ERR '", quoted, b"'"]);
            assert_eq!(error.as_bytes(), sent);
            assert_eq!(error.code(), "ERR");
        }
    }
}
