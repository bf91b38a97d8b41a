//! GEOADD.

use super::place;
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::commands::zsets::add::{Options, put_scores};
use crate::engine::{Command, CommandResult, Context};

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "geoadd",
        arity: -5,
        flags: flags![WRITE, DENYOOM],
        categories: Categories::GEO,
        keys: keys::FIRST_CHANGE,
        group: Group::Geo,
        since: "3.2.0",
        summary: "Puts places with their coordinates into a geo index.",
        complexity: "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
        history: &[("6.2.0", "Added the `CH`, `NX` and `XX` options.")],
        args: "key:key condition?:(nx=NX | xx=XX)@6.2.0 change?=CH@6.2.0 \
                data*:(longitude:double latitude:double member:string)",
        ..Spec::BASE
    },
    run: geoadd,
}];

/// ZADD with geohashes for scores.
pub(super) fn geoadd(ctx: &mut Context<'_>) -> CommandResult {
    let mut options = Options::default();
    let mut first = 2;
    while let Some(word) = ctx.args.get(first) {
        match word.to_ascii_lowercase().as_slice() {
            b"nx" => options.only_new = true,
            b"xx" => options.only_existing = true,
            b"ch" => options.count_changed = true,
            _ => break,
        }
        first += 1;
    }
    let rest = ctx.args.len() - first;
    if rest == 0 || !rest.is_multiple_of(3) || options.only_new && options.only_existing {
        return ctx.syntax();
    }
    let mut pairs = Vec::with_capacity(rest / 3);
    for index in (first..ctx.args.len()).step_by(3) {
        pairs.push((place(ctx, index)?.score() as f64, ctx.args.at(index + 2)));
    }
    put_scores(ctx, options, &pairs)?;
    if ctx.change.dirty > 0 {
        replay(ctx, first, &pairs);
    }
    Ok(crate::engine::Outcome::Done)
}

/// Scores are replayed: whoever replays need not compute them, and cannot compute them otherwise.
fn replay(ctx: &mut Context<'_>, first: usize, pairs: &[(f64, &[u8])]) {
    let scores: Vec<String> = pairs.iter().map(|(score, _)| (*score as u64).to_string()).collect();
    let mut words: Vec<&[u8]> = vec![b"ZADD"];
    words.extend(ctx.args.from(1).take(first - 1));
    for (score, (_, member)) in scores.iter().zip(pairs) {
        words.extend([score.as_bytes(), member]);
    }
    ctx.change.replay_as(&words);
}
