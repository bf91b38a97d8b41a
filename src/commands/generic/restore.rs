//! RESTORE, and RESTORE-ASKING, by which servers move slots.

use std::sync::atomic::Ordering::Relaxed;

use crate::base::clock::UnixMillis;
use crate::base::number::parse_i64;
use crate::catalog::{Group, Spec, categories, flags, keys};
use crate::config::values::SanitizePayload;
use crate::data::{Malformed, Mending};
use crate::engine::{Command, CommandResult, Context, EventClass, written_version};
use crate::persistence::rdb::payload;
use crate::resp::WireError;
use crate::session::Counterpart;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "restore",
            arity: -4,
            flags: flags![WRITE, DENYOOM],
            categories: categories![KEYSPACE, DANGEROUS],
            keys: keys::FIRST_STORE,
            since: "2.6.0",
            summary: "Recreates a key from what DUMP made of it.",
            complexity: "O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, where \
            N is the number of Redis objects composing the value and M their average size. For small string \
            values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1). However for sorted \
            set values the complexity is O(N*M*log(N)) because inserting values into sorted sets is O(log(N)).",
            history: &[
                ("3.0.0", "Added the `REPLACE` modifier."),
                ("5.0.0", "Added the `ABSTTL` modifier."),
                ("5.0.0", "Added the `IDLETIME` and `FREQ` options."),
            ],
            args: "key:key ttl:integer serialized-value:string replace?=REPLACE@3.0.0 absttl?=ABSTTL@5.0.0 \
            seconds?=IDLETIME:integer@5.0.0 frequency?=FREQ:integer@5.0.0",
            ..Spec::BASE
        },
        run: restore,
    },
    Command {
        spec: Spec {
            name: "restore-asking",
            arity: -4,
            flags: flags![WRITE, DENYOOM, ASKING, SYSCMD],
            categories: categories![KEYSPACE, DANGEROUS],
            keys: keys::FIRST_STORE,
            group: Group::Server,
            since: "3.0.0",
            summary: "Recreates a key during a slot migration; for servers only.",
            complexity: "O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, where \
                N is the number of Redis objects composing the value and M their average size. For small string \
                values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1). However for sorted \
                set values the complexity is O(N*M*log(N)) because inserting values into sorted sets is O(log(N)).",
            history: &[
                ("3.0.0", "Added the `REPLACE` modifier."),
                ("5.0.0", "Added the `ABSTTL` modifier."),
                ("5.0.0", "Added the `IDLETIME` and `FREQ` options."),
            ],
            args: "key:key ttl:integer serialized-value:string replace?=REPLACE@3.0.0 absttl?=ABSTTL@5.0.0 \
                seconds?=IDLETIME:integer@5.0.0 frequency?=FREQ:integer@5.0.0",
            ..Spec::BASE
        },
        run: restore,
    },
];

#[derive(Default)]
struct Options {
    replace: bool,
    absolute: bool,
    idle_s: Option<u64>,
    frequency: Option<u8>,
}

