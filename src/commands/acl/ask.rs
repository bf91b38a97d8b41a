//! ACL CAT, DRYRUN, GENPASS and HELP: answers that change nothing.

use crate::base::number::parse_i64;
use crate::catalog::{Categories, Group, Spec, flags};
use crate::commands::subcommand::wrong_arguments;
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::{OwnedArgs, WireError};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "acl|cat",
            arity: -2,
            flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL],
            group: Group::Server,
            since: "6.0.0",
            summary: "Shows which ACL categories there are, or what is in one.",
            complexity: "O(1) since the categories and commands are a fixed set.",
            args: "category?:string",
            ..Spec::BASE
        },
        run: acl_cat,
    },
    Command {
        spec: Spec {
            name: "acl|dryrun",
            arity: -4,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, SENTINEL],
            group: Group::Server,
            since: "7.0.0",
            summary: "Tells if a user may run a command, without running it.",
            complexity: "O(1).",
            args: "username:string command:string arg?*:string",
            ..Spec::BASE
        },
        run: acl_dryrun,
    },
    Command {
        spec: Spec {
            name: "acl|genpass",
            arity: -2,
            flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL],
            group: Group::Server,
            since: "6.0.0",
            summary: "Makes a random password.",
            complexity: "O(1)",
            args: "bits?:integer",
            ..Spec::BASE
        },
        run: acl_genpass,
    },
    Command {
        spec: Spec {
            name: "acl|help",
            arity: 2,
            flags: flags![LOADING, STALE, SENTINEL],
            group: Group::Server,
            since: "6.0.0",
            summary: "Lists what ACL can do.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: acl_help,
    },
];

pub(super) fn acl_cat(ctx: &mut Context<'_>) -> CommandResult {
    let reply = &mut ctx.reply;
    match ctx.args.len() {
        2 => {
            reply.array(Categories::NAMES.len());
            Categories::NAMES.iter().for_each(|(_, name)| reply.bulk(name.as_bytes()));
        }
        3 => {
            let name = ctx.args.at(2);
            let category = Categories::named(name)
                .ok_or_else(|| WireError::quoting(&[b"ERR Unknown category '", &name[..name.len().min(128)], b"'"]))?;
            let commands = ctx.engine.users.commands();
            reply.array(commands.in_category(category).count());
            commands.in_category(category).for_each(|position| reply.bulk(commands.spec(position).name.as_bytes()));
        }
        _ => return Err(wrong_arguments(ctx)),
    }
    Ok(Outcome::Done)
}

/// Where the request that is asked about begins.
const REQUEST: usize = 3;

pub(super) fn acl_dryrun(ctx: &mut Context<'_>) -> CommandResult {
    let engine = ctx.engine;
    let not_found =
        |what: &[u8], index| WireError::quoting(&[b"ERR ", what, b" '", ctx.args.at(index), b"' not found"]);
    let user = engine.users.get(ctx.args.at(2));
    let user = user.ok_or_else(|| not_found(b"User", 2))?;
    let request: OwnedArgs = ctx.args.from(REQUEST).collect();
    let request = request.as_args();
    // A container is a command, too, until one asks for what it contains.
    let row = match engine.table.position(request.at(0)) {
        Some(container) if request.len() == 1 => Some(container),
        _ => engine.table.resolve(request).ok(),
    };
    let row = row.ok_or_else(|| not_found(b"Command", REQUEST))?;
    let spec = &engine.table.row(row).spec;
    if !spec.accepts(request.len()) {
        return Err(WireError::wrong_arity(spec.name));
    }
    match user.check(row, spec, request) {
        Ok(()) => ctx.reply.ok(),
        Err(denial) => {
            let message = denial.full_message(user.name(), spec, denial.object(spec, request));
            ctx.reply.bulk(&message);
        }
    }
    Ok(Outcome::Done)
}

/// The longest password, and the one without asking, in bits.
const MAX_PASSWORD_BITS: i64 = 4096;
const DEFAULT_PASSWORD_BITS: i64 = 256;

pub(super) fn acl_genpass(ctx: &mut Context<'_>) -> CommandResult {
    let bits = match ctx.args.len() {
        2 => DEFAULT_PASSWORD_BITS,
        3 => parse_i64(ctx.args.at(2)).ok_or(WireError::NOT_INTEGER)?,
        _ => return Err(wrong_arguments(ctx)),
    };
    if !(1..=MAX_PASSWORD_BITS).contains(&bits) {
        return Err(WireError::fixed(
            "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096",
        ));
    }
    let digits = (bits as usize).div_ceil(4);
    let mut random = [0u8; (MAX_PASSWORD_BITS / 8) as usize];
    rand::fill(&mut random[..]);
    let hex: String = random.iter().take(digits.div_ceil(2)).map(|byte| format!("{byte:02x}")).collect();
    ctx.reply.bulk(&hex.as_bytes()[..digits]);
    Ok(Outcome::Done)
}

pub(super) fn acl_help(ctx: &mut Context<'_>) -> CommandResult {
    ctx.reply.help(
        "ACL",
        &[
            "CAT [<category>]",
            "    List all commands that belong to <category>, or all command categories",
            "    when no category is specified.",
            "DELUSER <username> [<username> ...]",
            "    Delete a list of users.",
            "DRYRUN <username> <command> [<arg> ...]",
            "    Returns whether the user can execute the given command without executing the command.",
            "GETUSER <username>",
            "    Get the user's details.",
            "GENPASS [<bits>]",
            "    Generate a secure 256-bit user password. The optional `bits` argument can",
            "    be used to specify a different size.",
            "LIST",
            "    Show users details in config file format.",
            "LOAD",
            "    Reload users from the ACL file.",
            "LOG [<count> | RESET]",
            "    Show the ACL log entries.",
            "SAVE",
            "    Save the current config to the ACL file.",
            "SETUSER <username> <attribute> [<attribute> ...]",
            "    Create or modify a user with the specified attributes.",
            "USERS",
            "    List all the registered usernames.",
            "WHOAMI",
            "    Return the current connection username.",
        ],
    );
    Ok(Outcome::Done)
}
