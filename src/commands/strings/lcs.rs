//! LCS: the longest common subsequence of two strings.
//!
//! The textbook table of lengths, filled row by row and walked back from its last corner. It takes four bytes per pair of
//! positions, so its size is bounded as a string's is.

use crate::catalog::{Categories, Group, KeyFlags, KeySpec, Spec, flags};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::keyspace::ValueRef;
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "lcs",
        arity: -3,
        flags: flags![READONLY],
        categories: Categories::STRING,
        keys: &[KeySpec::index(1, KeyFlags::READ).range(1, 1, 0)],
        group: Group::String,
        since: "7.0.0",
        summary: "Computes the longest subsequence that two strings share.",
        complexity: "O(N*M) where N and M are the lengths of s1 and s2, respectively",
        args: "key1:key key2:key len?=LEN idx?=IDX min-match-len?=MINMATCHLEN:integer withmatchlen?=WITHMATCHLEN",
        ..Spec::BASE
    },
    run: lcs,
}];

/// What is asked for.
#[derive(Default)]
struct Request {
    length_only: bool,
    indexes: bool,
    min_match: usize,
    match_lengths: bool,
}

impl Request {
    fn parse(ctx: &Context<'_>) -> Result<Self, WireError> {
        let mut request = Self::default();
        let mut index = 3;
        while index < ctx.args.len() {
            if ctx.args.is(index, "LEN") {
                request.length_only = true;
            } else if ctx.args.is(index, "IDX") {
                request.indexes = true;
            } else if ctx.args.is(index, "WITHMATCHLEN") {
                request.match_lengths = true;
            } else if ctx.args.is(index, "MINMATCHLEN") && index + 1 < ctx.args.len() {
                request.min_match = usize::try_from(ctx.int(index + 1)?).unwrap_or(0);
                index += 1;
            } else {
                return Err(WireError::SYNTAX);
            }
            index += 1;
        }
        if request.length_only && request.indexes {
            return Err(WireError::fixed("ERR If you want both the length and indexes, please just use IDX."));
        }
        Ok(request)
    }
}

/// A run that both strings share: where it starts in each, and its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Match {
    a: usize,
    b: usize,
    len: usize,
}

/// The table of lengths: entry (i, j) is the LCS length of the first i and j bytes.
struct Table {
    lengths: Vec<u32>,
    width: usize,
}

impl Table {
    fn of(a: &[u8], b: &[u8]) -> Self {
        let width = b.len() + 1;
        let mut lengths = vec![0u32; (a.len() + 1) * width];
        for (i, x) in a.iter().enumerate() {
            for (j, y) in b.iter().enumerate() {
                lengths[(i + 1) * width + j + 1] = if x == y {
                    lengths[i * width + j] + 1
                } else {
                    lengths[i * width + j + 1].max(lengths[(i + 1) * width + j])
                };
            }
        }
        Self { lengths, width }
    }

    fn at(&self, i: usize, j: usize) -> u32 {
        self.lengths[i * self.width + j]
    }

    /// The subsequence, and the runs it is made of, last run first.
    fn trace(&self, a: &[u8], b: &[u8]) -> (Vec<u8>, Vec<Match>) {
        let (mut i, mut j) = (a.len(), b.len());
        let (mut result, mut runs) = (Vec::new(), Vec::<Match>::new());
        while i > 0 && j > 0 {
            if a[i - 1] == b[j - 1] {
                (i, j) = (i - 1, j - 1);
                result.push(a[i]);
                match runs.last_mut() {
                    Some(run) if run.a == i + 1 && run.b == j + 1 => *run = Match { a: i, b: j, len: run.len + 1 },
                    _ => runs.push(Match { a: i, b: j, len: 1 }),
                }
            } else if self.at(i - 1, j) > self.at(i, j - 1) {
                i -= 1;
            } else {
                j -= 1;
            }
        }
        result.reverse();
        (result, runs)
    }
}

pub(super) fn lcs(ctx: &mut Context<'_>) -> CommandResult {
    let mut strings = [Vec::new(), Vec::new()];
    for (string, key) in strings.iter_mut().zip(ctx.args.from(1)) {
        match ctx.keys.get(key) {
            None => {}
            Some(ValueRef::Str(value)) => *string = value.to_cow().into_owned(),
            Some(_) => return Err(WireError::fixed("ERR The specified keys must contain string values")),
        }
    }
    let request = Request::parse(ctx)?;
    let [a, b] = strings;
    let bytes = (a.len() as u64 + 1) * (b.len() as u64 + 1) * size_of::<u32>() as u64;
    if bytes > ctx.settings.limits.proto_max_bulk_len {
        return Err(WireError::fixed("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"));
    }
    let table = Table::of(&a, &b);
    let length = table.at(a.len(), b.len());
    if request.length_only {
        return ctx.done_int(length.into());
    }
    let (result, mut runs) = table.trace(&a, &b);
    if !request.indexes {
        ctx.reply.bulk(&result);
        return Ok(Outcome::Done);
    }
    runs.retain(|run| run.len >= request.min_match);
    ctx.reply.map(2);
    ctx.reply.bulk(b"matches");
    ctx.reply.array(runs.len());
    for run in runs {
        ctx.reply.array(2 + usize::from(request.match_lengths));
        for start in [run.a, run.b] {
            ctx.reply.array(2);
            ctx.reply.count(start);
            ctx.reply.count(start + run.len - 1);
        }
        if request.match_lengths {
            ctx.reply.count(run.len);
        }
    }
    ctx.reply.bulk(b"len");
    ctx.reply.int(length.into());
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_come_from_the_end_and_make_up_the_subsequence() {
        let (a, b) = (b"ohmytext", b"mynewtext");
        let (result, runs) = Table::of(a, b).trace(a, b);
        assert_eq!(result, b"mytext");
        assert_eq!(runs, [Match { a: 4, b: 5, len: 4 }, Match { a: 2, b: 0, len: 2 }]);
        assert_eq!(Table::of(b"", b"x").trace(b"", b"x"), (vec![], vec![]));
    }
}
