//! Expiry times in arguments: units, relative or absolute, and what is out of range.

use crate::base::clock::UnixMillis;
use crate::base::number::parse_i64;
use crate::resp::WireError;

/// How an argument counts time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeUnit {
    /// Seconds rather than milliseconds.
    pub seconds: bool,
    /// A Unix time rather than a span from now.
    pub absolute: bool,
}

impl TimeUnit {
    /// The unit an option names: EX, PX, EXAT, PXAT.
    pub fn of_option(option: &[u8]) -> Option<Self> {
        let unit = |seconds, absolute| Some(Self { seconds, absolute });
        match option {
            o if o.eq_ignore_ascii_case(b"EX") => unit(true, false),
            o if o.eq_ignore_ascii_case(b"PX") => unit(false, false),
            o if o.eq_ignore_ascii_case(b"EXAT") => unit(true, true),
            o if o.eq_ignore_ascii_case(b"PXAT") => unit(false, true),
            _ => None,
        }
    }

    /// The instant that `value` of this unit means; `None` when it cannot be represented.
    pub fn instant(self, value: i64, now: UnixMillis) -> Option<UnixMillis> {
        let millis = if self.seconds { value.checked_mul(1000)? } else { value };
        if self.absolute { Some(UnixMillis(millis)) } else { millis.checked_add(now.0).map(UnixMillis) }
    }
}

/// The instant an argument means, for commands that want it in the future of 1970: not zero, not negative.
pub fn positive_instant(
    argument: &[u8],
    unit: TimeUnit,
    now: UnixMillis,
    command: &str,
) -> Result<UnixMillis, WireError> {
    let value = parse_i64(argument).ok_or(WireError::NOT_INTEGER)?;
    if value <= 0 {
        return Err(WireError::invalid_expire(command));
    }
    unit.instant(value, now).ok_or_else(|| WireError::invalid_expire(command))
}
