//! How a Lua number becomes an argument of a command: the shortest text that reads back as the same number.

/// Whole numbers up to here are written as integers at once.
const SAFE_INTEGER: f64 = (1u64 << 52) as f64;

/// Appends a number.
pub(super) fn write_argument(number: f64, out: &mut Vec<u8>) {
    if number.fract() == 0.0 && number.abs() <= SAFE_INTEGER {
        out.extend_from_slice(itoa::Buffer::new().format(number as i64).as_bytes());
        return;
    }
    if number.is_sign_negative() {
        out.push(b'-');
    }
    if !number.is_finite() {
        out.extend_from_slice(if number.is_nan() { b"nan" } else { b"inf" });
        return;
    }
    // Rust writes the shortest digits too, as `d.ddde±x`.
    let text = format!("{:e}", number.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    write_digits(&digits, exponent, out);
}

/// The digits of a number whose first one has the weight 10^exponent: plain where that is not much longer.
fn write_digits(digits: &[u8], exponent: i32, out: &mut Vec<u8>) {
    let count = digits.len() as i32;
    // The weight of the last digit.
    let last = exponent - count + 1;
    if last >= 0 && exponent.abs() < count + 7 {
        out.extend_from_slice(digits);
        out.resize(out.len() + last as usize, b'0');
    } else if last < 0 && (last > -7 || exponent.abs() < 4) {
        let whole = (exponent + 1).max(0) as usize;
        out.extend_from_slice(if whole == 0 { b"0" } else { &digits[..whole] });
        out.push(b'.');
        out.resize(out.len() + (-exponent - 1).max(0) as usize, b'0');
        out.extend_from_slice(&digits[whole..]);
    } else {
        out.push(digits[0]);
        if count > 1 {
            out.push(b'.');
            out.extend_from_slice(&digits[1..]);
        }
        let sign = if exponent < 0 { '-' } else { '+' };
        out.extend_from_slice(format!("e{sign}{}", exponent.abs()).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (100.0, "100"),
            (9_007_199_254_740_991.0, "9007199254740991"),
            (1e17, "1e+17"),
            (1e7, "10000000"),
            (1.5e300, "1.5e+300"),
            (0.1, "0.1"),
            (-3.25, "-3.25"),
            (0.001, "0.001"),
            (0.000001, "0.000001"),
            (0.0000001, "1e-7"),
            (1.0 / 3.0, "0.3333333333333333"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            let mut out = Vec::new();
            write_argument(number, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
