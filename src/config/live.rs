//! The live configuration: a snapshot that any thread reads without a lock, and `CONFIG GET`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use parking_lot::Mutex;

use super::directive::Directive;
use super::load::Loaded;
use super::settings::Settings;
use super::table::{lookup, names};
use crate::base::glob;

/// The configuration of a running server.
pub struct Config {
    settings: ArcSwap<Settings>,
    /// Held while settings are replaced, so that no change is lost. Taken before any lock of the hooks.
    pub(super) setter: Mutex<()>,
    start_dir: PathBuf,
    file: Option<PathBuf>,
    users: Vec<Directive>,
}

impl Config {
    /// Makes a loaded configuration live.
    pub fn new(loaded: Loaded) -> Self {
        Self {
            settings: ArcSwap::from_pointee(loaded.settings),
            setter: Mutex::new(()),
            start_dir: loaded.start_dir,
            file: loaded.file,
            users: loaded.users,
        }
    }

    /// The settings now, for a short look; cheap enough for every request.
    pub fn settings(&self) -> Guard<Arc<Settings>> {
        self.settings.load()
    }

    /// The settings now, to keep.
    pub fn snapshot(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// The file that `CONFIG REWRITE` writes, as an absolute path.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The directory the server was started in, which relative paths are relative to.
    pub fn start_dir(&self) -> &Path {
        &self.start_dir
    }

    /// The `user` lines of the configuration in order; their words are the user's name and rules.
    pub fn users(&self) -> &[Directive] {
        &self.users
    }

    /// Changes settings on the server's own account (`REPLICAOF`, a password set through ACL), past the rules that bind
    /// clients. The caller sees to effects. The mode of the group stays what it is.
    pub fn update(&self, change: impl FnOnce(&mut Settings)) {
        let _one_at_a_time = self.setter.lock();
        let old = self.snapshot();
        let mut new = (*old).clone();
        change(&mut new);
        new.transit_encryption = old.transit_encryption;
        self.publish(new);
    }

    pub(super) fn publish(&self, new: Settings) -> Arc<Settings> {
        let new = Arc::new(new);
        self.settings.store(Arc::clone(&new));
        new
    }

    /// Name and value of all parameters that match any of `patterns`, each once. A pattern without wildcards is a name:
    /// it is answered as it was spelled, and finds hidden parameters too. Aliases count as names of their own.
    pub fn get(&self, patterns: &[&[u8]]) -> Vec<(String, Vec<u8>)> {
        let settings = self.settings();
        let mut found: Vec<(String, Vec<u8>)> = Vec::new();
        let mut add = |name: &str, value: Vec<u8>| {
            if !found.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                found.push((name.to_string(), value));
            }
        };
        for pattern in patterns {
            if !pattern.iter().any(|b| b"[*?".contains(b)) {
                if let Some((parameter, _)) = lookup(pattern) {
                    add(&String::from_utf8_lossy(pattern), parameter.get(&settings));
                }
                continue;
            }
            for (parameter, name) in names() {
                if !parameter.hidden && glob::matches_nocase(pattern, name.as_bytes()) {
                    add(name, parameter.get(&settings));
                }
            }
        }
        found
    }
}

impl Default for Config {
    /// The defaults of a plaintext group, without a file.
    fn default() -> Self {
        let start_dir = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        let settings = Settings::defaults_of_mode(false, &start_dir);
        Self::new(Loaded { settings, start_dir, ..Loaded::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(patterns: &[&str]) -> Vec<(String, String)> {
        let patterns: Vec<&[u8]> = patterns.iter().map(|p| p.as_bytes()).collect();
        let found = Config::default().get(&patterns);
        found.into_iter().map(|(name, value)| (name, String::from_utf8(value).unwrap())).collect()
    }

    #[test]
    fn names_and_patterns_find_each_parameter_once() {
        let found = get(&["maxmemory", "maxmemory*", "bind", "*of"]);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names[0], "maxmemory");
        assert_eq!(names.iter().filter(|n| **n == "maxmemory").count(), 1);
        for name in ["maxmemory-samples", "maxmemory-clients", "bind", "replicaof", "slaveof"] {
            assert!(names.contains(&name), "{name}");
        }
    }

    #[test]
    fn values_read_as_in_redis() {
        for (name, value) in [
            ("save", "3600 1 300 100 60 10000"),
            ("proto-max-bulk-len", "536870912"),
            ("client-output-buffer-limit", "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"),
            ("bind", "* -::*"),
            ("latency-tracking-info-percentiles", "50 99 99.9"),
            ("oom-score-adj-values", "0 200 800"),
            ("appendonly", "no"),
            ("unixsocketperm", "0"),
            ("replicaof", ""),
        ] {
            assert_eq!(get(&[name]), [(name.to_string(), value.to_string())]);
        }
        assert_eq!(get(&["dir"])[0].1, std::env::current_dir().unwrap().to_str().unwrap());
    }

    #[test]
    fn a_name_is_answered_as_spelled_and_hidden_ones_need_it() {
        assert_eq!(get(&["Slave-PRIORITY"]), [("Slave-PRIORITY".to_string(), "100".to_string())]);
        assert_eq!(get(&["key-load-delay"]).len(), 1);
        assert!(!get(&["*"]).iter().any(|(name, _)| name == "key-load-delay"));
        assert!(get(&["MAXMEM*"]).len() >= 5);
        assert!(get(&["no-such-thing"]).is_empty());
    }

    #[test]
    fn the_server_may_change_anything_but_the_mode() {
        let config = Config::default();
        config.update(|settings| {
            settings.replication.replicaof.0 = Some(("db".into(), 1));
            settings.transit_encryption = true;
        });
        assert_eq!(config.settings().replication.replicaof.0, Some(("db".into(), 1)));
        assert!(!config.settings().transit_encryption);
    }
}
