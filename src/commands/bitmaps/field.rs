//! Integer fields: BITFIELD, BITFIELD_RO.

use super::arithmetic::{FieldType, Overflow};
use super::{grown, offset};
use crate::catalog::{Categories, Group, KeyFinder, Spec, flags, keys};
use crate::catalog::{KeyFlags, KeySpec};
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "bitfield",
            arity: -2,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::BITMAP,
            keys: &[KeySpec::index(1, KeyFlags::EXCHANGE.union(KeyFlags::VARIABLE_FLAGS))
                .notes("This command allows both access and modification of the key")],
            finder: KeyFinder::Bitfield,
            group: Group::Bitmap,
            since: "3.2.0",
            summary: "Reads and writes integers of any width inside a string.",
            complexity: "O(1) for each subcommand specified",
            args: "key:key operation?*:(get-block=GET:(encoding:string offset:integer) | \
                write:(overflow-block?=OVERFLOW:(wrap=WRAP | sat=SAT | fail=FAIL) \
                write-operation:(set-block=SET:(encoding:string offset:integer value:integer) | \
                incrby-block=INCRBY:(encoding:string offset:integer increment:integer))))",
            ..Spec::BASE
        },
        run: bitfield,
    },
    Command {
        spec: Spec {
            name: "bitfield_ro",
            arity: -2,
            flags: flags![READONLY, FAST],
            categories: Categories::BITMAP,
            keys: keys::FIRST_READ,
            group: Group::Bitmap,
            since: "6.0.0",
            summary: "Reads integers of any width inside a string.",
            complexity: "O(1) for each subcommand specified",
            args: "key:key get-block?+=GET:(encoding:string offset:integer)",
            ..Spec::BASE
        },
        run: bitfield_ro,
    },
];

enum Action {
    Get,
    Set(i64),
    IncrBy(i64),
}

struct Operation {
    field: FieldType,
    offset: u64,
    action: Action,
    overflow: Overflow,
}

fn parse(ctx: &Context<'_>) -> Result<Vec<Operation>, WireError> {
    const TYPE: WireError = WireError::fixed(
        "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
    );
    let mut operations = Vec::new();
    let mut overflow = Overflow::Wrap;
    let mut index = 2;
    while index < ctx.args.len() {
        let left = ctx.args.len() - index - 1;
        if ctx.args.is(index, "OVERFLOW") && left >= 1 {
            overflow = match ctx.args.at(index + 1).to_ascii_uppercase().as_slice() {
                b"WRAP" => Overflow::Wrap,
                b"SAT" => Overflow::Saturate,
                b"FAIL" => Overflow::Fail,
                _ => return Err(WireError::fixed("ERR Invalid OVERFLOW type specified")),
            };
            index += 2;
            continue;
        }
        let (is_get, is_set, is_incr) =
            (ctx.args.is(index, "GET"), ctx.args.is(index, "SET"), ctx.args.is(index, "INCRBY"));
        let taken = if is_get { 2 } else { 3 };
        if !(is_get || is_set || is_incr) || left < taken {
            return Err(WireError::SYNTAX);
        }
        let field = FieldType::parse(ctx.args.at(index + 1)).ok_or(TYPE)?;
        let offset = offset(ctx, index + 2, Some(field.width))?;
        let action = if is_get {
            Action::Get
        } else if is_set {
            Action::Set(ctx.int(index + 3)?)
        } else {
            Action::IncrBy(ctx.int(index + 3)?)
        };
        operations.push(Operation { field, offset, action, overflow });
        index += 1 + taken;
    }
    Ok(operations)
}

pub(super) fn bitfield(ctx: &mut Context<'_>) -> CommandResult {
    let operations = parse(ctx)?;
    run(ctx, &operations)
}

pub(super) fn bitfield_ro(ctx: &mut Context<'_>) -> CommandResult {
    let operations = parse(ctx)?;
    if operations.iter().any(|operation| !matches!(operation.action, Action::Get)) {
        return Err(WireError::fixed("ERR BITFIELD_RO only supports the GET subcommand"));
    }
    run(ctx, &operations)
}

fn run(ctx: &mut Context<'_>, operations: &[Operation]) -> CommandResult {
    let key = ctx.args.at(1);
    let ends = operations.iter().filter(|operation| !matches!(operation.action, Action::Get));
    let Some(end) = ends.map(|operation| operation.offset + u64::from(operation.field.width)).max() else {
        return read_only(ctx, key, operations);
    };
    // Grown once for all, so that reads in front of writes see the same string.
    let before = ctx.keys.string_for_write(key)?.map(|string| string.len());
    let bytes = grown(ctx, key, end)?;
    let grown = before != Some(bytes.len());
    let mut changes = 0;
    let mut results = Vec::with_capacity(operations.len());
    for operation in operations {
        let old = operation.field.read(bytes, operation.offset);
        let (wanted, answer_old) = match operation.action {
            Action::Get => {
                results.push(Some(old));
                continue;
            }
            // An unsigned field takes the bits of a negative value as a large one.
            Action::Set(value) if !operation.field.signed => (i128::from(value as u64), true),
            Action::Set(value) => (i128::from(value), true),
            Action::IncrBy(by) => (i128::from(old) + i128::from(by), false),
        };
        let fitted = operation.field.fit(wanted, operation.overflow);
        if let Some(value) = fitted {
            operation.field.write(bytes, operation.offset, value);
            // A sum always counts as a change, a value that was there already only where the string grew.
            changes += usize::from(!answer_old || grown || value != old);
        }
        results.push(fitted.map(|value| if answer_old { old } else { value }));
    }
    ctx.reply.array(results.len());
    for result in results {
        match result {
            Some(value) => ctx.reply.int(value),
            None => ctx.reply.null(),
        }
    }
    if changes > 0 {
        ctx.change.dirty(changes);
        ctx.changed(EventClass::STRING, "setbit", key);
    }
    Ok(Outcome::Done)
}

fn read_only(ctx: &mut Context<'_>, key: &[u8], operations: &[Operation]) -> CommandResult {
    let mut digits = itoa::Buffer::new();
    let bytes = ctx.keys.string(key)?.map_or(&[][..], |string| string.bytes(&mut digits));
    ctx.reply.array(operations.len());
    for operation in operations {
        ctx.reply.int(operation.field.read(bytes, operation.offset));
    }
    Ok(Outcome::Done)
}
