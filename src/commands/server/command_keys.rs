//! COMMAND GETKEYS and COMMAND GETKEYSANDFLAGS: which arguments of a request are keys.

use super::command_info::reply_names;
use crate::base::release::{RELEASE, Release};
use crate::catalog::{Categories, Group, Spec, flags};
use crate::catalog::{Flags, KeyFlags, for_each_key};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::{OwnedArgs, WireError};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "command|getkeys",
            arity: ARITY,
            flags: flags![LOADING, STALE, SENTINEL],
            categories: Categories::CONNECTION,
            group: Group::Server,
            since: "2.8.13",
            summary: "Picks the keys out of a full command line.",
            complexity: "O(N) where N is the number of arguments to the command",
            args: "command:string arg?*:string",
            ..Spec::BASE
        },
        run: command_getkeys,
    },
    Command {
        spec: Spec {
            name: "command|getkeysandflags",
            arity: ARITY,
            flags: flags![LOADING, STALE, SENTINEL],
            categories: Categories::CONNECTION,
            group: Group::Server,
            since: "7.0.0",
            summary: "Picks keys, and what happens to them, out of a command line.",
            complexity: "O(N) where N is the number of arguments to the command",
            args: "command:string arg?*:string",
            ..Spec::BASE
        },
        run: command_getkeysandflags,
    },
];

/// Redis 7.0 wants the request to have an argument, 7.2 only a name.
const ARITY: i32 = match RELEASE {
    Release::Redis70 => -4,
    Release::Redis72 => -3,
};

/// Where the request that is asked about begins.
const REQUEST: usize = 2;

pub(super) fn command_getkeys(ctx: &mut Context<'_>) -> CommandResult {
    let keys = find_keys(ctx)?;
    ctx.reply.array(keys.len());
    for (index, _) in keys {
        ctx.reply.bulk(ctx.args.at(REQUEST + index));
    }
    Ok(Outcome::Done)
}

pub(super) fn command_getkeysandflags(ctx: &mut Context<'_>) -> CommandResult {
    let keys = find_keys(ctx)?;
    ctx.reply.array(keys.len());
    for (index, flags) in keys {
        ctx.reply.array(2);
        ctx.reply.bulk(ctx.args.at(REQUEST + index));
        reply_names(&mut ctx.reply, flags.names());
    }
    Ok(Outcome::Done)
}

/// The positions of the keys in the request that is asked about.
fn find_keys(ctx: &Context<'_>) -> Result<Vec<(usize, KeyFlags)>, WireError> {
    let request: OwnedArgs = ctx.args.from(REQUEST).collect();
    let request = request.as_args();
    let Ok(row) = ctx.engine.table.resolve(request) else {
        return Err(WireError::fixed("ERR Invalid command specified"));
    };
    let spec = &ctx.engine.table.row(row).spec;
    if !spec.has_keys() {
        return Err(WireError::fixed("ERR The command has no key arguments"));
    }
    if !spec.accepts(request.len()) {
        return Err(WireError::fixed("ERR Invalid number of arguments specified for command"));
    }
    let mut keys = Vec::new();
    let complete =
        for_each_key(spec, request.len(), |index| request.at(index), |index, flags| keys.push((index, flags)));
    match complete {
        true => Ok(keys),
        false if spec.flags.contains(Flags::NO_MANDATORY_KEYS) => Ok(Vec::new()),
        false => Err(WireError::fixed("ERR Invalid arguments specified for command")),
    }
}
