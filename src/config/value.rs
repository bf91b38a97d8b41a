//! How the simple field types read and show their values: booleans, integers, texts, secrets.
//!
//! The error texts are Redis's, since they reach clients after `CONFIG SET failed (…) - `.

use super::kind::Kind;
use crate::base::quoting::quote;

/// A field of [`super::Settings`], seen by the table without its type.
pub trait Value {
    /// Takes the words of one directive. On error the value is unspecified: callers work on a copy.
    fn assign(&mut self, args: &[&[u8]], kind: &Kind, repeated: bool) -> Result<(), String>;

    /// The value as `CONFIG GET` shows it.
    fn show(&self, kind: &Kind) -> Vec<u8>;

    /// The value as `redis.conf` lines without the name.
    fn conf_lines(&self, kind: &Kind) -> Vec<String> {
        vec![String::from_utf8_lossy(&self.show(kind)).into_owned()]
    }
}

impl Value for bool {
    fn assign(&mut self, args: &[&[u8]], kind: &Kind, _repeated: bool) -> Result<(), String> {
        *self = if args[0].eq_ignore_ascii_case(b"yes") {
            true
        } else if args[0].eq_ignore_ascii_case(b"no") {
            false
        } else {
            return Err("argument must be 'yes' or 'no'".into());
        };
        match kind {
            Kind::AlwaysNo(reason) if *self => Err((*reason).into()),
            _ => Ok(()),
        }
    }

    fn show(&self, _kind: &Kind) -> Vec<u8> {
        if *self { b"yes".to_vec() } else { b"no".to_vec() }
    }
}

macro_rules! integer_values {
    ($($ty:ty),+) => {$(
        impl Value for $ty {
            fn assign(&mut self, args: &[&[u8]], kind: &Kind, _repeated: bool) -> Result<(), String> {
                let number = parse_number(args[0], kind)?;
                *self = <$ty>::try_from(number).map_err(|_| out_of_range(<$ty>::MIN.into(), <$ty>::MAX.into()))?;
                Ok(())
            }

            fn show(&self, kind: &Kind) -> Vec<u8> {
                match kind {
                    Kind::Octal(_) => format!("{self:o}").into_bytes(),
                    _ => self.to_string().into_bytes(),
                }
            }

            fn conf_lines(&self, kind: &Kind) -> Vec<String> {
                match (kind, u64::try_from(*self)) {
                    (Kind::Memory { .. }, Ok(bytes)) => vec![memory_text(bytes)],
                    _ => vec![String::from_utf8_lossy(&self.show(kind)).into_owned()],
                }
            }
        }
    )+};
}

integer_values!(u16, u32, u64, i32, i64);

impl Value for String {
    fn assign(&mut self, args: &[&[u8]], kind: &Kind, _repeated: bool) -> Result<(), String> {
        let text = std::str::from_utf8(args[0]).map_err(|_| "argument must be valid UTF-8 text".to_string())?;
        if let Kind::Text(check) = kind {
            check(text)?;
        }
        *self = text.to_string();
        Ok(())
    }

    fn show(&self, _kind: &Kind) -> Vec<u8> {
        self.clone().into_bytes()
    }

    fn conf_lines(&self, _kind: &Kind) -> Vec<String> {
        vec![quote(self.as_bytes())]
    }
}

/// Bytes that never show in debugging output.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(pub Vec<u8>);

impl Secret {
    /// Is nothing set?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_empty() { "Secret(empty)" } else { "Secret(redacted)" })
    }
}

impl Value for Secret {
    fn assign(&mut self, args: &[&[u8]], _kind: &Kind, _repeated: bool) -> Result<(), String> {
        self.0 = args[0].to_vec();
        Ok(())
    }

    fn show(&self, _kind: &Kind) -> Vec<u8> {
        self.0.clone()
    }

    fn conf_lines(&self, _kind: &Kind) -> Vec<String> {
        vec![quote(&self.0)]
    }
}

