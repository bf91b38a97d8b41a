//! Numbers as Redis reads and writes them.

/// A decimal integer in canonical form: an optional minus, no plus, no leading zero, no space; fits 64 bits.
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    match digits {
        [] => return None,
        [b'0'] => return (!negative).then_some(0),
        [b'0', ..] => return None,
        _ if digits.len() > 19 => return None,
        _ => {}
    }
    let mut value = 0u64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // 19 digits stay below 10^19 < 2^64.
        value = value * 10 + u64::from(digit);
    }
    if negative { 0i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
}

/// A floating point number as arguments give it: what `strtod` reads, without space around it. Refused are NaN, and finite
/// numbers so large or so small that only infinity or zero is left of them.
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    strtod(text).filter(|read| !read.out_of_range).map(|read| read.value)
}

/// As [`parse_f64`], where Redis calls `strtod` itself, as SORT does: space in front is skipped, and nothing at all is 0.
pub fn parse_f64_lenient(text: &[u8]) -> Option<f64> {
    strtod_lenient(text).filter(|read| !read.out_of_range).map(|read| read.value)
}

/// As [`parse_f64_lenient`], for the bounds of a range by score: what is out of range becomes infinity or zero.
pub fn parse_f64_saturating(text: &[u8]) -> Option<f64> {
    strtod_lenient(text).map(|read| read.value)
}

fn strtod_lenient(text: &[u8]) -> Option<Read> {
    // A NUL ends the text, as it ends a C string.
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Some(Read { value: 0.0, out_of_range: false });
    }
    let spaces = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    strtod(&text[spaces..])
}

/// What `strtod` makes of a text that it reads to the end.
struct Read {
    value: f64,
    /// A finite number that became infinity, or another than zero that became zero.
    out_of_range: bool,
}

fn strtod(text: &[u8]) -> Option<Read> {
    let (negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let read = match unsigned {
        [b'0', b'x' | b'X', hex @ ..] => read_hex(hex)?,
        [b'0'..=b'9' | b'.', ..] => read_decimal(unsigned)?,
        _ if unsigned.eq_ignore_ascii_case(b"inf") || unsigned.eq_ignore_ascii_case(b"infinity") => {
            Read { value: f64::INFINITY, out_of_range: false }
        }
        _ => return None,
    };
    Some(Read { value: if negative { -read.value } else { read.value }, ..read })
}

fn read_decimal(text: &[u8]) -> Option<Read> {
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let mut mantissa = text.iter().take_while(|byte| !matches!(byte, b'e' | b'E'));
    let out_of_range = value.is_infinite() || value == 0.0 && mantissa.any(|byte| matches!(byte, b'1'..=b'9'));
    Some(Read { value, out_of_range })
}

/// The part of a hexadecimal number behind `0x`: `h.hhp±d`.
fn read_hex(text: &[u8]) -> Option<Read> {
    let (digits, exponent) = match text.iter().position(|byte| matches!(byte, b'p' | b'P')) {
        Some(at) => (&text[..at], read_exponent(&text[at + 1..])?),
        None => (text, 0),
    };
    let point = digits.iter().position(|byte| *byte == b'.');
    let fraction = point.map_or(0, |at| digits.len() - at - 1);
    let mut exponent = exponent - 4 * fraction as i64;
    let (mut mantissa, mut seen) = (0u64, false);
    for (at, byte) in digits.iter().enumerate() {
        if Some(at) == point {
            continue;
        }
        let digit = u64::from(char::from(*byte).to_digit(16)?);
        seen = true;
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | digit;
        } else {
            // Beyond 60 bits a digit only decides which way a half is rounded.
            mantissa |= u64::from(digit != 0);
            exponent += 4;
        }
    }
    seen.then(|| {
        let value = scale(mantissa, exponent);
        Read { value, out_of_range: mantissa != 0 && (value == 0.0 || value.is_infinite()) }
    })
}

/// A decimal exponent, cut off far outside what matters.
fn read_exponent(text: &[u8]) -> Option<i64> {
    const FAR: i64 = 1 << 48;
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0i64, |value, digit| (value * 10 + i64::from(digit - b'0')).min(FAR));
    Some(if negative { -value } else { value })
}

