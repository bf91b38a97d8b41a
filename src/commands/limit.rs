//! The LIMIT of SINTERCARD and ZINTERCARD.

use crate::engine::Context;
use crate::resp::WireError;

/// Reads what stands from argument `first` on: how many members are counted at most; 0 is as many as there are.
pub fn intersection_limit(ctx: &Context<'_>, first: usize) -> Result<usize, WireError> {
    const NEGATIVE: WireError = WireError::fixed("ERR LIMIT can't be negative");
    let mut limit = 0;
    for index in (first..ctx.args.len()).step_by(2) {
        if !ctx.args.is(index, "LIMIT") || index + 1 == ctx.args.len() {
            return Err(WireError::SYNTAX);
        }
        limit = ctx.int_in(index + 1, 0..=i64::MAX, NEGATIVE)? as usize;
    }
    Ok(limit)
}
