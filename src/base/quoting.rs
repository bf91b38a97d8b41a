//! Splitting a line into words and quoting a word, by the rules of `redis.conf` and inline requests.
//!
//! Words are parted by white space; a NUL outside quotes ends the line, as it ends a C string. `"…"` knows the escapes
//! `\n \r \t \b \a \xHH` and `\c` for any other c; `'…'` knows only `\'`. A closing quote must be followed by white space or the
//! end. [`quote`] writes what [`split_args`] reads.

/// The words of `line`, or `None` when quotes do not balance.
pub fn split_args(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    each_word(line, |word| words.push(word.to_vec()))?;
    Some(words)
}

/// Gives each word of `line` away; `None` when quotes do not balance, after the words before.
pub fn each_word(line: &[u8], mut take: impl FnMut(&[u8])) -> Option<()> {
    let mut rest = line;
    let mut word = Vec::new();
    loop {
        let blank = rest.iter().take_while(|byte| is_space(**byte)).count();
        rest = &rest[blank..];
        if rest.first().is_none_or(|byte| *byte == 0) {
            return Some(());
        }
        word.clear();
        rest = next_word(rest, &mut word)?;
        take(&word);
    }
}

/// Appends the next word to `word`: what comes behind it.
fn next_word<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match rest {
            [] | [b' ' | b'\n' | b'\r' | b'\t' | 0, ..] => return Some(rest),
            [b'"', tail @ ..] => return double_quoted(tail, word),
            [b'\'', tail @ ..] => return single_quoted(tail, word),
            [byte, tail @ ..] => {
                word.push(*byte);
                rest = tail;
            }
        }
    }
}

fn double_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match rest {
            [] | [0, ..] => return None,
            [b'\\', b'x', high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                word.push(hex_digit(*high) << 4 | hex_digit(*low));
                rest = tail;
            }
            [b'\\', escaped, tail @ ..] => {
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => *other,
                });
                rest = tail;
            }
            [b'"', tail @ ..] => return closed(tail),
            [byte, tail @ ..] => {
                word.push(*byte);
                rest = tail;
            }
        }
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match rest {
            [] | [0, ..] => return None,
            [b'\\', b'\'', tail @ ..] => {
                word.push(b'\'');
                rest = tail;
            }
            [b'\'', tail @ ..] => return closed(tail),
            [byte, tail @ ..] => {
                word.push(*byte);
                rest = tail;
            }
        }
    }
}

/// What comes behind a closing quote, if it may.
fn closed(tail: &[u8]) -> Option<&[u8]> {
    tail.first().is_none_or(|&byte| is_space(byte) || byte == 0).then_some(tail)
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// `word` in double quotes, with everything escaped that is not printable ASCII.
pub fn quote(word: &[u8]) -> String {
    let mut out = String::with_capacity(word.len() + 2);
    out.push('"');
    for &byte in word {
        match byte {
            b'\\' | b'"' => out.extend(['\\', byte as char]),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x07 => out.push_str("\\a"),
            0x08 => out.push_str("\\b"),
            b' '..=b'~' => out.push(byte as char),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Option<Vec<String>> {
        Some(split_args(line.as_bytes())?.into_iter().map(|w| String::from_utf8_lossy(&w).into_owned()).collect())
    }

    #[test]
    fn splits_as_redis_conf_does() {
        let table: &[(&str, Option<&[&str]>)] = &[
            ("", Some(&[])),
            ("  \t ", Some(&[])),
            ("save 900 1", Some(&["save", "900", "1"])),
            ("save \"\"", Some(&["save", ""])),
            ("a \"b c\" 'd e'", Some(&["a", "b c", "d e"])),
            ("a \"\\x41\\n\\q\"", Some(&["a", "A\nq"])),
            ("a 'it\\'s \\n'", Some(&["a", "it's \\n"])),
            ("a ab\"cd\"", Some(&["a", "abcd"])),
            ("a \"b\"c", None),
            ("a \"b", None),
            ("a 'b", None),
            ("'a'b", None),
            ("set k \"\" ''", Some(&["set", "k", "", ""])),
            ("a b\0 c", Some(&["a", "b"])),
            ("a \"b\0\"", None),
        ];
        for (line, expected) in table {
            let expected = expected.map(|e| e.iter().map(|s| s.to_string()).collect::<Vec<_>>());
            assert_eq!(words(line), expected, "{line}");
        }
    }

    #[test]
    fn what_is_quoted_reads_back() {
        let every_byte: Vec<u8> = (0..=255).collect();
        assert_eq!(split_args(quote(&every_byte).as_bytes()), Some(vec![every_byte]));
        assert_eq!(quote(b"a\"\x01"), "\"a\\\"\\x01\"");
    }
}
