//! The table of all parameters, one file per theme.
//!
//! Holds always: names and aliases are unique over all themes, every default is a value of its own kind, and every
//! parameter has a description. The tests below prove it.

mod cluster;
mod encodings;
mod general;
mod limits;
mod logging;
mod memory;
mod network;
mod persistence;
mod replication;
mod security;
mod tls;

use std::collections::HashMap;
use std::sync::OnceLock;

use super::parameter::Parameter;

pub use cluster::Cluster;
pub use encodings::Encodings;
pub use general::General;
pub use limits::Limits;
pub use logging::Logging;
pub use memory::Memory;
pub use network::Network;
pub use persistence::Persistence;
pub use replication::Replication;
pub use security::Security;
pub use tls::Tls;

/// A group of parameters that belong together; a section of the sample file.
pub struct Theme {
    /// The section's name.
    pub name: &'static str,
    /// What it is about.
    pub doc: &'static str,
    /// Its parameters.
    pub parameters: &'static [Parameter],
}

/// All themes, in the order of the sample file.
pub fn themes() -> &'static [Theme] {
    static THEMES: OnceLock<Vec<Theme>> = OnceLock::new();
    THEMES.get_or_init(|| {
        let theme = |name, doc, parameters| Theme { name, doc, parameters };
        vec![
            theme("network", "Listeners and connections.", network::ROWS),
            theme("tls", "Certificates, trust, handshakes.", tls::ROWS),
            theme("general", "The process and its background work.", general::ROWS),
            theme("security", "Passwords, users, dangerous commands.", security::ROWS),
            theme("limits", "What clients may use.", limits::ROWS),
            theme("memory", "Eviction, expiry, freeing.", memory::ROWS),
            theme("persistence", "Snapshots and the append only file.", persistence::ROWS),
            theme("replication", "Primary and replicas.", replication::ROWS),
            theme("cluster", "Slots over several nodes.", cluster::ROWS),
            theme("logging", "Log, slow log, latency.", logging::ROWS),
            theme("encodings", "When values change their representation.", encodings::ROWS),
        ]
    })
}

/// All parameters, theme by theme.
pub fn parameters() -> impl Iterator<Item = &'static Parameter> {
    themes().iter().flat_map(|theme| theme.parameters)
}

/// The parameter that has this name or alias, whatever the case of its letters, and the name in the table's spelling.
pub fn lookup(name: &[u8]) -> Option<(&'static Parameter, &'static str)> {
    static NAMES: OnceLock<HashMap<&'static [u8], (&'static Parameter, &'static str)>> = OnceLock::new();
    let names = NAMES.get_or_init(|| names().map(|(parameter, name)| (name.as_bytes(), (parameter, name))).collect());
    names.get(name.to_ascii_lowercase().as_slice()).copied()
}

/// Every name and alias with its parameter.
pub(super) fn names() -> impl Iterator<Item = (&'static Parameter, &'static str)> {
    parameters().flat_map(|parameter| {
        std::iter::once(parameter.name).chain(parameter.aliases.iter().copied()).map(move |name| (parameter, name))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::base::quoting::split_args;
    use crate::config::kind::Kind;
    use crate::config::settings::Settings;

    #[test]
    fn names_are_unique_and_in_lower_case() {
        let mut seen = HashSet::new();
        for (_, name) in names() {
            assert!(seen.insert(name), "{name} stands twice");
            assert_eq!(name, name.to_ascii_lowercase());
        }
    }

    #[test]
    fn every_row_is_described_in_a_sentence() {
        for parameter in parameters() {
            let doc = parameter.doc();
            assert!(doc.ends_with('.') && doc.len() > 15, "{}: {doc:?}", parameter.name);
        }
    }

    #[test]
    fn every_default_is_what_get_shows_and_survives_being_set_again() {
        let defaults = Settings::default();
        for parameter in parameters() {
            let mut settings = Settings::default();
            for line in parameter.conf_lines(&defaults) {
                let words = split_args(line.as_bytes()).unwrap();
                let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
                parameter.assign(&mut settings, &words, line != parameter.conf_lines(&defaults)[0]).unwrap();
            }
            assert_eq!(settings, defaults, "{} does not survive its own redis.conf lines", parameter.name);

            let shown = parameter.get(&defaults);
            let words: Vec<&[u8]> = match parameter.kind.takes_many() {
                true if shown.is_empty() => vec![],
                true => shown.split(|&b| b == b' ').collect(),
                false => vec![&shown],
            };
            parameter.assign(&mut settings, &words, false).unwrap();
            assert_eq!(settings, defaults, "{} does not survive CONFIG SET of what CONFIG GET says", parameter.name);
        }
    }

    #[test]
    fn kinds_fit_the_fields() {
        for parameter in parameters() {
            let shown = parameter.get(&Settings::default());
            let shown = String::from_utf8(shown).unwrap();
            match parameter.kind {
                Kind::Bool | Kind::AlwaysNo(_) => assert!(shown == "yes" || shown == "no", "{}", parameter.name),
                Kind::Enum(words) => assert!(words.contains(&shown.as_str()), "{}", parameter.name),
                Kind::Int { min, max } | Kind::Memory { min, max } => {
                    assert!((min..=max).contains(&shown.parse::<i128>().unwrap()), "{}", parameter.name)
                }
                _ => {}
            }
        }
    }

    #[test]
    fn lookup_finds_aliases_and_ignores_case() {
        let (parameter, name) = lookup(b"SlaveOf").unwrap();
        assert_eq!((parameter.name, name), ("replicaof", "slaveof"));
        assert!(lookup(b"no-such-thing").is_none());
    }
}
