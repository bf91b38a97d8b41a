//! Parameters that are lists: save points, addresses, percentiles, scores, event classes; and the primary to follow.

use crate::base::quoting::quote;
use crate::config::kind::Kind;
use crate::config::value::{Value, parse_lenient};

/// Save when so many changes happened in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavePoint {
    /// Seconds since the last save.
    pub seconds: u64,
    /// Changes since the last save.
    pub changes: u64,
}

/// All save points; none means that nothing is saved by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavePoints(pub Vec<SavePoint>);

impl Value for SavePoints {
    /// The first directive of a loading replaces the default, further ones add to it, an empty one clears all.
    fn assign(&mut self, args: &[&[u8]], _kind: &Kind, repeated: bool) -> Result<(), String> {
        let args = without_lone_empty(args);
        if !repeated || args.is_empty() {
            self.0.clear();
        }
        if !args.len().is_multiple_of(2) {
            return Err("Invalid save parameters".into());
        }
        for pair in args.chunks_exact(2) {
            let seconds = parse_lenient(pair[0]).and_then(|n| u64::try_from(n).ok()).filter(|n| *n >= 1);
            let changes = parse_lenient(pair[1]).and_then(|n| u64::try_from(n).ok());
            let (Some(seconds), Some(changes)) = (seconds, changes) else {
                return Err("Invalid save parameters".into());
            };
            self.0.push(SavePoint { seconds, changes });
        }
        Ok(())
    }

    fn show(&self, kind: &Kind) -> Vec<u8> {
        if self.0.is_empty() { Vec::new() } else { self.conf_lines(kind).join(" ").into_bytes() }
    }

    fn conf_lines(&self, _kind: &Kind) -> Vec<String> {
        if self.0.is_empty() {
            return vec![quote(b"")];
        }
        self.0.iter().map(|point| format!("{} {}", point.seconds, point.changes)).collect()
    }
}

/// Addresses to listen on. `*` and `::*` are all addresses; a leading `-` allows an address to be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses(pub Vec<String>);

impl Addresses {
    /// How many may be given.
    pub const MAX: usize = 16;
}

impl Value for Addresses {
    fn assign(&mut self, args: &[&[u8]], _kind: &Kind, _repeated: bool) -> Result<(), String> {
        if args.len() > Self::MAX {
            return Err("Too many bind addresses specified.".into());
        }
        let text =
            |arg: &&[u8]| String::from_utf8(arg.to_vec()).map_err(|_| "addresses must be valid UTF-8 text".into());
        self.0 = without_lone_empty(args).iter().map(text).collect::<Result<_, String>>()?;
        Ok(())
    }

    fn show(&self, _kind: &Kind) -> Vec<u8> {
        self.0.join(" ").into_bytes()
    }

    fn conf_lines(&self, _kind: &Kind) -> Vec<String> {
        vec![if self.0.is_empty() { quote(b"") } else { self.0.join(" ") }]
    }
}

/// Percentiles between 0 and 100.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Percentiles(pub Vec<f64>);

impl Value for Percentiles {
    fn assign(&mut self, args: &[&[u8]], _kind: &Kind, _repeated: bool) -> Result<(), String> {
        self.0.clear();
        for arg in without_lone_empty(args) {
            let number = std::str::from_utf8(arg).ok().and_then(|text| text.parse::<f64>().ok());
            match number.filter(|n| !n.is_nan()) {
                None => return Err("Invalid latency-tracking-info-percentiles parameters".into()),
                Some(number) if (0.0..=100.0).contains(&number) => self.0.push(number),
                Some(_) => {
                    return Err("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]".into());
                }
            }
        }
        Ok(())
    }

    fn show(&self, _kind: &Kind) -> Vec<u8> {
        let texts: Vec<String> = self.0.iter().map(|number| Self::text(*number)).collect();
        texts.join(" ").into_bytes()
    }

    fn conf_lines(&self, kind: &Kind) -> Vec<String> {
        vec![if self.0.is_empty() { quote(b"") } else { String::from_utf8_lossy(&self.show(kind)).into_owned() }]
    }
}

impl Percentiles {
    /// Six decimals without trailing zeros, as `INFO latencystats` names them too.
    pub fn text(percentile: f64) -> String {
        format!("{percentile:.6}").trim_end_matches('0').trim_end_matches('.').to_string()
    }
}

