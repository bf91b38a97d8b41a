//! Putting right what was put off, once the target keeps up: page by page, by a script at the target, while the stream goes on.
//!
//! Each key, and each page of a hash's fields, is put right at once, so that it gets along with what the stream does to the same key. What
//! expires within moments of then is left for another pass: the source's last word on it may be on its way. What remains is a key or a field
//! whose time is up, and given more, within a lag too short to be noticed (about a second).
//!
//! Fields are looked at only if some were put off: no index says which hashes have such fields.

use redis_protocol::resp2::types::OwnedFrame;

use super::calls::Calls;
use super::expiry::{FIELD_OFFSET_MS, KEY_OFFSET_MS, PutOff};

/// How long the source's last word may be on its way.
const GRACE_MS: i64 = 3000;
/// Keys, or fields, of a page.
const PAGE: &str = "1000";

/// Puts a page of keys right, or, with a key, a page of its fields. Comes back with the next cursor, how many instants have to wait, and
/// hashes that are not through, each with its own cursor: a page of keys stops looking into hashes after ten pages of fields.
const SCRIPT: &str = "\
local offset, field_offset, grace, count = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local left, seen, hashes = 0, 0, {}
local function put_right(when, offset, give)
  if when < offset then return end
  when = when - offset
  if math.abs(when - now) <= grace then
    left = left + 1
  else
    give(string.format('%.0f', when))
  end
end
local function fields(key, cursor)
  local page = redis.call('HSCAN', key, cursor, 'COUNT', count)
  local names = {}
  for i = 1, #page[2], 2 do names[#names + 1] = page[2][i] end
  seen = seen + #names
  for from = 1, #names, count do
    local to = math.min(from + count - 1, #names)
    local whens = redis.call('HPEXPIRETIME', key, 'FIELDS', to - from + 1, unpack(names, from, to))
    for i, when in ipairs(whens) do
      put_right(when, field_offset, function(at)
        redis.call('HPEXPIREAT', key, at, 'FIELDS', 1, names[from + i - 1])
      end)
    end
  end
  return page[1]
end
if KEYS[1] then return {fields(KEYS[1], ARGV[1]), left, hashes} end
local page = redis.call('SCAN', ARGV[1], 'COUNT', count)
for _, key in ipairs(page[2]) do
  put_right(redis.call('PEXPIRETIME', key), offset, function(at) redis.call('PEXPIREAT', key, at) end)
  if ARGV[6] == 'fields' and redis.call('TYPE', key).ok == 'hash' then
    local cursor = '0'
    if seen < 10 * count then cursor = fields(key, cursor) end
    if seen >= 10 * count or cursor ~= '0' then
      hashes[#hashes + 1] = key
      hashes[#hashes + 1] = cursor
    end
  end
end
return {page[1], left, hashes}";

/// Passes over all keys until nothing is put off any more.
pub struct Passes {
    calls: Calls,
    fields: bool,
    /// Databases of this pass that are left; the last one is at work.
    dbs: Vec<u64>,
    /// Where its keys go on, if they do.
    cursor: Option<Vec<u8>>,
    /// Hashes whose fields go on, each with its cursor.
    hashes: Vec<(Vec<u8>, Vec<u8>)>,
    left: u64,
}

/// What the script answers.
#[derive(Debug, PartialEq, Eq)]
struct Page {
    cursor: Vec<u8>,
    left: u64,
    hashes: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Passes {
    /// Begins the first one.
    pub fn begin(calls: Calls, put_off: &PutOff) -> Result<Self, String> {
        let mut passes =
            Self { calls, fields: put_off.fields, dbs: Vec::new(), cursor: None, hashes: Vec::new(), left: 0 };
        passes.begin_pass()?;
        Ok(passes)
    }

    /// Puts another page right; whether all is.
    pub fn step(&mut self) -> Result<bool, String> {
        if self.dbs.is_empty() {
            let done = self.left == 0;
            if !done {
                self.begin_pass()?;
            }
            return Ok(done);
        }
        if let Some((key, cursor)) = self.hashes.pop() {
            let page = self.page(&cursor, Some(&key))?;
            self.hashes.extend(next(page.cursor).map(|cursor| (key, cursor)));
        } else if let Some(cursor) = self.cursor.take() {
            let page = self.page(&cursor, None)?;
            self.cursor = next(page.cursor);
            self.hashes = page.hashes;
        } else {
            self.dbs.pop();
            self.enter()?;
        }
        Ok(false)
    }

    fn page(&mut self, cursor: &[u8], key: Option<&[u8]>) -> Result<Page, String> {
        let numbers = [KEY_OFFSET_MS, FIELD_OFFSET_MS, GRACE_MS].map(|number| number.to_string());
        let mut words: Vec<&[u8]> = vec![b"EVAL", SCRIPT.as_bytes()];
        match key {
            Some(key) => words.extend([&b"1"[..], key]),
            None => words.push(b"0"),
        }
        words.push(cursor);
        words.extend(numbers.iter().map(String::as_bytes));
        words.extend([PAGE.as_bytes(), if self.fields { b"fields" } else { b"keys" }]);
        let page = parse_page(self.calls.call(&words)?).ok_or("the target answers a script with something else")?;
        self.left += page.left;
        Ok(page)
    }

    /// Begins with the databases that have something that expires.
    fn begin_pass(&mut self) -> Result<(), String> {
        self.left = 0;
        let counts = self.calls.key_counts()?;
        let concerned = counts.iter().filter(|(_, count)| count.volatile > 0 || (self.fields && count.keys > 0));
        self.dbs = concerned.map(|(db, _)| *db).collect();
        self.enter()
    }

    /// Enters the database that is at work.
    fn enter(&mut self) -> Result<(), String> {
        self.cursor = Some(b"0".to_vec());
        match self.dbs.last() {
            Some(db) => self.calls.call(&[b"SELECT", db.to_string().as_bytes()]).map(drop),
            None => Ok(()),
        }
    }
}

/// A cursor that leads further.
fn next(cursor: Vec<u8>) -> Option<Vec<u8>> {
    (cursor != b"0").then_some(cursor)
}

fn parse_page(page: OwnedFrame) -> Option<Page> {
    let OwnedFrame::Array(parts) = page else { return None };
    let bytes = |frame: OwnedFrame| match frame {
        OwnedFrame::BulkString(bytes) => Some(bytes),
        _ => None,
    };
    match <[OwnedFrame; 3]>::try_from(parts).ok()? {
        [OwnedFrame::BulkString(cursor), OwnedFrame::Integer(left), OwnedFrame::Array(hashes)] => {
            let words: Vec<Vec<u8>> = hashes.into_iter().map(bytes).collect::<Option<_>>()?;
            let hashes = words.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
            Some(Page { cursor, left: u64::try_from(left).ok()?, hashes })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let bulk = |text: &str| OwnedFrame::BulkString(text.into());
        let hashes = OwnedFrame::Array(vec![bulk("h"), bulk("7")]);
        let page = parse_page(OwnedFrame::Array(vec![bulk("5"), OwnedFrame::Integer(2), hashes.clone()]));
        let expected = Page { cursor: b"5".to_vec(), left: 2, hashes: vec![(b"h".to_vec(), b"7".to_vec())] };
        assert_eq!(page, Some(expected));
        for frames in [vec![bulk("5")], vec![bulk("5"), OwnedFrame::Integer(-1), hashes], vec![]] {
            assert_eq!(parse_page(OwnedFrame::Array(frames)), None);
        }
        assert_eq!((next(b"0".to_vec()), next(b"10".to_vec())), (None, Some(b"10".to_vec())));
    }
}
