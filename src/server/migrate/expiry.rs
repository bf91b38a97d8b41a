//! Keys must not expire at the target while it is behind: the source may have given them more time since.
//!
//! A replica removes no key by itself, but the target is a primary. So as long as the target is behind, every instant at which a key expires is
//! put off by a constant so large that no real one is beyond it; the source's DEL arrives in any case. Once the target has caught up, pages of keys
//! are put right by a script, page by page, while the stream goes on: each of them at once, so that it gets along with what the stream does to
//! the same key. A key that expires within moments of then is left for another pass: the source's last word on it may be on its way.
//! What remains is a key whose time is up, and given more, within a lag too short to be noticed (about a second).
//!
//! Fields of hashes that expire are not put off.

use redis_protocol::resp2::types::OwnedFrame;

use super::calls::Calls;
use crate::base::number::parse_i64;
use crate::persistence::aof::record;
use crate::resp::Args;

/// What is added: exact in the numbers of scripts, and 140,000 years from now.
const OFFSET_MS: i64 = 1 << 52;
/// How long the source's last word on a key may be on its way.
const GRACE_MS: i64 = 3000;
/// Keys of a page.
const PAGE: &str = "1000";

/// Puts a page right; the next cursor and how many keys have to wait.
const SCRIPT: &str = "\
local offset, grace = tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local page = redis.call('SCAN', ARGV[1], 'COUNT', ARGV[4])
local left = 0
for _, key in ipairs(page[2]) do
  local when = redis.call('PEXPIRETIME', key)
  if when >= offset then
    when = when - offset
    if math.abs(when - now) <= grace then
      left = left + 1
    else
      redis.call('PEXPIREAT', key, string.format('%.0f', when))
    end
  end
end
return {page[1], left}";

/// An instant put off; none (0) stays none.
pub fn put_off(when_ms: i64) -> i64 {
    if when_ms > 0 && when_ms < OFFSET_MS { when_ms + OFFSET_MS } else { when_ms }
}

/// A command of the stream with its instant put off, encoded, if it has one.
pub fn with_expiry_put_off(args: Args<'_>) -> Option<Vec<u8>> {
    let at = place(args)?;
    let unit = if args.is(at - 1, "EXAT") { 1000 } else { 1 };
    let when = put_off(parse_i64(args.at(at))?.checked_mul(unit)?).to_string();
    let mut words: Vec<&[u8]> = args.from(0).collect();
    words[at] = when.as_bytes();
    if unit > 1 {
        words[at - 1] = b"PXAT";
    }
    let mut request = Vec::new();
    record::command(&mut request, words.into_iter());
    Some(request)
}

/// Where the instant stands. Sources from Redis 7.0 on send no other forms.
fn place(args: Args<'_>) -> Option<usize> {
    if args.is(0, "PEXPIREAT") && args.len() > 2 {
        return Some(2);
    }
    if args.is(0, "SET") {
        return (4..args.len()).find(|index| args.is(index - 1, "PXAT") || args.is(index - 1, "EXAT"));
    }
    let is_absolute = || (4..args.len()).any(|index| args.is(index, "ABSTTL"));
    (args.is(0, "RESTORE") && args.len() > 3 && is_absolute()).then_some(2)
}

/// Passes over all keys until none is put off any more.
pub struct Passes {
    calls: Calls,
    /// Databases of this pass that are left; the last one is at work.
    dbs: Vec<u64>,
    cursor: Vec<u8>,
    left: u64,
}

impl Passes {
    /// Begins the first one.
    pub fn begin(mut calls: Calls) -> Result<Self, String> {
        let dbs = databases(&mut calls)?;
        Ok(Self { calls, dbs, cursor: b"0".to_vec(), left: 0 })
    }

    /// Puts another page right; whether all is.
    pub fn step(&mut self) -> Result<bool, String> {
        if self.dbs.is_empty() {
            if self.left == 0 {
                return Ok(true);
            }
            self.left = 0;
            self.dbs = databases(&mut self.calls)?;
            return Ok(false);
        }
        let (offset, grace) = (OFFSET_MS.to_string(), GRACE_MS.to_string());
        let words: [&[u8]; 7] =
            [b"EVAL", SCRIPT.as_bytes(), b"0", &self.cursor, offset.as_bytes(), grace.as_bytes(), PAGE.as_bytes()];
        let page = self.calls.call(&words)?;
        let (cursor, left) = parse_page(page).ok_or("the target answers a script with something else")?;
        self.left += left;
        self.cursor = cursor;
        if self.cursor == b"0" {
            self.dbs.pop();
            self.select()?;
        }
        Ok(false)
    }

    fn select(&mut self) -> Result<(), String> {
        match self.dbs.last() {
            Some(db) => self.calls.call(&[b"SELECT", db.to_string().as_bytes()]).map(drop),
            None => Ok(()),
        }
    }
}

/// The databases that have keys that expire; the last one is selected.
fn databases(calls: &mut Calls) -> Result<Vec<u64>, String> {
    let counts = calls.key_counts()?;
    let dbs: Vec<u64> = counts.iter().filter(|(_, count)| count.volatile > 0).map(|(db, _)| *db).collect();
    if let Some(db) = dbs.last() {
        calls.call(&[b"SELECT", db.to_string().as_bytes()])?;
    }
    Ok(dbs)
}

fn parse_page(page: OwnedFrame) -> Option<(Vec<u8>, u64)> {
    let OwnedFrame::Array(parts) = page else { return None };
    match <[OwnedFrame; 2]>::try_from(parts).ok()? {
        [OwnedFrame::BulkString(cursor), OwnedFrame::Integer(left)] => Some((cursor, u64::try_from(left).ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedArgs;

    fn rewritten(line: &str) -> Option<String> {
        let args: OwnedArgs = line.split(' ').map(str::as_bytes).collect();
        let request = String::from_utf8(with_expiry_put_off(args.as_args())?).unwrap();
        let words: Vec<&str> = request.split("\r\n").filter(|part| !part.starts_with(['*', '$'])).collect();
        Some(words.join(" ").trim_end().to_owned())
    }

    #[test]
    fn instants_of_the_stream_are_put_off() {
        let later = |ms: i64| (ms + OFFSET_MS).to_string();
        let cases = [
            ("PEXPIREAT k 1700", format!("PEXPIREAT k {}", later(1700))),
            ("set k v PXAT 1700", format!("set k v PXAT {}", later(1700))),
            ("SET k v NX EXAT 17", format!("SET k v NX PXAT {}", later(17_000))),
            ("RESTORE k 1700 payload REPLACE ABSTTL", format!("RESTORE k {} payload REPLACE ABSTTL", later(1700))),
            ("RESTORE k 0 payload ABSTTL", "RESTORE k 0 payload ABSTTL".to_owned()),
        ];
        for (line, expected) in cases {
            assert_eq!(rewritten(line), Some(expected), "{line}");
        }
        for line in
            ["SET PXAT PXAT", "SET k v", "SET k v PX 5", "RESTORE k 5 payload", "PEXPIREAT k x", "DEL k", "PEXPIREAT k"]
        {
            assert_eq!(rewritten(line), None, "{line}");
        }
        assert_eq!(put_off(put_off(5)), put_off(5), "once");
    }
}
