//! INFO's sections on commands: calls and time, errors, latency.

use super::text::{Text, safe_name};
use crate::config::values::Percentiles;
use crate::engine::Context;
use crate::metrics::Histogram;

pub(super) fn write_stats(ctx: &Context<'_>, text: &mut Text) {
    text.section("Commandstats");
    for (row, command) in ctx.engine.table.rows().iter().enumerate() {
        let figures = ctx.engine.command_figures(row);
        if figures.calls == 0 && figures.rejected == 0 && figures.failed == 0 {
            continue;
        }
        let micros = figures.nanos / 1000;
        let per_call = if figures.calls == 0 { 0.0 } else { micros as f64 / figures.calls as f64 };
        text.field(
            format_args!("cmdstat_{}", command.spec.name),
            format_args!(
                "calls={},usec={micros},usec_per_call={per_call:.2},rejected_calls={},failed_calls={}",
                figures.calls, figures.rejected, figures.failed
            ),
        );
    }
}

pub(super) fn write_errors(ctx: &Context<'_>, text: &mut Text) {
    text.section("Errorstats");
    for (code, count) in ctx.engine.errors.all() {
        text.field(format_args!("errorstat_{}", safe_name(&code)), format_args!("count={count}"));
    }
}

pub(super) fn write_latency(ctx: &Context<'_>, text: &mut Text) {
    text.section("Latencystats");
    let logging = &ctx.settings.logging;
    if !logging.latency_tracking {
        return;
    }
    for (row, command) in ctx.engine.table.rows().iter().enumerate() {
        let counts = ctx.engine.command_figures(row).latency;
        if counts.iter().all(|count| *count == 0) {
            continue;
        }
        let percentiles: Vec<String> = logging
            .latency_tracking_info_percentiles
            .0
            .iter()
            .map(|percent| {
                let micros = Histogram::percentile(&counts, *percent) as f64 / 1000.0;
                format!("p{}={micros:.3}", Percentiles::text(*percent))
            })
            .collect();
        text.field(format_args!("latency_percentiles_usec_{}", command.spec.name), percentiles.join(","));
    }
}
