//! Keys and fields of hashes must not expire at the target while it is behind: the source may have given them more time since.
//!
//! A replica removes nothing by itself, but the target is a primary. So as long as the target is behind, every instant at which something
//! expires is put off by a constant so large that no real one is beyond it; the source's DEL or HDEL arrives in any case. Once the target has
//! caught up, the instants are put right (see `passes`).

use crate::base::clock::UnixMillis;
use crate::base::number::parse_i64;
use crate::data::Mending;
use crate::data::limits::Limits;
use crate::keyspace::{Object, OwnedValue};
use crate::persistence::aof::record;
use crate::persistence::rdb::{Version, payload};
use crate::resp::Args;

/// What is added to a key's instant: exact in the numbers of scripts, and 140,000 years from now.
pub const KEY_OFFSET_MS: i64 = 1 << 52;
/// What is added to a field's instant, which must stay below 2^46: 1,100 years.
pub const FIELD_OFFSET_MS: i64 = 1 << 45;

/// What has been put off.
pub struct PutOff {
    /// The form of values that the target reads.
    version: Version,
    /// Whether fields of hashes are among it.
    pub fields: bool,
}

impl PutOff {
    /// Nothing yet.
    pub fn new(version: Version) -> Self {
        Self { version, fields: false }
    }

    /// A key as RESTORE takes it: its instant, none (0) stays none, and its value, both put off.
    pub fn key(&mut self, when_ms: i64, mut value: OwnedValue) -> (i64, Vec<u8>) {
        self.value(&mut value);
        (later(when_ms, KEY_OFFSET_MS), payload::dump(value.as_value(), self.version, false))
    }

    /// A command of the stream with its instants put off, encoded, if it has any.
    pub fn command(&mut self, args: Args<'_>) -> Option<Vec<u8>> {
        let mut words: Vec<&[u8]> = args.from(0).collect();
        let instant = instant(args);
        let when = instant.as_ref().map(|instant| instant.when_ms.to_string());
        if let (Some(instant), Some(when)) = (&instant, &when) {
            words[instant.at] = when.as_bytes();
            if instant.in_seconds {
                words[instant.at - 1] = b"PXAT";
            }
            self.fields |= instant.is_field;
        }
        let payload = self.payload(args);
        if let Some(payload) = &payload {
            words[PAYLOAD_AT] = payload;
        }
        if when.is_none() && payload.is_none() {
            return None;
        }
        let mut request = Vec::new();
        record::command(&mut request, words.into_iter());
        Some(request)
    }

    /// Puts the instants of a value's fields off; whether it has any.
    fn value(&mut self, value: &mut OwnedValue) -> bool {
        let OwnedValue::Object(Object::Hash(hash)) = value else { return false };
        hash.move_expiries(|when| UnixMillis(later(when.0, FIELD_OFFSET_MS)));
        let has_any = hash.next_expiry().is_some();
        self.fields |= has_any;
        has_any
    }

    /// The value of a RESTORE put off, if its fields expire. One that cannot be read is for the target to refuse.
    fn payload(&mut self, args: Args<'_>) -> Option<Vec<u8>> {
        let payload = args.get(PAYLOAD_AT).filter(|_| args.is(0, "RESTORE"))?;
        let verified = payload::verified(payload, true).filter(|value| payload::has_expiring_fields(value))?;
        let mut value = payload::restore(verified, &Limits::default(), &mut Mending::allowed_if(true)).ok()?;
        self.value(&mut value).then(|| payload::dump(value.as_value(), self.version, false))
    }
}

/// Where RESTORE has its value.
const PAYLOAD_AT: usize = 3;

/// An instant put off; none (0) stays none.
fn later(when_ms: i64, offset_ms: i64) -> i64 {
    if when_ms > 0 && when_ms < offset_ms { when_ms + offset_ms } else { when_ms }
}

/// An instant of a command.
struct Instant {
    at: usize,
    /// Put off.
    when_ms: i64,
    /// It stands there in seconds, behind EXAT.
    in_seconds: bool,
    is_field: bool,
}

fn instant(args: Args<'_>) -> Option<Instant> {
    let (at, is_field) = place(args)?;
    let in_seconds = args.is(at - 1, "EXAT");
    let when_ms = parse_i64(args.at(at))?.checked_mul(if in_seconds { 1000 } else { 1 })?;
    let offset_ms = if is_field { FIELD_OFFSET_MS } else { KEY_OFFSET_MS };
    Some(Instant { at, when_ms: later(when_ms, offset_ms), in_seconds, is_field })
}

