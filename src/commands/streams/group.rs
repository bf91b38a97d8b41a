//! Groups and their consumers: XGROUP.

use super::{no_group_of_key, now_ms, syntax};
use crate::catalog::{Categories, Group as CommandGroup, KeyFlags, KeySpec, Spec, flags, keys};
use crate::commands::subcommand::wrong_arguments;
use crate::data::stream::{Group, Stream, c_text};
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "xgroup",
            arity: -2,
            flags: flags![CONTAINER],
            group: CommandGroup::Stream,
            since: "5.0.0",
            summary: "Groups the commands that manage consumer groups.",
            complexity: "Depends on subcommand.",
            ..Spec::BASE
        },
        run: crate::commands::container,
    },
    Command {
        spec: Spec {
            name: "xgroup|create",
            arity: -5,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::STREAM,
            keys: keys::SECOND_ADD,
            group: CommandGroup::Stream,
            since: "5.0.0",
            summary: "Creates a group on a stream.",
            complexity: "O(1)",
            history: &[("7.0.0", "Added the `entries_read` named argument.")],
            args: "key:key group:string id-selector:(id:string | new-id=$) mkstream?=MKSTREAM \
                entries-read?=ENTRIESREAD:integer",
            ..Spec::BASE
        },
        run: xgroup_create,
    },
    Command {
        spec: Spec {
            name: "xgroup|setid",
            arity: -5,
            flags: flags![WRITE],
            categories: Categories::STREAM,
            keys: &[KeySpec::index(2, KeyFlags::CHANGE)],
            group: CommandGroup::Stream,
            since: "5.0.0",
            summary: "Changes from which ID on a group reads.",
            complexity: "O(1)",
            history: &[("7.0.0", "Added the optional `entries_read` argument.")],
            args: "key:key group:string id-selector:(id:string | new-id=$) \
                entriesread<entries-read>?=ENTRIESREAD:integer",
            ..Spec::BASE
        },
        run: xgroup_setid,
    },
    Command {
        spec: Spec {
            name: "xgroup|destroy",
            arity: 4,
            flags: flags![WRITE],
            categories: Categories::STREAM,
            keys: keys::SECOND_REMOVE,
            group: CommandGroup::Stream,
            since: "5.0.0",
            summary: "Removes a whole group.",
            complexity: "O(N) where N is the number of entries in the group's pending entries list (PEL).",
            args: "key:key group:string",
            ..Spec::BASE
        },
        run: xgroup_destroy,
    },
    Command {
        spec: Spec {
            name: "xgroup|createconsumer",
            arity: 5,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::STREAM,
            keys: keys::SECOND_ADD,
            group: CommandGroup::Stream,
            since: "6.2.0",
            summary: "Adds a consumer to a group.",
            complexity: "O(1)",
            args: "key:key group:string consumer:string",
            ..Spec::BASE
        },
        run: xgroup_createconsumer,
    },
    Command {
        spec: Spec {
            name: "xgroup|delconsumer",
            arity: 5,
            flags: flags![WRITE],
            categories: Categories::STREAM,
            keys: keys::SECOND_REMOVE,
            group: CommandGroup::Stream,
            since: "5.0.0",
            summary: "Removes a consumer, with its pending entries.",
            complexity: "O(1)",
            args: "key:key group:string consumer:string",
            ..Spec::BASE
        },
        run: xgroup_delconsumer,
    },
    Command {
        spec: Spec {
            name: "xgroup|help",
            arity: 2,
            flags: flags![LOADING, STALE],
            categories: Categories::STREAM,
            group: CommandGroup::Stream,
            since: "5.0.0",
            summary: "Lists what XGROUP can do.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: xgroup_help,
    },
];

const NO_KEY: WireError = WireError::fixed(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to \
     create an empty stream automatically.",
);

/// The options of CREATE and SETID.
#[derive(Default)]
struct Options {
    make_stream: bool,
    /// ENTRIESREAD; `None` for not known.
    entries_read: Option<u64>,
}

impl Options {
    fn parse(ctx: &Context<'_>, for_create: bool) -> Result<Self, WireError> {
        const NEGATIVE: WireError = WireError::fixed("ERR value for ENTRIESREAD must be positive or -1");
        let mut options = Self::default();
        let mut index = 5;
        while index < ctx.args.len() {
            if for_create && ctx.args.is(index, "MKSTREAM") {
                options.make_stream = true;
                index += 1;
            } else if ctx.args.is(index, "ENTRIESREAD") && index + 1 < ctx.args.len() {
                options.entries_read = match ctx.int(index + 1)? {
                    -1 => None,
                    count => Some(u64::try_from(count).map_err(|_| NEGATIVE)?),
                };
                index += 2;
            } else {
                return Err(wrong_arguments(ctx));
            }
        }
        Ok(options)
    }
}

