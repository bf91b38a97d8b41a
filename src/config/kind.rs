//! What kinds of parameters there are: how a text is read, bounded and described.
//!
//! The kind belongs to the table's row; the Rust type of the field does the work ([`super::value`]). Bounds are `i128`
//! so that one form holds both `i64::MIN` and `u64::MAX`.

use super::text_checks;
use super::values::Choice;

/// The largest value of a C `int`, the bound of most of Redis's integers.
pub(super) const INT_MAX: i128 = i32::MAX as i128;
/// The smallest value of a C `int`.
pub(super) const INT_MIN: i128 = i32::MIN as i128;
/// The largest value of a C `long` and `long long`.
pub(super) const LONG_MAX: i128 = i64::MAX as i128;
/// The largest value of a C `unsigned int`.
pub(super) const UINT_MAX: i128 = u32::MAX as i128;
/// The largest value of a C `unsigned long long`.
pub(super) const ULONG_MAX: i128 = u64::MAX as i128;

/// [`Kind::Bool`], short for the table.
pub(super) const BOOL: Kind = Kind::Bool;

/// [`Kind::Int`], short for the table.
pub(super) const fn int(min: i128, max: i128) -> Kind {
    Kind::Int { min, max }
}

/// [`Kind::Memory`], short for the table.
pub(super) const fn memory(min: i128, max: i128) -> Kind {
    Kind::Memory { min, max }
}

/// [`Kind::Enum`] of a type's names.
pub(super) const fn one_of<T: Choice>() -> Kind {
    Kind::Enum(T::NAMES)
}

/// [`Kind::Text`], short for the table.
pub(super) const fn text(check: TextCheck) -> Kind {
    Kind::Text(check)
}

/// Text of any content.
pub(super) const TEXT: Kind = Kind::Text(text_checks::any);

/// Checks a text; the error is the sentence that follows `CONFIG SET failed (…) - `.
pub type TextCheck = fn(&str) -> Result<(), String>;

/// The kind of a parameter.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `yes` or `no`.
    Bool,
    /// `no` only; the text says why `yes` is refused.
    AlwaysNo(&'static str),
    /// A decimal integer within bounds.
    Int {
        /// Smallest value allowed.
        min: i128,
        /// Largest value allowed.
        max: i128,
    },
    /// A number of bytes, with the units b, k, kb, m, mb, g, gb.
    Memory {
        /// Smallest value allowed.
        min: i128,
        /// Largest value allowed.
        max: i128,
    },
    /// A number of bytes, or a percentage of maxmemory up to 100%.
    PercentOrMemory,
    /// An octal number from 0 to the bound.
    Octal(u32),
    /// One of these words.
    Enum(&'static [&'static str]),
    /// Any of these words, parted by spaces.
    EnumSet(&'static [&'static str]),
    /// Text that passes the check.
    Text(TextCheck),
    /// Text of arbitrary bytes.
    Secret,
    /// A directory.
    Directory,
    /// Pairs of seconds and changes.
    Save,
    /// Quadruples of client class, hard limit, soft limit, seconds.
    BufferLimits,
    /// Three integers between -2000 and 2000.
    OomScores,
    /// Numbers between 0 and 100.
    Percentiles,
    /// Letters of keyspace event classes.
    Events,
    /// Up to sixteen addresses.
    Addresses,
    /// A host and a port, or `no one`.
    ReplicaOf,
}

impl Kind {
    /// Does a directive of this kind take several words?
    pub const fn takes_many(&self) -> bool {
        matches!(
            self,
            Kind::EnumSet(_)
                | Kind::Save
                | Kind::BufferLimits
                | Kind::OomScores
                | Kind::Percentiles
                | Kind::Addresses
                | Kind::ReplicaOf
        )
    }

    /// The values allowed, for the sample file and for help.
    pub fn describe(&self) -> String {
        match *self {
            Kind::Bool | Kind::AlwaysNo(_) => "yes or no".into(),
            Kind::Int { min, max } => bounds("integer", min, max),
            Kind::Memory { min, max } => bounds("bytes, units k kb m mb g gb", min, max),
            Kind::PercentOrMemory => "bytes, or a percentage of maxmemory such as 5%".into(),
            Kind::Octal(max) => format!("octal, 0 to {max:o}"),
            Kind::Enum(words) => words.join(" | "),
            Kind::EnumSet(words) => format!("any of {}", words.join(" ")),
            Kind::Text(_) | Kind::Secret => "text".into(),
            Kind::Directory => "directory".into(),
            Kind::Save => "pairs of seconds and changes".into(),
            Kind::BufferLimits => "class, hard limit, soft limit, seconds; classes normal replica pubsub".into(),
            Kind::OomScores => "three integers, -2000 to 2000".into(),
            Kind::Percentiles => "numbers, 0 to 100".into(),
            Kind::Events => "letters out of A g $ l s h z x e K E t m d n".into(),
            Kind::Addresses => "up to 16 addresses".into(),
            Kind::ReplicaOf => "host and port".into(),
        }
    }
}

/// Names a bound only where it is not simply the end of an integer type.
fn bounds(noun: &str, min: i128, max: i128) -> String {
    let unbounded = [i128::from(i32::MAX), i128::from(u32::MAX), i128::from(i64::MAX), i128::from(u64::MAX)];
    match (min <= i128::from(i32::MIN), unbounded.contains(&max)) {
        (true, true) => noun.to_string(),
        (false, true) => format!("{noun}, at least {min}"),
        _ => format!("{noun}, {min} to {max}"),
    }
}
