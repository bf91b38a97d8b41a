//! Splitting a line into words with Redis's quoting: inline requests, and values in `redis.conf`.
//!
//! Double quotes know `\n \r \t \b \a \xHH` and escaped characters; single quotes only `\'`. A closing
//! quote must be followed by a space or the end.

use super::args::OwnedArgs;

/// Quotes that do not close, or text right behind a closing quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SplitError;

/// The words of `line`.
pub fn split_line(line: &[u8]) -> Result<OwnedArgs, SplitError> {
    let mut words = OwnedArgs::default();
    let mut rest = line;
    let mut word = Vec::new();
    loop {
        let blank = rest.iter().take_while(|b| is_space(**b)).count();
        rest = &rest[blank..];
        // A NUL ends the line, as it ends a C string.
        if rest.first().is_none_or(|b| *b == 0) {
            return Ok(words);
        }
        word.clear();
        rest = take_word(rest, &mut word)?;
        words.push(&word);
    }
}

fn take_word<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], SplitError> {
    while let Some((&first, tail)) = rest.split_first() {
        match first {
            b'"' => return take_double_quoted(tail, word),
            b'\'' => return take_single_quoted(tail, word),
            0 => return Ok(&[]),
            b if is_space(b) => return Ok(tail),
            b => word.push(b),
        }
        rest = tail;
    }
    Ok(rest)
}

fn take_double_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], SplitError> {
    loop {
        match rest {
            [b'\\', b'x', high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                word.push(hex(*high) << 4 | hex(*low));
                rest = tail;
            }
            [b'\\', escaped, tail @ ..] => {
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'a' => 7,
                    other => *other,
                });
                rest = tail;
            }
            [b'"', tail @ ..] => return after_quote(tail),
            [byte, tail @ ..] => {
                word.push(*byte);
                rest = tail;
            }
            [] => return Err(SplitError),
        }
    }
}

fn take_single_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], SplitError> {
    loop {
        match rest {
            [b'\\', b'\'', tail @ ..] => {
                word.push(b'\'');
                rest = tail;
            }
            [b'\'', tail @ ..] => return after_quote(tail),
            [byte, tail @ ..] => {
                word.push(*byte);
                rest = tail;
            }
            [] => return Err(SplitError),
        }
    }
}

fn after_quote(rest: &[u8]) -> Result<&[u8], SplitError> {
    match rest.first() {
        Some(b) if !is_space(*b) => Err(SplitError),
        _ => Ok(rest),
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn hex(digit: u8) -> u8 {
    (digit as char).to_digit(16).unwrap_or(0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Vec<Vec<u8>>, SplitError> {
        split_line(line.as_bytes()).map(|w| w.as_args().from(0).map(<[u8]>::to_vec).collect())
    }

    #[test]
    fn quoting_follows_redis() {
        for (line, expected) in [
            ("", vec![]),
            ("  get  key ", vec!["get", "key"]),
            (r#"set k "a b\n\x41\"""#, vec!["set", "k", "a b\nA\""]),
            (r"set k 'it\'s \n'", vec!["set", "k", r"it's \n"]),
            (r#"a "" ''"#, vec!["a", "", ""]),
        ] {
            let expected: Vec<Vec<u8>> = expected.into_iter().map(|w| w.as_bytes().to_vec()).collect();
            assert_eq!(words(line), Ok(expected), "{line}");
        }
        for line in [r#"set k "open"#, "set k 'open", r#"set k "a"b"#, "'a'b"] {
            assert_eq!(words(line), Err(SplitError), "{line}");
        }
    }
}
