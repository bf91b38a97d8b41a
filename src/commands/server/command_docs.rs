//! COMMAND DOCS: what commands do and which arguments they take, for people and for the tools that help them type.

use super::command_info::{named, reply_names, subcommands, top_level};
use crate::catalog::{Argument, parse_args};
use crate::catalog::{Categories, Group, Spec, flags};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::Reply;

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "command|docs",
        arity: -2,
        flags: flags![LOADING, STALE, SENTINEL],
        categories: Categories::CONNECTION,
        group: Group::Server,
        since: "7.0.0",
        summary: "Shows the documentation of commands.",
        complexity: "O(N) where N is the number of commands to look up",
        tips: &["nondeterministic_output_order"],
        args: "command-name?*:string",
        ..Spec::BASE
    },
    run: command_docs,
}];

pub(super) fn command_docs(ctx: &mut Context<'_>) -> CommandResult {
    let rows = ctx.engine.table.rows();
    let commands: Vec<&'static Command> = if ctx.args.len() == 2 {
        top_level(ctx).collect()
    } else {
        ctx.args.from(2).filter_map(|name| named(ctx, name)).collect()
    };
    ctx.reply.map(commands.len());
    for command in commands {
        ctx.reply.bulk(command.spec.name.as_bytes());
        reply_docs(&mut ctx.reply, rows, command);
    }
    Ok(Outcome::Done)
}

/// A map whose pairs are counted as they are written.
struct Pairs<'r, 'a> {
    reply: &'r mut Reply<'a>,
    count: usize,
}

impl Pairs<'_, '_> {
    /// The name of a pair; its value follows.
    fn name(&mut self, name: &str) -> &mut Self {
        self.count += 1;
        self.reply.bulk(name.as_bytes());
        self
    }

    fn text(&mut self, name: &str, text: &str) {
        self.name(name).reply.bulk(text.as_bytes());
    }

    /// A pair that is left out where its text is empty.
    fn text_if_any(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.text(name, text);
        }
    }
}

/// Writes a map whose length shows only while it is written.
fn reply_pairs(reply: &mut Reply<'_>, write: impl FnOnce(&mut Pairs<'_, '_>)) {
    let mark = reply.deferred();
    let mut pairs = Pairs { reply, count: 0 };
    write(&mut pairs);
    let count = pairs.count;
    reply.end_map(mark, count);
}

fn reply_docs(reply: &mut Reply<'_>, rows: &'static [&'static Command], command: &'static Command) {
    let spec = &command.spec;
    reply_pairs(reply, |pairs| {
        pairs.text_if_any("summary", spec.summary);
        pairs.text_if_any("since", spec.since);
        pairs.text("group", spec.group.name());
        pairs.text_if_any("complexity", spec.complexity);
        if spec.doc_flags().next().is_some() {
            reply_names(pairs.name("doc_flags").reply, spec.doc_flags());
        }
        if let Some(deprecated) = spec.deprecated {
            pairs.text("deprecated_since", deprecated.since);
            pairs.text_if_any("replaced_by", deprecated.replaced_by);
        }
        if !spec.history.is_empty() {
            let reply = &mut *pairs.name("history").reply;
            reply.set(spec.history.len());
            for (version, change) in spec.history {
                reply.array(2);
                reply.bulk(version.as_bytes());
                reply.bulk(change.as_bytes());
            }
        }
        // A test of the catalog proves that every grammar can be read.
        let arguments = parse_args(spec.args).unwrap_or_default();
        if !arguments.is_empty() {
            reply_arguments(pairs.name("arguments").reply, &arguments);
        }
        if spec.is_container() {
            let subcommands = subcommands(rows, spec.name);
            let reply = &mut *pairs.name("subcommands").reply;
            reply.map(subcommands.clone().count());
            for subcommand in subcommands {
                reply.bulk(subcommand.spec.name.as_bytes());
                reply_docs(reply, rows, subcommand);
            }
        }
    });
}

fn reply_arguments(reply: &mut Reply<'_>, arguments: &[Argument]) {
    reply.array(arguments.len());
    for argument in arguments {
        reply_pairs(reply, |pairs| reply_argument(pairs, argument));
    }
}

fn reply_argument(pairs: &mut Pairs<'_, '_>, argument: &Argument) {
    pairs.text("name", argument.name);
    pairs.text("type", argument.kind.name());
    if let Some(text) = argument.display_text {
        pairs.text("display_text", text);
    }
    if let Some(index) = argument.key_spec_index {
        pairs.name("key_spec_index").reply.count(index);
    }
    // A token may be the empty string.
    if let Some(token) = argument.token {
        pairs.text("token", token);
    }
    if let Some(since) = argument.since {
        pairs.text("since", since);
    }
    if let Some(since) = argument.deprecated_since {
        pairs.text("deprecated_since", since);
    }
    if argument.flag_names().next().is_some() {
        reply_names(pairs.name("flags").reply, argument.flag_names());
    }
    if !argument.arguments.is_empty() {
        reply_arguments(pairs.name("arguments").reply, &argument.arguments);
    }
}