fn parse_number(text: &[u8], kind: &Kind) -> Result<i128, String> {
    let (number, min, max) = match *kind {
        Kind::Int { min, max } => (parse_decimal(text).map(i128::from), min, max),
        Kind::Memory { min, max } => (parse_memory(text).map(i128::from), min, max),
        Kind::Octal(max) => (parse_octal(text).map(i128::from), 0, i128::from(max)),
        _ => unreachable!("integer fields have integer kinds; the table's tests assign every default"),
    };
    let Some(number) = number else {
        return Err(match kind {
            Kind::Memory { .. } => "argument must be a memory value",
            Kind::Octal(_) => "argument couldn't be parsed as an octal number",
            _ => "argument couldn't be parsed into an integer",
        }
        .into());
    };
    match kind {
        _ if (min..=max).contains(&number) => Ok(number),
        Kind::Octal(_) => Err(format!("argument must be between {min:o} and {max:o} inclusive")),
        _ => Err(out_of_range(min, max)),
    }
}

fn out_of_range(min: i128, max: i128) -> String {
    format!("argument must be between {min} and {max} inclusive")
}

/// A canonical decimal: no plus sign, no leading zero, no blanks.
pub(super) fn parse_decimal(text: &[u8]) -> Option<i64> {
    let number: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (number.to_string().as_bytes() == text).then_some(number)
}

/// Digits and a unit. No digits at all read as zero, and the product wraps, both as in Redis.
pub(super) fn parse_memory(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (digits, unit) = text.split_at(digits);
    let factor: u64 = match unit.to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    let number = digits.iter().fold(0u64, |n, digit| n.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
    Some(number.wrapping_mul(factor))
}

/// The shortest exact text with a binary unit.
pub(super) fn memory_text(bytes: u64) -> String {
    for (shift, unit) in [(30, "gb"), (20, "mb"), (10, "kb")] {
        if bytes != 0 && bytes.trailing_zeros() >= shift {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    bytes.to_string()
}

/// C's `strtoll` over the whole text: leading blanks and a sign are fine, and nothing at all is zero.
pub(super) fn parse_lenient(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.trim_start();
    match text {
        "" => Some(0),
        _ if text.bytes().skip(1).all(|b| b.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}

fn parse_octal(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.trim_start();
    if text.is_empty() { Some(0) } else { i64::from_str_radix(text, 8).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_units_read_and_write() {
        let table = [
            ("0", Some(0)),
            ("", Some(0)),
            ("1k", Some(1000)),
            ("1KB", Some(1024)),
            ("512mb", Some(512 << 20)),
            ("1g", Some(1_000_000_000)),
            ("-1", None),
            ("1 kb", None),
            ("abc", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse_memory(text.as_bytes()), expected, "{text}");
        }
        for (bytes, text) in [(0, "0"), (1 << 30, "1gb"), (3 << 20, "3mb"), (1024, "1kb"), (1000, "1000")] {
            assert_eq!(memory_text(bytes), text);
            assert_eq!(parse_memory(text.as_bytes()), Some(bytes));
        }
    }

    #[test]
    fn integers_are_canonical_and_bounded() {
        let kind = Kind::Int { min: 0, max: 10 };
        for bad in ["", "+1", "01", " 1", "1 ", "x"] {
            assert_eq!(
                parse_number(bad.as_bytes(), &kind),
                Err("argument couldn't be parsed into an integer".into()),
                "{bad:?}"
            );
        }
        assert_eq!(parse_number(b"11", &kind), Err("argument must be between 0 and 10 inclusive".into()));
        assert_eq!(
            parse_number(b"1000", &Kind::Octal(0o777)),
            Err("argument must be between 0 and 777 inclusive".into())
        );
        assert_eq!(parse_number(b"700", &Kind::Octal(0o777)), Ok(0o700));
    }

    #[test]
    fn secrets_do_not_show_in_debugging_output() {
        assert!(!format!("{:?}", Secret(b"hunter2".to_vec())).contains("hunter2"));
    }
}
