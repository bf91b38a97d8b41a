//! The options of SET and GETEX.

use crate::base::clock::UnixMillis;
use crate::commands::expire_time::{TimeUnit, positive_instant};
use crate::engine::Context;
use crate::resp::WireError;

/// On which condition SET writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Always.
    Always,
    /// Only a new key.
    Missing,
    /// Only an existing key.
    Present,
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
pub struct Options {
    /// NX, XX
    pub condition: Condition,
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
    /// Those of GETEX.
    GetEx,
}

impl Options {
    /// Reads the options from argument `first` on.
    pub fn parse(ctx: &Context<'_>, first: usize, accepts: Accepts) -> Result<Self, WireError> {
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
    pub fn parse_syntax<'a>(ctx: &Context<'a>, first: usize, accepts: Accepts) -> Result<(Self, Named<'a>), WireError> {
        let mut options = Self { condition: Condition::Always, get: false, expiry: ExpiryOption::Unnamed };
        let mut time = None;
        let mut index = first;
        while let Some(option) = ctx.args.get(index) {
            let free = options.expiry == ExpiryOption::Unnamed && time.is_none();
            let set = accepts == Accepts::Set;
            if set && option.eq_ignore_ascii_case(b"NX") && options.condition != Condition::Present {
                options.condition = Condition::Missing;
            } else if set && option.eq_ignore_ascii_case(b"XX") && options.condition != Condition::Missing {
                options.condition = Condition::Present;
            } else if set && option.eq_ignore_ascii_case(b"GET") {
                options.get = true;
            } else if set && option.eq_ignore_ascii_case(b"KEEPTTL") && (free || options.expiry == ExpiryOption::Keep) {
                options.expiry = ExpiryOption::Keep;
            } else if !set
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