/// Scores for primary, replica and background work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OomScores(pub [i32; 3]);

impl Value for OomScores {
    fn assign(&mut self, args: &[&[u8]], _kind: &Kind, _repeated: bool) -> Result<(), String> {
        let args: [&[u8]; 3] = args.try_into().map_err(|_| "wrong number of arguments")?;
        for (score, arg) in self.0.iter_mut().zip(args) {
            *score = parse_lenient(arg)
                .filter(|n| (-2000..=2000).contains(n))
                .ok_or("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")?
                as i32;
        }
        Ok(())
    }

    fn show(&self, _kind: &Kind) -> Vec<u8> {
        self.0.map(|score| score.to_string()).join(" ").into_bytes()
    }
}

/// Which keyspace events are published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventClasses(pub u32);

impl EventClasses {
    /// K: on channels named after the key.
    pub const KEYSPACE: u32 = 1 << 0;
    /// E: on channels named after the event.
    pub const KEYEVENT: u32 = 1 << 1;
    /// g: commands for any type.
    pub const GENERIC: u32 = 1 << 2;
    /// $: strings.
    pub const STRING: u32 = 1 << 3;
    /// l: lists.
    pub const LIST: u32 = 1 << 4;
    /// s: sets.
    pub const SET: u32 = 1 << 5;
    /// h: hashes.
    pub const HASH: u32 = 1 << 6;
    /// z: sorted sets.
    pub const ZSET: u32 = 1 << 7;
    /// x: a key expired.
    pub const EXPIRED: u32 = 1 << 8;
    /// e: a key was evicted.
    pub const EVICTED: u32 = 1 << 9;
    /// t: streams.
    pub const STREAM: u32 = 1 << 10;
    /// m: a key was looked for and missing; not part of A.
    pub const KEY_MISS: u32 = 1 << 11;
    /// d: modules.
    pub const MODULE: u32 = 1 << 13;
    /// n: a key is new; not part of A.
    pub const NEW: u32 = 1 << 14;
    /// A: all of g $ l s h z x e t d.
    pub const ALL: u32 = Self::GENERIC
        | Self::STRING
        | Self::LIST
        | Self::SET
        | Self::HASH
        | Self::ZSET
        | Self::EXPIRED
        | Self::EVICTED
        | Self::STREAM
        | Self::MODULE;

    /// Letters in the order in which they are shown; the flag says whether A stands for them too.
    const LETTERS: [(char, u32, bool); 14] = [
        ('g', Self::GENERIC, true),
        ('$', Self::STRING, true),
        ('l', Self::LIST, true),
        ('s', Self::SET, true),
        ('h', Self::HASH, true),
        ('z', Self::ZSET, true),
        ('x', Self::EXPIRED, true),
        ('e', Self::EVICTED, true),
        ('t', Self::STREAM, true),
        ('d', Self::MODULE, true),
        ('n', Self::NEW, true),
        ('K', Self::KEYSPACE, false),
        ('E', Self::KEYEVENT, false),
        ('m', Self::KEY_MISS, false),
    ];

    /// Are any of these classes on?
    pub fn has(self, classes: u32) -> bool {
        self.0 & classes != 0
    }
}

impl Value for EventClasses {
    fn assign(&mut self, args: &[&[u8]], _kind: &Kind, _repeated: bool) -> Result<(), String> {
        self.0 = 0;
        for &byte in args[0] {
            let class = Self::LETTERS.iter().find(|(letter, ..)| *letter == byte as char).map(|(_, class, _)| *class);
            self.0 |= match (byte, class) {
                (b'A', _) => Self::ALL,
                (_, Some(class)) => class,
                _ => return Err("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.".into()),
            };
        }
        Ok(())
    }

    fn show(&self, _kind: &Kind) -> Vec<u8> {
        let all = self.0 & Self::ALL == Self::ALL;
        let letters = Self::LETTERS.iter().filter(|(_, class, within_all)| self.has(*class) && !(all && *within_all));
        let text: String = all.then_some('A').into_iter().chain(letters.map(|(letter, ..)| *letter)).collect();
        text.into_bytes()
    }

