//! How long a replica's next piece of the feed is held back so that more goes with it.
//!
//! A write to the socket costs many times what one more command costs that goes with others. So the feed is held back for a few turns of the
//! worker, which serves everybody who is ready in each, and not once it has stopped growing: a command that comes alone leaves after one
//! turn.

/// As much as fills a record of TLS is not held back.
const FULL_BYTES: u64 = 16 << 10;
/// For so many turns at most.
const MOST_TURNS: u8 = 4;

/// What is held back.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    /// Bytes, in the last turn.
    bytes: u64,
    turns: u8,
}

impl Gathering {
    /// Whether what is unread now is held back for another turn.
    pub fn goes_on(&mut self, unread: u64) -> bool {
        let goes_on = self.bytes < unread && unread < FULL_BYTES && self.turns < MOST_TURNS;
        *self = if goes_on { Self { bytes: unread, turns: self.turns + 1 } } else { Self::default() };
        goes_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_back_while_the_feed_grows_and_not_for_long() {
        let cases: [(&[u64], &[bool]); 5] = [
            (&[0, 0], &[false, false]),
            (&[50, 50, 0], &[true, false, false]),
            (&[10, 20, 30, 40, 50, 60], &[true, true, true, true, false, true]),
            (&[10, FULL_BYTES, 10], &[true, false, true]),
            (&[2 * FULL_BYTES], &[false]),
        ];
        for (unread, expected) in cases {
            let mut gathering = Gathering::default();
            let seen: Vec<bool> = unread.iter().map(|unread| gathering.goes_on(*unread)).collect();
            assert_eq!(seen, expected, "{unread:?}");
        }
    }
}
