//! XADD.

use smallvec::SmallVec;

use super::trim_options::TrimOptions;
use crate::catalog::{Categories, Group, KeyFlags, KeySpec, Spec, flags};
use crate::data::limits::Limits;
use crate::data::stream::{AppendError, IdText, NewId, PartialId, Stream, StreamId};
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "xadd",
        arity: -5,
        flags: flags![WRITE, DENYOOM, FAST],
        categories: Categories::STREAM,
        keys: &[KeySpec::index(1, KeyFlags::CHANGE)
            .notes("UPDATE instead of INSERT because of the optional trimming feature")],
        group: Group::Stream,
        since: "5.0.0",
        summary: "Adds an entry to a stream, trimming it if asked.",
        complexity: "O(1) when adding a new entry, O(N) when trimming where N being the number of entries evicted.",
        history: &[
            ("6.2.0", "Added the `NOMKSTREAM` option, `MINID` trimming strategy and the `LIMIT` option."),
            ("7.0.0", "Added support for the `<ms>-*` explicit ID form."),
        ],
        tips: &["nondeterministic_output"],
        args: "key:key nomkstream?=NOMKSTREAM@6.2.0 trim?:(strategy:(maxlen=MAXLEN | minid=MINID@6.2.0) \
                operator?:(equal='=' | approximately=~) threshold:string count?=LIMIT:integer@6.2.0) \
                id-selector:(auto-id='*' | id:string) data*:(field:string value:string)",
        ..Spec::BASE
    },
    run: xadd,
}];

pub(super) fn xadd(ctx: &mut Context<'_>) -> CommandResult {
    const ZERO: WireError = WireError::fixed("ERR The ID specified in XADD must be greater than 0-0");
    let options = TrimOptions::parse(ctx, true)?;
    let fields: SmallVec<[&[u8]; 16]> = ctx.args.from(options.id_at + 1).collect();
    if fields.len() < 2 || fields.len() % 2 == 1 {
        return ctx.wrong_arity();
    }
    let new_id = match options.id {
        Some(PartialId::Full(StreamId::MIN)) => return Err(ZERO),
        Some(PartialId::Full(id)) => NewId::Full(id),
        Some(PartialId::Milliseconds(ms)) => NewId::Milliseconds(ms),
        None => NewId::Auto(ctx.now().0.max(0) as u64),
    };
    let (key, limits) = (ctx.args.at(1), ctx.limits());
    let id = match ctx.keys.write::<Stream>(key)? {
        Some(stream) => append(stream, new_id, &fields, limits)?,
        None if options.no_create => {
            ctx.reply.null();
            return Ok(Outcome::Done);
        }
        None => {
            let mut stream = Stream::new();
            let id = append(&mut stream, new_id, &fields, limits)?;
            ctx.keys.set_container(key, stream);
            id
        }
    };
    super::write_id(&mut ctx.reply, id);
    ctx.change.dirty(1);
    ctx.changed(EventClass::STREAM, "xadd", key);
    ctx.keys.wake(key);
    trim_and_replay(ctx, key, &options, id)?;
    Ok(Outcome::Done)
}

fn append(stream: &mut Stream, id: NewId, fields: &[&[u8]], limits: &Limits) -> Result<StreamId, WireError> {
    const EXHAUSTED: WireError =
        WireError::fixed("ERR The stream has exhausted the last possible ID, unable to add more items");
    const NOT_ASCENDING: WireError =
        WireError::fixed("ERR The ID specified in XADD is equal or smaller than the target stream top item");
    const TOO_LARGE: WireError = WireError::fixed("ERR Elements are too large to be stored");
    if stream.log.last_id() == StreamId::MAX {
        return Err(EXHAUSTED);
    }
    stream.log.append(id, fields, limits).map_err(|error| match error {
        AppendError::NotAscending => NOT_ASCENDING,
        AppendError::TooLarge => TOO_LARGE,
    })
}

/// Trims where that is asked for, and says how the whole is to be replayed.
fn trim_and_replay(ctx: &mut Context<'_>, key: &[u8], options: &TrimOptions, id: StreamId) -> Result<(), WireError> {
    let Some(stream) = ctx.keys.write::<Stream>(key)? else { return Ok(()) };
    let removed = options.trim.map_or(0, |trim| stream.log.trim(trim));
    let threshold = options.exact_threshold(&stream.log);
    if removed > 0 {
        ctx.notify(EventClass::STREAM, "xtrim", key);
    }
    if options.is_approximate() || !matches!(options.id, Some(PartialId::Full(_))) {
        options.replay(ctx, &threshold, Some(id.text(&mut IdText::new())));
    }
    Ok(())
}
