//! Finding the keys of a request.
//!
//! [`for_each_key`] runs for every request, in front of the locks: it allocates nothing, and one key behind the name
//! costs a few instructions. Specs say where the keys are; a few commands need more than specs can express
//! ([`KeyFinder`]). What it finds is exactly what the command will touch, whatever the arguments.

use super::keys::{BeginSearch, FindKeys, KeyFlags, KeySpec};
use super::spec::Spec;

/// How a command's keys are found, where its specs say too little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFinder {
    /// The specs say it all.
    BySpecs,
    /// The first argument; GET among the options makes it a read as well (SET).
    Set,
    /// The first argument; read only unless an operation writes (BITFIELD).
    Bitfield,
    /// The first argument, and the last STORE's (SORT).
    Sort,
    /// What the specs say, and in any case the destination of the last STORE or STOREDIST (GEORADIUS).
    GeoRadius,
    /// The third argument, or all behind KEYS where that is empty (MIGRATE).
    Migrate,
    /// The first half of what follows STREAMS, the option, not an operand of that name (XREAD).
    Streams,
}

/// Calls `found` with the position of each key and what is done to it. `arg` gives the argument at a position below
/// `argc`. False where the arguments do not fit the command or hold no key: what was found until then is of no use to
/// someone who asks for the keys, but locking it does no harm.
#[inline]
pub fn for_each_key<'a>(
    spec: &Spec,
    argc: usize,
    arg: impl Fn(usize) -> &'a [u8],
    mut found: impl FnMut(usize, KeyFlags),
) -> bool {
    match spec.keys {
        [] => false,
        [KeySpec { begin: BeginSearch::Index(1), find: FindKeys::ONE, flags, .. }]
            if spec.finder == KeyFinder::BySpecs =>
        {
            if argc < 2 || flags.contains(KeyFlags::NOT_KEY) {
                return false;
            }
            found(1, *flags);
            true
        }
        _ => find(spec, argc, &arg, &mut found),
    }
}

fn find<'a>(
    spec: &Spec,
    argc: usize,
    arg: &impl Fn(usize) -> &'a [u8],
    found: &mut impl FnMut(usize, KeyFlags),
) -> bool {
    if argc < 2 {
        return false;
    }
    match spec.finder {
        KeyFinder::BySpecs => return by_specs(spec, argc, arg, found),
        KeyFinder::Set => {
            let get = (3..argc).any(|i| arg(i).eq_ignore_ascii_case(b"GET"));
            found(1, if get { KeyFlags::EXCHANGE } else { KeyFlags::STORE });
        }
        KeyFinder::Bitfield => {
            found(1, if bitfield_reads(argc, arg) { KeyFlags::READ } else { KeyFlags::EXCHANGE });
        }
        KeyFinder::Sort => {
            found(1, KeyFlags::READ);
            if let Some(destination) = sort_destination(argc, arg) {
                found(destination, KeyFlags::STORE);
            }
        }
        KeyFinder::GeoRadius => {
            let destination = georadius_destination(argc, arg);
            let mut is_found = false;
            let fits = by_specs(spec, argc, arg, &mut |position, flags| {
                is_found |= Some(position) == destination;
                found(position, flags);
            });
            if let Some(destination) = destination.filter(|_| !is_found) {
                found(destination, KeyFlags::STORE);
            }
            return fits;
        }
        KeyFinder::Migrate => return migrate_keys(argc, arg, found),
        KeyFinder::Streams => return stream_keys(spec, argc, arg, found),
    }
    true
}

fn by_specs<'a>(
    spec: &Spec,
    argc: usize,
    arg: &impl Fn(usize) -> &'a [u8],
    found: &mut impl FnMut(usize, KeyFlags),
) -> bool {
    let mut any = false;
    for place in spec.keys.iter().filter(|place| !place.flags.contains(KeyFlags::NOT_KEY)) {
        let Ok(located) = place.locate(argc, arg) else { return false };
        let Some(Located { first, last, step }) = located else { continue };
        any = true;
        for position in (first..=last).step_by(step) {
            found(position, place.flags);
        }
    }
    any
}

/// Whether all operations of a BITFIELD are GET (a syntax error counts as a write).
fn bitfield_reads<'a>(argc: usize, arg: &impl Fn(usize) -> &'a [u8]) -> bool {
    let mut i = 2;
    while i < argc {
        let behind = argc - i - 1;
        i += match arg(i) {
            word if word.eq_ignore_ascii_case(b"GET") && behind >= 2 => 3,
            word if word.eq_ignore_ascii_case(b"OVERFLOW") && behind >= 1 => 2,
            _ => return false,
        };
    }
    true
}

