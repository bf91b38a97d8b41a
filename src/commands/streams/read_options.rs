//! The arguments that XREAD and XREADGROUP share.

use crate::base::clock::UnixMillis;
use crate::base::number::parse_i64;
use crate::base::release::RELEASE;
use crate::engine::{CommandResult, Context, Lost, Outcome, Wait};
use crate::resp::{OwnedArgs, WireError};

/// The arguments.
#[derive(Default)]
pub(super) struct ReadOptions<'a> {
    /// The most entries of each stream.
    pub count: Option<usize>,
    /// BLOCK: until when; for ever without.
    block: Option<Option<UnixMillis>>,
    /// GROUP: the group's and the consumer's name.
    pub group: Option<(&'a [u8], &'a [u8])>,
    /// NOACK.
    pub no_ack: bool,
    /// Position of the first key.
    first: usize,
    /// How many keys; as many IDs follow.
    keys: usize,
}

impl<'a> ReadOptions<'a> {
    /// Reads the arguments.
    pub fn parse(ctx: &Context<'a>, for_group: bool) -> Result<Self, WireError> {
        let args = ctx.args;
        let mut options = Self::default();
        let mut index = 1;
        while index < args.len() {
            let more = args.len() - 1 - index;
            if more > 0 && args.is(index, "BLOCK") {
                if ctx.session.in_script {
                    let refusal = b" command is not allowed with BLOCK option from scripts";
                    return Err(WireError::quoting(&[b"ERR ", args.at(0), refusal]));
                }
                index += 1;
                options.block = Some(deadline(ctx, args.at(index))?);
            } else if more > 0 && args.is(index, "COUNT") {
                index += 1;
                options.count = Some(ctx.int(index)?.max(0) as usize).filter(|count| *count > 0);
            } else if more > 0 && args.is(index, "STREAMS") {
                options.first = index + 1;
                if !more.is_multiple_of(2) {
                    return Err(RELEASE.unbalanced(ctx.command.spec.name, if for_group { '>' } else { '$' }));
                }
                options.keys = more / 2;
                break;
            } else if more > 1 && args.is(index, "GROUP") {
                if !for_group {
                    return Err(only_for_groups("GROUP"));
                }
                options.group = Some((args.at(index + 1), args.at(index + 2)));
                index += 2;
            } else if args.is(index, "NOACK") {
                if !for_group {
                    return Err(only_for_groups("NOACK"));
                }
                options.no_ack = true;
            } else {
                return ctx.syntax();
            }
            index += 1;
        }
        if options.first == 0 {
            return ctx.syntax();
        }
        Ok(options)
    }

    /// Each stream: its place, its key and its ID.
    pub fn streams(&self, ctx: &Context<'a>) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let args = ctx.args;
        let (first, keys) = (self.first, self.keys);
        (first..first + keys).map(move |index| (args.at(index), args.at(index + keys)))
    }

    /// How many streams.
    pub fn len(&self) -> usize {
        self.keys
    }

    /// Nothing was found: waits if asked to, or answers null. `ids` are the IDs to wait behind, where they are not the request's.
    pub fn wait(&self, ctx: &mut Context<'a>, ids: Option<&[Vec<u8>]>) -> CommandResult {
        let Some(deadline) = self.block else {
            ctx.reply.null_array();
            return Ok(Outcome::Done);
        };
        let retry_as = ids.map(|ids| -> OwnedArgs {
            let head = ctx.args.from(0).take(self.first + self.keys);
            head.chain(ids.iter().map(Vec::as_slice)).collect()
        });
        let keys = self.streams(ctx).map(|(key, _)| Box::from(key)).collect();
        let lost = if self.group.is_some() { RELEASE.lost_stream() } else { Lost::Ignore };
        ctx.wait(Wait { keys, type_name: "stream", deadline, lost, retry_as, ..Wait::BASE })
    }
}

/// A timeout in milliseconds as an instant; 0 is for ever.
fn deadline(ctx: &Context<'_>, text: &[u8]) -> Result<Option<UnixMillis>, WireError> {
    const NOT_INTEGER: WireError = WireError::fixed("ERR timeout is not an integer or out of range");
    const TOO_LARGE: WireError = WireError::fixed("ERR timeout is out of range");
    match parse_i64(text).ok_or(NOT_INTEGER)? {
        ..0 => Err(WireError::NEGATIVE_TIMEOUT),
        0 => Ok(None),
        millis => ctx.now().0.checked_add(millis).map(|at| Some(UnixMillis(at))).ok_or(TOO_LARGE),
    }
}

fn only_for_groups(option: &str) -> WireError {
    WireError::new(format!("ERR The {option} option is only supported by XREADGROUP. You called XREAD instead."))
}
