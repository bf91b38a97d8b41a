//! May this user run this request? And what to say if not.
//!
//! A request is allowed when one selector allows its command, all its keys and all its channels. Otherwise one reason is
//! told: the command, if no selector allows it, else the last key or channel that a selector stumbled over.

use super::patterns::{KeyAccess, admit_channel};
use super::rules::Rules;
use super::selector::Selector;
use crate::base::release::{RELEASE, Release};
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
        let name = spec.name;
        match (RELEASE, self.reason) {
            (Release::Redis70, Reason::Command) => format!("this user has no permissions to run the '{name}' command"),
            (Release::Redis70, Reason::Key) => {
                "this user has no permissions to access one of the keys used as arguments".into()
            }
            (Release::Redis70, Reason::Channel) => {
                "this user has no permissions to access one of the channels used as arguments".into()
            }
            (Release::Redis72, Reason::Command) => {
                String::from_utf8_lossy(&self.full_message(user, spec, name.as_bytes())).into_owned()
            }
            (Release::Redis72, Reason::Key) => "No permissions to access a key".into(),
            (Release::Redis72, Reason::Channel) => "No permissions to access a channel".into(),
        }
    }

    /// The sentence for a script.
    pub fn script_message(&self, user: &[u8], spec: &Spec) -> String {
        match (RELEASE, self.reason) {
            (Release::Redis70, reason) => {
                let what = match reason {
                    Reason::Command => "run this command or subcommand",
                    Reason::Key => "access at least one of the keys mentioned in the command arguments",
                    Reason::Channel => "publish to the channel mentioned in the command",
                };
                format!("The user executing the script can't {what}")
            }
            (Release::Redis72, _) => format!("ACL failure in script: {}", self.message(user, spec)),
        }
    }

    /// The sentence with everything in it; `object` is what is to blame.
    pub fn full_message(&self, user: &[u8], spec: &Spec, object: &[u8]) -> Vec<u8> {
        let (what, object, kind): (&[u8], _, &[u8]) = match self.reason {
            Reason::Command => (b"run", spec.name.as_bytes(), b"command"),
            Reason::Key => (b"access", object, b"key"),
            Reason::Channel => (b"access", object, b"channel"),
        };
        let user = match RELEASE {
            Release::Redis70 => b"This user".to_vec(),
            Release::Redis72 => [b"User ", user].concat(),
        };
        [&user, &b" has no permissions to "[..], what, b" the '", object, b"' ", kind].concat()
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

#[cfg(test)]
mod tests {
    use super::super::testing::{answer, rules};
    use super::*;

    const NO_GET: &str = "This user has no permissions to run the 'get' command";
    const NO_KEY_B: &str = "This user has no permissions to access the 'b' key";

    #[test]
    fn requests_are_judged() {
        for (words, request, expected) in [
            ("", "get a", NO_GET),
            ("+@all", "get b", NO_KEY_B),
            ("+get ~a", "get a", "ok"),
            ("+get ~a", "get b", NO_KEY_B),
            ("+get +set %R~a", "set a 1", "This user has no permissions to access the 'a' key"),
            ("+get +set %W~a", "set a 1", "ok"),
            ("+get +set %W~a", "set a 1 GET", "This user has no permissions to access the 'a' key"),
            ("+get +set ~a", "set a 1 GET", "ok"),
            ("+lmove ~a", "lmove a b", NO_KEY_B),
            ("+lmove ~a %W~b", "lmove a b", "ok"),
            ("+@all %W~x", "strlen x", "ok"),
            ("+@all", "strlen x", "This user has no permissions to access the 'x' key"),
            ("", "auth x", "ok"),
            ("+@all -config|set", "config set", "This user has no permissions to run the 'config|set' command"),
            ("+@all -config|set", "config get", "ok"),
            ("-@all +config", "config set", "ok"),
            ("+@all -@admin", "config get", "This user has no permissions to run the 'config|get' command"),
            ("+select|0", "select 0", "ok"),
            ("+select|0", "select 1", "This user has no permissions to run the 'select' command"),
            ("+select|0", "select", "This user has no permissions to run the 'select' command"),
            ("+select|0 -select", "select 0", "This user has no permissions to run the 'select' command"),
            ("+@pubsub &n.*", "publish n.1 x", "ok"),
            ("+@pubsub &n.*", "publish m x", "This user has no permissions to access the 'm' channel"),
            ("+@pubsub &n.*", "subscribe n.1 m", "This user has no permissions to access the 'm' channel"),
            ("+@pubsub &n.*", "psubscribe n.*", "ok"),
            ("+@pubsub &n.*", "psubscribe n.1*", "This user has no permissions to access the 'n.1*' channel"),
            ("+@pubsub", "unsubscribe m", "ok"),
            ("(+get ~a) (+get ~b)", "get b", "ok"),
            ("+get ~a (+set ~b)", "get b", NO_KEY_B),
            ("(+lmove ~a) (+lmove ~b)", "lmove a b", NO_KEY_B),
            ("(+lmove ~b) (+lmove ~a)", "lmove a b", NO_KEY_B),
        ] {
            assert_eq!(answer(&rules(words).unwrap(), request), expected, "{words}: {request}");
        }
    }

    #[test]
    fn replies_name_the_command_but_no_key() {
        let spec = Spec { name: "config|get", ..Spec::BASE };
        let message = |reason| Denial { reason, position: 1 }.message(b"joe", &spec);
        assert_eq!(message(Reason::Command), "this user has no permissions to run the 'config|get' command");
        assert_eq!(message(Reason::Key), "this user has no permissions to access one of the keys used as arguments");
        assert_eq!(
            message(Reason::Channel),
            "this user has no permissions to access one of the channels used as arguments"
        );
    }

    #[test]
    fn random_words_never_panic() {
        let pieces = [
            "+", "-", "@", "all", "get", "config", "|", "~", "%", "R", "W", "&", "*", "(", ")", " ", ">", "#", "\0",
            "\"",
        ];
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        for _ in 0..20_000 {
            let mut words = String::new();
            for _ in 0..8 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                words.push_str(pieces[(state >> 33) as usize % pieces.len()]);
            }
            let words = words.replace('(', " (").replace(')', ") ");
            let opened = super::super::brackets::merge(&words.split(' ').map(str::as_bytes).collect::<Vec<_>>());
            if opened.is_ok()
                && let Ok(rules) = rules(&words)
            {
                rules.describe();
                answer(&rules, "get a");
            }
        }
    }
}