/// SORT's last STORE; the operands of other options are no options.
fn sort_destination<'a>(argc: usize, arg: &impl Fn(usize) -> &'a [u8]) -> Option<usize> {
    let mut destination = None;
    let mut i = 2;
    while i < argc {
        i += match arg(i) {
            word if word.eq_ignore_ascii_case(b"LIMIT") => 3,
            word if word.eq_ignore_ascii_case(b"BY") || word.eq_ignore_ascii_case(b"GET") => 2,
            word if word.eq_ignore_ascii_case(b"STORE") && i + 1 < argc => {
                destination = Some(i + 1);
                2
            }
            _ => 1,
        };
    }
    destination
}

/// GEORADIUS's last STORE or STOREDIST.
fn georadius_destination<'a>(argc: usize, arg: &impl Fn(usize) -> &'a [u8]) -> Option<usize> {
    let mut destination = None;
    let mut i = 5;
    while i + 1 < argc {
        let word = arg(i);
        if word.eq_ignore_ascii_case(b"STORE") || word.eq_ignore_ascii_case(b"STOREDIST") {
            destination = Some(i + 1);
            i += 1;
        }
        i += 1;
    }
    destination
}

fn migrate_keys<'a>(argc: usize, arg: &impl Fn(usize) -> &'a [u8], found: &mut impl FnMut(usize, KeyFlags)) -> bool {
    if argc < 4 {
        return false;
    }
    let mut i = 6;
    while i < argc {
        i += match arg(i) {
            // One key and KEYS together are a syntax error.
            word if word.eq_ignore_ascii_case(b"KEYS") && !arg(3).is_empty() => return false,
            word if word.eq_ignore_ascii_case(b"KEYS") => {
                (i + 1..argc).for_each(|position| found(position, KeyFlags::TAKE));
                return i + 1 < argc;
            }
            word if word.eq_ignore_ascii_case(b"AUTH2") => 3,
            word if word.eq_ignore_ascii_case(b"AUTH") => 2,
            _ => 1,
        };
    }
    found(3, KeyFlags::TAKE);
    true
}

fn stream_keys<'a>(
    spec: &Spec,
    argc: usize,
    arg: &impl Fn(usize) -> &'a [u8],
    found: &mut impl FnMut(usize, KeyFlags),
) -> bool {
    let Some(streams) = streams_option(argc, arg) else { return by_specs(spec, argc, arg, found) };
    let place = &spec.keys[0];
    let Ok(Located { first, last, step }) = place.find.locate(streams as i32 + 1, argc, arg) else { return false };
    (first..=last).step_by(step).for_each(|position| found(position, place.flags));
    true
}

/// XREAD's STREAMS, found by stepping over the options in front of it.
fn streams_option<'a>(argc: usize, arg: &impl Fn(usize) -> &'a [u8]) -> Option<usize> {
    let mut i = 1;
    while i < argc {
        i += match arg(i) {
            word if word.eq_ignore_ascii_case(b"STREAMS") => return Some(i),
            word if word.eq_ignore_ascii_case(b"BLOCK") || word.eq_ignore_ascii_case(b"COUNT") => 2,
            word if word.eq_ignore_ascii_case(b"GROUP") => 3,
            word if word.eq_ignore_ascii_case(b"NOACK") => 1,
            _ => return None,
        };
    }
    None
}

impl KeySpec {
    /// First and last key in a request, and their distance: `Ok(None)` where the word is missing, `Err` where the
    /// arguments do not fit.
    fn locate<'a>(&self, argc: usize, arg: &impl Fn(usize) -> &'a [u8]) -> Result<Option<Located>, Misfit> {
        let begin = match self.begin {
            BeginSearch::Index(position) => position,
            BeginSearch::Keyword { word, from } => match find_word(word, from, argc, arg) {
                Some(position) => position as i32 + 1,
                None => return Ok(None),
            },
            BeginSearch::Unknown => return Ok(None),
        };
        self.find.locate(begin, argc, arg).map(Some)
    }
}

/// A range of keys that lies within the request.
struct Located {
    first: usize,
    last: usize,
    step: usize,
}

/// The arguments do not fit the spec.
struct Misfit;

