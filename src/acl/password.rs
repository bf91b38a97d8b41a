//! Passwords: only their SHA-256 digests are kept, and compared in a time that tells nothing.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// The digest of a password.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PasswordHash([u8; 32]);

impl PasswordHash {
    /// The digest of a password in the clear.
    pub fn of(password: &[u8]) -> Self {
        Self(Sha256::digest(password).into())
    }

    /// The digest that 64 lower-case hexadecimal digits stand for.
    pub fn parse(hex: &[u8]) -> Option<Self> {
        let mut digest = [0u8; 32];
        if hex.len() != 2 * digest.len() {
            return None;
        }
        for (byte, pair) in digest.iter_mut().zip(hex.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Some(Self(digest))
    }

    /// Whether it is any of these: every one is looked at, whatever the first ones are.
    pub fn is_among(&self, known: &[Self]) -> bool {
        known.iter().fold(Choice::from(0), |found, other| found | self.0.ct_eq(&other.0)).into()
    }
}

impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PasswordHash {
    /// A digest is enough to guess at a password: it does not show in debugging output.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(redacted)")
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The SHA-256 digest of "foobared".
    const FOOBARED: &str = "a0b0e35cfefeb33ef7fdc1ac8d53ddbdb1ab62a6b0b3ae38a1b1ddae3ab1bb47";

    #[test]
    fn digests_read_and_write() {
        let hash = PasswordHash::of(b"foobared");
        assert_eq!(PasswordHash::parse(hash.to_string().as_bytes()), Some(hash));
        for bad in ["", "ab", &FOOBARED[1..], &FOOBARED.to_uppercase(), &FOOBARED.replace('a', "g")] {
            assert_eq!(PasswordHash::parse(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(
            PasswordHash::of(b"").to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn one_of_several_is_enough() {
        let known = [PasswordHash::of(b"one"), PasswordHash::of(b"two")];
        assert!(PasswordHash::of(b"one").is_among(&known) && PasswordHash::of(b"two").is_among(&known));
        assert!(!PasswordHash::of(b"three").is_among(&known) && !PasswordHash::of(b"one").is_among(&[]));
        assert!(!format!("{known:?}").contains(&known[0].to_string()));
    }
}
