//! A selector: commands, keys and channels that are allowed together, and the rules that change it.
//!
//! The part of a user's rules outside brackets is its root selector; each `(…)` is one more. What may be done is kept in
//! two forms that always agree: bits to check requests against, and the rules in order, to show them.

use std::collections::BTreeMap;

use super::command_index::CommandIndex;
use super::command_rules::CommandRules;
use super::command_set::CommandSet;
use super::has_spaces;
use super::patterns::KeyPattern;
use super::rule_error::RuleError;
use super::users::Terms;
use crate::base::quoting::split_args;
use crate::catalog::Categories;

/// What is allowed together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// The commands.
    pub(super) commands: CommandSet,
    /// Every command is allowed, without looking at the set.
    pub(super) all_commands: bool,
    /// It began with all commands, from which others were taken away.
    pub(super) began_with_all: bool,
    /// By command: first arguments with which it is allowed although it is not in the set.
    pub(super) first_arguments: BTreeMap<usize, Vec<Box<[u8]>>>,
    /// Every key is allowed.
    pub(super) all_keys: bool,
    /// Keys that are.
    pub(super) keys: Vec<KeyPattern>,
    /// Every channel is allowed.
    pub(super) all_channels: bool,
    /// Channels that are.
    pub(super) channels: Vec<Box<[u8]>>,
    /// The rules about commands, in order.
    pub(super) rules: CommandRules,
}

impl Selector {
    /// Allows nothing, apart from channels where that is the default.
    pub fn new(terms: &Terms<'_>) -> Self {
        Self {
            commands: CommandSet::none(terms.commands.len()),
            all_commands: false,
            began_with_all: false,
            first_arguments: BTreeMap::new(),
            all_keys: false,
            keys: Vec::new(),
            all_channels: terms.all_channels,
            channels: Vec::new(),
            rules: CommandRules::default(),
        }
    }