impl FindKeys {
    fn locate<'a>(self, begin: i32, argc: usize, arg: &impl Fn(usize) -> &'a [u8]) -> Result<Located, Misfit> {
        let count = argc as i64;
        let begin = i64::from(begin);
        let (first, last, step) = match self {
            Self::Range { last, step, .. } if last >= 0 => (begin, begin + i64::from(last), step),
            Self::Range { last, step, limit: 0 } => (begin, count + i64::from(last), step),
            Self::Range { last, step, limit } => {
                (begin, begin + (count - begin) / i64::from(limit) + i64::from(last), step)
            }
            Self::Keynum { count: at, first, step } => {
                let at = begin + i64::from(at);
                let keys = if at < count { parse_count(arg(at as usize)) } else { None }.ok_or(Misfit)?;
                let first = begin + i64::from(first);
                (first, (keys - 1).saturating_mul(i64::from(step)).saturating_add(first), step)
            }
            Self::Unknown => return Err(Misfit),
        };
        if first < 1 || last < first || last >= count {
            return Err(Misfit);
        }
        Ok(Located { first: first as usize, last: last as usize, step: step as usize })
    }
}

/// The position of a word, searched forwards from a positive position up to the last argument but one, else backwards.
fn find_word<'a>(word: &str, from: i32, argc: usize, arg: &impl Fn(usize) -> &'a [u8]) -> Option<usize> {
    let is_word = |i: &usize| arg(*i).eq_ignore_ascii_case(word.as_bytes());
    if from > 0 {
        (from as usize..argc.saturating_sub(1)).find(is_word)
    } else {
        let start = argc.checked_sub(from.unsigned_abs() as usize)?;
        (2..=start.min(argc - 1)).rev().find(is_word)
    }
}

