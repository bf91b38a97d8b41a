//! The command table: rows, and finding one by name.

use std::collections::HashMap;

use super::context::Context;
use super::replication::AckWait;
use crate::base::clock::UnixMillis;
use crate::catalog::Spec;
use crate::resp::{OwnedArgs, WireError};

/// A command: what it is, and the function that runs it.
pub struct Command {
    /// What it is.
    pub spec: Spec,
    /// Runs it.
    pub run: Handler,
}

/// Runs one command: reads its arguments, touches the keyspace, writes the reply.
pub type Handler = fn(&mut Context<'_>) -> CommandResult;

/// What a handler hands back; an error becomes the reply.
pub type CommandResult = Result<Outcome, WireError>;

/// How a command ended.
#[derive(Debug)]
pub enum Outcome {
    /// The reply is written.
    Done,
    /// The reply is written, and is an error that has been counted.
    Failed,
    /// There is nothing yet: the client waits. Where waiting is not allowed the engine answers `Wait::on_timeout`.
    Wait(Wait),
}

/// What a blocking command waits for.
#[derive(Debug)]
pub struct Wait {
    /// Any of these keys, in the client's database.
    pub keys: Vec<Box<[u8]>>,
    /// The type the key must have, as TYPE names it.
    pub type_name: &'static str,
    /// Until then; for ever without.
    pub deadline: Option<UnixMillis>,
    /// The reply when the time is up.
    pub on_timeout: NullReply,
    /// What becomes of the wait when a key that was there is lost: removed, or of another type.
    pub lost: Lost,
    /// The request to run once there is something, where it is not the one that came.
    pub retry_as: Option<OwnedArgs>,
    /// What replicas must have confirmed, where that is what is waited for.
    pub acks: Option<AckWait>,
    /// Whether it ends when what is on disk has been loaded.
    pub until_loaded: bool,
}

impl Wait {
    /// The common case, keys and deadline apart: an array is waited for, as long as it takes.
    pub const BASE: Self = Self {
        keys: Vec::new(),
        type_name: "",
        deadline: None,
        on_timeout: NullReply::Array,
        lost: Lost::Ignore,
        retry_as: None,
        acks: None,
        until_loaded: false,
    };

    /// Whether nothing ends it but the end of the process.
    pub fn is_for_the_end(&self) -> bool {
        self.keys.is_empty() && self.deadline.is_none() && self.acks.is_none() && !self.until_loaded
    }
}

/// What becomes of a wait when a key it waits for is lost.
#[derive(Debug)]
pub enum Lost {
    /// It goes on: the key may come back.
    Ignore,
    /// The command is tried: it has something to say.
    Retry,
    /// It ends with this.
    Answer(WireError),
}

/// The two nulls of RESP2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NullReply {
    /// `$-1`
    Bulk,
    /// `*-1`
    Array,
}

/// All commands.
pub struct CommandTable {
    rows: Vec<&'static Command>,
    /// By the names that clients use.
    pub(super) by_name: HashMap<Box<[u8]>, usize, ahash::RandomState>,
    /// What has another name, or none, by the name in its row.
    pub(super) renamed: HashMap<&'static [u8], usize>,
}

/// Longest name of a row.
const MAX_NAME: usize = 64;

impl CommandTable {
    /// A table of all rows; subcommands (`config|get`) stand in it too.
    pub fn new(groups: &[&'static [Command]]) -> Self {
        let rows: Vec<&'static Command> = groups.iter().flat_map(|group| group.iter()).collect();
        let by_name: HashMap<_, _, _> =
            rows.iter().enumerate().map(|(i, c)| (c.spec.name.as_bytes().into(), i)).collect();
        assert_eq!(by_name.len(), rows.len(), "two rows have the same name");
        Self { rows, by_name, renamed: HashMap::new() }
    }

    /// The row at a position.
    pub fn row(&self, index: usize) -> &'static Command {
        self.rows[index]
    }

    /// All rows.
    pub fn rows(&self) -> &[&'static Command] {
        &self.rows
    }

    /// The position of a command (`config|get` for a subcommand), case ignored.
    pub fn position(&self, name: &[u8]) -> Option<usize> {
        let mut lower = [0u8; MAX_NAME];
        let Some(lower) = lower.get_mut(..name.len()) else { return self.long_position(name) };
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        self.by_name.get(&*lower).copied()
    }

    /// The position of what a request asks for: the command, or the subcommand of a container.
    pub fn resolve(&self, args: crate::resp::Args<'_>) -> Result<usize, WireError> {
        self.resolve_by(args, |name| self.position(name))
    }

    /// As [`CommandTable::resolve`], where `position` says which names there are.
    #[inline]
    pub(super) fn resolve_by(
        &self,
        args: crate::resp::Args<'_>,
        position: impl Fn(&[u8]) -> Option<usize>,
    ) -> Result<usize, WireError> {
        let name = args.at(0);
        // A subcommand's row has a bar in its name; no request can name it so.
        let index = Some(name).filter(|name| !name.contains(&b'|')).and_then(&position);
        let index = index.ok_or_else(|| unknown_command(args))?;
        let spec = &self.rows[index].spec;
        if !spec.is_container() {
            return Ok(index);
        }
        let Some(sub) = args.get(1) else {
            // A container alone is an arity error; one that also works alone (COMMAND) is its own row.
            return if spec.arity == -1 { Ok(index) } else { Err(WireError::wrong_arity(spec.name)) };
        };
        let full = [name, b"|", sub].concat();
        position(&full).ok_or_else(|| WireError::unknown_subcommand(spec.name, sub))
    }
}

/// The error for a command that does not exist: it shows the beginning of the arguments.
fn unknown_command(args: crate::resp::Args<'_>) -> WireError {
    const SHOWN: usize = 128;
    let mut beginning = Vec::new();
    for argument in args.from(1) {
        if beginning.len() >= SHOWN {
            break;
        }
        let argument = c_string(argument, SHOWN - beginning.len());
        beginning.extend_from_slice(&[b"'", argument, b"' "].concat());
    }
    let name = c_string(args.at(0), SHOWN);
    WireError::quoting(&[b"ERR unknown command '", name, b"', with args beginning with: ", &beginning])
}

/// The first bytes of a text, up to a NUL as in a C string.
fn c_string(bytes: &[u8], room: usize) -> &[u8] {
    let end = bytes.iter().take(room).position(|byte| *byte == 0);
    &bytes[..end.unwrap_or(bytes.len().min(room))]
}
