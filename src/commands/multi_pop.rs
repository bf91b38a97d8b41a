//! What LMPOP, ZMPOP and their blocking forms share: `numkeys key … WHERE [COUNT n]`.

use std::ops::Range;

use crate::engine::Context;
use crate::resp::WireError;

/// The arguments, apart from what WHERE means.
pub struct MultiPopArgs {
    /// Positions of the keys; WHERE stands right behind them.
    pub keys: Range<usize>,
    /// How many elements at most.
    pub count: usize,
}

/// Reads the number of keys at argument `first` and the keys' positions, then lets `read_where` look at the word behind
/// them, then the count.
pub fn parse<T>(
    ctx: &Context<'_>,
    first: usize,
    read_where: impl FnOnce(&[u8]) -> Result<T, WireError>,
) -> Result<(MultiPopArgs, T), WireError> {
    const NUMKEYS: WireError = WireError::fixed("ERR numkeys should be greater than 0");
    const COUNT: WireError = WireError::fixed("ERR count should be greater than 0");
    let numkeys = ctx.int_in(first, 1..=i64::MAX, NUMKEYS)? as usize;
    if numkeys >= ctx.args.len() {
        return Err(WireError::SYNTAX);
    }
    let keys = first + 1..first + 1 + numkeys;
    let place = read_where(ctx.args.get(keys.end).ok_or(WireError::SYNTAX)?)?;
    let (mut count, mut index) = (None, keys.end + 1);
    while index < ctx.args.len() {
        if count.is_some() || !ctx.args.is(index, "COUNT") || index + 1 == ctx.args.len() {
            return Err(WireError::SYNTAX);
        }
        count = Some(ctx.int_in(index + 1, 1..=i64::MAX, COUNT)? as usize);
        index += 2;
    }
    Ok((MultiPopArgs { keys, count: count.unwrap_or(1) }, place))
}
