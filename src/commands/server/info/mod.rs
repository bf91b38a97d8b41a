//! INFO: sections of fields.
//!
//! Each section is a function in its own file; the table below says in which order they come and which ones INFO shows
//! when none is asked for.

mod clients;
mod commands;
mod cpu;
mod keyspace;
mod memory;
mod persistence;
mod replication;
mod server;
mod stats;
mod text;
mod tls;

use crate::catalog::{Categories, Group, Spec, flags};
use text::Text;

use crate::engine::{Command, CommandResult, Context, Outcome};

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "info",
        arity: -1,
        flags: flags![LOADING, STALE, SENTINEL],
        categories: Categories::DANGEROUS,
        group: Group::Server,
        since: "1.0.0",
        summary: "Reports the state and counters of the server.",
        complexity: "O(1)",
        history: &[("7.0.0", "Added support for taking multiple section arguments.")],
        tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        args: "section?*:string",
        ..Spec::BASE
    },
    run: info,
}];

/// Writes one section.
type Write = fn(&Context<'_>, &mut Text);

struct Section {
    /// The name to ask for it.
    name: &'static str,
    /// Whether it is shown when none is asked for.
    default: bool,
    write: Write,
}

const fn shown(name: &'static str, write: Write) -> Section {
    Section { name, default: true, write }
}

const fn on_demand(name: &'static str, write: Write) -> Section {
    Section { name, default: false, write }
}

const SECTIONS: &[Section] = &[
    shown("server", server::write),
    shown("clients", clients::write),
    shown("memory", memory::write),
    shown("persistence", persistence::write),
    shown("stats", stats::write),
    shown("replication", replication::write),
    shown("cpu", cpu::write),
    shown("modules", modules),
    on_demand("commandstats", commands::write_stats),
    shown("errorstats", commands::write_errors),
    on_demand("latencystats", commands::write_latency),
    shown("cluster", cluster),
    shown("tls", tls::write),
    shown("keyspace", keyspace::write),
];

pub(super) fn info(ctx: &mut Context<'_>) -> CommandResult {
    let mut text = Text::default();
    for section in SECTIONS.iter().filter(|section| is_wanted(ctx, section)) {
        (section.write)(ctx, &mut text);
    }
    ctx.reply.verbatim("txt", text.as_bytes());
    Ok(Outcome::Done)
}

fn is_wanted(ctx: &Context<'_>, section: &Section) -> bool {
    let mut asked = ctx.args.from(1).peekable();
    if asked.peek().is_none() {
        return section.default;
    }
    asked.any(|word| match word.to_ascii_lowercase().as_slice() {
        b"all" | b"everything" => true,
        b"default" => section.default,
        b"module_list" => section.name == "modules",
        name => name == section.name.as_bytes(),
    })
}

/// There are none; clients expect the section.
fn modules(_: &Context<'_>, text: &mut Text) {
    text.section("Modules");
}

fn cluster(ctx: &Context<'_>, text: &mut Text) {
    text.section("Cluster");
    text.flag("cluster_enabled", ctx.settings.cluster.cluster_enabled);
}