    fn conf_lines(&self, kind: &Kind) -> Vec<String> {
        vec![quote(&self.show(kind))]
    }
}

/// The primary that this server follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplicaOf(pub Option<(String, u16)>);

impl Value for ReplicaOf {
    fn assign(&mut self, args: &[&[u8]], _kind: &Kind, _repeated: bool) -> Result<(), String> {
        let args = without_lone_empty(args);
        if args.is_empty() {
            self.0 = None;
            return Ok(());
        }
        let [host, port]: [&[u8]; 2] = args.try_into().map_err(|_| "wrong number of arguments")?;
        if host.eq_ignore_ascii_case(b"no") && port.eq_ignore_ascii_case(b"one") {
            self.0 = None;
            return Ok(());
        }
        let port = parse_lenient(port).and_then(|port| u16::try_from(port).ok()).ok_or("Invalid master port")?;
        let host = std::str::from_utf8(host).map_err(|_| "the host must be valid UTF-8 text")?;
        self.0 = Some((host.to_string(), port));
        Ok(())
    }

    fn show(&self, _kind: &Kind) -> Vec<u8> {
        self.0.as_ref().map(|(host, port)| format!("{host} {port}").into_bytes()).unwrap_or_default()
    }

    fn conf_lines(&self, kind: &Kind) -> Vec<String> {
        if self.0.is_none() { Vec::new() } else { vec![String::from_utf8_lossy(&self.show(kind)).into_owned()] }
    }
}

/// A single empty word stands for an empty list.
fn without_lone_empty<'a, 'b>(args: &'a [&'b [u8]]) -> &'a [&'b [u8]] {
    if args == [b"".as_slice()] { &[] } else { args }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn save_points_gather_over_directives() {
        let mut points = SavePoints::default();
        points.assign(&[b"900", b"1"], &Kind::Save, false).unwrap();
        points.assign(&[b"300", b"10"], &Kind::Save, true).unwrap();
        assert_eq!(points.show(&Kind::Save), b"900 1 300 10");
        points.assign(&[b""], &Kind::Save, true).unwrap();
        assert_eq!(points.show(&Kind::Save), b"");
        assert_eq!(points.conf_lines(&Kind::Save), ["\"\""]);
        for bad in [&[b"900".as_slice()] as &[&[u8]], &[b"0", b"1"], &[b"1", b"-1"], &[b"1", b"x"]] {
            assert_eq!(points.assign(bad, &Kind::Save, false), Err("Invalid save parameters".into()));
        }
    }

    #[test]
    fn event_classes_show_as_redis_shows_them() {
        let table = [("KEA", "AKE"), ("g$lshzxetd", "A"), ("Kgx", "gxK"), ("An", "A"), ("AKEm", "AKEm"), ("", "")];
        for (given, shown) in table {
            let mut classes = EventClasses::default();
            classes.assign(&[given.as_bytes()], &Kind::Events, false).unwrap();
            assert_eq!(String::from_utf8(classes.show(&Kind::Events)).unwrap(), shown, "{given}");
        }
        assert!(EventClasses::default().assign(&[b"q"], &Kind::Events, false).is_err());
    }

    #[test]
    fn percentiles_keep_six_decimals() {
        let mut list = Percentiles::default();
        list.assign(&[b"50", b"99.9", b"50.1234567"], &Kind::Percentiles, false).unwrap();
        assert_eq!(list.show(&Kind::Percentiles), b"50 99.9 50.123457");
        assert!(list.assign(&[b"nan"], &Kind::Percentiles, false).unwrap_err().starts_with("Invalid"));
        assert!(list.assign(&[b"100.1"], &Kind::Percentiles, false).unwrap_err().contains("between"));
    }

    #[test]
    fn a_primary_needs_a_port() {
        let mut primary = ReplicaOf::default();
        assert_eq!(primary.assign(&[b"127.0.0.1", b"abc"], &Kind::ReplicaOf, false), Err("Invalid master port".into()));
        primary.assign(&[b"db", b"6379"], &Kind::ReplicaOf, false).unwrap();
        assert_eq!(primary.show(&Kind::ReplicaOf), b"db 6379");
        primary.assign(&[b"NO", b"ONE"], &Kind::ReplicaOf, false).unwrap();
        assert_eq!(primary, ReplicaOf(None));
    }
}
