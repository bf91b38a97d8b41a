//! The bounds of ranges by score and by member.

/// A bound on scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreBound {
    /// The score.
    pub value: f64,
    /// Whether the score itself is out.
    pub exclusive: bool,
}

impl ScoreBound {
    /// As a minimum: whether `score` is in.
    pub fn admits_from_below(self, score: f64) -> bool {
        if self.exclusive { score > self.value } else { score >= self.value }
    }

    /// As a maximum: whether `score` is in.
    pub fn admits_from_above(self, score: f64) -> bool {
        if self.exclusive { score < self.value } else { score <= self.value }
    }
}

/// A bound on members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LexBound<'a> {
    /// `-`: before everything.
    Min,
    /// `+`: behind everything.
    Max,
    /// `[member`
    Inclusive(&'a [u8]),
    /// `(member`
    Exclusive(&'a [u8]),
}

impl LexBound<'_> {
    /// As a minimum: whether `member` is in.
    pub fn is_at_or_before(&self, member: &[u8]) -> bool {
        match self {
            Self::Min => true,
            Self::Max => false,
            Self::Inclusive(bound) => *bound <= member,
            Self::Exclusive(bound) => *bound < member,
        }
    }

    /// As a maximum: whether `member` is in.
    pub fn is_at_or_after(&self, member: &[u8]) -> bool {
        match self {
            Self::Min => false,
            Self::Max => true,
            Self::Inclusive(bound) => *bound >= member,
            Self::Exclusive(bound) => *bound > member,
        }
    }
}
