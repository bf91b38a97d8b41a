//! Which release of Redis is followed where releases differ in what a client sees.
//!
//! Commands and options are those of 7.2. Where 7.0 and 7.2 say the same thing differently (names of encodings, texts of
//! refusals, what a consumer group tells), [`RELEASE`] decides, in this one place.

/// A release whose way is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// Redis 7.0.
    Redis70,
    /// Redis 7.2.
    Redis72,
}

/// The release that is followed: the one that the conformance suite belongs to.
pub const RELEASE: Release = Release::Redis70;