/// Where the instant stands, and whether it is that of fields. Sources from Redis 7.0 on send no other forms.
fn place(args: Args<'_>) -> Option<(usize, bool)> {
    let is_behind_option = |index: &usize| args.is(index - 1, "PXAT") || args.is(index - 1, "EXAT");
    if args.is(0, "PEXPIREAT") || args.is(0, "HPEXPIREAT") {
        return (args.len() > 2).then_some((2, args.is(0, "HPEXPIREAT")));
    }
    if args.is(0, "SET") {
        return (4..args.len()).find(is_behind_option).map(|at| (at, false));
    }
    if args.is(0, "HSETEX") {
        let mut options = (3..args.len()).take_while(|index| !args.is(index - 1, "FIELDS"));
        return options.find(is_behind_option).map(|at| (at, true));
    }
    let is_absolute = || (4..args.len()).any(|index| args.is(index, "ABSTTL"));
    (args.is(0, "RESTORE") && args.len() > 3 && is_absolute()).then_some((2, false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::hash::Hash;
    use crate::resp::OwnedArgs;

    fn rewritten(put_off: &mut PutOff, line: &str) -> Option<String> {
        let args: OwnedArgs = line.split(' ').map(str::as_bytes).collect();
        let request = String::from_utf8(put_off.command(args.as_args())?).unwrap();
        let words: Vec<&str> = request.split("\r\n").filter(|part| !part.starts_with(['*', '$'])).collect();
        Some(words.join(" ").trim_end().to_owned())
    }

    #[test]
    fn instants_of_the_stream_are_put_off() {
        let mut put_off = PutOff::new(Version::V11);
        let (key, field) = (|ms: i64| (ms + KEY_OFFSET_MS).to_string(), |ms: i64| (ms + FIELD_OFFSET_MS).to_string());
        let cases = [
            ("PEXPIREAT k 1700", format!("PEXPIREAT k {}", key(1700))),
            ("set k v PXAT 1700", format!("set k v PXAT {}", key(1700))),
            ("SET k v NX EXAT 17", format!("SET k v NX PXAT {}", key(17_000))),
            ("RESTORE k 1700 payload REPLACE ABSTTL", format!("RESTORE k {} payload REPLACE ABSTTL", key(1700))),
            ("RESTORE k 0 payload ABSTTL", "RESTORE k 0 payload ABSTTL".to_owned()),
        ];
        for (line, expected) in cases {
            assert_eq!(rewritten(&mut put_off, line), Some(expected), "{line}");
        }
        assert!(!put_off.fields);
        for (line, expected) in [
            ("HPEXPIREAT k 1700 FIELDS 1 f", format!("HPEXPIREAT k {} FIELDS 1 f", field(1700))),
            ("HSETEX k FNX EXAT 17 FIELDS 1 f v", format!("HSETEX k FNX PXAT {} FIELDS 1 f v", field(17_000))),
        ] {
            let mut put_off = PutOff::new(Version::V11);
            assert_eq!((rewritten(&mut put_off, line), put_off.fields), (Some(expected), true), "{line}");
        }
        for line in [
            "SET PXAT PXAT",
            "SET k v",
            "SET k v PX 5",
            "RESTORE k 5 payload",
            "PEXPIREAT k x",
            "DEL k",
            "PEXPIREAT k",
            "HPEXPIREAT k",
            "HSETEX PXAT FIELDS 2 PXAT 5 f v",
            "HSETEX k KEEPTTL FIELDS 1 f v",
        ] {
            assert_eq!(rewritten(&mut put_off, line), None, "{line}");
        }
        assert!(!put_off.fields);
        assert_eq!(later(later(5, KEY_OFFSET_MS), KEY_OFFSET_MS), KEY_OFFSET_MS + 5, "once");
    }

    #[test]
    fn fields_of_a_value_are_put_off_wherever_it_comes_from() {
        let mut hash = Hash::new();
        for field in [b"a", b"b"] {
            hash.set(field, b"1", &Limits::default());
        }
        hash.set_expiry(b"a", UnixMillis(1700));
        let value = || OwnedValue::Object(Object::Hash(Box::new(hash.clone())));
        let of_payload = |payload: &[u8]| {
            let value = payload::restore(
                payload::verified(payload, true).unwrap(),
                &Limits::default(),
                &mut Mending::default(),
            )
            .unwrap();
            let OwnedValue::Object(Object::Hash(hash)) = value else { panic!("no hash") };
            (hash.expiry(b"a"), hash.expiry(b"b"))
        };
        let expected = (Some(UnixMillis(1700 + FIELD_OFFSET_MS)), None);
        let mut copied = PutOff::new(Version::V11);
        let (when, payload) = copied.key(0, value());
        assert_eq!((when, of_payload(&payload), copied.fields), (0, expected, true));

        let payload = payload::dump(value().as_value(), Version::V11, false);
        let args: OwnedArgs = [&b"RESTORE"[..], b"k", b"0", &payload].into_iter().collect();
        let mut streamed = PutOff::new(Version::V11);
        let request = streamed.command(args.as_args()).expect("it has fields that expire");
        let at = request.windows(3).rposition(|window| window == b"\r\n\x18").map(|at| at + 2);
        let put_off = &request[at.expect("the value")..request.len() - 2];
        assert_eq!((of_payload(put_off), streamed.fields), (expected, true));
    }
}
