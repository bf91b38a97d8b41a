//! How a command and a time stand in an append only file: a command as a client sends it, a time as a line of its own.

use crate::keyspace::DbIndex;

/// What a line begins with that is no command.
pub const ANNOTATION: u8 = b'#';
/// What a time begins with.
const TIME: &[u8] = b"#TS:";
/// The longest line that is not an argument.
pub const MAX_LINE: usize = 1024;

/// Appends a command.
pub fn command<'a>(out: &mut Vec<u8>, arguments: impl ExactSizeIterator<Item = &'a [u8]>) {
    head(out, arguments.len());
    for argument in arguments {
        self::argument(out, argument);
    }
}

/// Appends the head of a command of `count` arguments, which must follow.
pub fn head(out: &mut Vec<u8>, count: usize) {
    counted(out, b'*', count);
}

/// Appends an argument.
pub fn argument(out: &mut Vec<u8>, argument: &[u8]) {
    counted(out, b'$', argument.len());
    out.extend_from_slice(argument);
    out.extend_from_slice(b"\r\n");
}

fn counted(out: &mut Vec<u8>, mark: u8, count: usize) {
    out.push(mark);
    out.extend_from_slice(itoa::Buffer::new().format(count).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Appends the choice of a database.
pub fn select(out: &mut Vec<u8>, db: DbIndex) {
    let mut digits = itoa::Buffer::new();
    command(out, [&b"SELECT"[..], digits.format(db.0).as_bytes()].into_iter());
}

/// Appends a time in Unix seconds.
pub fn time(out: &mut Vec<u8>, seconds: i64) {
    out.extend_from_slice(TIME);
    out.extend_from_slice(itoa::Buffer::new().format(seconds).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// The time an annotation names: `None` if it is another annotation, an error if it is no number.
pub fn parse_time(annotation: &[u8]) -> Option<Result<i64, InvalidTime>> {
    let text = annotation.strip_prefix(TIME)?.strip_suffix(b"\r\n");
    Some(text.and_then(crate::base::number::parse_i64).ok_or(InvalidTime))
}

/// A time that is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidTime;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_times_stand_as_in_redis() {
        let mut out = Vec::new();
        time(&mut out, 1_628_217_470);
        select(&mut out, DbIndex(12));
        command(&mut out, [&b"SET"[..], b"", b"\r\n"].into_iter());
        let expected =
            "#TS:1628217470\r\n*2\r\n$6\r\nSELECT\r\n$2\r\n12\r\n*3\r\n$3\r\nSET\r\n$0\r\n\r\n$2\r\n\r\n\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn times_are_told_from_other_annotations() {
        for (text, expected) in [
            ("#TS:12\r\n", Some(Ok(12))),
            ("#TS:\r\n", Some(Err(InvalidTime))),
            ("#TS:1x\r\n", Some(Err(InvalidTime))),
            ("#TS:1\n", Some(Err(InvalidTime))),
            ("#anything\r\n", None),
        ] {
            assert_eq!(parse_time(text.as_bytes()), expected, "{text:?}");
        }
    }
}
