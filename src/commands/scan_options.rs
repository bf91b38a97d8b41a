//! The arguments that SCAN and its kin share: cursor, MATCH, COUNT, TYPE.

use crate::base::number::parse_u64;
use crate::engine::Context;
use crate::resp::WireError;

/// The arguments of one step.
pub struct ScanOptions<'a> {
    /// Where to go on; 0 at the start.
    pub cursor: u64,
    /// How many to visit, about.
    pub count: usize,
    /// Only names that match.
    pub pattern: Option<&'a [u8]>,
    /// Only keys of this type.
    pub type_name: Option<&'a [u8]>,
}

impl<'a> ScanOptions<'a> {
    /// Reads the cursor at argument `first` and the options behind it.
    pub fn parse(ctx: &Context<'a>, first: usize, allows_type: bool) -> Result<Self, WireError> {
        let args = ctx.args;
        let cursor = parse_u64(args.at(first)).ok_or(WireError::BAD_CURSOR)?;
        let mut options = Self { cursor, count: 10, pattern: None, type_name: None };
        let mut index = first + 1;
        while index < args.len() {
            let Some(value) = args.get(index + 1) else { return Err(WireError::SYNTAX) };
            if args.is(index, "COUNT") {
                let count = ctx.int(index + 1)?;
                options.count = usize::try_from(count).ok().filter(|count| *count > 0).ok_or(WireError::SYNTAX)?;
            } else if args.is(index, "MATCH") {
                options.pattern = Some(value).filter(|pattern| *pattern != b"*");
            } else if allows_type && args.is(index, "TYPE") {
                options.type_name = Some(value);
            } else {
                return Err(WireError::SYNTAX);
            }
            index += 2;
        }
        Ok(options)
    }
}
