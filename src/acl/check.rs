//! May this user run this request? And what to say if not.
//!
//! A request is allowed when one selector allows its command, all its keys and all its channels. Otherwise one reason is
//! told: the command, if no selector allows it, else the last key or channel that a selector stumbled over.

use super::patterns::{KeyAccess, admit_channel};
use super::rules::Rules;
use super::selector::Selector;
use crate::catalog::{Channels, Flags, Spec, for_each_key};
use crate::resp::Args;

/// What is not allowed; later ones tell more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The command itself.
    Command,
    /// A key.
    Key,
    /// A channel.
    Channel,
}

/// A request that is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Denial {
    /// What is not allowed.
    pub reason: Reason,
    /// The argument to blame: the key or channel.
    pub position: usize,
}

impl Denial {
    const COMMAND: Self = Self { reason: Reason::Command, position: 0 };

    /// The command, key or channel to blame.
    pub fn object<'a>(&self, spec: &Spec, args: Args<'a>) -> &'a [u8]
    where
        'static: 'a,
    {
        match self.reason {
            Reason::Command => spec.name.as_bytes(),
            Reason::Key | Reason::Channel => args.get(self.position).unwrap_or_default(),
        }
    }

    /// The sentence for the client; it names neither key nor channel.
    pub fn message(&self, user: &[u8], spec: &Spec) -> String {
        match self.reason {
            Reason::Command => {
                String::from_utf8_lossy(&self.full_message(user, spec, spec.name.as_bytes())).into_owned()
            }
            Reason::Key => "No permissions to access a key".into(),
            Reason::Channel => "No permissions to access a channel".into(),
        }
    }

    /// The sentence with everything in it; `object` is what is to blame.
    pub fn full_message(&self, user: &[u8], spec: &Spec, object: &[u8]) -> Vec<u8> {
        let (what, object, kind): (&[u8], _, &[u8]) = match self.reason {
            Reason::Command => (b"run", spec.name.as_bytes(), b"command"),
            Reason::Key => (b"access", object, b"key"),
            Reason::Channel => (b"access", object, b"channel"),
        };
        [b"User ", user, b" has no permissions to ", what, b" the '", object, b"' ", kind].concat()
    }
}

impl Rules {
    /// Whether a request is allowed; `row` is the position of its command.
    pub fn check(&self, row: usize, spec: &Spec, args: Args<'_>) -> Result<(), Denial> {
        let mut denial = Denial::COMMAND;
        for selector in &self.selectors {
            match selector.check(row, spec, args) {
                Ok(()) => return Ok(()),
                Err(other) => denial = denial.max(other),
            }
        }
        Err(denial)
    }

    /// Whether a request is allowed by a selector that moreover allows this use of every key there is.
    pub fn check_with_all_keys(&self, row: usize, spec: &Spec, args: Args<'_>, access: KeyAccess) -> bool {
        let mut selectors = self.selectors.iter();
        selectors.any(|selector| selector.reaches_all_keys(access) && selector.check(row, spec, args).is_ok())
    }
}

impl Selector {
    fn check(&self, row: usize, spec: &Spec, args: Args<'_>) -> Result<(), Denial> {
        if !self.allows_command(row, spec, args) {
            return Err(Denial::COMMAND);
        }
        if !self.all_keys {
            self.check_keys(spec, args)?;
        }
        if !self.all_channels {
            self.check_channels(spec, args)?;
        }
        Ok(())
    }

    fn allows_command(&self, row: usize, spec: &Spec, args: Args<'_>) -> bool {
        self.all_commands
            || spec.flags.contains(Flags::NO_AUTH)
            || self.commands.contains(row)
            || self.first_arguments.get(&row).is_some_and(|allowed| {
                args.get(1).is_some_and(|given| allowed.iter().any(|one| one.eq_ignore_ascii_case(given)))
            })
    }

    /// Every key that is found is checked, also where the request then turns out to be wrong.
    fn check_keys(&self, spec: &Spec, args: Args<'_>) -> Result<(), Denial> {
        let mut denied = None;
        for_each_key(
            spec,
            args.len(),
            |position| args.at(position),
            |position, flags| {
                if denied.is_none() && !self.admits_key(args.at(position), KeyAccess::of(flags)) {
                    denied = Some(Denial { reason: Reason::Key, position });
                }
            },
        );
        denied.map_or(Ok(()), Err)
    }

    fn admits_key(&self, key: &[u8], access: KeyAccess) -> bool {
        self.keys.iter().any(|pattern| pattern.admits(key, access))
    }

    fn reaches_all_keys(&self, access: KeyAccess) -> bool {
        self.all_keys || self.keys.iter().any(|known| known.access.contains(access) && *known.pattern == *b"*")
    }

    fn check_channels(&self, spec: &Spec, args: Args<'_>) -> Result<(), Denial> {
        let (last, is_pattern) = match spec.channels {
            Channels::None => return Ok(()),
            Channels::Publish => (2, false),
            Channels::Subscribe => (args.len(), false),
            Channels::SubscribePattern => (args.len(), true),
        };
        let mut positions = 1..last.min(args.len());
        match positions.find(|position| !admit_channel(&self.channels, args.at(*position), is_pattern)) {
            Some(position) => Err(Denial { reason: Reason::Channel, position }),
            None => Ok(()),
        }
    }
}
