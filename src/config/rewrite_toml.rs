//! Rewrites a TOML file in place, and turns values into TOML.

use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value, value};

use super::kind::Kind;
use super::parameter::Parameter;
use super::rewrite::{Change, MARKER, Rewrite};
use super::settings::Settings;
use super::table::{lookup, parameters};
use crate::base::quoting::split_args;

/// The section for what the file did not have.
const SECTION: &str = "rewritten";

/// The new content for the old one.
pub(super) fn rewrite(text: &[u8], rewrite: &Rewrite<'_>) -> Result<Vec<u8>, String> {
    let text = std::str::from_utf8(text).map_err(|_| "the file is not valid UTF-8 text".to_string())?;
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.message().to_string())?;
    for parameter in parameters() {
        let canonical = |key: &str| lookup(key.as_bytes()).is_some_and(|(found, _)| std::ptr::eq(found, parameter));
        match rewrite.change(parameter) {
            Change::Keep => {}
            Change::Remove => remove(document.as_table_mut(), &canonical),
            Change::InPlace if !unset(parameter, rewrite) => {
                place(&mut document, parameter.name, &canonical, toml_value(parameter, rewrite.current)?);
            }
            Change::AtEnd if !unset(parameter, rewrite) => {
                remove(document.as_table_mut(), &canonical);
                append(&mut document, parameter.name, toml_value(parameter, rewrite.current)?);
            }
            Change::InPlace | Change::AtEnd => remove(document.as_table_mut(), &canonical),
        }
    }
    if let Some(users) = rewrite.users {
        let is_user = |key: &str| key.eq_ignore_ascii_case("user");
        remove_sections(document.as_table_mut(), &is_user);
        if users.is_empty() {
            remove(document.as_table_mut(), &is_user);
        } else {
            place(&mut document, "user", &is_user, Value::Array(users.iter().map(String::as_str).collect()));
        }
    }
    Ok(document.to_string().into_bytes())
}

/// Has the parameter a state that no value stands for?
fn unset(parameter: &Parameter, rewrite: &Rewrite<'_>) -> bool {
    parameter.conf_lines(rewrite.current).is_empty()
}

/// Replaces the value where the key stands, in whatever section, keeping the comment behind it; appends otherwise.
fn place(document: &mut DocumentMut, name: &str, is_key: &dyn Fn(&str) -> bool, new: Value) {
    if !replace(document.as_table_mut(), is_key, &new) {
        append(document, name, new);
    }
}

fn replace(table: &mut dyn TableLike, is_key: &dyn Fn(&str) -> bool, new: &Value) -> bool {
    for (key, item) in table.iter_mut() {
        let replaced = match item {
            Item::Value(old) if is_key(key.get()) => {
                let decor = old.decor().clone();
                *old = new.clone();
                *old.decor_mut() = decor;
                true
            }
            Item::Table(section) => replace(section, is_key, new),
            _ => false,
        };
        if replaced {
            return true;
        }
    }
    false
}

fn remove(table: &mut Table, is_key: &dyn Fn(&str) -> bool) {
    table.retain(|key, item| !(item.is_value() && is_key(key)));
    for (_, item) in table.iter_mut() {
        if let Item::Table(section) = item {
            remove(section, is_key);
        }
    }
}

/// Removes `[[key]]` sections.
fn remove_sections(table: &mut Table, is_key: &dyn Fn(&str) -> bool) {
    table.retain(|key, item| !(item.is_array_of_tables() && is_key(key)));
    for (_, item) in table.iter_mut() {
        if let Item::Table(section) = item {
            remove_sections(section, is_key);
        }
    }
}

fn append(document: &mut DocumentMut, name: &str, new: Value) {
    let is_empty = document.is_empty();
    let section = document.entry(SECTION).or_insert_with(|| {
        let mut section = Table::new();
        let gap = if is_empty { "" } else { "\n" };
        section.decor_mut().set_prefix(format!("{gap}{MARKER}\n"));
        Item::Table(section)
    });
    match section.as_table_mut() {
        Some(section) => section[name] = value(new),
        // Somebody's own key of that name: the top of the file is a place as good.
        None => document[name] = value(new),
    }
}

