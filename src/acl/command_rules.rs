//! The command rules of a selector in the order they were given, so that they can be shown and given again.
//!
//! A rule about a command replaces what was said about it and its subcommands before; a rule about a category replaces one
//! about the same category. Nothing else is simplified here, since order matters between commands and categories; a
//! [selector](super::Selector) leaves out what the other rules say already.

use std::fmt;

/// One rule: a command, a subcommand, a command with a first argument, or a category.
#[derive(Clone, Debug, PartialEq, Eq)]
struct CommandRule {
    allow: bool,
    /// In lower case, `@` in front of a category.
    subject: String,
}

/// Rules in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandRules(Vec<CommandRule>);

impl CommandRules {
    /// Adds a rule, and drops those it replaces.
    pub fn add(&mut self, allow: bool, subject: &str) {
        let subject = subject.to_ascii_lowercase();
        let replaced =
            |old: &str| old.strip_prefix(&subject).is_some_and(|rest| rest.is_empty() || rest.starts_with('|'));
        self.0.retain(|rule| !replaced(&rule.subject));
        self.0.push(CommandRule { allow, subject });
    }

    /// The rules without the one about this very subject.
    pub fn without(&self, subject: &str) -> Self {
        Self(self.0.iter().filter(|rule| rule.subject != subject).cloned().collect())
    }

    /// Each rule: whether it allows, and what.
    pub fn iter(&self) -> impl Iterator<Item = (bool, &str)> {
        self.0.iter().map(|rule| (rule.allow, rule.subject.as_str()))
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl fmt::Display for CommandRules {
    /// Each rule with a space in front.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|rule| write!(f, " {}{}", if rule.allow { '+' } else { '-' }, rule.subject))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_replaces_what_was_said_before() {
        let cases: &[(&[(bool, &str)], &str)] = &[
            (&[(true, "get"), (false, "GET")], " -get"),
            (&[(true, "config|get"), (true, "config|set"), (false, "config")], " -config"),
            (&[(false, "config"), (true, "config|get")], " -config +config|get"),
            (&[(true, "get"), (true, "getex"), (true, "get")], " +getex +get"),
            (&[(true, "@read"), (false, "get"), (true, "@read")], " -get +@read"),
            (&[(true, "select|0"), (true, "select|1"), (true, "select|0")], " +select|1 +select|0"),
        ];
        for (given, expected) in cases {
            let mut rules = CommandRules::default();
            given.iter().for_each(|(allow, subject)| rules.add(*allow, subject));
            assert_eq!(rules.to_string(), *expected);
        }
    }
}
