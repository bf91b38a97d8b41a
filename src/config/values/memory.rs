//! Limits on what clients may hold: output buffers by class, and all clients together.

use crate::config::kind::Kind;
use crate::config::value::{Value, memory_text, parse_decimal, parse_lenient, parse_memory};

/// When a client is closed because its output waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BufferLimit {
    /// Closed at once above this; 0 is no limit.
    pub hard_bytes: u64,
    /// Closed when above this for `soft_seconds`; 0 is no limit.
    pub soft_bytes: u64,
    /// See `soft_bytes`.
    pub soft_seconds: u64,
}

/// The limits of the three classes of clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BufferLimits {
    /// Ordinary clients.
    pub normal: BufferLimit,
    /// Replicas.
    pub replica: BufferLimit,
    /// Subscribers.
    pub pubsub: BufferLimit,
}

impl BufferLimits {
    fn class_mut(&mut self, name: &[u8]) -> Option<&mut BufferLimit> {
        match name.to_ascii_lowercase().as_slice() {
            b"normal" => Some(&mut self.normal),
            b"slave" | b"replica" => Some(&mut self.replica),
            b"pubsub" => Some(&mut self.pubsub),
            _ => None,
        }
    }
}

impl Value for BufferLimits {
    /// Classes that are not named keep their limits.
    fn assign(&mut self, args: &[&[u8]], _kind: &Kind, _repeated: bool) -> Result<(), String> {
        if !args.len().is_multiple_of(4) {
            return Err("Wrong number of arguments in buffer limit configuration.".into());
        }
        for quadruple in args.chunks_exact(4) {
            let limit =
                self.class_mut(quadruple[0]).ok_or("Invalid client class specified in buffer limit configuration.")?;
            let hard_bytes = parse_memory(quadruple[1]);
            let soft_bytes = parse_memory(quadruple[2]);
            let soft_seconds = parse_lenient(quadruple[3]).and_then(|s| u64::try_from(s).ok());
            let (Some(hard_bytes), Some(soft_bytes), Some(soft_seconds)) = (hard_bytes, soft_bytes, soft_seconds)
            else {
                return Err("Error in hard, soft or soft_seconds setting in buffer limit configuration.".into());
            };
            *limit = BufferLimit { hard_bytes, soft_bytes, soft_seconds };
        }
        Ok(())
    }

    fn show(&self, _kind: &Kind) -> Vec<u8> {
        let classes = [("normal", self.normal), ("slave", self.replica), ("pubsub", self.pubsub)];
        let words = classes.map(|(name, l)| format!("{name} {} {} {}", l.hard_bytes, l.soft_bytes, l.soft_seconds));
        words.join(" ").into_bytes()
    }

    fn conf_lines(&self, _kind: &Kind) -> Vec<String> {
        let classes = [("normal", self.normal), ("replica", self.replica), ("pubsub", self.pubsub)];
        let line = |(name, l): (&str, BufferLimit)| {
            format!("{name} {} {} {}", memory_text(l.hard_bytes), memory_text(l.soft_bytes), l.soft_seconds)
        };
        classes.map(line).to_vec()
    }
}

/// The memory that all clients together may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientMemory {
    /// So many bytes; 0 is no limit.
    Bytes(u64),
    /// So many hundredths of `maxmemory`.
    Percent(u8),
}

impl Default for ClientMemory {
    fn default() -> Self {
        Self::Bytes(0)
    }
}

impl ClientMemory {
    /// The limit in bytes, `None` for no limit. A percentage of an unlimited `maxmemory` is no limit.
    pub fn limit(self, maxmemory: u64) -> Option<u64> {
        let bytes = match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => (u128::from(maxmemory) * u128::from(percent) / 100) as u64,
        };
        (bytes != 0).then_some(bytes)
    }
}

impl Value for ClientMemory {
    fn assign(&mut self, args: &[&[u8]], _kind: &Kind, _repeated: bool) -> Result<(), String> {
        if let Some(bytes) = parse_memory(args[0]) {
            if i64::try_from(bytes).is_err() {
                return Err(format!("argument must be between -100 and {} inclusive", i64::MAX));
            }
            *self = Self::Bytes(bytes);
            return Ok(());
        }
        let percent = args[0].strip_suffix(b"%").and_then(parse_decimal).filter(|p| *p >= 0);
        *self = match percent {
            None => return Err("argument must be a memory or percent value".into()),
            Some(0) => Self::Bytes(0),
            Some(percent @ 1..=100) => Self::Percent(percent as u8),
            Some(_) => return Err("percentage argument must be less or equal to 100".into()),
        };
        Ok(())
    }

    fn show(&self, _kind: &Kind) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.to_string().into_bytes(),
            Self::Percent(percent) => format!("{percent}%").into_bytes(),
        }
    }

    fn conf_lines(&self, _kind: &Kind) -> Vec<String> {
        match self {
            Self::Bytes(bytes) => vec![memory_text(*bytes)],
            Self::Percent(percent) => vec![format!("{percent}%")],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_not_named_keep_their_limits() {
        let mut limits = BufferLimits::default();
        limits.normal.hard_bytes = 7;
        limits.assign(&[b"Slave", b"1mb", b"2kb", b"60"], &Kind::BufferLimits, false).unwrap();
        assert_eq!(limits.show(&Kind::BufferLimits), b"normal 7 0 0 slave 1048576 2048 60 pubsub 0 0 0");
        assert_eq!(limits.conf_lines(&Kind::BufferLimits)[1], "replica 1mb 2kb 60");
    }

    #[test]
    fn bad_buffer_limits_are_named() {
        let table: &[(&[&[u8]], &str)] = &[
            (&[b"normal", b"0", b"0"], "Wrong number of arguments in buffer limit configuration."),
            (&[b"master", b"0", b"0", b"0"], "Invalid client class specified in buffer limit configuration."),
            (
                &[b"normal", b"x", b"0", b"0"],
                "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
            ),
            (
                &[b"normal", b"0", b"0", b"-1"],
                "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
            ),
        ];
        for (args, expected) in table {
            assert_eq!(BufferLimits::default().assign(args, &Kind::BufferLimits, false).unwrap_err(), *expected);
        }
    }

    #[test]
    fn client_memory_is_bytes_or_a_share() {
        let mut memory = ClientMemory::default();
        let mut set = |text: &str| memory.assign(&[text.as_bytes()], &Kind::PercentOrMemory, false).map(|()| memory);
        assert_eq!(set("5%"), Ok(ClientMemory::Percent(5)));
        assert_eq!(set("0%"), Ok(ClientMemory::Bytes(0)));
        assert_eq!(set("1mb"), Ok(ClientMemory::Bytes(1 << 20)));
        assert_eq!(set("101%"), Err("percentage argument must be less or equal to 100".into()));
        assert_eq!(set("-5%"), Err("argument must be a memory or percent value".into()));
        assert_eq!(ClientMemory::Percent(10).limit(1000), Some(100));
        assert_eq!(ClientMemory::Percent(10).limit(0), None);
    }
}
