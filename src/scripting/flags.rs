//! What a script or function declares about itself, and the first line it is declared in.

use crate::base::quoting::split_args;
use crate::resp::WireError;

bitflags::bitflags! {
    /// Declarations of a script or function.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct ScriptFlags: u8 {
        /// Does not write.
        const NO_WRITES = 1 << 0;
        /// May run when memory is over the limit.
        const ALLOW_OOM = 1 << 1;
        /// May run on a replica whose data is stale.
        const ALLOW_STALE = 1 << 2;
        /// Must not run in a cluster.
        const NO_CLUSTER = 1 << 3;
        /// Declares nothing: a script without a first line `#!lua`, for which the checks of each command must do.
        const UNDECLARED = 1 << 4;
        /// May touch keys of several slots.
        const ALLOW_CROSS_SLOT_KEYS = 1 << 5;
    }
}

impl ScriptFlags {
    /// The flags with the names scripts use, in the order FUNCTION LIST shows them.
    pub const NAMES: &[(Self, &str)] = &[
        (Self::NO_WRITES, "no-writes"),
        (Self::ALLOW_OOM, "allow-oom"),
        (Self::ALLOW_STALE, "allow-stale"),
        (Self::NO_CLUSTER, "no-cluster"),
        (Self::ALLOW_CROSS_SLOT_KEYS, "allow-cross-slot-keys"),
    ];

    /// The flag of a name.
    pub fn named(name: &[u8]) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| known.as_bytes() == name).map(|(flag, _)| *flag)
    }
}

/// The words of a first line, and where it ends.
type FirstLine = (Vec<Vec<u8>>, usize);

/// A text's first line `#!…`; `None` without one.
pub(super) fn first_line(text: &[u8]) -> Result<Option<FirstLine>, FirstLineError> {
    if !text.starts_with(b"#!") {
        return Ok(None);
    }
    let end = text.iter().position(|byte| matches!(byte, b'\n' | 0)).filter(|end| text[*end] == b'\n');
    let end = end.ok_or(FirstLineError::Endless)?;
    let words = split_args(&text[..end]).ok_or(FirstLineError::Unreadable)?;
    if words.is_empty() { Err(FirstLineError::Unreadable) } else { Ok(Some((words, end))) }
}

/// Why a first line cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FirstLineError {
    /// It does not end.
    Endless,
    /// Its quotes do not match.
    Unreadable,
}

/// The flags of a script, and where its code begins (with the line break, so that lines keep their numbers).
pub(super) fn of_script(text: &[u8]) -> Result<(ScriptFlags, usize), WireError> {
    let error = |what: &str, word: &[u8]| Err(WireError::quoting(&[b"ERR ", what.as_bytes(), word]));
    let (words, code) = match first_line(text) {
        Ok(Some(line)) => line,
        Ok(None) => return Ok((ScriptFlags::UNDECLARED, 0)),
        Err(FirstLineError::Endless) => return error("Invalid script shebang", b""),
        Err(FirstLineError::Unreadable) => return error("Invalid engine in script shebang", b""),
    };
    if words[0] != b"#!lua" {
        return error("Unexpected engine in script shebang: ", &words[0]);
    }
    let mut flags = ScriptFlags::empty();
    for word in &words[1..] {
        let Some(names) = word.strip_prefix(b"flags=") else {
            return error("Unknown lua shebang option: ", word);
        };
        for name in names.split(|byte| *byte == b',').filter(|name| !name.is_empty() || names.contains(&b',')) {
            match ScriptFlags::named(name) {
                Some(flag) => flags |= flag,
                None => return error("Unexpected flag in script shebang: ", name),
            }
        }
    }
    Ok((flags, code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_declare_flags_in_their_first_line() {
        let read = |text: &str| of_script(text.as_bytes()).map_err(|error| error.text().to_owned());
        assert_eq!(read("return 1"), Ok((ScriptFlags::UNDECLARED, 0)));
        assert_eq!(read("#!lua\nreturn 1"), Ok((ScriptFlags::empty(), 5)));
        assert_eq!(read("#!lua flags=\nreturn 1"), Ok((ScriptFlags::empty(), 12)));
        let both = ScriptFlags::NO_WRITES | ScriptFlags::ALLOW_STALE;
        assert_eq!(read("#!lua flags=no-writes,allow-stale\n"), Ok((both, 33)));
        for (text, error) in [
            ("#!lua", "ERR Invalid script shebang"),
            ("#!lua \"\n", "ERR Invalid engine in script shebang"),
            ("#!js\n", "ERR Unexpected engine in script shebang: #!js"),
            ("#!lua flags=a\n", "ERR Unexpected flag in script shebang: a"),
            ("#!lua name=a\n", "ERR Unknown lua shebang option: name=a"),
        ] {
            assert_eq!(read(text), Err(error.to_owned()));
        }
    }
}
