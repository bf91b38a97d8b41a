//! In-transit encryption is on or off for a whole replication group; this file tells the two apart.
//!
//! It stands alone because both listeners need it before any TLS library is involved: the first byte of
//! a connection decides, and whoever comes in the wrong mode gets an answer that their own program can
//! show. What always holds: a refusal is a constant, so refusing costs neither allocation nor handshake.

use std::fmt;
use std::str::FromStr;

use parking_lot::Mutex;

/// Whether a replication group encrypts in transit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransitEncryption {
    /// TLS only.
    On,
    /// Plaintext only.
    Off,
}

/// What a connection's first byte says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// A TLS record of the handshake type: a ClientHello.
    Tls,
    /// Anything else: RESP, an inline command, HTTP …
    Plaintext,
}

/// Content type of a handshake record (RFC 8446, section 5.1).
const HANDSHAKE_RECORD: u8 = 0x16;

/// The answer to plaintext on a TLS listener.
const PLAINTEXT_REFUSAL: &[u8] =
    b"-ERR this port speaks TLS only: connect with redis-cli --tls or a rediss:// address\r\n";

/// The answer to a ClientHello on a plaintext listener: one alert record, fatal, handshake_failure
/// (RFC 8446, section 6). It must be TLS, since a client in a handshake shows nothing else.
const TLS_REFUSAL: &[u8] = &[0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28];

impl Speaks {
    /// Classifies a connection by the first byte it sends.
    pub fn from_first_byte(byte: u8) -> Self {
        if byte == HANDSHAKE_RECORD { Self::Tls } else { Self::Plaintext }
    }
}

impl TransitEncryption {
    /// Whether a connection that begins with this byte is in this mode.
    pub fn admits(self, first_byte: u8) -> bool {
        (self == Self::On) == (Speaks::from_first_byte(first_byte) == Speaks::Tls)
    }

    /// What to send, before closing, to a connection in the other mode.
    pub fn refusal(self) -> &'static [u8] {
        match self {
            Self::On => PLAINTEXT_REFUSAL,
            Self::Off => TLS_REFUSAL,
        }
    }

    /// The log's words for a connection in the other mode.
    pub fn refusal_reason(self) -> &'static str {
        match self {
            Self::On => "plaintext on a port that speaks TLS only",
            Self::Off => "a TLS hello on a port that speaks plaintext only",
        }
    }

    /// `on` or `off`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
        }
    }
}

impl fmt::Display for TransitEncryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TransitEncryption {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => Err(()),
        }
    }
}

/// A token bucket for log lines that strangers can cause: `burst` at once, then one per `interval_ms`.
#[derive(Debug)]
pub struct LogLimiter {
    burst: u64,
    interval_ms: u64,
    /// Guards the bucket; held for a few instructions.
    bucket: Mutex<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: u64,
    /// When the last token was earned.
    refilled_ms: u64,
    suppressed: u64,
}

impl LogLimiter {
    /// A full bucket at a monotonic time in milliseconds.
    pub fn new(burst: u64, interval_ms: u64, now_ms: u64) -> Self {
        let bucket = Bucket { tokens: burst, refilled_ms: now_ms, suppressed: 0 };
        Self { burst, interval_ms: interval_ms.max(1), bucket: Mutex::new(bucket) }
    }

    /// Whether a line may be written now; if so, how many were suppressed since the last one.
    pub fn admit(&self, now_ms: u64) -> Option<u64> {
        let mut bucket = self.bucket.lock();
        let earned = now_ms.saturating_sub(bucket.refilled_ms) / self.interval_ms;
        bucket.tokens = bucket.tokens.saturating_add(earned).min(self.burst);
        bucket.refilled_ms += earned * self.interval_ms;
        if bucket.tokens == 0 {
            bucket.suppressed += 1;
            return None;
        }
        bucket.tokens -= 1;
        Some(std::mem::take(&mut bucket.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_decides() {
        for (byte, tls) in [(0x16, true), (b'*', false), (b'P', false), (b'G', false), (0x80, false), (0, false)] {
            assert_eq!(TransitEncryption::On.admits(byte), tls);
            assert_eq!(TransitEncryption::Off.admits(byte), !tls);
        }
    }

    #[test]
    fn the_plaintext_refusal_is_one_resp_error() {
        let refusal = TransitEncryption::On.refusal();
        assert!(refusal.starts_with(b"-ERR ") && refusal.ends_with(b"\r\n"));
        assert_eq!(refusal.iter().filter(|byte| **byte == b'\n').count(), 1);
    }

    #[test]
    fn the_tls_refusal_is_understood_by_a_tls_client() {
        let (mut client, _) = crate::tls::testing::anonymous_pair();
        let mut bytes = TransitEncryption::Off.refusal();
        client.read_tls(&mut bytes).unwrap();
        let error = client.process_new_packets().unwrap_err();
        assert_eq!(error, rustls::Error::AlertReceived(rustls::AlertDescription::HandshakeFailure));
    }

    #[test]
    fn modes_survive_being_written_down() {
        for mode in [TransitEncryption::On, TransitEncryption::Off] {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        assert_eq!("yes".parse::<TransitEncryption>(), Err(()));
    }

    #[test]
    fn the_limiter_admits_a_burst_and_then_a_rate() {
        let limiter = LogLimiter::new(3, 1000, 0);
        assert_eq!([0, 1, 2].map(|ms| limiter.admit(ms)), [Some(0); 3]);
        assert_eq!([3, 500, 999].map(|ms| limiter.admit(ms)), [None; 3]);
        assert_eq!(limiter.admit(1000), Some(3));
        assert_eq!(limiter.admit(1001), None);
        assert_eq!(limiter.admit(60_000), Some(1));
        assert_eq!([60_000; 3].map(|ms| limiter.admit(ms)), [Some(0), Some(0), None]);
    }

    #[test]
    fn the_limiter_survives_a_clock_that_goes_back() {
        let limiter = LogLimiter::new(1, 1000, 5000);
        assert_eq!(limiter.admit(4000), Some(0));
        assert_eq!(limiter.admit(3000), None);
    }
}