/// A number of keys: decimal digits and nothing else.
fn parse_count(bytes: &[u8]) -> Option<i64> {
    let plain = bytes.iter().all(u8::is_ascii_digit) && (bytes.len() == 1 || bytes.first() != Some(&b'0'));
    if plain { std::str::from_utf8(bytes).ok()?.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::super::keys;
    use super::*;

    /// The keys of a request with the names of their flags; `None` where the arguments do not fit.
    fn found(keys: &'static [KeySpec], finder: KeyFinder, request: &str) -> Option<Vec<String>> {
        let spec = Spec { keys, finder, ..Spec::BASE };
        let args: Vec<&[u8]> = request.split(' ').map(str::as_bytes).collect();
        let mut list = Vec::new();
        let fits = for_each_key(
            &spec,
            args.len(),
            |i| args[i],
            |i, flags| {
                let names: Vec<&str> = flags.names().collect();
                list.push(format!("{}:{}", String::from_utf8_lossy(args[i]), names.join("+")));
            },
        );
        fits.then_some(list)
    }

    #[track_caller]
    fn check(keys: &'static [KeySpec], finder: KeyFinder, cases: &[(&str, Option<&str>)]) {
        for (request, expected) in cases {
            let list = found(keys, finder, request).map(|list| list.join(" "));
            assert_eq!(list.as_deref(), *expected, "{request}");
        }
    }

    #[test]
    fn specs_find_ranges_counts_and_words() {
        use KeyFinder::BySpecs;
        check(&[], BySpecs, &[("PING x", None)]);
        check(keys::FIRST_READ, BySpecs, &[("GET k", Some("k:RO+access")), ("GET", None)]);
        check(keys::ALL_RO, BySpecs, &[("EXISTS a b", Some("a:RO b:RO")), ("EXISTS", None)]);
        check(keys::ALL_CHANNELS, BySpecs, &[("SSUBSCRIBE a b", None)]);
        check(
            keys::ALL_BUT_LAST_TAKE,
            BySpecs,
            &[("BLPOP a b 0", Some("a:RW+access+delete b:RW+access+delete")), ("BLPOP 0", None)],
        );
        const PAIRS: &[KeySpec] = &[KeySpec::index(1, KeyFlags::OW).range(-1, 2, 0)];
        check(PAIRS, BySpecs, &[("MSET a 1 b 2", Some("a:OW b:OW"))]);
        check(
            keys::STORE_COUNTED,
            BySpecs,
            &[
                ("ZUNIONSTORE d 2 a b WEIGHTS 1 2", Some("d:OW+update a:RO+access b:RO+access")),
                ("ZUNIONSTORE d 3 a b", None),
                ("ZUNIONSTORE d 0 a", None),
                ("ZUNIONSTORE d -1 a", None),
                ("ZUNIONSTORE d 9223372036854775807 a", None),
                ("ZUNIONSTORE d 02 a b", None),
                ("ZUNIONSTORE d x a", None),
                ("ZUNIONSTORE d", None),
            ],
        );
        const COUNTED_PAIRS: &[KeySpec] = &[KeySpec::index(1, KeyFlags::OW).counted(0, 1, 2)];
        check(
            COUNTED_PAIRS,
            BySpecs,
            &[("MSETEX 2 a 1 b 2 EX 9", Some("a:OW b:OW")), ("MSETEX 3 a 1 b 2", None), ("MSETEX 1 a", Some("a:OW"))],
        );
        const BEHIND_WORD: &[KeySpec] = &[KeySpec::keyword("TO", 1, KeyFlags::OW), KeySpec::unknown(KeyFlags::RO)];
        check(BEHIND_WORD, BySpecs, &[("X a to b", Some("b:OW")), ("X a TO", None)]);
        const BACKWARDS: &[KeySpec] = &[KeySpec::keyword("KEYS", -2, KeyFlags::RW).range(-1, 1, 0)];
        check(BACKWARDS, BySpecs, &[("X KEYS KEYS a b", Some("a:RW b:RW")), ("X", None)]);
    }

    #[test]
    fn options_decide_what_happens_to_the_key() {
        check(
            keys::FIRST_STORE,
            KeyFinder::Set,
            &[
                ("SET k v", Some("k:OW+update")),
                ("SET k GET", Some("k:OW+update")),
                ("SET k v EX 1 get", Some("k:RW+access+update")),
            ],
        );
        check(
            keys::FIRST_EXCHANGE,
            KeyFinder::Bitfield,
            &[
                ("BITFIELD k GET u8 0 OVERFLOW sat GET u8 1", Some("k:RO+access")),
                ("BITFIELD k GET u8 0 SET u8 0 1", Some("k:RW+access+update")),
                ("BITFIELD k GET u8", Some("k:RW+access+update")),
            ],
        );
    }

    #[test]
    fn destinations_are_the_last_ones_named() {
        const SORT: &[KeySpec] = &[KeySpec::index(1, KeyFlags::READ), KeySpec::unknown(KeyFlags::STORE)];
        check(
            SORT,
            KeyFinder::Sort,
            &[
                ("SORT k", Some("k:RO+access")),
                ("SORT k BY store GET store STORE a store b", Some("k:RO+access b:OW+update")),
                ("SORT k LIMIT store 1 STORE", Some("k:RO+access")),
            ],
        );
        const RADIUS: &[KeySpec] = &[KeySpec::index(1, KeyFlags::READ), KeySpec::keyword("STORE", 6, KeyFlags::STORE)];
        check(
            RADIUS,
            KeyFinder::GeoRadius,
            &[
                ("GEORADIUS k 1 2 3 km", Some("k:RO+access")),
                ("GEORADIUS k 1 2 3 km STORE a storedist b", Some("k:RO+access a:OW+update b:OW+update")),
                ("GEORADIUS k 1 2 3 km storedist store store b", Some("k:RO+access store:OW+update b:OW+update")),
                ("GEORADIUS k 1 2 3 km STORE", Some("k:RO+access")),
            ],
        );
    }

    #[test]
    fn migrate_takes_one_key_or_many() {
        const MIGRATE: &[KeySpec] = &[KeySpec::index(3, KeyFlags::TAKE)];
        check(
            MIGRATE,
            KeyFinder::Migrate,
            &[
                ("MIGRATE h p k 0 9", Some("k:RW+access+delete")),
                ("MIGRATE h p k 0 9 AUTH keys", Some("k:RW+access+delete")),
                ("MIGRATE h p  0 9 AUTH2 keys keys KEYS a b", Some("a:RW+access+delete b:RW+access+delete")),
                ("MIGRATE h p k 0 9 KEYS a", None),
                ("MIGRATE h p  0 9 KEYS", None),
            ],
        );
    }

    #[test]
    fn streams_is_an_option_and_no_operand() {
        const READ: &[KeySpec] = &[KeySpec::keyword("STREAMS", 1, KeyFlags::READ).range(-1, 1, 2)];
        check(
            READ,
            KeyFinder::Streams,
            &[
                ("XREAD STREAMS a b 0 0", Some("a:RO+access b:RO+access")),
                ("XREADGROUP GROUP streams c COUNT 1 BLOCK 0 NOACK STREAMS streams >", Some("streams:RO+access")),
                ("XREAD COUNT 1", None),
                ("XREAD STREAMS", None),
                ("XREAD STREAMS a", None),
            ],
        );
    }
}
