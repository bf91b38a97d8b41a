//! `CONFIG SET`: several parameters at once, all or nothing.
//!
//! The steps are Redis's: find all parameters and refuse those that may not be set; read all values; let upper floors
//! apply what the changes set off, undoing in case one refuses; publish. Readers see either the old or the new settings.

use super::error::SetError;
use super::kind::Kind;
use super::live::Config;
use super::parameter::{Effect, Mutability, Parameter};
use super::settings::Settings;
use super::table::lookup;
use super::validate::validate;
use crate::base::system_text::system_text;

/// What upper floors say about a change and do with it.
pub trait ApplyHooks {
    /// Is the data set being loaded?
    fn loading(&self) -> bool {
        false
    }

    /// Is the client that asks on this machine?
    fn client_is_local(&self) -> bool {
        true
    }

    /// Brings about what moving from `old` to `new` sets off, or says why it cannot be; the text follows
    /// `CONFIG SET failed (…) - `. Called once per effect before `new` is published. When a later effect is refused,
    /// the ones already applied are called again with `new` and `old` exchanged.
    fn apply(&self, _effect: Effect, _new: &Settings, _old: &Settings) -> Result<(), String> {
        Ok(())
    }

    /// The new settings are visible to all readers.
    fn published(&self, _changed: &[&'static Parameter], _new: &Settings) {}
}

/// Hooks that accept everything and do nothing.
pub struct NoHooks;

impl ApplyHooks for NoHooks {}

/// A parameter that is being set.
struct Chosen<'a> {
    parameter: &'static Parameter,
    /// The name or alias that was used.
    name: &'static str,
    value: &'a [u8],
}

impl Config {
    /// Sets all `pairs` of name and value, or none.
    pub fn set(&self, pairs: &[(&[u8], &[u8])], hooks: &dyn ApplyHooks) -> Result<(), SetError> {
        let _one_at_a_time = self.setter.lock();
        let old = self.snapshot();
        let chosen = choose(pairs, &old, hooks)?;
        let new = self.changed(&chosen, &old)?;

        let changed: Vec<&Chosen<'_>> =
            chosen.iter().filter(|c| c.parameter.volatile || !c.parameter.same(&old, &new)).collect();
        apply_all(&changed, &new, &old, hooks)?;

        let parameters: Vec<&'static Parameter> = changed.iter().map(|c| c.parameter).collect();
        let new = self.publish(new);
        hooks.published(&parameters, &new);
        Ok(())
    }