/// `mantissa × 2^exponent`, rounded to nearest, ties to even.
fn scale(mantissa: u64, exponent: i64) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let shift = mantissa.leading_zeros();
    let mantissa = u128::from(mantissa << shift);
    // The exponent of the leading bit.
    let leading = exponent - i64::from(shift) + 63;
    if leading > 1023 {
        return f64::INFINITY;
    }
    // Below 2^-1022 precision is lost bit by bit.
    let dropped = (11 + (-1022 - leading).max(0)).min(100);
    let (kept, rest) = (mantissa >> dropped, mantissa & ((1 << dropped) - 1));
    let half = 1u128 << (dropped - 1);
    let rounded = kept as u64 + u64::from(rest > half || rest == half && kept & 1 == 1);
    // A carry out of the mantissa moves the exponent up, as it should.
    let biased = if leading < -1022 { 0 } else { (leading + 1022) as u64 };
    f64::from_bits((biased << 52) + rounded)
}

/// Appends a double as replies show it, which is as Redis 7.0 does: C's `%.17g`, with `inf` and `-inf`.
pub fn format_f64(value: f64, out: &mut Vec<u8>) {
    if value.is_nan() {
        out.extend_from_slice(b"nan");
    } else if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"inf" } else { b"-inf" });
    } else if value == 0.0 {
        out.extend_from_slice(if value.is_sign_negative() { b"-0" } else { b"0" });
    } else if value.fract() == 0.0 && value.abs() < 1e17 {
        out.extend_from_slice(itoa::Buffer::new().format(value as i64).as_bytes());
    } else {
        format_17_digits(value, out);
    }
}

/// Appends a score as a packed sorted set stores it, and as ZSCAN shows it there: an integer in full where it is one (minus zero
/// as zero) and far enough inside 64 bits, else as [`format_f64`].
pub fn format_score(value: f64, out: &mut Vec<u8>) {
    const FULL: f64 = (1u64 << 62) as f64;
    if value.fract() == 0.0 && value.abs() <= FULL {
        out.extend_from_slice(itoa::Buffer::new().format(value as i64).as_bytes());
    } else {
        format_f64(value, out);
    }
}

