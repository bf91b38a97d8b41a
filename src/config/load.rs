//! From files, standard input and the command line to settings.
//!
//! Directives are applied one by one in the order given, so the last one counts and the first wrong one is reported.
//! Besides the parameters of the table a configuration may hold `include`, `user` and `rename-command`; modules and
//! Sentinel are refused.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::command_line::CommandLine;
use super::directive::{Directive, Origin, Source};
use super::error::{LoadError, suggestion};
use super::file_type::{FileType, file_type};
use super::settings::Settings;
use super::table::lookup;
use super::validate::validate;
use super::{conf_file, include, toml_file};
use crate::base::quoting::split_args;
use crate::base::system_text::system_text;

/// How deep files may include files.
const INCLUDE_DEPTH: usize = 16;

/// Parameters of the past that are accepted and mean nothing.
const FORGOTTEN: [&str; 3] = ["list-max-ziplist-entries", "list-max-ziplist-value", "lua-replicate-commands"];

/// A configuration as it was given.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The values.
    pub settings: Settings,
    /// The absolute path of the main file.
    pub file: Option<PathBuf>,
    /// The directory that relative paths are relative to.
    pub start_dir: PathBuf,
    /// The `user` lines in order; their words are the user's name and rules.
    pub users: Vec<Directive>,
    /// The `rename-command` lines in order; their words are an old and a new name, which may be empty.
    pub renamed_commands: Vec<Directive>,
    /// Where each parameter was last given, by its name.
    pub origins: HashMap<&'static str, Origin>,
    /// Did any file include another?
    pub has_includes: bool,
}

/// Reads everything that `line` names. Relative paths are relative to the current directory.
pub fn load(line: &CommandLine, stdin: &mut dyn Read) -> Result<Loaded, LoadError> {
    let start_dir =
        std::env::current_dir().map_err(|error| LoadError::Open { path: ".".into(), reason: system_text(&error) })?;
    load_from(line, stdin, &start_dir)
}

/// As [`load`], with relative paths relative to `start_dir`.
pub(super) fn load_from(line: &CommandLine, stdin: &mut dyn Read, start_dir: &Path) -> Result<Loaded, LoadError> {
    let mut loaded = Loaded { start_dir: start_dir.to_path_buf(), ..Loaded::default() };
    let mut newlines = 0;
    if let Some(file) = &line.file {
        let path = start_dir.join(file);
        newlines += loaded.read_file(&path, 0)?;
        loaded.file = Some(path);
    }
    if line.stdin {
        let mut text = Vec::new();
        stdin
            .read_to_end(&mut text)
            .map_err(|error| LoadError::Open { path: "-".into(), reason: system_text(&error) })?;
        newlines += loaded.read_text(&text, None, Source::Stdin, 0)?;
    }
    // Redis counts on: options are a text appended to the others after an empty line.
    for directive in conf_file::read(&line.options, &Source::CommandLine, newlines + 2) {
        loaded.apply(directive?, 0)?;
    }
    let port_is_explicit = loaded.origins.contains_key("port");
    loaded.settings.settle_loaded(port_is_explicit, start_dir);
    Ok(loaded)
}

impl Loaded {
    /// Checks what only shows when all parameters are known; see [`validate`].
    pub fn validate(&self) -> Result<(), LoadError> {
        validate(&self.settings).map_err(|conflict| {
            match conflict.parameters.iter().find_map(|p| self.origins.get(p)) {
                Some(origin) => LoadError::line(origin, conflict.sentence, "change one of the parameters named above."),
                None => LoadError::Conflict(conflict.sentence),
            }
        })
    }

    /// The number of line ends read.
    fn read_file(&mut self, path: &Path, depth: usize) -> Result<usize, LoadError> {
        let text = std::fs::read(path)
            .map_err(|error| LoadError::Open { path: path.to_path_buf(), reason: system_text(&error) })?;
        self.read_text(&text, Some(path), Source::File(path.to_path_buf()), depth)
    }

    fn read_text(
        &mut self,
        text: &[u8],
        path: Option<&Path>,
        source: Source,
        depth: usize,
    ) -> Result<usize, LoadError> {
        let directives = match file_type(path, text) {
            FileType::Conf => conf_file::read(text, &source, 1),
            FileType::Toml => toml_file::read(text, &source),
        };
        for directive in directives {
            self.apply(directive?, depth)?;
        }
        Ok(text.iter().filter(|&&b| b == b'\n').count())
    }

