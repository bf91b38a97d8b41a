//! HSETEX: writing fields together with their expiry.

use super::fields::instant;
use crate::base::clock::UnixMillis;
use crate::base::number::parse_i64;
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::commands::expire_time::TimeUnit;
use crate::data::hash::Hash;
use crate::engine::{Command, CommandResult, Context, EventClass};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "hsetex",
        arity: -6,
        flags: flags![WRITE, DENYOOM, FAST],
        categories: Categories::HASH,
        keys: keys::FIRST_CHANGE,
        group: Group::Hash,
        since: "8.0.0",
        summary: "Writes fields of a hash, on conditions and with an expiry where asked to.",
        complexity: "O(N) where N is the number of fields being set.",
        args: "key:key condition?:(fnx=FNX | fxx=FXX) expiration?:(seconds=EX:integer | milliseconds=PX:integer | \
                unix-time-seconds=EXAT:unix-time | unix-time-milliseconds=PXAT:unix-time | keepttl=KEEPTTL) \
                fields=FIELDS:(numfields:integer data*:(field:string value:string))",
        ..Spec::BASE
    },
    run: hsetex,
}];

/// On which condition the fields are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    Always,
    /// FNX: none of them is there.
    NoneThere,
    /// FXX: all of them are there.
    AllThere,
}

/// What happens to the expiry of the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expiry {
    Clear,
    Keep,
    At(UnixMillis),
}

/// The arguments of one request.
struct Request {
    condition: Condition,
    expiry: Expiry,
    /// Where the first field stands; pairs follow up to the end.
    first: usize,
}

impl Request {
    fn parse(ctx: &Context<'_>) -> Result<Self, WireError> {
        let mut request = Self { condition: Condition::Always, expiry: Expiry::Clear, first: 0 };
        let mut index = 2;
        while let Some(word) = ctx.args.get(index) {
            let unit = TimeUnit::of_option(word);
            match word.to_ascii_uppercase().as_slice() {
                b"FIELDS" => {
                    request.first = Self::pairs(ctx, index)?;
                    return Ok(request);
                }
                b"FNX" => request.only_if(Condition::NoneThere)?,
                b"FXX" => request.only_if(Condition::AllThere)?,
                b"KEEPTTL" => request.with_expiry(Expiry::Keep)?,
                _ if let Some(unit) = unit => {
                    index += 1;
                    // Which option is one too many matters more than what it says.
                    request.with_expiry(Expiry::Keep)?;
                    if index == ctx.args.len() {
                        return Err(WireError::fixed("ERR missing expire time"));
                    }
                    request.expiry = Expiry::At(instant(ctx, index, unit)?);
                }
                _ => {
                    let word = String::from_utf8_lossy(word);
                    return Err(WireError::new(format!("ERR unknown argument: {word}")));
                }
            }
            index += 1;
        }
        ctx.wrong_arity()
    }

    /// Checks the number of pairs behind FIELDS at `index`; where they begin.
    fn pairs(ctx: &Context<'_>, index: usize) -> Result<usize, WireError> {
        const NO_COUNT: WireError = WireError::fixed("ERR invalid number of fields");
        if index + 3 >= ctx.args.len() {
            return ctx.wrong_arity();
        }
        let count = parse_i64(ctx.args.at(index + 1)).filter(|count| (1..=i64::from(i32::MAX)).contains(count));
        let (count, rest) = (count.ok_or(NO_COUNT)? as usize, ctx.args.len() - index - 2);
        if rest != count * 2 {
            return ctx.wrong_arity();
        }
        Ok(index + 2)
    }

    fn only_if(&mut self, condition: Condition) -> Result<(), WireError> {
        if self.condition != Condition::Always {
            return Err(WireError::fixed("ERR Only one of FXX or FNX arguments can be specified"));
        }
        self.condition = condition;
        Ok(())
    }

    fn with_expiry(&mut self, expiry: Expiry) -> Result<(), WireError> {
        if self.expiry != Expiry::Clear {
            return Err(WireError::fixed("ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"));
        }
        self.expiry = expiry;
        Ok(())
    }
}

pub(super) fn hsetex(ctx: &mut Context<'_>) -> CommandResult {
    let request = Request::parse(ctx)?;
    let (key, args, limits, now) = (ctx.args.at(1), ctx.args, ctx.limits(), ctx.past());
    let fields = args.from(request.first).step_by(2);
    let hash = ctx.keys.write::<Hash>(key)?;
    let there = |field: &[u8]| hash.as_ref().is_some_and(|hash| hash.contains(field));
    let allowed = match request.condition {
        Condition::Always => true,
        Condition::NoneThere => !fields.clone().any(there),
        Condition::AllThere => fields.clone().all(there),
    };
    if !allowed {
        return ctx.done_int(0);
    }
    let hash = ctx.keys.write_or_create::<Hash>(key)?;
    hash.prepare(args.from(request.first), limits);
    let past = matches!(request.expiry, Expiry::At(when) if when <= now);
    for (field, value) in fields.clone().zip(args.from(request.first + 1).step_by(2)) {
        match request.expiry {
            Expiry::Clear => {
                hash.set(field, value, limits);
            }
            Expiry::Keep => {
                hash.set_keeping_expiry(field, value, limits);
            }
            // What is written and gone at once.
            Expiry::At(_) if past => {
                hash.remove(field);
            }
            Expiry::At(when) => {
                hash.set(field, value, limits);
                hash.set_expiry(field, when);
            }
        }
    }
    ctx.change.dirty(fields.len());
    ctx.changed(EventClass::HASH, "hset", key);
    if let Expiry::At(when) = request.expiry {
        ctx.notify(EventClass::HASH, if past { "hdel" } else { "hexpire" }, key);
        replay(ctx, key, &request, when, past);
    }
    ctx.keys.note_fields(key);
    ctx.remove_if_empty::<Hash>(key);
    ctx.done_int(1)
}

/// An expiry is replayed as the instant it is, and not at all where the fields are gone.
fn replay(ctx: &mut Context<'_>, key: &[u8], request: &Request, when: UnixMillis, past: bool) {
    let args = ctx.args;
    if past {
        let fields = args.from(request.first).step_by(2);
        let words: Vec<&[u8]> = [&b"HDEL"[..], key].into_iter().chain(fields).collect();
        ctx.change.replay_as(&words);
        return;
    }
    let mut digits = itoa::Buffer::new();
    let mut words: Vec<&[u8]> = vec![b"HSETEX", key, b"PXAT", digits.format(when.0).as_bytes()];
    words.extend(args.from(request.first - 2));
    ctx.change.replay_as(&words);
}
