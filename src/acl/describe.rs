//! Rules as text, in the words that `ACL SETUSER` takes.
//!
//! What is written here and applied to a new user gives the same rules. Words inside brackets are quoted where they need it;
//! outside, that is up to the form of the file ([`Rules::conf_line`]).

use super::patterns::KeyPattern;
use super::rules::Rules;
use super::selector::Selector;
use crate::config::quote;

impl Rules {
    /// All of it, as ACL LIST and the ACL file show it.
    pub fn describe(&self) -> Vec<u8> {
        self.words().join(&b' ')
    }

    /// All of it behind the user's name, as a line of a configuration file without the word `user`.
    pub fn conf_line(&self, name: &[u8]) -> String {
        let mut words = vec![name.to_vec()];
        words.extend(self.words());
        words.iter().map(|word| quoted_where_needed(word)).collect::<Vec<_>>().join(" ")
    }

    fn words(&self) -> Vec<Vec<u8>> {
        let mut words: Vec<Vec<u8>> = self.flags().map(|flag| flag.into()).collect();
        words.extend(self.passwords().map(|hash| format!("#{hash}").into_bytes()));
        words.extend(self.root().words());
        for selector in self.further_selectors() {
            let inner: Vec<_> = selector.words().iter().map(|word| quoted_where_needed(word)).collect();
            words.push(format!("({})", inner.join(" ")).into_bytes());
        }
        words
    }
}

impl Selector {
    /// The rules about commands.
    pub fn describe_commands(&self) -> String {
        format!("{}{}", if self.began_with_all { "+@all" } else { "-@all" }, self.rules)
    }

    /// The rules about keys.
    pub fn describe_keys(&self) -> Vec<u8> {
        self.key_words().join(&b' ')
    }

    /// The rules about channels, without `resetchannels`.
    pub fn describe_channels(&self) -> Vec<u8> {
        self.channel_words().join(&b' ')
    }

    fn words(&self) -> Vec<Vec<u8>> {
        let mut words = self.key_words();
        if !self.all_channels {
            words.push(b"resetchannels".to_vec());
        }
        words.extend(self.channel_words());
        words.extend(self.describe_commands().split(' ').map(|rule| rule.as_bytes().to_vec()));
        words
    }

    fn key_words(&self) -> Vec<Vec<u8>> {
        if self.all_keys {
            return vec![b"~*".to_vec()];
        }
        let word = |pattern: &KeyPattern| {
            let mut word = Vec::new();
            pattern.write(&mut word);
            word
        };
        self.keys.iter().map(word).collect()
    }

    fn channel_words(&self) -> Vec<Vec<u8>> {
        if self.all_channels {
            return vec![b"&*".to_vec()];
        }
        self.channels.iter().map(|pattern| [b"&", &**pattern].concat()).collect()
    }
}

/// The word as it is, or quoted where reading it back would give something else. Brackets keep what is inside apart already.
fn quoted_where_needed(word: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !b"\"'".contains(byte);
    match std::str::from_utf8(word) {
        Ok(text) if !word.is_empty() && word.iter().all(plain) => text.to_owned(),
        Ok(text) if word.starts_with(b"(") && word.iter().all(|byte| *byte == b' ' || plain(byte)) => text.to_owned(),
        _ => quote(word),
    }
}
