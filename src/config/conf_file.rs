//! Reads the form of `redis.conf`: one directive per line, `#` comments, quoted words.

use super::directive::{Directive, Origin, Source};
use super::error::LoadError;
use crate::base::quoting::split_args;

/// The directives of `text` in order. A line that cannot be read is an error in its place, so that whoever applies them
/// one by one reports the first thing that is wrong.
pub(super) fn read(text: &[u8], source: &Source, first_line: usize) -> Vec<Result<Directive, LoadError>> {
    text.split(|&b| b == b'\n')
        .enumerate()
        .filter_map(|(index, line)| read_line(line, source, first_line + index))
        .collect()
}

fn read_line(line: &[u8], source: &Source, number: usize) -> Option<Result<Directive, LoadError>> {
    let line = trim(line);
    if line.is_empty() || line[0] == b'#' {
        return None;
    }
    let origin = Origin { source: source.clone(), line: number, text: String::from_utf8_lossy(line).into_owned() };
    let Some(mut words) = split_args(line) else {
        return Some(Err(LoadError::line(
            &origin,
            "Unbalanced quotes in configuration line",
            "close every quote, and put a blank after a closing one.",
        )));
    };
    if words.is_empty() {
        return None;
    }
    let name = String::from_utf8_lossy(&words.remove(0)).to_ascii_lowercase();
    Some(Ok(Directive { name, args: words, origin }))
}

/// Without the blanks that lines may have around them.
pub(super) fn trim(line: &[u8]) -> &[u8] {
    let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n');
    let start = line.iter().position(|b| !blank(b)).unwrap_or(line.len());
    let end = line.iter().rposition(|b| !blank(b)).map_or(start, |last| last + 1);
    &line[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blank_lines_count_but_say_nothing() {
        let read = read(b"# comment\n\n  Port 6380 \r\nsave \"\"\nuser a \"b\n", &Source::Stdin, 1);
        assert_eq!(read.len(), 3);
        let port = read[0].as_ref().unwrap();
        assert_eq!((port.name.as_str(), port.origin.line, port.origin.text.as_str()), ("port", 3, "Port 6380"));
        assert_eq!(read[1].as_ref().unwrap().args, [b""]);
        let error = read[2].as_ref().unwrap_err().to_string();
        assert!(error.contains("at line 5\n>>> 'user a \"b'\nUnbalanced quotes in configuration line\n"), "{error}");
    }
}
