//! ACL LOG: what was refused recently.

use crate::base::number::parse_i64;
use crate::catalog::{Group, Spec, flags};
use crate::commands::subcommand::wrong_arguments;
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "acl|log",
        arity: -2,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, SENTINEL],
        group: Group::Server,
        since: "6.0.0",
        summary: "Shows or clears recent refusals.",
        complexity: "O(N) with N being the number of entries shown.",
        history: &[("7.2.0", "Added entry ID, timestamp created, and timestamp last updated.")],
        args: "operation?:(count:integer | reset=RESET)",
        ..Spec::BASE
    },
    run: acl_log,
}];

/// Entries that are shown when no number is given.
const DEFAULT_COUNT: usize = 10;

pub(super) fn acl_log(ctx: &mut Context<'_>) -> CommandResult {
    let count = match ctx.args.get(2) {
        None => DEFAULT_COUNT,
        Some(_) if ctx.args.len() > 3 => return Err(wrong_arguments(ctx)),
        Some(word) if word.eq_ignore_ascii_case(b"reset") => {
            ctx.engine.acl_log.clear();
            return ctx.done_ok();
        }
        Some(word) => usize::try_from(parse_i64(word).ok_or(WireError::NOT_INTEGER)?).unwrap_or(0),
    };
    let entries = ctx.engine.acl_log.newest(count);
    let now = ctx.now().0;
    let reply = &mut ctx.reply;
    reply.array(entries.len());
    for entry in entries {
        reply.map(10);
        reply.bulk(b"count");
        reply.int(entry.count as i64);
        for (field, value) in [
            ("reason", entry.refused.name().as_bytes()),
            ("context", entry.occasion.name().as_bytes()),
            ("object", &*entry.object),
            ("username", &*entry.user),
        ] {
            reply.bulk(field.as_bytes());
            reply.bulk(value);
        }
        reply.bulk(b"age-seconds");
        reply.double((now - entry.updated_ms).max(0) as f64 / 1000.0);
        reply.bulk(b"client-info");
        reply.bulk(entry.client.as_bytes());
        for (field, value) in [
            ("entry-id", entry.id as i64),
            ("timestamp-created", entry.created_ms),
            ("timestamp-last-updated", entry.updated_ms),
        ] {
            reply.bulk(field.as_bytes());
            reply.int(value);
        }
    }
    Ok(Outcome::Done)
}