pub(super) fn xgroup_create(ctx: &mut Context<'_>) -> CommandResult {
    const TAKEN: WireError = WireError::fixed("BUSYGROUP Consumer Group name already exists");
    let options = Options::parse(ctx, true)?;
    let (key, name, id) = (ctx.args.at(2), ctx.args.at(3), ctx.args.at(4));
    let last_id = ctx.keys.write::<Stream>(key)?.map(|stream| stream.log.last_id());
    if last_id.is_none() && !options.make_stream {
        return Err(NO_KEY);
    }
    if ctx.args.len() > 8 {
        return Err(wrong_arguments(ctx));
    }
    let id = match c_text(id) {
        b"$" => last_id.unwrap_or_default(),
        _ => syntax::id(id)?,
    };
    if last_id.is_none() {
        ctx.keys.set_container(key, Stream::new());
        ctx.touched(key);
    }
    let stream = ctx.keys.write_or_create::<Stream>(key)?;
    if !stream.groups.add(name, Group::new(id, options.entries_read)) {
        return Err(TAKEN);
    }
    ctx.change.dirty(1);
    ctx.notify(EventClass::STREAM, "xgroup-create", key);
    ctx.done_ok()
}

/// The group that a subcommand names, which must be there.
fn named<'c>(ctx: &'c mut Context<'_>) -> Result<&'c mut Group, WireError> {
    let (key, name) = (ctx.args.at(2), ctx.args.at(3));
    let stream = ctx.keys.write::<Stream>(key)?.ok_or(NO_KEY)?;
    stream.groups.get_mut(name).ok_or_else(|| no_group_of_key(name, key))
}

pub(super) fn xgroup_setid(ctx: &mut Context<'_>) -> CommandResult {
    let options = Options::parse(ctx, false)?;
    named(ctx)?;
    if !matches!(ctx.args.len(), 5 | 7) {
        return Err(wrong_arguments(ctx));
    }
    let (key, id) = (ctx.args.at(2), ctx.args.at(4));
    let id = match c_text(id) {
        b"$" => ctx.keys.write::<Stream>(key)?.map(|stream| stream.log.last_id()).unwrap_or_default(),
        _ => syntax::id_or_end(id, 0)?,
    };
    let group = named(ctx)?;
    group.last_id = id;
    group.entries_read = options.entries_read;
    ctx.change.dirty(1);
    ctx.notify(EventClass::STREAM, "xgroup-setid", key);
    ctx.done_ok()
}

pub(super) fn xgroup_destroy(ctx: &mut Context<'_>) -> CommandResult {
    let (key, name) = (ctx.args.at(2), ctx.args.at(3));
    let removed = ctx.keys.write::<Stream>(key)?.ok_or(NO_KEY)?.groups.remove(name);
    if removed {
        ctx.change.dirty(1);
        ctx.notify(EventClass::STREAM, "xgroup-destroy", key);
        ctx.keys.wake(key);
    }
    ctx.done_int(i64::from(removed))
}

pub(super) fn xgroup_createconsumer(ctx: &mut Context<'_>) -> CommandResult {
    let (consumer, now) = (ctx.args.at(4), now_ms(ctx));
    let created = named(ctx)?.add_consumer(consumer, now).is_some();
    if created {
        ctx.change.dirty(1);
        ctx.notify(EventClass::STREAM, "xgroup-createconsumer", ctx.args.at(2));
    }
    ctx.done_int(i64::from(created))
}

pub(super) fn xgroup_delconsumer(ctx: &mut Context<'_>) -> CommandResult {
    let consumer = ctx.args.at(4);
    let removed = named(ctx)?.remove_consumer(consumer);
    if removed.is_some() {
        ctx.change.dirty(1);
        ctx.notify(EventClass::STREAM, "xgroup-delconsumer", ctx.args.at(2));
    }
    ctx.done_int(removed.unwrap_or(0) as i64)
}

pub(super) fn xgroup_help(ctx: &mut Context<'_>) -> CommandResult {
    ctx.reply.help(
        "XGROUP",
        &[
            "CREATE <key> <groupname> <id|$> [option]",
            "    Create a new consumer group. Options are:",
            "    * MKSTREAM",
            "      Create the empty stream if it does not exist.",
            "    * ENTRIESREAD entries_read",
            "      Set the group's entries_read counter (internal use).",
            "CREATECONSUMER <key> <groupname> <consumer>",
            "    Create a new consumer in the specified group.",
            "DELCONSUMER <key> <groupname> <consumer>",
            "    Remove the specified consumer.",
            "DESTROY <key> <groupname>",
            "    Remove the specified group.",
            "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
            "    Set the current group ID and entries_read counter.",
        ],
    );
    Ok(Outcome::Done)
}
