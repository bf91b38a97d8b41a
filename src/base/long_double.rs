//! Extended precision: 64 bits of mantissa, as C's `long double` has on x86-64.
//!
//! INCRBYFLOAT and HINCRBYFLOAT add in this precision and print 17 decimals, and clients see the digits. A value is
//! `mantissa × 2^exponent`; every operation rounds to nearest, ties to even. Texts with more than 17 decimals, an exponent or a
//! huge magnitude go through `f64`, which this precision contains.

use std::ops::Add;

use super::number::parse_f64;

const DECIMALS: u32 = 17;
const SCALE: i128 = 10i128.pow(DECIMALS);

/// An extended-precision number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongDouble {
    mantissa: i128,
    exponent: i32,
}

impl LongDouble {
    /// Reads a number; `None` for what is none, and for infinities and NaN.
    pub fn parse(text: &[u8]) -> Option<Self> {
        match exact_decimal(text) {
            Some(scaled) => Some(Self::from_scaled(scaled)),
            None => parse_f64(text).filter(|value| value.is_finite()).map(Self::from_f64),
        }
    }

    /// The number a double is.
    pub fn from_f64(value: f64) -> Self {
        let bits = value.to_bits();
        let biased = ((bits >> 52) & 0x7ff) as i32;
        let fraction = (bits & ((1 << 52) - 1)) as i128;
        let (mantissa, exponent) = if biased == 0 { (fraction, -1074) } else { (fraction | 1 << 52, biased - 1075) };
        Self { mantissa: if value < 0.0 { -mantissa } else { mantissa }, exponent }
    }

    /// The nearest double.
    pub fn to_f64(self) -> f64 {
        let rounded = self.rounded();
        rounded.mantissa as f64 * 2f64.powi(rounded.exponent)
    }

    /// The value with 17 decimals, trailing zeros cut off.
    pub fn to_text(self) -> String {
        let Self { mantissa, exponent } = self.rounded();
        let text = if mantissa == 0 {
            return "0".into();
        } else if exponent > 0 {
            match mantissa.checked_shl(exponent as u32).filter(|value| value >> exponent == mantissa) {
                Some(value) if exponent < 60 => value.to_string(),
                _ => format!("{:.0}", self.to_f64()),
            }
        } else {
            let scaled = shift_right_even(mantissa * SCALE, exponent.unsigned_abs());
            let (sign, scaled) = (if scaled < 0 { "-" } else { "" }, scaled.unsigned_abs());
            let (whole, decimals) = (scaled / SCALE as u128, scaled % SCALE as u128);
            format!("{sign}{whole}.{decimals:017}").trim_end_matches('0').trim_end_matches('.').to_owned()
        };
        if text == "-0" { "0".into() } else { text }
    }

    fn from_scaled(scaled: i128) -> Self {
        if scaled == 0 {
            return Self { mantissa: 0, exponent: 0 };
        }
        // scaled / 10^17 with 64 significant bits: shift up as far as 127 bits allow, divide, keep the remainder as a sticky bit.
        let up = scaled.unsigned_abs().leading_zeros() as i32 - 2;
        let shifted = scaled << up;
        let quotient = shifted / SCALE;
        let sticky = i128::from(shifted % SCALE != 0) * shifted.signum();
        Self { mantissa: quotient * 2 + sticky, exponent: -up - 1 }.rounded()
    }

    /// The same value with exactly 64 bits of mantissa (fewer bits are shifted up).
    fn normal(self) -> Self {
        let bits = 128 - self.mantissa.unsigned_abs().leading_zeros() as i32;
        let up = 64 - bits;
        if up > 0 { Self { mantissa: self.mantissa << up, exponent: self.exponent - up } } else { self.rounded() }
    }

    /// The nearest value with at most 64 bits of mantissa.
    fn rounded(self) -> Self {
        let bits = 128 - self.mantissa.unsigned_abs().leading_zeros();
        let excess = bits.saturating_sub(64);
        Self { mantissa: shift_right_even(self.mantissa, excess), exponent: self.exponent + excess as i32 }
    }
}

/// `value / 2^shift`, rounded to nearest, ties to even.
fn shift_right_even(value: i128, shift: u32) -> i128 {
    if shift == 0 {
        return value;
    }
    if shift > 126 {
        return 0;
    }
    let magnitude = value.unsigned_abs();
    let (mut quotient, rest, half) = (magnitude >> shift, magnitude & ((1 << shift) - 1), 1u128 << (shift - 1));
    if rest > half || (rest == half && quotient & 1 == 1) {
        quotient += 1;
    }
    if value < 0 { -(quotient as i128) } else { quotient as i128 }
}

/// A plain decimal with at most 17 decimals and 20 digits before the point, times 10^17.
fn exact_decimal(text: &[u8]) -> Option<i128> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let point = digits.iter().position(|b| *b == b'.').unwrap_or(digits.len());
    let (whole, decimals) = (&digits[..point], digits.get(point + 1..).unwrap_or_default());
    if (whole.is_empty() && decimals.is_empty()) || whole.len() > 20 || decimals.len() > DECIMALS as usize {
        return None;
    }
    let mut value = 0i128;
    for digit in whole.iter().chain(decimals) {
        value = value * 10 + i128::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    value *= 10i128.pow(DECIMALS - decimals.len() as u32);
    Some(if negative { -value } else { value })
}

impl Add for LongDouble {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        if self.mantissa == 0 {
            return other;
        }
        if other.mantissa == 0 {
            return self;
        }
        let (high, low) = if self.normal().exponent >= other.normal().exponent { (self, other) } else { (other, self) };
        let (high, low) = (high.normal(), low.normal());
        let apart = (high.exponent - low.exponent) as u32;
        // Beyond this the smaller one cannot change the rounded sum.
        if apart > 66 {
            return high;
        }
        // Both mantissas have 64 bits: 62 more fit below the sign; what is shifted out of `low` is kept as a sticky bit.
        let lift = apart.min(61);
        let drop = apart - lift;
        let sticky = i128::from(low.mantissa & ((1i128 << drop) - 1) != 0);
        let sum = (high.mantissa << lift) + ((low.mantissa >> drop) | sticky);
        Self { mantissa: sum, exponent: high.exponent - lift as i32 }.rounded()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(a: &str, b: &str) -> String {
        (LongDouble::parse(a.as_bytes()).unwrap() + LongDouble::parse(b.as_bytes()).unwrap()).to_text()
    }

    #[test]
    fn sums_print_as_a_c_long_double_does() {
        for (a, b, expected) in [
            ("0.1", "0.2", "0.3"),
            ("1.1", "1.1", "2.2"),
            ("10.5", "0.1", "10.6"),
            ("3", "1.5", "4.5"),
            ("-1.5", "1.5", "0"),
            ("5.0e3", "200", "5200"),
            ("9223372036854775807", "1.5", "9223372036854775808"),
            ("17179869184", "1.5", "17179869185.5"),
            ("1", "-1.1", "-0.1"),
        ] {
            assert_eq!(sum(a, b), expected, "{a} + {b}");
        }
    }
}
