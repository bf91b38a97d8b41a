//! Bounds of ranges as arguments: `(1.5`, `-inf`, `[member`, `+`.

use crate::base::number::parse_f64_saturating;
use crate::data::zset::{LexBound, ScoreBound};
use crate::resp::WireError;

/// Reads a bound on scores.
pub(super) fn score(argument: &[u8]) -> Result<ScoreBound, WireError> {
    let (text, exclusive) = match argument {
        [b'(', rest @ ..] => (rest, true),
        _ => (argument, false),
    };
    let value = parse_f64_saturating(text).ok_or(WireError::fixed("ERR min or max is not a float"))?;
    Ok(ScoreBound { value, exclusive })
}

/// Reads a bound on members.
pub(super) fn lex(argument: &[u8]) -> Result<LexBound<'_>, WireError> {
    match argument {
        b"-" => Ok(LexBound::Min),
        b"+" => Ok(LexBound::Max),
        [b'[', member @ ..] => Ok(LexBound::Inclusive(member)),
        [b'(', member @ ..] => Ok(LexBound::Exclusive(member)),
        _ => Err(WireError::fixed("ERR min or max not valid string range item")),
    }
}