    fn changed(&self, chosen: &[Chosen<'_>], old: &Settings) -> Result<Settings, SetError> {
        let mut new = old.clone();
        for c in chosen {
            let words: Vec<&[u8]> = match c.parameter.kind.takes_many() {
                true if c.value.is_empty() => Vec::new(),
                true => c.value.split(|&b| b == b' ').collect(),
                false => vec![c.value],
            };
            c.parameter.assign(&mut new, &words, false).map_err(|reason| failed(c.name, reason))?;
            if let Kind::Directory = c.parameter.kind {
                // Only here: at the start the directory may still have to be made.
                let path = self.start_dir().join(&new.general.dir);
                new.general.dir = existing_directory(&path).map_err(|reason| failed(c.name, reason))?;
            }
        }
        new.settle(self.start_dir());
        match (validate(&new), validate(old)) {
            (Err(conflict), before) if before.as_ref() != Err(&conflict) => {
                let involved = |c: &&Chosen<'_>| conflict.parameters.contains(&c.parameter.name);
                let blamed = chosen.iter().find(involved).map_or(conflict.parameters[0], |c| c.name);
                Err(failed(blamed, conflict.sentence))
            }
            _ => Ok(new),
        }
    }
}

fn choose<'a>(
    pairs: &[(&[u8], &'a [u8])],
    old: &Settings,
    hooks: &dyn ApplyHooks,
) -> Result<Vec<Chosen<'a>>, SetError> {
    let mut chosen: Vec<Chosen<'a>> = Vec::with_capacity(pairs.len());
    for &(given, value) in pairs {
        let given_text = || String::from_utf8_lossy(given).into_owned();
        let (parameter, name) = lookup(given).ok_or_else(|| SetError::Unknown(given_text()))?;
        if parameter.mutability == Mutability::Immutable {
            return Err(failed(given_text(), "can't set immutable config"));
        }
        if parameter.protected && !old.security.enable_protected_configs.allows(hooks.client_is_local()) {
            return Err(failed(given_text(), "can't set protected config"));
        }
        if parameter.denied_while_loading && hooks.loading() {
            return Err(SetError::Loading);
        }
        if chosen.iter().any(|c| c.name == name) {
            return Err(failed(given_text(), "duplicate parameter"));
        }
        chosen.push(Chosen { parameter, name, value });
    }
    Ok(chosen)
}

fn apply_all(changed: &[&Chosen<'_>], new: &Settings, old: &Settings, hooks: &dyn ApplyHooks) -> Result<(), SetError> {
    let mut applied: Vec<Effect> = Vec::new();
    for c in changed {
        let Some(effect) = c.parameter.effect.filter(|effect| !applied.contains(effect)) else {
            continue;
        };
        applied.push(effect);
        if let Err(reason) = hooks.apply(effect, new, old) {
            tracing::warn!(
                "Failed applying new configuration. Possibly related to new {} setting. Restoring previous settings.",
                c.name
            );
            for effect in applied {
                if let Err(reason) = hooks.apply(effect, old, new) {
                    tracing::warn!("Failed applying restored failed CONFIG SET command: {reason}");
                }
            }
            return Err(failed(c.name, reason));
        }
    }
    Ok(())
}

fn failed(argument: impl Into<String>, reason: impl Into<String>) -> SetError {
    SetError::Failed { argument: argument.into(), reason: reason.into() }
}

fn existing_directory(path: &std::path::Path) -> Result<String, String> {
    let full = path.canonicalize().map_err(|error| system_text(&error))?;
    if full.is_dir() { Ok(full.to_string_lossy().into_owned()) } else { Err("Not a directory".into()) }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::config::values::EvictionPolicy;

    fn set(config: &Config, pairs: &[(&str, &str)]) -> Result<(), String> {
        set_with(config, pairs, &NoHooks)
    }

    fn set_with(config: &Config, pairs: &[(&str, &str)], hooks: &dyn ApplyHooks) -> Result<(), String> {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        config.set(&pairs, hooks).map_err(|error| error.to_string())
    }

    fn get(config: &Config, name: &str) -> String {
        let found = config.get(&[name.as_bytes()]);
        String::from_utf8(found[0].1.clone()).unwrap()
    }

    #[test]
    fn refusals_are_worded_as_in_redis() {
        let table: &[(&[(&str, &str)], &str)] = &[
            (&[("foo", "1")], "ERR Unknown option or number of arguments for CONFIG SET - 'foo'"),
            (&[("port", "99999999")], "'port') - argument must be between 0 and 65535 inclusive"),
            (
                &[("maxmemory-clients", "200%")],
                "'maxmemory-clients') - percentage argument must be less or equal to 100",
            ),
            (&[("maxmemory", "-1")], "'maxmemory') - argument must be a memory value"),
            (&[("SLAVE-priority", "x")], "'slave-priority') - argument couldn't be parsed into an integer"),
            (&[("Databases", "4")], "'Databases') - can't set immutable config"),
            (&[("dir", "/tmp")], "'dir') - can't set protected config"),
            (&[("hz", "1"), ("HZ", "2")], "'HZ') - duplicate parameter"),
            (&[("save", "10")], "'save') - Invalid save parameters"),
            (&[("maxclients", "-1")], "'maxclients') - argument must be between 1 and 4294967295 inclusive"),
            (&[("list-max-listpack-size", "-99999999999")], "between -2147483648 and 2147483647 inclusive"),
            (&[("timeout", "")], "'timeout') - argument couldn't be parsed into an integer"),
            (&[("oom-score-adj-values", "1")], "'oom-score-adj-values') - wrong number of arguments"),
            (&[("bind", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17")], "Too many bind addresses specified."),
            (
                &[("activedefrag", "yes")],
                "Active defragmentation cannot be enabled: it requires a Redis server compiled",
            ),
            (&[("tls-port", "6380")], "'tls-port') - tls-port asks for encryption in a plaintext group"),
            (&[("tls-replication", "yes")], "'tls-replication') - tls-replication asks for encryption"),
        ];
        for (pairs, expected) in table {
            let config = Config::default();
            let error = set(&config, pairs).unwrap_err();
            assert!(error.contains(expected), "{pairs:?} gave {error}");
            assert!(
                expected.starts_with("ERR")
                    || error.starts_with("ERR CONFIG SET failed (possibly related to argument '")
            );
        }
    }

    #[test]
    fn all_or_nothing() {
        let config = Config::default();
        let before = config.snapshot();
        assert!(set(&config, &[("maxmemory", "10mb"), ("maxmemory-policy", "nonsense")]).is_err());
        assert_eq!(*config.snapshot(), *before);
        set(&config, &[("maxmemory", "10mb"), ("maxmemory-policy", "allkeys-LFU")]).unwrap();
        assert_eq!(config.settings().memory.maxmemory, 10 << 20);
        assert_eq!(config.settings().memory.maxmemory_policy, EvictionPolicy::AllkeysLfu);
    }

    #[test]
    fn the_mode_of_a_group_cannot_be_set() {
        let config = Config::default();
        config.publish(Settings { transit_encryption: true, ..encrypted_settings() });
        let error = set(&config, &[("maxmemory", "1mb"), ("port", "7000")]).unwrap_err();
        assert!(error.contains("'port') - port 7000 and tls-port 6379 are both set"), "{error}");
        set(&config, &[("tls-port", "0")]).unwrap();
        assert!(config.settings().transit_encryption, "closing the listener leaves the mode");
        let error = set(&config, &[("port", "7000")]).unwrap_err();
        assert!(error.contains("'port') - this group is encrypted in transit"), "{error}");
        assert!(
            set(&config, &[("tls-key-file", "")])
                .unwrap_err()
                .contains("'tls-key-file') - tls-cert-file is set without")
        );
    }

    fn encrypted_settings() -> Settings {
        let mut settings = Settings::default();
        (settings.network.port, settings.network.tls_port) = (0, 6379);
        settings.tls.tls_auth_clients = crate::config::values::TlsAuthClients::No;
        (settings.tls.tls_cert_file, settings.tls.tls_key_file) = ("a".into(), "b".into());
        settings
    }

    #[test]
    fn an_alias_and_its_parameter_may_be_set_together() {
        let config = Config::default();
        set(&config, &[("slave-priority", "3"), ("replica-priority", "4")]).unwrap();
        assert_eq!(get(&config, "slave-priority"), "4");
    }

    #[test]
    fn odd_values_read_as_in_redis() {
        let config = Config::default();
        for (name, value, shown) in [
            ("hz", "1000", "500"),
            ("maxmemory", "", "0"),
            ("save", "3600 1 60 2", "3600 1 60 2"),
            ("save", "", ""),
            ("bind", "", ""),
            ("notify-keyspace-events", "KEA", "AKE"),
            ("oom-score-adj", "relative", "yes"),
            ("shutdown-on-sigint", "force save", "save force"),
            (
                "client-output-buffer-limit",
                "replica 1mb 2gb 3",
                "normal 0 0 0 slave 1048576 2147483648 3 pubsub 33554432 8388608 60",
            ),
        ] {
            set(&config, &[(name, value)]).unwrap();
            assert_eq!(get(&config, name), shown, "{name} {value:?}");
        }
    }

    struct Recorder {
        refuses: Option<Effect>,
        calls: RefCell<Vec<(Effect, u64)>>,
        published: RefCell<Vec<&'static str>>,
    }

    impl Recorder {
        fn new(refuses: Option<Effect>) -> Self {
            Self { refuses, calls: RefCell::default(), published: RefCell::default() }
        }
    }

    impl ApplyHooks for Recorder {
        fn apply(&self, effect: Effect, new: &Settings, old: &Settings) -> Result<(), String> {
            self.calls.borrow_mut().push((effect, new.memory.maxmemory));
            let forward = new.network.port != old.network.port && new.network.port == 7;
            if self.refuses == Some(effect) && forward {
                return Err("Unable to listen on this port. Check server logs.".into());
            }
            Ok(())
        }

        fn published(&self, changed: &[&'static Parameter], _new: &Settings) {
            self.published.borrow_mut().extend(changed.iter().map(|p| p.name));
        }
    }

    #[test]
    fn a_refused_effect_undoes_the_others() {
        let config = Config::default();
        let hooks = Recorder::new(Some(Effect::Port));
        let error = set_with(&config, &[("maxmemory", "5"), ("port", "7"), ("maxclients", "9")], &hooks).unwrap_err();
        assert_eq!(
            error,
            "ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs."
        );
        let calls = hooks.calls.borrow();
        let expected = [(Effect::MaxMemory, 5), (Effect::Port, 5), (Effect::MaxMemory, 0), (Effect::Port, 0)];
        assert_eq!(*calls, expected);
        assert_eq!(config.settings().memory.maxmemory, 0);
        assert!(hooks.published.borrow().is_empty());
    }

    #[test]
    fn effects_happen_once_and_only_for_changes() {
        let config = Config::default();
        let hooks = Recorder::new(None);
        let pairs = [("tls-cert-file", ""), ("tls-ciphers", "x"), ("maxmemory", "0"), ("hz", "10")];
        set_with(&config, &pairs, &hooks).unwrap();
        assert_eq!(
            *hooks.calls.borrow(),
            [(Effect::Tls, 0)],
            "certificates are read again though the path is the same"
        );
        assert_eq!(*hooks.published.borrow(), ["tls-cert-file", "tls-ciphers"]);
    }

    #[test]
    fn loading_refuses_only_some() {
        struct Loading;
        impl ApplyHooks for Loading {
            fn loading(&self) -> bool {
                true
            }
        }
        let config = Config::default();
        assert_eq!(
            set_with(&config, &[("appendonly", "yes")], &Loading).unwrap_err(),
            "LOADING Redis is loading the dataset in memory"
        );
        set_with(&config, &[("loglevel", "debug")], &Loading).unwrap();
    }

    #[test]
    fn the_data_directory_must_exist() {
        let config = Config::default();
        config.update(|settings| settings.security.enable_protected_configs = crate::config::values::Protected::Yes);
        let error = set(&config, &[("dir", "/no/such/place")]).unwrap_err();
        assert_eq!(error, "ERR CONFIG SET failed (possibly related to argument 'dir') - No such file or directory");
        let dir = tempfile::tempdir().unwrap();
        set(&config, &[("dir", dir.path().to_str().unwrap())]).unwrap();
        assert_eq!(get(&config, "dir"), dir.path().canonicalize().unwrap().to_str().unwrap());
    }
}
