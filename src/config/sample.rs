//! The commented sample file, `redis-tls.toml`, made from the table.
//!
//! Every visible parameter stands in it with its description, values and default; those that make an encrypted group
//! with development certificates are switched on. A test holds the committed file against this text.

use std::fmt::Write;

use super::parameter::{Mutability, Parameter};
use super::rewrite_toml::toml_value;
use super::settings::Settings;
use super::table::{lookup, themes};

/// What the sample sets, as name and value.
const CHOSEN: [(&str, &str); 7] = [
    ("port", "0"),
    ("tls-port", "6379"),
    ("tls-cert-file", "certs/server.crt"),
    ("tls-key-file", "certs/server.key"),
    ("tls-ca-cert-file", "certs/ca.crt"),
    ("tls-auth-clients", "optional"),
    ("dir", "data"),
];

const WIDTH: usize = 110;

const HEAD: &str = "\
The configuration of redis-tls. Keys are the names that redis.conf and CONFIG use; sections only group them.
Commented keys show defaults. An array gives several words, as in save = [\"3600 1\", \"300 100\"].
Beside parameters there may be include = [\"FILE\"], user = [\"NAME RULE …\"], rename-command = [\"OLD NEW\"].
Relative paths are relative to the directory that the server is started in.";

/// The text of the sample file.
pub fn sample_toml() -> String {
    let chosen = chosen_settings();
    let mut out = String::new();
    comment(&mut out, HEAD);
    for theme in themes() {
        let _ = write!(out, "\n[{}]\n", theme.name);
        comment(&mut out, theme.doc);
        for parameter in theme.parameters.iter().filter(|p| !p.hidden) {
            entry(&mut out, parameter, &chosen);
        }
    }
    out
}

fn chosen_settings() -> Settings {
    let mut settings = Settings::default();
    for (name, value) in CHOSEN {
        let (parameter, _) = lookup(name.as_bytes()).expect("the sample names parameters of the table");
        parameter.assign(&mut settings, &[value.as_bytes()], false).expect("the sample's values are valid");
    }
    settings
}

fn entry(out: &mut String, parameter: &Parameter, chosen: &Settings) {
    let mut about = format!("{} ({}", parameter.doc(), parameter.kind.describe());
    if parameter.mutability == Mutability::Immutable {
        about.push_str("; at the start only");
    }
    if parameter.inert {
        about.push_str("; accepted, without effect in this server");
    }
    about.push(')');
    out.push('\n');
    comment(out, &about);
    let is_chosen = CHOSEN.iter().any(|(name, _)| *name == parameter.name);
    let value = toml_value(parameter, chosen).expect("defaults are text");
    let _ = writeln!(out, "{}{} = {value}", if is_chosen { "" } else { "# " }, parameter.name);
}

/// `text` as comment lines, filled to the width.
fn comment(out: &mut String, text: &str) {
    for paragraph in text.lines() {
        let mut line = String::from("#");
        for word in paragraph.split_whitespace() {
            if line.chars().count() + 1 + word.chars().count() > WIDTH {
                let _ = writeln!(out, "{line}");
                line = String::from("#");
            }
            line.push(' ');
            line.push_str(word);
        }
        let _ = writeln!(out, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::command_line::CommandLine;
    use crate::config::load::load_from;
    use crate::config::table::parameters;

    #[test]
    fn the_committed_file_is_this_text() {
        let committed = include_str!("../../redis-tls.toml");
        if let Some(path) = std::env::var_os("WRITE_SAMPLE") {
            std::fs::write(path, sample_toml()).unwrap();
            return;
        }
        assert!(
            committed == sample_toml(),
            "redis-tls.toml is out of date; renew it with WRITE_SAMPLE=$PWD/redis-tls.toml cargo test --lib sample"
        );
    }

    #[test]
    fn it_makes_an_encrypted_group() {
        let line = CommandLine { stdin: true, ..CommandLine::default() };
        let loaded = load_from(&line, &mut sample_toml().as_bytes(), Path::new("/srv")).unwrap();
        loaded.validate().unwrap();
        let settings = &loaded.settings;
        assert!(settings.transit_encryption);
        assert_eq!((settings.network.port, settings.network.tls_port), (0, 6379));
        assert_eq!(settings.general.dir, "/srv/data");
    }

    #[test]
    fn uncommenting_everything_changes_nothing() {
        let text = sample_toml();
        let is_default = |line: &&str| {
            let name = line.strip_prefix("# ").and_then(|rest| rest.split_once(" = ")).map(|(name, _)| name);
            name.is_some_and(|name| lookup(name.as_bytes()).is_some())
        };
        let mut all: String = String::new();
        for line in text.lines() {
            all.push_str(if is_default(&line) { &line[2..] } else { line });
            all.push('\n');
        }
        let line = CommandLine { stdin: true, ..CommandLine::default() };
        let load = |text: &str| load_from(&line, &mut text.as_bytes(), Path::new("/srv")).unwrap();
        let (plain, full) = (load(&text), load(&all));
        assert_eq!(plain.settings, full.settings);
        let visible = parameters().filter(|p| !p.hidden).count();
        assert_eq!(full.origins.len(), visible, "every visible parameter stands in the sample");
    }
}