    fn apply(&mut self, directive: Directive, depth: usize) -> Result<(), LoadError> {
        let Some((parameter, _)) = lookup(directive.name.as_bytes()) else {
            return self.apply_special(directive, depth);
        };
        let fail = |reason: String| {
            let hint = format!("{} takes {}.", parameter.name, parameter.kind.describe());
            LoadError::line(&directive.origin, reason, hint)
        };
        let mut args = directive.args.clone();
        if parameter.kind.takes_many()
            && let [only] = args.as_slice()
            && !only.is_empty()
        {
            args = split_args(only).ok_or_else(|| fail("Unbalanced quotes in configuration line".into()))?;
        }
        let words: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        let repeated = self.origins.contains_key(parameter.name);
        parameter.assign(&mut self.settings, &words, repeated).map_err(fail)?;
        self.origins.insert(parameter.name, directive.origin);
        Ok(())
    }

    fn apply_special(&mut self, directive: Directive, depth: usize) -> Result<(), LoadError> {
        let origin = &directive.origin;
        match (directive.name.as_str(), directive.args.as_slice()) {
            (name, [_]) if FORGOTTEN.contains(&name) => Ok(()),
            ("include", [pattern]) => {
                if depth == INCLUDE_DEPTH {
                    let reason = format!("files include each other more than {INCLUDE_DEPTH} deep");
                    return Err(LoadError::line(origin, reason, "remove the circle."));
                }
                self.has_includes = true;
                let pattern = PathBuf::from(String::from_utf8_lossy(pattern).into_owned());
                for path in include::expand(&pattern, &self.start_dir.clone()) {
                    self.read_file(&path, depth + 1)?;
                }
                Ok(())
            }
            ("rename-command", [_, _]) => {
                self.renamed_commands.push(directive);
                Ok(())
            }
            ("user", [_, ..]) => {
                self.users.push(directive);
                Ok(())
            }
            ("loadmodule", _) => Err(LoadError::line(
                origin,
                "modules are not supported",
                "remove this line; what the module provides is not available in this server.",
            )),
            ("sentinel", _) => Err(LoadError::line(
                origin,
                "sentinel directive while not in sentinel mode",
                "this server has no Sentinel mode; run redis-sentinel beside it.",
            )),
            (name, _) => Err(LoadError::line(origin, "Bad directive or wrong number of arguments", suggestion(name))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::config::values::EvictionPolicy;

    fn load_args(args: &[&str], stdin: &str, dir: &Path) -> Result<Loaded, String> {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        load_from(&CommandLine::parse(&args), &mut stdin.as_bytes(), dir).map_err(|error| error.to_string())
    }

    fn load_text(text: &str) -> Result<Loaded, String> {
        load_args(&["-"], text, Path::new("/srv"))
    }

    #[test]
    fn file_then_standard_input_then_options() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("redis.conf"), "timeout 1\nhz 20\nmaxmemory 1mb\n").unwrap();
        let args = ["redis.conf", "--maxmemory", "3mb", "-"];
        let loaded = load_args(&args, "hz 30\nmaxmemory 2mb", dir.path()).unwrap();
        let settings = &loaded.settings;
        assert_eq!((settings.network.timeout, settings.general.hz, settings.memory.maxmemory), (1, 30, 3 << 20));
        assert_eq!(loaded.file, Some(dir.path().join("redis.conf")));
        assert_eq!(loaded.origins["hz"].source, Source::Stdin);
    }

    #[test]
    fn old_names_repeated_directives_and_quoting() {
        let loaded = load_text(
            "hash-max-ziplist-entries 20\nhash-max-listpack-entries 21\nsave 900 1\nsave 300 10\nslaveof db 6379\n\
             client-output-buffer-limit slave 1mb 0 0\nclient-output-buffer-limit pubsub 2mb 0 0\n\
             requirepass \"a b\\x41\"\nlua-replicate-commands yes\nshutdown-on-sigint \"nosave force\"\n",
        )
        .unwrap();
        let s = &loaded.settings;
        assert_eq!(s.encodings.hash_max_listpack_entries, 21);
        assert_eq!(s.persistence.save.0.len(), 2);
        assert_eq!(s.replication.replicaof.0, Some(("db".into(), 6379)));
        assert_eq!(s.limits.client_output_buffer_limit.replica.hard_bytes, 1 << 20);
        assert_eq!(s.limits.client_output_buffer_limit.pubsub.hard_bytes, 2 << 20);
        assert_eq!(s.security.requirepass.0, b"a bA");
        assert!(s.general.shutdown_on_sigint.nosave && s.general.shutdown_on_sigint.force);
        assert!(load_text("save \"\"").unwrap().settings.persistence.save.0.is_empty());
    }

    #[test]
    fn errors_are_those_of_redis_and_ours() {
        let table = [
            ("\n\nfoo 1\n", "at line 3\n>>> 'foo 1'\nBad directive or wrong number of arguments\n"),
            (
                "port 6379 1",
                "at line 1\n>>> 'port 6379 1'\nwrong number of arguments\nredis-tls: standard input, line 1: port takes integer, 0 to 65535.",
            ),
            ("maxmemry 1", "did you mean maxmemory?"),
            ("port x", "argument couldn't be parsed into an integer"),
            ("appendonly maybe", "argument must be 'yes' or 'no'"),
            ("maxmemory-policy x", "argument(s) must be one of the following: volatile-lru, "),
            ("tls-protocols \"TLSv1 TLSv1.1\"", "TLSv1 is broken and not supported, use TLSv1.2, TLSv1.3 or both"),
            ("loadmodule x.so", "modules are not supported"),
            ("sentinel monitor a b 1 2", "sentinel directive while not in sentinel mode"),
            ("include /no/such/file", "can't open config file '/no/such/file': No such file or directory"),
            ("mod.parameter 1", "Bad directive"),
        ];
        for (text, expected) in table {
            let error = load_text(text).unwrap_err();
            assert!(error.contains(expected), "{text:?} gave {error}");
        }
        assert!(
            load_text("foo 1").unwrap_err().starts_with("\n*** FATAL CONFIG FILE ERROR (Redis 7.2.6) ***\nReading")
        );
    }

    #[test]
    fn errors_on_the_command_line_show_the_directive() {
        let table: &[(&[&str], &str)] = &[
            (&["--port"], "at line 2\n>>> 'port'\nwrong number of arguments"),
            (&["--port", "6379", "6380"], ">>> 'port \"6379\" \"6380\"'\nwrong number of arguments"),
            (&["--shutdown-on-sigint"], "argument(s) must be one of the following"),
            (&["--replicaof", "127.0.0.1", "abc"], "'replicaof \"127.0.0.1\" \"abc\"'\nInvalid master port"),
            (&["--replicaof", "--127.0.0.1", "--abc"], "'replicaof \"--127.0.0.1\"'\nwrong number of arguments"),
            (&["--sentinel"], "this server has no Sentinel mode"),
            (&["--port=1"], "--port VALUE"),
            (&["missing.conf"], "can't open config file '/srv/missing.conf'"),
        ];
        for (args, expected) in table {
            let error = load_args(args, "", Path::new("/srv")).unwrap_err();
            assert!(error.contains(expected), "{args:?} gave {error}");
        }
    }

    #[test]
    fn random_configurations_never_panic() {
        let pieces = [
            "port", "save", "user", " ", " ", "\n", "=", "[", "]", "\"", "'", "\\x4", "1", "-9", "yes", ",", "\u{e9}",
            "bind",
        ];
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..12 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text.push_str(pieces[(state >> 33) as usize % pieces.len()]);
            }
            if let Ok(loaded) = load_text(&text) {
                let _ = loaded.validate();
            }
        }
    }

    #[test]
    fn users_and_renamed_commands_are_kept() {
        let loaded = load_text("user alice on >secret ~* +@all\nrename-command FLUSHALL \"\"\nuser bob off").unwrap();
        assert_eq!(
            loaded.users.iter().map(|u| u.args[0].as_slice()).collect::<Vec<_>>(),
            [b"alice".as_slice(), b"bob"]
        );
        assert_eq!(loaded.renamed_commands[0].args, [b"FLUSHALL".to_vec(), b"".to_vec()]);
    }

    #[test]
    fn includes_take_effect_in_place_and_circles_end() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        write("main.conf", "hz 11\ninclude inc-*.conf\ninclude none-*.conf\ntimeout 9\n");
        write("inc-1.conf", "hz 12\ntimeout 1\n");
        write("inc-2.toml.conf", "maxmemory-policy allkeys-lru\n");
        write("circle.conf", "include circle.conf\n");
        let loaded = load_args(&["main.conf"], "", dir.path()).unwrap();
        assert_eq!((loaded.settings.general.hz, loaded.settings.network.timeout), (12, 9));
        assert_eq!(loaded.settings.memory.maxmemory_policy, EvictionPolicy::AllkeysLru);
        assert!(loaded.has_includes);
        assert!(load_args(&["circle.conf"], "", dir.path()).unwrap_err().contains("include each other"));
    }

    #[test]
    fn the_suites_directives_are_accepted() {
        let loaded = load_text(
            "tls-port 6379\nport 0\ntls-cert-file a\ntls-key-file b\ntls-ca-cert-file c\ntls-dh-params-file d\n\
             enable-debug-command yes\nenable-module-command yes\nenable-protected-configs yes\n\
             propagation-error-behavior panic\nlatency-monitor-threshold 1\nreplica-announce-port 1\nalways-show-logo yes\n",
        )
        .unwrap();
        loaded.validate().unwrap();
        assert!(loaded.settings.transit_encryption);
    }

    #[test]
    fn conflicts_name_the_line() {
        let loaded = load_text("port 6379\ntls-port 6380\n").unwrap();
        let error = loaded.validate().unwrap_err().to_string();
        assert!(error.contains(">>> 'tls-port 6380'") && error.contains("both"), "{error}");
    }
}
