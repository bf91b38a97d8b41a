//! Rules as text, in the words that `ACL SETUSER` takes.
//!
//! What is written here and applied to a new user gives the same rules. Words inside brackets are quoted where they need it;
//! outside, that is up to the form of the file ([`Rules::conf_line`]).

use super::patterns::KeyPattern;
use super::rules::Rules;
use super::selector::Selector;
use crate::base::quoting::quote;

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

#[cfg(test)]
mod tests {
    use super::super::testing::rules;

    const ONE: &str = "#7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed";

    fn described(words: &str) -> String {
        match rules(words) {
            Ok(rules) => String::from_utf8(rules.describe()).unwrap(),
            Err(error) => format!("{error:?}"),
        }
    }

    #[test]
    fn rules_read_as_redis_shows_them() {
        for (words, expected) in [
            ("", "off resetchannels -@all"),
            ("on nopass ~* &* +@all", "on nopass ~* &* +@all"),
            ("ON AllKeys AllChannels AllCommands", "on ~* &* +@all"),
            ("on >one skip-sanitize-payload", &format!("on skip-sanitize-payload {ONE} resetchannels -@all")),
            (">one nopass", "off nopass resetchannels -@all"),
            ("nopass >one <one", "off resetchannels -@all"),
            (&format!(">one {ONE} {}", ONE.replace('#', "!")), "off resetchannels -@all"),
            ("%R~a %W~a %rw~b %W~c ~a &x &x", "off ~a ~b %W~c resetchannels &x -@all"),
            ("~a resetkeys &x resetchannels", "off resetchannels -@all"),
            ("+@all -GET -config|set +config", "off resetchannels +@all -get"),
            ("+@all +config|get -get +get +select|0", "off resetchannels +@all"),
            ("+@all -config +config|get", "off resetchannels +@all -config +config|get"),
            ("-get +config +config|get", "off resetchannels -@all +config"),
            (
                "+get +@string -set +select|0 +SELECT|1",
                "off resetchannels -@all +get +@string -set +select|0 +select|1",
            ),
            ("+get nocommands +set", "off resetchannels -@all +set"),
            (
                "on (+get ~a) (~b &c -@all)",
                "on resetchannels -@all (~a resetchannels -@all +get) (~b resetchannels &c -@all)",
            ),
            ("(+get) clearselectors", "off resetchannels -@all"),
            ("on >one ~a +get (+set) reset", "off sanitize-payload resetchannels -@all"),
            ("+nosuch", "Unknown"),
            ("-nosuch", "Unknown"),
            ("+@nosuch", "Unknown"),
            ("-select|0", "Unknown"),
            ("+config|nosuch", "Unknown"),
            ("+config|get|x", "FirstArgument"),
            ("+select|", "Syntax"),
            ("+select|0|1", "Unknown"),
            ("maybe", "Syntax"),
            ("()) ", "Syntax"),
            ("allkeys ~a", "AllKeys"),
            ("&* &a", "AllChannels"),
            ("<one", "NoSuchPassword"),
            ("#12", "BadHash"),
            ("(on)", "Syntax"),
        ] {
            assert_eq!(described(words), expected, "{words}");
        }
    }

    #[test]
    fn what_is_shown_can_be_given_again() {
        for words in [
            "on >one ~a %R~b &c +@all -@string +get (~* &* +@all -config) (%W~x +select|3)",
            "on ~\"quoted ~it's (~in\\\"side +get)",
        ] {
            let first = rules(words).unwrap();
            assert_eq!(rules(std::str::from_utf8(&first.describe()).unwrap()), Ok(first.clone()), "{words}");
            let line = first.conf_line(b"joe");
            let words = crate::base::quoting::split_args(line.as_bytes()).unwrap();
            assert_eq!(words[0], b"joe");
            let mut again = rules("").unwrap();
            let commands = super::super::testing::commands();
            let terms = super::super::Terms { commands: &commands, all_channels: false };
            for word in super::super::brackets::merge(&words[1..]).unwrap() {
                again.apply(&word, &terms).unwrap();
            }
            assert_eq!(again, first, "{line}");
        }
    }
}
