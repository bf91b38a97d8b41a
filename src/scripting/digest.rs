//! SHA-1 digests, by which cached scripts are known.

use sha1::{Digest as _, Sha1};

/// A digest as 40 hexadecimal digits in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScriptDigest([u8; 40]);

impl ScriptDigest {
    /// A digest that somebody gave: 40 characters, of either case; `None` for another length, which no digest has.
    pub fn given(text: &[u8]) -> Option<Self> {
        Some(Self(<[u8; 40]>::try_from(text).ok()?.map(|byte| byte.to_ascii_lowercase())))
    }

    /// The digits.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Display for ScriptDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

/// The digest of some bytes.
pub fn sha1hex(bytes: &[u8]) -> ScriptDigest {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [0; 40];
    for (place, byte) in digits.chunks_exact_mut(2).zip(Sha1::digest(bytes)) {
        place.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    ScriptDigest(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_known_values() {
        assert_eq!(sha1hex(b"").to_string(), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        let upper = b"DA39A3EE5E6B4B0D3255BFEF95601890AFD80709";
        assert_eq!(ScriptDigest::given(upper), Some(sha1hex(b"")));
        assert_eq!(ScriptDigest::given(b"short"), None);
    }
}