    /// Reads `(rule rule …)`.
    pub fn parse(text: &[u8], terms: &Terms<'_>) -> Result<Self, RuleError> {
        let inner = text.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")")).ok_or(RuleError::Syntax)?;
        let mut selector = Self::new(terms);
        for rule in split_args(inner).unwrap_or_default() {
            selector.apply(&rule, terms)?;
        }
        Ok(selector)
    }

    /// Whether it allows everything.
    pub fn allows_everything(&self) -> bool {
        self.all_commands && self.all_keys && self.all_channels
    }

    /// Applies one rule.
    pub fn apply(&mut self, rule: &[u8], terms: &Terms<'_>) -> Result<(), RuleError> {
        let is = |word: &str| rule.eq_ignore_ascii_case(word.as_bytes());
        match rule {
            _ if is("allkeys") || is("~*") => self.set_keys(true),
            _ if is("resetkeys") => self.set_keys(false),
            _ if is("allchannels") || is("&*") => self.set_channels(true),
            _ if is("resetchannels") => self.set_channels(false),
            _ if is("allcommands") || is("+@all") => self.set_commands(true, terms.commands),
            _ if is("nocommands") || is("-@all") => self.set_commands(false, terms.commands),
            [b'~' | b'%', ..] => return self.add_keys(rule),
            [b'&', channel @ ..] => return self.add_channel(channel),
            [sign @ (b'+' | b'-'), b'@', category @ ..] => {
                return self.category(*sign == b'+', category, terms.commands);
            }
            [b'+', command @ ..] => return self.allow(command, terms.commands),
            [b'-', command @ ..] => return self.deny(command, terms.commands),
            _ => return Err(RuleError::Syntax),
        }
        Ok(())
    }

    fn set_keys(&mut self, all: bool) {
        self.all_keys = all;
        self.keys.clear();
    }

    fn set_channels(&mut self, all: bool) {
        self.all_channels = all;
        self.channels.clear();
    }

    fn set_commands(&mut self, all: bool, commands: &CommandIndex) {
        let count = commands.len();
        self.commands = if all { CommandSet::all(count) } else { CommandSet::none(count) };
        (self.all_commands, self.began_with_all) = (all, all);
        self.rules.clear();
        self.first_arguments.clear();
    }

    fn add_keys(&mut self, rule: &[u8]) -> Result<(), RuleError> {
        if self.all_keys {
            return Err(RuleError::AllKeys);
        }
        let new = KeyPattern::parse(rule)?;
        match self.keys.iter_mut().find(|known| known.pattern == new.pattern) {
            Some(known) => known.access |= new.access,
            None => self.keys.push(new),
        }
        Ok(())
    }

    fn add_channel(&mut self, pattern: &[u8]) -> Result<(), RuleError> {
        if self.all_channels {
            return Err(RuleError::AllChannels);
        }
        if has_spaces(pattern) {
            return Err(RuleError::Syntax);
        }
        if !self.channels.iter().any(|known| **known == *pattern) {
            self.channels.push(pattern.into());
        }
        Ok(())
    }

    fn category(&mut self, allow: bool, name: &[u8], commands: &CommandIndex) -> Result<(), RuleError> {
        let category = Categories::named(name).ok_or(RuleError::Unknown)?;
        self.rules.add(allow, &format!("@{}", String::from_utf8_lossy(name)));
        for position in commands.in_category(category) {
            self.set(position, allow, commands);
        }
        Ok(())
    }

    /// Adds a rule about a command, whose bits have been set, to those that are shown, unless the others say the same.
    fn show(&mut self, allow: bool, position: usize, commands: &CommandIndex) {
        let name = commands.spec(position).name;
        self.rules.add(allow, name);
        let others = self.rules.without(name);
        if self.commands_by(&others, commands) == self.commands {
            self.rules = others;
        }
    }

    /// The commands that rules allow which begin where these do.
    fn commands_by(&self, rules: &CommandRules, commands: &CommandIndex) -> CommandSet {
        let mut probe = self.clone();
        probe.set_commands(self.began_with_all, commands);
        for (allow, subject) in rules.iter() {
            if let Some(category) = subject.strip_prefix('@').and_then(|name| Categories::named(name.as_bytes())) {
                commands.in_category(category).for_each(|position| probe.set(position, allow, commands));
            } else if let Some(position) = commands.find(subject.as_bytes()) {
                probe.set(position, allow, commands);
            }
        }
        probe.commands
    }

    /// `+command`, `+container|subcommand` or `+command|first-argument`.
    fn allow(&mut self, rule: &[u8], commands: &CommandIndex) -> Result<(), RuleError> {
        let Some(bar) = rule.iter().rposition(|byte| *byte == b'|') else {
            let position = commands.find(rule).ok_or(RuleError::Unknown)?;
            self.set(position, true, commands);
            self.show(true, position, commands);
            return Ok(());
        };
        let (name, second) = (&rule[..bar], &rule[bar + 1..]);
        let position = commands.find(name).ok_or(RuleError::Unknown)?;
        let spec = commands.spec(position);
        if spec.container().is_some() {
            return Err(RuleError::FirstArgument);
        }
        if second.is_empty() {
            return Err(RuleError::Syntax);
        }
        if spec.is_container() {
            let position = commands.find(rule).ok_or(RuleError::Unknown)?;
            self.set(position, true, commands);
            self.show(true, position, commands);
            return Ok(());
        }
        self.allow_first_argument(position, spec.name, second)
    }

    fn allow_first_argument(&mut self, position: usize, name: &str, argument: &[u8]) -> Result<(), RuleError> {
        // Shown as text among other rules, it must stay one word.
        let text = std::str::from_utf8(argument).map_err(|_| RuleError::Syntax)?;
        if has_spaces(argument) {
            return Err(RuleError::Syntax);
        }
        if self.commands.contains(position) {
            return Ok(());
        }
        let rule = format!("{name}|{text}");
        tracing::warn!(
            "Deprecation warning: Allowing a first arg of an otherwise blocked command is a misuse of ACL and may get \
             disabled in the future (offender: +{rule})"
        );
        let known = self.first_arguments.entry(position).or_default();
        if !known.iter().any(|other| other.eq_ignore_ascii_case(argument)) {
            known.push(argument.into());
        }
        self.rules.add(true, &rule);
        Ok(())
    }

    fn deny(&mut self, name: &[u8], commands: &CommandIndex) -> Result<(), RuleError> {
        let position = commands.find(name).ok_or(RuleError::Unknown)?;
        self.set(position, false, commands);
        self.show(false, position, commands);
        Ok(())
    }

    /// Allows or denies a command, and with a container its subcommands.
    fn set(&mut self, position: usize, allow: bool, commands: &CommandIndex) {
        self.first_arguments.remove(&position);
        self.commands.set(position, allow);
        commands.subcommands(position).iter().for_each(|sub| self.commands.set(*sub, allow));
        self.all_commands &= allow;
    }
}
