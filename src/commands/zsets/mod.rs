//! Sorted sets.

pub mod add;
pub mod bounds;
pub mod combine;
pub mod pop;
pub mod random;
pub mod range;
pub mod rank;
pub mod remove;
pub mod scan;

use crate::data::Element;
use crate::engine::Context;
use crate::resp::Protocol;

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] =
    &[add::ROWS, combine::ROWS, pop::ROWS, random::ROWS, range::ROWS, rank::ROWS, remove::ROWS, scan::ROWS];

/// Writes member and score of a range's element: a pair in RESP3, flat in RESP2.
fn reply_pair(ctx_reply: &mut crate::resp::Reply<'_>, member: Element<'_>, score: f64) {
    if ctx_reply.protocol == Protocol::Resp3 {
        ctx_reply.array(2);
    }
    ctx_reply.element(member);
    ctx_reply.double(score);
}

/// Length of the array that holds `pairs` written by [`reply_pair`].
fn pairs_len(ctx: &Context<'_>, pairs: usize) -> usize {
    if ctx.reply.protocol == Protocol::Resp3 { pairs } else { pairs * 2 }
}
