//! How much of a part is good: the longest beginning that is whole records and whole transactions.

use std::io::BufRead;

use super::reader::{Damage, Item, RecordReader};
use super::record;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// So many bytes from the start are good.
    pub good_bytes: u64,
    /// The number of the line that was reached, from 1.
    pub line: u64,
    /// What is wrong behind them, and at which byte.
    pub error: Option<(u64, String)>,
    /// Whether what follows is not even the beginning of a record.
    pub is_foreign: bool,
    /// Where the first time stands that is later than the one asked for.
    pub later: Option<u64>,
}

/// A time that is no number stands at this byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadTime(pub u64);

/// Reads to the end, to the first damage, or to the first time later than `until` (Unix seconds). The source's first byte stands at
/// `offset` of its file, which is called `name` in what is reported. `seen` is told the name of each whole command.
pub fn check(
    source: impl BufRead,
    offset: u64,
    name: &str,
    until: Option<i64>,
    mut seen: impl FnMut(&[u8]),
) -> Result<Found, BadTime> {
    let mut reader = RecordReader::new(source, offset);
    let mut found = Found { good_bytes: offset, ..Found::default() };
    let mut in_transaction = false;
    loop {
        if !in_transaction {
            found.good_bytes = reader.offset();
        }
        let start = reader.offset();
        let item = match reader.next_item() {
            Ok(Some(item)) => item,
            Ok(None) => {
                if in_transaction {
                    found.error = Some((reader.piece(), "Reached EOF before reading EXEC for MULTI".into()));
                }
                break;
            }
            Err(damage) => {
                found.is_foreign = matches!(&damage, Damage::Format(text) if text.is_empty());
                let text = match damage {
                    Damage::Io(error) => error.to_string(),
                    Damage::End(text) | Damage::Format(text) => text,
                };
                found.error = (!text.is_empty()).then(|| (reader.piece(), text));
                break;
            }
        };
        match item {
            Item::Annotation(line) => match (until, record::parse_time(&line)) {
                (Some(_), Some(Err(_))) => return Err(BadTime(start)),
                (Some(until), Some(Ok(time))) if time > until => {
                    found.later = Some(start);
                    break;
                }
                _ => {}
            },
            Item::Command(args) => {
                let args = args.as_args();
                seen(args.at(0));
                let (opens, closes) = (args.is(0, "multi"), args.is(0, "exec"));
                if (opens && in_transaction) || (closes && !in_transaction) {
                    let word = if opens { "MULTI" } else { "EXEC" };
                    found.error = Some((reader.piece(), format!("Unexpected {word} in AOF {name}")));
                    break;
                }
                in_transaction = (in_transaction || opens) && !closes;
            }
        }
    }
    found.line = reader.line();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part() -> (Vec<u8>, Vec<usize>) {
        let mut out = Vec::new();
        let mut good = vec![0];
        let word = |out: &mut Vec<u8>, words: &[&[u8]]| record::command(out, words.iter().copied());
        record::time(&mut out, 10);
        good.push(out.len());
        word(&mut out, &[b"SET", b"a", b"1"]);
        good.push(out.len());
        word(&mut out, &[b"MULTI"]);
        word(&mut out, &[b"SET", b"b", b"2"]);
        word(&mut out, &[b"exec"]);
        good.push(out.len());
        record::time(&mut out, 12);
        good.push(out.len());
        (out, good)
    }

    #[test]
    fn a_cut_leaves_whole_records_and_whole_transactions() {
        let (bytes, good) = part();
        for cut in 0..=bytes.len() {
            let found = check(&bytes[..cut], 0, "x", None, |_| ()).unwrap();
            let expected = good.iter().copied().filter(|end| *end <= cut).max().unwrap();
            assert_eq!(found.good_bytes as usize, expected, "{cut}");
        }
    }

    #[test]
    fn the_first_later_time_is_where_to_cut() {
        let (bytes, good) = part();
        let later = |until| check(&bytes[..], 0, "x", Some(until), |_| ()).unwrap().later.map(|at| at as usize);
        assert_eq!((later(9), later(11), later(12)), (Some(0), Some(good[3]), None));
        assert_eq!(check(&b"#TS:x\r\n"[..], 0, "x", Some(1), |_| ()), Err(BadTime(0)));
        assert!(check(&b"#TS:x\r\n"[..], 0, "x", None, |_| ()).is_ok());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let set = "*3\r\n$3\r\nset\r\n$3\r\nfoo\r\n$5\r\nhello\r\n";
        let found = check(format!("{set}!!!").as_bytes(), 0, "x", None, |_| ()).unwrap();
        assert_eq!((found.good_bytes, found.line, found.error, found.is_foreign), (set.len() as u64, 8, None, true));
        for (text, error) in [
            ("*1\r\n$4\r\nexec\r\n", (8, "Unexpected EXEC in AOF x")),
            ("*1\r\n$5\r\nmulti\r\n*1\r\n$5\r\nmulti\r\n", (23, "Unexpected MULTI in AOF x")),
            ("*1\r\n$4\r\npi", (8, "Expected to read 6 bytes, got 2 bytes")),
        ] {
            let found = check(text.as_bytes(), 0, "x", None, |_| ()).unwrap();
            assert_eq!((found.good_bytes, found.error), (0, Some((error.0, error.1.to_owned()))), "{text:?}");
        }
    }
}
