//! A key's hash, remembered by where the key's bytes stand, so that one request hashes its key once.

/// The hash of the key at one place in memory. Good only while those bytes stay as they are: the buffer a request
/// was parsed from outlives every lookup made for the request.
#[derive(Clone, Copy, Default)]
pub struct HashedKey {
    address: usize,
    len: usize,
    hash: u64,
}

impl HashedKey {
    /// `key` with its hash.
    pub fn new(key: &[u8], hash: u64) -> Self {
        Self { address: key.as_ptr().addr(), len: key.len(), hash }
    }

    /// The hash.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The hash, if `key` is the very key it was computed of.
    #[inline]
    pub fn of(&self, key: &[u8]) -> Option<u64> {
        (self.address == key.as_ptr().addr() && self.len == key.len()).then_some(self.hash)
    }
}