pub(super) fn restore(ctx: &mut Context<'_>) -> CommandResult {
    const NEGATIVE_TTL: WireError = WireError::fixed("ERR Invalid TTL value, must be >= 0");
    const WRONG_CHECKSUM: WireError = WireError::fixed("ERR DUMP payload version or checksum are wrong");
    const BAD_FORMAT: WireError = WireError::fixed("ERR Bad data format");
    let options = read_options(ctx)?;
    let (key, payload) = (ctx.args.at(1), ctx.args.at(3));
    if !options.replace && ctx.keys.entry_mut(key).is_some() {
        return Err(WireError::BUSY_KEY);
    }
    let ttl = ctx.int(2)?;
    if ttl < 0 {
        return Err(NEGATIVE_TTL);
    }
    let check = !ctx.engine.skip_checksums.load(Relaxed);
    let bytes = payload::verified(payload, check).ok_or(WRONG_CHECKSUM)?;
    let mut mending = Mending::allowed_if(!checks_deeply(ctx));
    let value = payload::restore(bytes, ctx.limits(), &mut mending).map_err(|error| {
        tracing::debug!("RESTORE refused: {error}");
        BAD_FORMAT
    })?;
    let expiry = match ttl {
        0 => None,
        at if options.absolute => Some(UnixMillis(at)),
        span => Some(UnixMillis(ctx.now().0.saturating_add(span))),
    };
    let deleted = options.replace && ctx.keys.remove(key).is_some();
    if expiry.is_some_and(|when| ctx.is_past(when)) {
        if deleted {
            let del: &[u8] = if ctx.settings.memory.lazyfree_lazy_server_del { b"UNLINK" } else { b"DEL" };
            ctx.change.replay_as(&[del, key]);
            ctx.changed(EventClass::GENERIC, "del", key);
            ctx.change.dirty(1);
        }
        return ctx.done_ok();
    }
    ctx.keys.set_owned(key, value, expiry);
    ctx.keys.set_freshness(key, options.idle_s, options.frequency);
    let mended = mending.take_mended().and_then(|what| mended_payload(ctx, what));
    if mended.is_some() || (expiry.is_some() && !options.absolute) {
        replay(ctx, expiry, mended.as_deref(), options.absolute);
    }
    ctx.changed(EventClass::GENERIC, "restore", key);
    ctx.change.dirty(1);
    ctx.done_ok()
}

/// Whether a payload that is off is refused. What the primary, or the file, has taken is taken here too.
fn checks_deeply(ctx: &Context<'_>) -> bool {
    let replayed = ctx.session.counterpart == Counterpart::Primary;
    !replayed
        && match ctx.settings.security.sanitize_dump_payload {
            SanitizePayload::No => false,
            SanitizePayload::Yes => true,
            SanitizePayload::Clients => ctx.session.user.rules().sanitize_payload,
        }
}

/// What was off and is now put right, as it must be replayed: nobody else has to find the same cure.
fn mended_payload(ctx: &Context<'_>, what: Malformed) -> Option<Vec<u8>> {
    let key = ctx.args.at(1);
    tracing::warn!("RESTORE: the payload for key '{}' was off and is put right: {what}", String::from_utf8_lossy(key));
    ctx.keys.get(key).map(|value| payload::dump(value, written_version(ctx.settings), false))
}

/// The request with the instant in place of the span, and with another payload where there is one.
fn replay(ctx: &mut Context<'_>, expiry: Option<UnixMillis>, mended: Option<&[u8]>, absolute: bool) {
    let mut digits = itoa::Buffer::new();
    let mut arguments: Vec<&[u8]> = ctx.args.from(0).collect();
    if let (Some(when), false) = (expiry, absolute) {
        arguments[2] = digits.format(when.0).as_bytes();
        arguments.push(b"ABSTTL");
    }
    if let Some(payload) = mended {
        arguments[3] = payload;
    }
    ctx.change.replay_as(&arguments);
}

fn read_options(ctx: &Context<'_>) -> Result<Options, WireError> {
    const IDLE_TIME: WireError = WireError::fixed("ERR Invalid IDLETIME value, must be >= 0");
    const FREQUENCY: WireError = WireError::fixed("ERR Invalid FREQ value, must be >= 0 and <= 255");
    let mut options = Options::default();
    let mut index = 4;
    while let Some(option) = ctx.args.get(index) {
        let number = || ctx.args.get(index + 1).map(|text| parse_i64(text).ok_or(WireError::NOT_INTEGER));
        if option.eq_ignore_ascii_case(b"REPLACE") {
            options.replace = true;
        } else if option.eq_ignore_ascii_case(b"ABSTTL") {
            options.absolute = true;
        } else if option.eq_ignore_ascii_case(b"IDLETIME")
            && options.frequency.is_none()
            && let Some(number) = number()
        {
            options.idle_s = Some(u64::try_from(number?).map_err(|_| IDLE_TIME)?);
            index += 1;
        } else if option.eq_ignore_ascii_case(b"FREQ")
            && options.idle_s.is_none()
            && let Some(number) = number()
        {
            options.frequency = Some(u8::try_from(number?).map_err(|_| FREQUENCY)?);
            index += 1;
        } else {
            return ctx.syntax();
        }
        index += 1;
    }
    Ok(options)
}
