//! All commands: one folder per group, one file per concept; a row beside each handler. What Redis 7.2 does not have is listed in
//! [`additions`].

pub mod acl;
pub mod additions;
pub mod bitmaps;
pub mod cluster;
pub mod connection;
pub mod expire_time;
pub mod functions;
pub mod generic;
pub mod geo;
pub mod hashes;
pub mod hyperloglog;
pub mod lifecycle;
pub mod limit;
pub mod lists;
pub mod multi_pop;
pub mod pubsub;
pub mod range;
pub mod replication;
pub mod scan_options;
pub mod scripting;
pub mod server;
pub mod sets;
pub mod streams;
pub mod strings;
pub mod subcommand;
#[cfg(test)]
mod tests;
pub mod transactions;
pub mod zsets;

use crate::engine::{Command, CommandResult, CommandTable, Context, Outcome};
use crate::resp::WireError;

/// The table of all commands.
pub fn table() -> CommandTable {
    let groups = [
        acl::GROUP,
        bitmaps::GROUP,
        cluster::GROUP,
        connection::GROUP,
        functions::GROUP,
        generic::GROUP,
        geo::GROUP,
        hashes::GROUP,
        hyperloglog::GROUP,
        lifecycle::GROUP,
        lists::GROUP,
        pubsub::GROUP,
        replication::GROUP,
        scripting::GROUP,
        server::GROUP,
        sets::GROUP,
        streams::GROUP,
        strings::GROUP,
        transactions::GROUP,
        zsets::GROUP,
    ];
    let files: Vec<&'static [Command]> = groups.into_iter().flatten().copied().collect();
    CommandTable::new(&files)
}

/// What a container answers when it is called without a subcommand (its arity usually refuses that before).
pub fn container(ctx: &mut Context<'_>) -> CommandResult {
    let error = WireError::wrong_arity(ctx.command.spec.name);
    ctx.reply.error(&error);
    Ok(Outcome::Done)
}
