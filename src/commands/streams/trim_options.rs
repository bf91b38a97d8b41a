//! The options that XADD and XTRIM share: how to trim, with its limit.

use smallvec::SmallVec;

use super::syntax;
use crate::data::stream::{Log, PartialId, StreamId, Threshold, Trim};
use crate::engine::Context;
use crate::resp::WireError;
use crate::session::ClientFlags;

/// The options of a request.
#[derive(Default)]
pub(super) struct TrimOptions {
    /// How to trim.
    pub trim: Option<Trim>,
    /// NOMKSTREAM.
    pub no_create: bool,
    /// The ID of XADD; `None` for `*`.
    pub id: Option<PartialId>,
    /// Where the ID of XADD stands.
    pub id_at: usize,
    /// Where the threshold stands.
    threshold_at: usize,
    /// Where LIMIT stands, each time.
    limits_at: SmallVec<[usize; 1]>,
}

impl TrimOptions {
    /// Reads the options from argument 2 on; for XADD up to the ID, else to the end.
    pub fn parse(ctx: &Context<'_>, with_id: bool) -> Result<Self, WireError> {
        const TWICE: WireError =
            WireError::fixed("ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
        let args = ctx.args;
        let mut options = Self::default();
        let (mut threshold, mut whole_nodes, mut limit) = (None, false, None);
        let mut index = 2;
        while index < args.len() {
            let more = args.len() - 1 - index;
            if with_id && args.at(index) == b"*" {
                break;
            } else if more > 0 && (args.is(index, "MAXLEN") || args.is(index, "MINID")) {
                if threshold.is_some() {
                    return Err(TWICE);
                }
                let by_length = args.is(index, "MAXLEN");
                index += 1;
                whole_nodes = more > 1 && args.at(index) == b"~";
                if whole_nodes || (more > 1 && args.at(index) == b"=") {
                    index += 1;
                }
                threshold = Some(if by_length { max_len(ctx, index)? } else { min_id(ctx, index)? });
                options.threshold_at = index;
            } else if more > 0 && args.is(index, "LIMIT") {
                const NEGATIVE: WireError = WireError::fixed("ERR The LIMIT argument must be >= 0.");
                options.limits_at.push(index);
                index += 1;
                limit = Some(u64::try_from(ctx.int(index)?).map_err(|_| NEGATIVE)?);
            } else if with_id && args.is(index, "NOMKSTREAM") {
                options.no_create = true;
            } else if with_id {
                options.id = Some(syntax::partial_id(args.at(index))?);
                break;
            } else {
                return ctx.syntax();
            }
            index += 1;
        }
        options.id_at = index;
        if threshold.is_none() {
            if limit.is_some_and(|limit| limit > 0) {
                return Err(WireError::fixed(
                    "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
                ));
            }
            if !with_id {
                return Err(WireError::fixed("ERR syntax error, XTRIM must be called with a trimming strategy"));
            }
        }
        // What a primary sends has been trimmed there: it is followed to the letter.
        let limit = if ctx.session.client.flags().contains(ClientFlags::PRIMARY) {
            None
        } else {
            limit_in_force(ctx, limit, whole_nodes)?
        };
        options.trim = threshold.map(|threshold| Trim { threshold, whole_nodes, limit });
        Ok(options)
    }

    /// Whether the request must be replayed in other words, since how far it trims depends on how nodes are laid out.
    pub fn is_approximate(&self) -> bool {
        self.trim.is_some_and(|trim| trim.whole_nodes)
    }

    /// The request as it must be replayed, trimming exactly as far as the stream has been trimmed; `id` replaces the ID.
    pub fn replay(&self, ctx: &mut Context<'_>, log: &ExactThreshold, id: Option<&[u8]>) {
        let exact = self.is_approximate();
        let skipped = |index: usize| exact && self.limits_at.iter().any(|at| index == *at || index == at + 1);
        let words: Vec<&[u8]> = (0..ctx.args.len())
            .filter(|index| !skipped(*index))
            .map(|index| match id {
                Some(id) if index == self.id_at => id,
                _ if exact && index + 1 == self.threshold_at => b"=",
                _ if exact && index == self.threshold_at => &log.0,
                _ => ctx.args.at(index),
            })
            .collect();
        ctx.change.replay_as(&words);
    }

    /// What is left, as a threshold that trims to exactly that.
    pub fn exact_threshold(&self, log: &Log) -> ExactThreshold {
        ExactThreshold(match self.trim.map(|trim| trim.threshold) {
            Some(Threshold::MinId(_)) => log.oldest_place().unwrap_or(StreamId::MAX).to_string().into_bytes(),
            _ => log.len().to_string().into_bytes(),
        })
    }
}

/// The text of a threshold that trims to what is there.
pub(super) struct ExactThreshold(Vec<u8>);

fn max_len(ctx: &Context<'_>, index: usize) -> Result<Threshold, WireError> {
    const NEGATIVE: WireError = WireError::fixed("ERR The MAXLEN argument must be >= 0.");
    u64::try_from(ctx.int(index)?).map(Threshold::MaxLen).map_err(|_| NEGATIVE)
}

fn min_id(ctx: &Context<'_>, index: usize) -> Result<Threshold, WireError> {
    syntax::id(ctx.args.at(index)).map(Threshold::MinId)
}

/// The most entries to remove: what the request says, or a hundred nodes' worth where nodes go as a whole.
fn limit_in_force(ctx: &Context<'_>, given: Option<u64>, whole_nodes: bool) -> Result<Option<u64>, WireError> {
    const NODES: u64 = 100;
    const WITHOUT_NODE_LIMIT: u64 = 10_000;
    const LARGEST: u64 = 1_000_000;
    match given {
        Some(_) if !whole_nodes => {
            Err(WireError::fixed("ERR syntax error, LIMIT cannot be used without the special ~ option"))
        }
        Some(limit) => Ok(Some(limit).filter(|limit| *limit > 0)),
        None if whole_nodes => {
            let limit = NODES.saturating_mul(ctx.limits().stream_node_max_entries as u64).min(LARGEST);
            Ok(Some(if limit == 0 { WITHOUT_NODE_LIMIT } else { limit }))
        }
        None => Ok(None),
    }
}