/// 17 significant digits without trailing zeros; plain for decimal exponents from -4 to 16, else `d.ddde±xx`.
fn format_17_digits(value: f64, out: &mut Vec<u8>) {
    use std::io::Write;
    let mut buffer = [0u8; 32];
    let mut rest = &mut buffer[..];
    // `-d.dddddddddddddddde-ddd` is 24 bytes long at most, and appending to a vector never fails.
    let _ = write!(rest, "{:.16e}", value.abs());
    let length = 32 - rest.len();
    let text = &buffer[..length];
    let at = text.iter().position(|byte| *byte == b'e').unwrap_or(length);
    let exponent: i32 = std::str::from_utf8(&text[at + 1..]).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut digits = [0u8; 17];
    digits[0] = text[0];
    digits[1..].copy_from_slice(&text[2..at]);
    let significant = 17 - digits.iter().rev().take_while(|digit| **digit == b'0').count();
    let digits = &digits[..significant];
    if value < 0.0 {
        out.push(b'-');
    }
    match exponent {
        -4..=-1 => {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + (-1 - exponent) as usize, b'0');
            out.extend_from_slice(digits);
        }
        0..=16 => {
            let whole = exponent as usize + 1;
            out.extend_from_slice(&digits[..whole.min(significant)]);
            out.resize(out.len() + whole.saturating_sub(significant), b'0');
            if significant > whole {
                out.push(b'.');
                out.extend_from_slice(&digits[whole..]);
            }
        }
        _ => {
            out.push(digits[0]);
            if significant > 1 {
                out.push(b'.');
                out.extend_from_slice(&digits[1..]);
            }
            let sign = if exponent < 0 { '-' } else { '+' };
            let _ = write!(out, "e{sign}{:02}", exponent.abs());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_canonical_or_refused() {
        for (text, value) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("99999999999999999999", None),
            ("-0", None),
            ("01", None),
            ("+1", None),
            (" 1", None),
            ("1 ", None),
            ("", None),
            ("-", None),
        ] {
            assert_eq!(parse_i64(text.as_bytes()), value, "{text}");
        }
    }

    #[test]
    fn floats_read_as_strtod_does() {
        for (text, value) in [
            ("1.5", Some(1.5)),
            ("+inf", Some(f64::INFINITY)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("0x10", Some(16.0)),
            ("0x1.8p1", Some(3.0)),
            (".5", Some(0.5)),
            ("1e3", Some(1000.0)),
            ("5.", Some(5.0)),
            ("nan", None),
            ("", None),
            (" 1", None),
            ("1 ", None),
            ("1e", None),
            ("abc", None),
            (".", None),
            ("0x", None),
            ("0x1p", None),
            ("0x.p1", None),
            ("--1", None),
            ("1\0", None),
            ("1e400", None),
            ("1e-400", None),
            ("0e-400", Some(0.0)),
            ("5e-324", Some(5e-324)),
            ("0x1p1024", None),
            ("0x1p-1074", Some(5e-324)),
            ("0x1p-1075", None),
            ("0x1.8p-1075", Some(5e-324)),
            ("0x0p99999999999", Some(0.0)),
            ("0x1.0p-2147483648", None),
            ("0x1p-99999999999999999999", None),
            ("0x1.fffffffffffffp1023", Some(f64::MAX)),
            ("0x1.fffffffffffff8p1023", None),
            ("0x20000000000001", Some(9_007_199_254_740_992.0)),
            ("0x20000000000001.00000000000001", Some(9_007_199_254_740_994.0)),
            ("0xffffffffffffffffffff", Some(1_208_925_819_614_629_174_706_175.0)),
        ] {
            assert_eq!(parse_f64(text.as_bytes()), value, "{text}");
        }
    }

    /// Answers of a Redis 7.0.15 to SORT and to ZRANGEBYSCORE.
    #[test]
    fn elements_and_bounds_forgive_what_arguments_do_not() {
        for (text, element, bound) in [
            ("1e400", None, Some(f64::INFINITY)),
            ("-1e400", None, Some(f64::NEG_INFINITY)),
            ("1e-400", None, Some(0.0)),
            (" \t1", Some(1.0), Some(1.0)),
            ("", Some(0.0), Some(0.0)),
            (" ", None, None),
            ("1 ", None, None),
            ("nan", None, None),
        ] {
            assert_eq!(parse_f64_lenient(text.as_bytes()), element, "{text}");
            assert_eq!(parse_f64_saturating(text.as_bytes()), bound, "{text}");
        }
    }

    /// Answers of a Redis 7.0.15 to ZSCORE.
    #[test]
    fn floats_are_written_with_17_digits() {
        for (value, text) in [
            (3.0, "3"),
            (-1.5, "-1.5"),
            (0.1, "0.10000000000000001"),
            (0.001, "0.001"),
            (1e-5, "1.0000000000000001e-05"),
            (1e-7, "9.9999999999999995e-08"),
            (1.2345e-10, "1.2345e-10"),
            (5e-324, "4.9406564584124654e-324"),
            (123456789.125, "123456789.125"),
            (1e16, "10000000000000000"),
            (1e17, "1e+17"),
            (3e20, "3e+20"),
            (-3e20, "-3e+20"),
            (1e23, "9.9999999999999992e+22"),
            (1e300, "1.0000000000000001e+300"),
            (1_234_567_890_123_456_789.0, "1.2345678901234568e+18"),
            (f64::MAX, "1.7976931348623157e+308"),
            (-0.0, "-0"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            let mut out = Vec::new();
            format_f64(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    /// Answers of a Redis 7.0.15 to ZSCAN of a packed sorted set.
    #[test]
    fn stored_scores_are_integers_where_they_can_be() {
        for (value, text) in [
            (-0.0, "0"),
            (1e17, "100000000000000000"),
            (4_611_686_018_427_387_904.0, "4611686018427387904"),
            (5e18, "5e+18"),
            (0.1, "0.10000000000000001"),
        ] {
            let mut out = Vec::new();
            format_score(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
