//! LATENCY HISTOGRAM: for each command, how many calls stayed below which duration.

use crate::catalog::{Group, Spec, flags};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::metrics::Histogram;

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "latency|histogram",
        arity: -2,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
        group: Group::Server,
        since: "7.0.0",
        summary: "Shows how long commands took, as cumulative counts.",
        complexity: "O(N) where N is the number of commands with latency information being retrieved.",
        tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
        args: "command?*:string",
        ..Spec::BASE
    },
    run: latency_histogram,
}];

/// The first step in nanoseconds; each further one doubles.
const FIRST_STEP_NS: u64 = 1024;

pub(super) fn latency_histogram(ctx: &mut Context<'_>) -> CommandResult {
    let rows: Vec<usize> = if ctx.args.len() == 2 {
        (0..ctx.engine.table.rows().len()).collect()
    } else {
        ctx.args
            .from(2)
            .filter_map(|name| ctx.engine.table.position(name))
            .flat_map(|row| with_subcommands(ctx, row))
            .collect()
    };
    let mark = ctx.reply.deferred();
    let mut commands = 0;
    for row in rows {
        let counts = ctx.engine.command_figures(row).latency;
        let calls: u64 = counts.iter().sum();
        if calls == 0 {
            continue;
        }
        commands += 1;
        ctx.reply.bulk(ctx.engine.table.row(row).spec.name.as_bytes());
        ctx.reply.map(2);
        ctx.reply.bulk(b"calls");
        ctx.reply.int(calls as i64);
        ctx.reply.bulk(b"histogram_usec");
        let steps = steps(&counts);
        ctx.reply.map(steps.len());
        for (micros, below) in steps {
            ctx.reply.int(micros as i64);
            ctx.reply.int(below as i64);
        }
    }
    ctx.reply.end_map(mark, commands);
    Ok(Outcome::Done)
}

/// A row, and those of its subcommands.
fn with_subcommands(ctx: &Context<'_>, row: usize) -> Vec<usize> {
    let rows = ctx.engine.table.rows();
    let name = rows[row].spec.name;
    let subcommands = (0..rows.len()).filter(|other| rows[*other].spec.container() == Some(name));
    std::iter::once(row).chain(subcommands).collect()
}

/// The steps at which the count of calls grows: microseconds, and how many calls took at most so long.
///
/// The microseconds are those of a histogram of two significant digits, whose value at a power of two is a 128th above it.
fn steps(counts: &[u64]) -> Vec<(u64, u64)> {
    let total: u64 = counts.iter().sum();
    let mut steps = Vec::new();
    let (mut bucket, mut below, mut step_ns) = (0, 0, FIRST_STEP_NS);
    while below < total {
        let before = below;
        while bucket < counts.len() && Histogram::upper_bound(bucket) <= step_ns {
            below += counts[bucket];
            bucket += 1;
        }
        if below > before {
            steps.push(((step_ns + step_ns / 128 - 1) / 1000, below));
        }
        let Some(doubled) = step_ns.checked_mul(2) else { break };
        step_ns = doubled;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_cumulative_and_named_as_clients_know_them() {
        let histogram = Histogram::default();
        for nanos in [500, 900, 60_000, 61_000, 1_040_000] {
            histogram.record(nanos);
        }
        let mut counts = vec![0; Histogram::buckets()];
        histogram.add_to(&mut counts);
        assert_eq!(steps(&counts), [(1, 2), (66, 4), (1056, 5)]);
        assert!(steps(&vec![0; Histogram::buckets()]).is_empty());
    }
}