/// The value of a parameter as a TOML file gives it.
pub(super) fn toml_value(parameter: &Parameter, settings: &Settings) -> Result<Value, String> {
    let lines = parameter.conf_lines(settings);
    let line_words = |line: &String| split_args(line.as_bytes()).unwrap_or_default();
    let words: Vec<Vec<u8>> = lines.iter().flat_map(line_words).filter(|word| !word.is_empty()).collect();
    let texts: Vec<String> = words
        .into_iter()
        .map(|word| String::from_utf8(word).map_err(|_| format!("{} is not valid UTF-8 text", parameter.name)))
        .collect::<Result<_, _>>()?;
    let only = || texts.first().cloned().unwrap_or_default();
    Ok(match parameter.kind {
        Kind::Bool | Kind::AlwaysNo(_) => (only() == "yes").into(),
        Kind::Int { .. } | Kind::Memory { .. } => number(&only()),
        Kind::OomScores | Kind::Percentiles => Value::Array(texts.iter().map(|text| number(text)).collect::<Array>()),
        Kind::Save | Kind::BufferLimits if texts.is_empty() => Value::Array(Array::new()),
        Kind::Save | Kind::BufferLimits => Value::Array(lines.iter().map(String::as_str).collect()),
        Kind::Addresses | Kind::EnumSet(_) => Value::Array(texts.iter().map(String::as_str).collect()),
        Kind::ReplicaOf => texts.join(" ").into(),
        _ => only().into(),
    })
}

/// A number where the text is one, and the text otherwise.
fn number(text: &str) -> Value {
    if let Ok(integer) = text.parse::<i64>() {
        return integer.into();
    }
    match text.parse::<f64>() {
        Ok(float) if text.contains('.') => float.into(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str, in_file: &Settings, current: &Settings, users: Option<&[String]>) -> String {
        let defaults = Settings::default();
        let plan = Rewrite { current, in_file, defaults: &defaults, users, force_all: false, has_includes: false };
        String::from_utf8(rewrite(text.as_bytes(), &plan).unwrap()).unwrap()
    }

    #[test]
    fn comments_sections_and_order_stay() {
        let mut in_file = Settings::default();
        in_file.network.timeout = 5;
        in_file.general.hz = 20;
        let mut current = in_file.clone();
        current.network.timeout = 6;
        current.general.hz = 10;
        current.memory.maxmemory = 3 << 20;
        current.persistence.appendonly = true;
        let text = "# top\n[network]\n# idle\ntimeout = 5 # seconds\n\n[general]\nhz = 20\ndaemonize = false\n";
        assert_eq!(
            rewritten(text, &in_file, &current, None),
            "# top\n[network]\n# idle\ntimeout = 6 # seconds\n\n[general]\ndaemonize = false\n\n\
             # Generated by CONFIG REWRITE\n[rewritten]\nmaxmemory = \"3mb\"\nappendonly = true\n"
        );
        assert_eq!(rewritten(text, &in_file, &in_file, None), text);
    }

    #[test]
    fn an_old_name_keeps_its_place() {
        let mut in_file = Settings::default();
        in_file.replication.replica_priority = 5;
        let mut current = in_file.clone();
        current.replication.replica_priority = 6;
        assert_eq!(rewritten("slave-priority = 5\n", &in_file, &current, None), "slave-priority = 6\n");
    }

    #[test]
    fn users_become_an_array() {
        let settings = Settings::default();
        let users = ["a on".to_string(), "b off".to_string()];
        assert_eq!(
            rewritten("user = [\"x on\"]\n", &settings, &settings, Some(&users)),
            "user = [\"a on\", \"b off\"]\n"
        );
        assert_eq!(rewritten("user = \"x on\"\n", &settings, &settings, Some(&[])), "");
        let sections = "hz = 10\n\n[[user]]\nname = \"x\"\nrules = \"on\"\n\n[tls]\ntls-port = 0\n";
        assert_eq!(
            rewritten(sections, &settings, &settings, Some(&users)),
            "hz = 10\n\n[tls]\ntls-port = 0\n\n# Generated by CONFIG REWRITE\n[rewritten]\nuser = [\"a on\", \"b off\"]\n"
        );
    }
}
