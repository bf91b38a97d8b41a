//! What the commands about the expiry of fields share: `FIELDS n field …`, instants, and what giving an expiry entails.

use crate::base::clock::UnixMillis;
use crate::base::number::parse_i64;
use crate::commands::expire_time::TimeUnit;
use crate::data::hash::Hash;
use crate::engine::{Context, EventClass};
use crate::resp::{Args, WireError};

/// The count of fields is none.
pub(super) const NOT_POSITIVE: WireError = WireError::fixed("ERR Number of fields must be a positive integer");
/// The last instant at which a field may expire: what Redis has bits for.
const LAST: i64 = (1 << 46) - 1;

/// Checks FIELDS at argument `index` and the count behind it, against the fields up to the end of the request; where they begin.
pub(super) fn first_field(args: Args<'_>, index: usize, no_count: WireError) -> Result<usize, WireError> {
    if !args.is(index, "FIELDS") {
        return Err(WireError::fixed("ERR Mandatory argument FIELDS is missing or not at the right position"));
    }
    let count = args.get(index + 1).and_then(parse_i64).filter(|count| *count > 0).ok_or(no_count)?;
    if usize::try_from(count) != Ok(args.len() - index - 2) {
        return Err(WireError::fixed("ERR The `numfields` parameter must match the number of arguments"));
    }
    Ok(index + 2)
}

/// The instant that argument `index` means.
pub(super) fn instant(ctx: &Context<'_>, index: usize, unit: TimeUnit) -> Result<UnixMillis, WireError> {
    let value = ctx.args.get(index).and_then(parse_i64).ok_or(WireError::NOT_INTEGER)?;
    if value < 0 {
        return Err(WireError::fixed("ERR invalid expire time, must be >= 0"));
    }
    let when = unit.instant(value, ctx.now()).filter(|when| when.0 <= LAST);
    when.ok_or_else(|| WireError::invalid_expire(ctx.command.spec.name))
}

/// The fields that have been given an expiry.
#[derive(Default)]
pub(super) struct Expired<'a> {
    later: Vec<&'a [u8]>,
    at_once: Vec<&'a [u8]>,
}

impl<'a> Expired<'a> {
    /// Gives a field an expiry; whether it has a future. One without is removed.
    pub(super) fn expire(&mut self, hash: &mut Hash, field: &'a [u8], when: UnixMillis, now: UnixMillis) -> bool {
        let has_future = when > now;
        if has_future {
            hash.set_expiry(field, when);
            self.later.push(field);
        } else {
            hash.remove(field);
            self.at_once.push(field);
        }
        has_future
    }

    /// Records what has happened to the hash at `key`.
    pub(super) fn record(&self, ctx: &mut Context<'_>, key: &[u8], when: UnixMillis) {
        if !self.later.is_empty() {
            let (mut milliseconds, mut count) = (itoa::Buffer::new(), itoa::Buffer::new());
            let (milliseconds, count) = (milliseconds.format(when.0), count.format(self.later.len()));
            let words = [b"HPEXPIREAT", key, milliseconds.as_bytes(), b"FIELDS", count.as_bytes()];
            ctx.change.replay_as(&[&words[..], &self.later].concat());
            ctx.changed(EventClass::HASH, "hexpire", key);
            ctx.keys.note_fields(key);
        }
        if !self.at_once.is_empty() {
            ctx.change.replay_as(&[&[b"HDEL", key][..], &self.at_once].concat());
            ctx.changed(EventClass::HASH, "hdel", key);
            ctx.remove_if_empty::<Hash>(key);
        }
        ctx.change.dirty(self.later.len() + self.at_once.len());
    }
}
