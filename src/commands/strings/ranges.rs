//! Parts of a string: APPEND, STRLEN, SETRANGE, GETRANGE.

use super::basic::check_length;
use crate::catalog::{Categories, Deprecated, Group, Spec, flags, keys};
use crate::commands::range::clamp;
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome};
use crate::keyspace::KeepExpiry;
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "append",
            arity: 3,
            flags: flags![WRITE, DENYOOM, FAST],
            categories: Categories::STRING,
            keys: keys::FIRST_ADD,
            group: Group::String,
            since: "2.0.0",
            summary: "Adds bytes to the end of a string, starting from an empty one.",
            complexity: "O(1). The amortized time complexity is O(1) assuming the appended value is small and the \
                already present value is of any size, since the dynamic string library used by Redis will double the \
                free space available on every reallocation.",
            args: "key:key value:string",
            ..Spec::BASE
        },
        run: append,
    },
    Command {
        spec: Spec {
            name: "strlen",
            arity: 2,
            flags: flags![READONLY, FAST],
            categories: Categories::STRING,
            keys: keys::FIRST_RO,
            group: Group::String,
            since: "2.2.0",
            summary: "Counts the bytes of a string.",
            complexity: "O(1)",
            args: "key:key",
            ..Spec::BASE
        },
        run: strlen,
    },
    Command {
        spec: Spec {
            name: "setrange",
            arity: 4,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::STRING,
            keys: keys::FIRST_CHANGE,
            group: Group::String,
            since: "2.2.0",
            summary: "Writes bytes into a string from an offset on, growing it as needed.",
            complexity: "O(1), not counting the time taken to copy the new string in place. Usually, this string is \
                very small so the amortized complexity is O(1). Otherwise, complexity is O(M) with M being the length \
                of the value argument.",
            args: "key:key offset:integer value:string",
            ..Spec::BASE
        },
        run: setrange,
    },
    Command {
        spec: Spec {
            name: "substr",
            arity: 4,
            flags: flags![READONLY],
            categories: Categories::STRING,
            keys: keys::FIRST_READ,
            group: Group::String,
            since: "1.0.0",
            summary: "Reads a part of a string; the former name of GETRANGE.",
            complexity: "O(N) where N is the length of the returned string. The complexity is ultimately determined \
                by the returned length, but because creating a substring from an existing string is very cheap, it \
                can be considered O(1) for small strings.",
            deprecated: Some(Deprecated { since: "2.0.0", replaced_by: "`GETRANGE`" }),
            args: "key:key start:integer end:integer",
            ..Spec::BASE
        },
        run: substr,
    },
    Command {
        spec: Spec {
            name: "getrange",
            arity: 4,
            flags: flags![READONLY],
            categories: Categories::STRING,
            keys: keys::FIRST_READ,
            group: Group::String,
            since: "2.4.0",
            summary: "Reads a part of a string, by byte offsets.",
            complexity: "O(N) where N is the length of the returned string. The complexity is ultimately determined \
                by the returned length, but because creating a substring from an existing string is very cheap, it \
                can be considered O(1) for small strings.",
            args: "key:key start:integer end:integer",
            ..Spec::BASE
        },
        run: getrange,
    },
];

pub(super) fn append(ctx: &mut Context<'_>) -> CommandResult {
    let (key, value) = (ctx.args.at(1), ctx.args.at(2));
    let length = match ctx.keys.string_for_write(key)?.map(|string| string.len()) {
        None => {
            ctx.keys.set_string(key, value, KeepExpiry::Set(None));
            value.len()
        }
        Some(old) => {
            check_length(ctx, old as u64 + value.len() as u64)?;
            match ctx.keys.string_mut(key)? {
                Some(bytes) => bytes.extend_from_slice(value),
                None => return Err(WireError::NO_SUCH_KEY),
            }
            old + value.len()
        }
    };
    ctx.change.dirty(1);
    ctx.changed(EventClass::STRING, "append", key);
    ctx.done_int(length as i64)
}

pub(super) fn strlen(ctx: &mut Context<'_>) -> CommandResult {
    let length = ctx.keys.string(ctx.args.at(1))?.map_or(0, |string| string.len());
    ctx.done_int(length as i64)
}

pub(super) fn setrange(ctx: &mut Context<'_>) -> CommandResult {
    let (key, value) = (ctx.args.at(1), ctx.args.at(3));
    let offset = ctx.int(2)?;
    let Ok(offset) = usize::try_from(offset) else {
        return Err(WireError::fixed("ERR offset is out of range"));
    };
    let old = ctx.keys.string_for_write(key)?.map(|string| string.len());
    if value.is_empty() {
        return ctx.done_int(old.unwrap_or(0) as i64);
    }
    let end = offset.saturating_add(value.len());
    check_length(ctx, end as u64)?;
    if old.is_none() {
        ctx.keys.set_string(key, b"", KeepExpiry::Set(None));
    }
    let Some(bytes) = ctx.keys.string_mut(key)? else { return Err(WireError::NO_SUCH_KEY) };
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(value);
    let length = bytes.len();
    ctx.change.dirty(1);
    ctx.changed(EventClass::STRING, "setrange", key);
    ctx.done_int(length as i64)
}

/// The old name of GETRANGE.
pub(super) fn substr(ctx: &mut Context<'_>) -> CommandResult {
    getrange(ctx)
}

pub(super) fn getrange(ctx: &mut Context<'_>) -> CommandResult {
    let (start, end) = (ctx.int(2)?, ctx.int(3)?);
    let mut digits = itoa::Buffer::new();
    let part = match ctx.keys.string(ctx.args.at(1))? {
        None => &[][..],
        Some(string) => {
            let bytes = string.bytes(&mut digits);
            clamp(start, end, bytes.len()).map_or(&[][..], |range| &bytes[range])
        }
    };
    ctx.reply.bulk(part);
    Ok(Outcome::Done)
}
