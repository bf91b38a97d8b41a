//! For tests: PFDEBUG, PFSELFTEST.

use super::{CORRUPT, changeable};
use crate::catalog::{Categories, Group, Spec, flags};
use crate::catalog::{KeyFlags, KeySpec};
use crate::data::hyperloglog::{self, Encoding, Registers, Run};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "pfdebug",
            arity: 3,
            flags: flags![WRITE, DENYOOM, ADMIN, SYSCMD],
            categories: Categories::HYPERLOGLOG,
            keys: &[KeySpec::index(2, KeyFlags::RW.union(KeyFlags::ACCESS))],
            group: Group::HyperLogLog,
            since: "2.8.9",
            summary: "Shows the inside of a HyperLogLog; for tests.",
            complexity: "N/A",
            args: "subcommand:string key:key",
            ..Spec::BASE
        },
        run: pfdebug,
    },
    Command {
        spec: Spec {
            name: "pfselftest",
            arity: 1,
            flags: flags![ADMIN, SYSCMD],
            categories: Categories::HYPERLOGLOG,
            group: Group::HyperLogLog,
            since: "2.8.9",
            summary: "Checks the HyperLogLog implementation; for tests.",
            complexity: "N/A",
            ..Spec::BASE
        },
        run: pfselftest,
    },
];

pub(super) fn pfdebug(ctx: &mut Context<'_>) -> CommandResult {
    let (subcommand, key) = (ctx.args.at(1), ctx.args.at(2));
    let Some(bytes) = changeable(ctx, key)? else {
        return Err(WireError::fixed("ERR The specified key does not exist"));
    };
    match subcommand.to_ascii_lowercase().as_slice() {
        b"getreg" => {
            let converted = hyperloglog::make_dense(bytes).map_err(|_| CORRUPT)?;
            let mut registers = Registers::default();
            registers.merge(bytes).map_err(|_| CORRUPT)?;
            ctx.change.dirty(usize::from(converted));
            ctx.reply.array(registers.values().len());
            registers.values().iter().for_each(|value| ctx.reply.int(i64::from(*value)));
        }
        b"decode" if hyperloglog::encoding(bytes) == Encoding::Dense => {
            return Err(WireError::fixed("ERR HLL encoding is not sparse"));
        }
        b"decode" => {
            let runs: Vec<String> = hyperloglog::runs(bytes).map(describe).collect();
            ctx.reply.bulk(runs.join(" ").as_bytes());
        }
        b"encoding" => {
            let encoding = hyperloglog::encoding(bytes);
            ctx.reply.status(if encoding == Encoding::Dense { "dense" } else { "sparse" });
        }
        b"todense" => {
            let converted = hyperloglog::make_dense(bytes).map_err(|_| CORRUPT)?;
            ctx.change.dirty(usize::from(converted));
            ctx.reply.int(i64::from(converted));
        }
        _ => {
            return Err(WireError::quoting(&[b"ERR Unknown PFDEBUG subcommand '", subcommand, b"'"]));
        }
    }
    Ok(Outcome::Done)
}

fn describe(run: Run) -> String {
    match run {
        Run { value: 0, length, is_long: false } => format!("z:{length}"),
        Run { value: 0, length, .. } => format!("Z:{length}"),
        Run { value, length, .. } => format!("v:{value},{length}"),
    }
}

/// Adds distinct elements to a dense and a sparse HyperLogLog, and compares at every power of ten.
pub(super) fn pfselftest(ctx: &mut Context<'_>) -> CommandResult {
    const ELEMENTS: u64 = 1_000_000;
    /// Standard errors that an estimate may be off.
    const TOLERANCE: f64 = 6.0;
    let max = super::sparse_max(ctx);
    let (mut dense, mut sparse) = (hyperloglog::empty(), hyperloglog::empty());
    hyperloglog::make_dense(&mut dense).map_err(|_| CORRUPT)?;
    let standard_error = 1.04 / (hyperloglog::REGISTERS as f64).sqrt();
    let (seed, mut checkpoint) = (rand::random::<u64>(), 1);
    for number in 1..=ELEMENTS {
        let element = (number ^ seed).to_le_bytes();
        for bytes in [&mut dense, &mut sparse] {
            hyperloglog::add(bytes, &element, max).map_err(|_| CORRUPT)?;
        }
        if number < checkpoint {
            continue;
        }
        if number < max as u64 / 2 && hyperloglog::encoding(&sparse) == Encoding::Dense {
            return Err(WireError::fixed("ERR TESTFAILED sparse encoding not used"));
        }
        let estimate = hyperloglog::estimate(&dense).map_err(|_| CORRUPT)?;
        if hyperloglog::estimate(&sparse) != Ok(estimate) {
            return Err(WireError::fixed("ERR TESTFAILED dense/sparse disagree"));
        }
        let error = estimate.abs_diff(number);
        if error > (standard_error * TOLERANCE * number as f64).ceil() as u64 {
            return Err(WireError::new(format!("ERR TESTFAILED Too big error. card:{number} abserr:{error}")));
        }
        checkpoint *= 10;
    }
    ctx.done_ok()
}
