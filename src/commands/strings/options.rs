//! The options of SET, MSETEX and GETEX.

use crate::base::clock::UnixMillis;
use crate::commands::expire_time::{TimeUnit, positive_instant};
use crate::engine::Context;
use crate::resp::WireError;

/// On which condition SET writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition<'a> {
    /// Always.
    Always,
    /// Only a new key.
    Missing,
    /// Only an existing key.
    Present,
    /// IFEQ: only a key with this value.
    Equals(&'a [u8]),
}

/// What happens to the expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryOption {
    /// None was named.
    Unnamed,
    /// KEEPTTL
    Keep,
    /// PERSIST
    Persist,
    /// EX, PX, EXAT, PXAT
    At(UnixMillis),
}

/// An expiry that has been named but not yet checked.
type Named<'a> = Option<(&'a [u8], TimeUnit)>;

/// The options of one request.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// NX, XX, IFEQ
    pub condition: Condition<'a>,
    /// GET
    pub get: bool,
    /// The expiry.
    pub expiry: ExpiryOption,
}

/// Which options a command takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepts {
    /// Those of SET.
    Set,
    /// Those of MSETEX.
    MSetEx,
    /// Those of GETEX.
    GetEx,
}

impl<'a> Options<'a> {
    /// Reads the options from argument `first` on.
    pub fn parse(ctx: &Context<'a>, first: usize, accepts: Accepts) -> Result<Self, WireError> {
        let (mut options, named) = Self::parse_syntax(ctx, first, accepts)?;
        options.settle(ctx, named)?;
        Ok(options)
    }

    /// Turns the named expiry into an instant.
    pub fn settle(&mut self, ctx: &Context<'_>, named: Named<'_>) -> Result<(), WireError> {
        if let Some((value, unit)) = named {
            self.expiry = ExpiryOption::At(positive_instant(value, unit, ctx.now(), ctx.command.spec.name)?);
        }
        Ok(())
    }

    /// Reads the options without looking at the value of an expiry.
    pub fn parse_syntax(ctx: &Context<'a>, first: usize, accepts: Accepts) -> Result<(Self, Named<'a>), WireError> {
        let mut options = Self { condition: Condition::Always, get: false, expiry: ExpiryOption::Unnamed };
        let mut time = None;
        let mut index = first;
        while let Some(option) = ctx.args.get(index) {
            let free = options.expiry == ExpiryOption::Unnamed && time.is_none();
            let (set, writes) = (accepts == Accepts::Set, accepts != Accepts::GetEx);
            let always = options.condition == Condition::Always;
            if writes && option.eq_ignore_ascii_case(b"NX") && (always || options.condition == Condition::Missing) {
                options.condition = Condition::Missing;
            } else if writes
                && option.eq_ignore_ascii_case(b"XX")
                && (always || options.condition == Condition::Present)
            {
                options.condition = Condition::Present;
            } else if let (true, true, Some(value)) =
                (set && always, option.eq_ignore_ascii_case(b"IFEQ"), ctx.args.get(index + 1))
            {
                options.condition = Condition::Equals(value);
                index += 1;
            } else if set && option.eq_ignore_ascii_case(b"GET") {
                options.get = true;
            } else if writes
                && option.eq_ignore_ascii_case(b"KEEPTTL")
                && (free || options.expiry == ExpiryOption::Keep)
            {
                options.expiry = ExpiryOption::Keep;
            } else if !writes
                && option.eq_ignore_ascii_case(b"PERSIST")
                && (free || options.expiry == ExpiryOption::Persist)
            {
                options.expiry = ExpiryOption::Persist;
            } else if let (Some(unit), true, Some(value)) = (TimeUnit::of_option(option), free, ctx.args.get(index + 1))
            {
                time = Some((value, unit));
                index += 1;
            } else {
                return Err(WireError::SYNTAX);
            }
            index += 1;
        }
        Ok((options, time))
    }
}
