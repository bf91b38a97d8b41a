//! Numbers as C writes them with `%.14g` and reads them with `strtod`.

/// Writes a number with so many significant digits, as C's `%g` does: trailing zeros go, and large or small numbers get an
/// exponent.
pub(super) fn write(out: &mut Vec<u8>, value: f64, precision: i32) {
    if !value.is_finite() {
        let text: &[u8] = if value.is_nan() {
            b"nan"
        } else if value > 0.0 {
            b"inf"
        } else {
            b"-inf"
        };
        out.extend_from_slice(text);
        return;
    }
    let precision = precision.max(1) as usize;
    let scientific = format!("{:.*e}", precision - 1, value);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if exponent < -4 || exponent >= precision as i32 {
        let sign = if exponent < 0 { '-' } else { '+' };
        let text = format!("{}e{sign}{:02}", without_zeros(mantissa), exponent.unsigned_abs());
        out.extend_from_slice(text.as_bytes());
    } else {
        let decimals = (precision as i32 - 1 - exponent).max(0) as usize;
        out.extend_from_slice(without_zeros(&format!("{value:.decimals$}")).as_bytes());
    }
}

fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// Reads the longest number at the start of a text, with how many bytes it takes; `None` if there is none.
pub(super) fn read(text: &[u8]) -> Option<(f64, usize)> {
    let sign = usize::from(matches!(text.first(), Some(b'-' | b'+')));
    let negative = text.first() == Some(&b'-');
    let body = &text[sign..];
    let starts = |word: &[u8]| body.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    let (value, length) = if starts(b"infinity") {
        (f64::INFINITY, 8)
    } else if starts(b"inf") {
        (f64::INFINITY, 3)
    } else if starts(b"nan") {
        (f64::NAN, 3)
    } else if starts(b"0x") && body.len() > 2 && (body[2].is_ascii_hexdigit() || body[2] == b'.') {
        read_hex(body)?
    } else {
        read_decimal(body)?
    };
    Some((if negative { -value } else { value }, sign + length))
}

fn digits(text: &[u8], hex: bool) -> usize {
    text.iter().take_while(|byte| if hex { byte.is_ascii_hexdigit() } else { byte.is_ascii_digit() }).count()
}

/// Where the mantissa ends: digits with at most one point among them; `None` without a digit.
fn mantissa(text: &[u8], hex: bool) -> Option<usize> {
    let whole = digits(text, hex);
    let fraction = match text.get(whole) {
        Some(b'.') => 1 + digits(&text[whole + 1..], hex),
        _ => 0,
    };
    (whole + fraction.saturating_sub(1) > 0).then_some(whole + fraction)
}

/// The bytes of an exponent behind its letter, if there is one.
fn exponent(text: &[u8], letter: u8) -> usize {
    if !text.first().is_some_and(|byte| byte.eq_ignore_ascii_case(&letter)) {
        return 0;
    }
    let sign = usize::from(matches!(text.get(1), Some(b'-' | b'+')));
    match digits(&text[1 + sign..], false) {
        0 => 0,
        count => 1 + sign + count,
    }
}

fn read_decimal(text: &[u8]) -> Option<(f64, usize)> {
    let mantissa = mantissa(text, false)?;
    let length = mantissa + exponent(&text[mantissa..], b'e');
    let value = std::str::from_utf8(&text[..length]).ok()?.parse().ok()?;
    Some((value, length))
}

fn read_hex(text: &[u8]) -> Option<(f64, usize)> {
    let Some(mantissa) = mantissa(&text[2..], true) else { return Some((0.0, 1)) };
    let length = 2 + mantissa + exponent(&text[2 + mantissa..], b'p');
    let value = crate::base::number::parse_f64_saturating(&text[..length])?;
    Some((value, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_by_c() {
        for (value, precision, text) in [
            (0.0, 14, "0"),
            (100.0, 14, "100"),
            (0.1, 14, "0.1"),
            (1e14, 14, "1e+14"),
            (99_999_999_999_999.0, 14, "99999999999999"),
            (999_999_999_999_999.0, 14, "1e+15"),
            (0.0001, 14, "0.0001"),
            (0.00001, 14, "1e-05"),
            (1e-300, 14, "1e-300"),
            (123.456, 3, "123"),
            (2.5, 1, "2"),
            (-1.5, 14, "-1.5"),
        ] {
            let mut out = Vec::new();
            write(&mut out, value, precision);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn numbers_are_read_as_far_as_they_go() {
        for (text, expected) in [
            ("12]", Some((12.0, 2))),
            ("-1.5e3x", Some((-1500.0, 6))),
            ("1e", Some((1.0, 1))),
            ("1e+", Some((1.0, 1))),
            ("1.", Some((1.0, 2))),
            ("0x1F,", Some((31.0, 4))),
            ("0x", Some((0.0, 1))),
            ("0x1p4", Some((16.0, 5))),
            ("-inf", Some((f64::NEG_INFINITY, 4))),
            ("-", None),
            (".", None),
            ("e5", None),
        ] {
            assert_eq!(read(text.as_bytes()), expected, "{text}");
        }
    }
}
