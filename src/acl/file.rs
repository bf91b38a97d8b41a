//! The ACL file: one `user NAME rule …` per line, read as a whole or not at all, replaced as a whole.
//!
//! Comments would be lost at the next ACL SAVE and are therefore errors; empty lines are not.

use std::io;
use std::path::Path;

use super::rule_error::RuleError;
use super::rules::{NamedRules, Rules};
use super::user::User;
use super::users::{Terms, Users};
use super::{brackets, has_spaces};
use crate::base::replace_file::replace_file;
use crate::base::system_text::system_text;

/// The users of a file. `name` is the file as the configuration names it, for the sentences about what is wrong.
pub fn load(path: &Path, name: &str, terms: &Terms<'_>) -> Result<NamedRules, String> {
    let text = std::fs::read(path)
        .map_err(|error| format!("Error loading ACLs, opening file '{name}': {}", system_text(&error)))?;
    let reader = parse(&text, name, terms);
    if reader.errors.is_empty() {
        return Ok(reader.users);
    }
    Err(format!(
        "{}WARNING: ACL errors detected, no change to the previously active ACL rules was performed",
        reader.errors
    ))
}

/// Writes all users to a file, so that a crash leaves the old content or the new one.
pub fn save(path: &Path, users: &Users) -> io::Result<()> {
    replace_file(path, &content(&users.all()))
}

fn content(users: &[std::sync::Arc<User>]) -> Vec<u8> {
    let line = |user: &std::sync::Arc<User>| [b"user ", user.name(), b" ", &user.rules().describe(), b"\n"].concat();
    users.iter().flat_map(line).collect()
}

struct Reader<'a> {
    name: &'a str,
    terms: &'a Terms<'a>,
    users: NamedRules,
    /// Sentences about what is wrong, each with a space behind it.
    errors: String,
}

fn parse<'a>(text: &[u8], name: &'a str, terms: &'a Terms<'a>) -> Reader<'a> {
    let mut reader = Reader { name, terms, users: Vec::new(), errors: String::new() };
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        reader.line(trim(line, b" \t\r\n"), index + 1);
    }
    reader
}

impl Reader<'_> {
    fn line(&mut self, line: &[u8], number: usize) {
        if line.is_empty() {
            return;
        }
        let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
        let file = self.name;
        let [b"user", user, rules @ ..] = words.as_slice() else {
            let error = format!("{file}:{number} should start with user keyword followed by the username. ");
            return self.errors.push_str(&error);
        };
        let shown = String::from_utf8_lossy(user);
        if has_spaces(user) {
            let error = format!("'{file}:{number}: username '{shown}' contains invalid characters. ");
            return self.errors.push_str(&error);
        }
        if self.users.iter().any(|(known, _)| **known == **user) {
            let error = format!("WARNING: Duplicate user '{shown}' found on line {number}. ");
            return self.errors.push_str(&error);
        }
        let rules = self.rules(rules, number);
        self.users.push(((*user).into(), rules));
    }

    fn rules(&mut self, words: &[&[u8]], number: usize) -> Rules {
        let mut rules = Rules::new(self.terms);
        let file = self.name;
        let Ok(words) = brackets::merge(words) else {
            self.errors.push_str(&format!("{file}:{number}: Unmatched parenthesis in selector definition."));
            return rules;
        };
        let mut reported = false;
        for word in words {
            let word = trim(&word, b"\t\r\n");
            match rules.apply(word, self.terms) {
                Ok(()) => {}
                // A command's name gives nothing away; other words might be passwords, and the first error explains the rest.
                Err(error @ RuleError::Unknown) => {
                    let word = String::from_utf8_lossy(word);
                    let error = format!("{file}:{number}: Error in applying operation '{word}': {error}. ");
                    self.errors.push_str(&error);
                }
                Err(_) if reported => {}
                Err(error) => {
                    self.errors.push_str(&format!("{file}:{number}: {error}. "));
                    reported = true;
                }
            }
        }
        rules
    }
}

fn trim<'a>(text: &'a [u8], blanks: &[u8]) -> &'a [u8] {
    let inner = |byte: &u8| !blanks.contains(byte);
    let start = text.iter().position(inner).unwrap_or(text.len());
    let end = text.iter().rposition(inner).map_or(start, |last| last + 1);
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use super::super::testing::commands;
    use super::*;

    fn errors(text: &str) -> String {
        let commands = commands();
        let terms = Terms { commands: &commands, all_channels: false };
        parse(text.as_bytes(), "users.acl", &terms).errors
    }

    #[test]
    fn what_is_wrong_is_told_with_file_and_line() {
        for (text, expected) in [
            ("\n  user a on  +get (~x +set)\t\r\n\nuser default on nopass\n", ""),
            ("# a comment\n", "users.acl:1 should start with user keyword followed by the username. "),
            ("\nuser\n", "users.acl:2 should start with user keyword followed by the username. "),
            ("user a\tb on\n", "'users.acl:1: username 'a\tb' contains invalid characters. "),
            ("user a\nuser a\n", "WARNING: Duplicate user 'a' found on line 2. "),
            ("user a (on\n", "users.acl:1: Unmatched parenthesis in selector definition."),
            (
                "user a +nosuch <pw bogus -nope\nuser b #1\n",
                "users.acl:1: Error in applying operation '+nosuch': Unknown command or category name in ACL. \
                 users.acl:1: The password you are trying to remove from the user does not exist. \
                 users.acl:1: Error in applying operation '-nope': Unknown command or category name in ACL. \
                 users.acl:2: The password hash must be exactly 64 characters and contain only lowercase hexadecimal \
                 characters. ",
            ),
        ] {
            assert_eq!(errors(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_saved_file_loads_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("users.acl");
        let users = Users::new(commands(), b"pw");
        users.set(b"joe", &[&b"on"[..], b"%R~a*", b"(+get", b"~b)"], false).unwrap();
        save(&path, &users).unwrap();
        let terms = Terms { commands: users.commands(), all_channels: false };
        let loaded = load(&path, "users.acl", &terms).unwrap();
        let expected: Vec<_> =
            users.all().iter().map(|user| (Box::from(user.name()), Rules::clone(&user.rules()))).collect();
        assert_eq!(loaded, expected);
        let error = load(&dir.path().join("none"), "none", &terms).unwrap_err();
        assert_eq!(error, "Error loading ACLs, opening file 'none': No such file or directory");
    }
}
