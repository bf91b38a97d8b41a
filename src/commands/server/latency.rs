//! LATENCY: spikes of named activities, and how long commands take.

use super::latency_report;
use crate::catalog::{Group, Spec, flags};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::metrics::EventSummary;
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "latency",
            arity: -2,
            flags: flags![CONTAINER],
            group: Group::Server,
            since: "2.8.13",
            summary: "Groups the commands about slow moments.",
            complexity: "Depends on subcommand.",
            ..Spec::BASE
        },
        run: crate::commands::container,
    },
    Command {
        spec: Spec {
            name: "latency|latest",
            arity: 2,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
            group: Group::Server,
            since: "2.8.13",
            summary: "Shows each event's last slow moment.",
            complexity: "O(1)",
            tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
            ..Spec::BASE
        },
        run: latency_latest,
    },
    Command {
        spec: Spec {
            name: "latency|history",
            arity: 3,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
            group: Group::Server,
            since: "2.8.13",
            summary: "Shows recent slow moments of one event.",
            complexity: "O(1)",
            tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
            args: "event:string",
            ..Spec::BASE
        },
        run: latency_history,
    },
    Command {
        spec: Spec {
            name: "latency|reset",
            arity: -2,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
            group: Group::Server,
            since: "2.8.13",
            summary: "Forgets the slow moments of some or all events.",
            complexity: "O(1)",
            tips: &["request_policy:all_nodes", "response_policy:agg_sum"],
            args: "event?*:string",
            ..Spec::BASE
        },
        run: latency_reset,
    },
    Command {
        spec: Spec {
            name: "latency|graph",
            arity: 3,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
            group: Group::Server,
            since: "2.8.13",
            summary: "Draws the slow moments of one event.",
            complexity: "O(1)",
            tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
            args: "event:string",
            ..Spec::BASE
        },
        run: latency_graph,
    },
    Command {
        spec: Spec {
            name: "latency|doctor",
            arity: 2,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
            group: Group::Server,
            since: "2.8.13",
            summary: "Explains slow moments in plain words.",
            complexity: "O(1)",
            tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
            ..Spec::BASE
        },
        run: latency_doctor,
    },
    Command {
        spec: Spec {
            name: "latency|help",
            arity: 2,
            flags: flags![LOADING, STALE],
            group: Group::Server,
            since: "2.8.13",
            summary: "Lists what LATENCY can do.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: latency_help,
    },
];

pub(super) fn latency_latest(ctx: &mut Context<'_>) -> CommandResult {
    let events = ctx.engine.latency.latest();
    ctx.reply.array(events.len());
    for EventSummary { name, at, latest, max } in events {
        ctx.reply.array(4);
        ctx.reply.bulk(name.as_bytes());
        ctx.reply.int(at);
        ctx.reply.int(latest as i64);
        ctx.reply.int(max as i64);
    }
    Ok(Outcome::Done)
}

pub(super) fn latency_history(ctx: &mut Context<'_>) -> CommandResult {
    let samples = ctx.engine.latency.history(&event_name(ctx.args.at(2)));
    ctx.reply.array(samples.len());
    for (at, millis) in samples {
        ctx.reply.array(2);
        ctx.reply.int(at);
        ctx.reply.int(millis as i64);
    }
    Ok(Outcome::Done)
}

pub(super) fn latency_reset(ctx: &mut Context<'_>) -> CommandResult {
    let latency = &ctx.engine.latency;
    let count = if ctx.args.len() == 2 {
        latency.reset_all()
    } else {
        ctx.args.from(2).filter(|event| latency.reset(&event_name(event))).count()
    };
    ctx.done_int(count as i64)
}

pub(super) fn latency_graph(ctx: &mut Context<'_>) -> CommandResult {
    let name = event_name(ctx.args.at(2));
    let summary = ctx.engine.latency.latest().into_iter().find(|event| event.name == name);
    let Some(summary) = summary else {
        return Err(WireError::new(format!("ERR No samples available for event '{name}'")));
    };
    let samples = ctx.engine.latency.history(&name);
    let graph = latency_report::graph(&summary, &samples, ctx.now().seconds());
    ctx.reply.verbatim("txt", graph.as_bytes());
    Ok(Outcome::Done)
}

pub(super) fn latency_doctor(ctx: &mut Context<'_>) -> CommandResult {
    let threshold_ms = ctx.settings.logging.latency_monitor_threshold;
    let events: Vec<_> = ctx
        .engine
        .latency
        .latest()
        .into_iter()
        .map(|event| (ctx.engine.latency.history(event.name), event))
        .map(|(samples, event)| (event, samples))
        .collect();
    let report = latency_report::doctor(threshold_ms, &events);
    ctx.reply.verbatim("txt", report.as_bytes());
    Ok(Outcome::Done)
}

pub(super) fn latency_help(ctx: &mut Context<'_>) -> CommandResult {
    ctx.reply.help(
        "LATENCY",
        &[
            "DOCTOR",
            "    Return a human readable latency analysis report.",
            "GRAPH <event>",
            "    Return an ASCII latency graph for the <event> class.",
            "HISTORY <event>",
            "    Return time-latency samples for the <event> class.",
            "LATEST",
            "    Return the latest latency samples for all events.",
            "RESET [<event> ...]",
            "    Reset latency data of one or more <event> classes.",
            "    (default: reset all data for all event classes)",
            "HISTOGRAM [COMMAND ...]",
            "    Return a cumulative distribution of latencies in the format of a histogram for the specified command names.",
            "    If no commands are specified then all histograms are replied.",
        ],
    );
    Ok(Outcome::Done)
}

/// The name in an argument; what is not text is the name of no event.
fn event_name(argument: &[u8]) -> String {
    String::from_utf8_lossy(argument).into_owned()
}
