//! Reads `redis-tls.toml`: keys are the parameters' names, sections only group.
//!
//! Numbers, booleans and strings are single values; an array gives several words, so that
//! `save = ["3600 1", "300 100"]` is `save 3600 1 300 100`. For `user`, `include` and `rename-command` every element is
//! a directive of its own; a user may also stand in a `[[user]]` section with `name` and `rules`. A key may stand once in
//! the whole file, whatever the section.

use std::collections::HashMap;
use std::ops::Range;

use toml_edit::{Document, Item, Table, Value};

use super::directive::{Directive, Origin, Source};
use super::error::LoadError;
use super::table::lookup;
use crate::base::quoting::split_args;

/// A directive, or why it is none.
type Given = Result<Directive, LoadError>;

/// The directives of `text` in the order of its lines.
pub(super) fn read(text: &[u8], source: &Source) -> Vec<Given> {
    let Ok(text) = std::str::from_utf8(text) else {
        let line = text.utf8_chunks().next().map_or(1, |c| c.valid().matches('\n').count() + 1);
        let origin = Origin { source: source.clone(), line, text: String::new() };
        return vec![Err(LoadError::line(&origin, "TOML must be valid UTF-8 text", ""))];
    };
    let reader = Reader { text, source };
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let origin = reader.origin(error.span());
            return vec![Err(LoadError::line(&origin, format!("invalid TOML: {}", error.message()), ""))];
        }
    };
    let (mut keys, mut users) = (Vec::new(), Vec::new());
    reader.collect(document.as_table(), &mut keys, &mut users);
    keys.sort_by_key(|(origin, ..)| origin.line);
    let mut directives = reader.directives(keys);
    directives.append(&mut users);
    directives
}

struct Reader<'a> {
    text: &'a str,
    source: &'a Source,
}

type KeyValue<'d> = (Origin, &'d str, &'d Item);

impl Reader<'_> {
    fn origin(&self, span: Option<Range<usize>>) -> Origin {
        let start = span.map_or(0, |span| span.start.min(self.text.len()));
        let line = self.text.as_bytes()[..start].iter().filter(|&&b| b == b'\n').count();
        let text = self.text.lines().nth(line).unwrap_or_default().trim().to_string();
        Origin { source: self.source.clone(), line: line + 1, text }
    }

    fn collect<'d>(&self, table: &'d Table, keys: &mut Vec<KeyValue<'d>>, users: &mut Vec<Given>) {
        for (name, item) in table {
            match item {
                Item::Table(section) => self.collect(section, keys, users),
                Item::ArrayOfTables(sections) if name.eq_ignore_ascii_case("user") => {
                    users.extend(sections.iter().map(|section| self.user(section)));
                }
                _ => {
                    let span = table.key(name).and_then(toml_edit::Key::span).or_else(|| item.span());
                    keys.push((self.origin(span), name, item));
                }
            }
        }
    }

    /// A `[[user]]` section as the line it stands for.
    fn user(&self, section: &Table) -> Given {
        let origin = self.origin(section.span());
        let wrong =
            |reason: String| LoadError::line(&origin, reason, "a user has a name, and rules as text or as an array.");
        if let Some((key, _)) = section.iter().find(|(key, _)| !["name", "rules"].contains(key)) {
            return Err(wrong(format!("a user has no {key}")));
        }
        let text = |key| section.get(key).map(|item| occurrences(key, item)).transpose();
        let name = text("name").map_err(wrong)?.unwrap_or_default();
        let [[name]] = name.iter().map(Vec::as_slice).collect::<Vec<_>>()[..] else {
            return Err(wrong("a user needs a name".into()));
        };
        let rules = section.get("rules").map(|item| occurrences("user", item)).transpose().map_err(wrong)?;
        let args = std::iter::once(name.clone()).chain(rules.unwrap_or_default().into_iter().flatten()).collect();
        Ok(Directive { name: "user".into(), args, origin })
    }

    fn directives(&self, keys: Vec<KeyValue<'_>>) -> Vec<Given> {
        let mut lines_by_name: HashMap<String, usize> = HashMap::new();
        let mut out = Vec::new();
        for (origin, key, item) in keys {
            let name = key.to_ascii_lowercase();
            let canonical = lookup(name.as_bytes()).map_or(name.clone(), |(parameter, _)| parameter.name.to_string());
            if let Some(earlier) = lines_by_name.insert(canonical, origin.line) {
                let reason = format!("{name} is given twice, here and in line {earlier}");
                out.push(Err(LoadError::line(&origin, reason, "keep one of the two.")));
                continue;
            }
            match occurrences(&name, item) {
                Ok(list) => {
                    out.extend(
                        list.into_iter().map(|args| Ok(Directive { name: name.clone(), args, origin: origin.clone() })),
                    );
                }
                Err(reason) => out.push(Err(LoadError::line(&origin, reason, ""))),
            }
        }
        out
    }
}

/// The words of each directive that one key stands for.
fn occurrences(name: &str, item: &Item) -> Result<Vec<Vec<Vec<u8>>>, String> {
    let value = item.as_value().ok_or_else(|| format!("{name} takes a value, not an array of tables"))?;
    let texts: Vec<String> = match value {
        Value::Array(array) => array.iter().map(scalar).collect::<Result<_, _>>()?,
        single => vec![scalar(single)?],
    };
    match name {
        "include" => return Ok(texts.into_iter().map(|text| vec![text.into_bytes()]).collect()),
        "user" | "rename-command" | "loadmodule" => return texts.iter().map(|text| words(text)).collect(),
        _ => {}
    }
    let parameter = lookup(name.as_bytes()).map(|(parameter, _)| parameter);
    match parameter {
        Some(parameter) if parameter.kind.takes_many() => {
            let mut all = Vec::new();
            for text in &texts {
                all.extend(words(text)?);
            }
            Ok(vec![if all.is_empty() { vec![Vec::new()] } else { all }])
        }
        // Versions and ciphers are lists that happen to be written in one text.
        Some(parameter) if parameter.name == "tls-protocols" => Ok(vec![vec![texts.join(" ").into_bytes()]]),
        _ if value.is_array() => Err(format!("{name} takes one value, not an array")),
        _ => Ok(vec![texts.into_iter().map(String::into_bytes).collect()]),
    }
}

fn words(text: &str) -> Result<Vec<Vec<u8>>, String> {
    split_args(text.as_bytes()).ok_or_else(|| format!("unbalanced quotes in {text:?}"))
}

fn scalar(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.value().clone()),
        Value::Integer(number) => Ok(number.value().to_string()),
        Value::Float(number) => Ok(number.value().to_string()),
        Value::Boolean(on) => Ok(if *on.value() { "yes" } else { "no" }.to_string()),
        other => Err(format!("a {} is no value for a parameter; use a string, number or boolean", other.type_name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &str) -> Result<Vec<(String, Vec<String>, usize)>, String> {
        let readable = |words: Vec<Vec<u8>>| words.iter().map(|w| String::from_utf8_lossy(w).into_owned()).collect();
        read(text.as_bytes(), &Source::Stdin)
            .into_iter()
            .map(|r| r.map(|d| (d.name, readable(d.args), d.origin.line)).map_err(|e| e.to_string()))
            .collect()
    }

    #[test]
    fn sections_only_group_and_lines_are_known() {
        let text = "timeout = 5\n\n[tls]\ntls-port = 6380 # here\n[a.b]\nappendonly = true\nmaxmemory = \"1gb\"\n";
        let expected =
            [("timeout", "5", 1), ("tls-port", "6380", 4), ("appendonly", "yes", 6), ("maxmemory", "1gb", 7)];
        let expected: Vec<_> = expected.map(|(n, v, l)| (n.to_string(), vec![v.to_string()], l)).into();
        assert_eq!(read_all(text).unwrap(), expected);
    }

    #[test]
    fn arrays_give_words_or_directives() {
        let text = "save = [\"3600 1\", \"300 100\"]\nbind = [\"127.0.0.1\", \"::1\"]\nuser = [\"a on\", \"b off\"]\n\
                    tls-protocols = [\"TLSv1.2\", \"TLSv1.3\"]\nlatency-tracking-info-percentiles = [50, 99.9]\nreplicaof = []";
        let read = read_all(text).unwrap();
        let args: Vec<_> = read.iter().map(|(_, args, _)| args.join("|")).collect();
        assert_eq!(args, ["3600|1|300|100", "127.0.0.1|::1", "a|on", "b|off", "TLSv1.2 TLSv1.3", "50|99.9", ""]);
    }

    #[test]
    fn users_may_have_sections() {
        let text = "hz = 10\n[[user]]\nname = \"alice\"\nrules = \"on >pw (+get ~a)\"\n[[user]]\nname = \"b\"\n\
                    rules = [\"on\", \"~x +@read\"]\n[[user]]\nname = \"c\"\n";
        let read: Vec<_> = read_all(text).unwrap().into_iter().map(|(_, args, line)| (args.join("|"), line)).collect();
        let expected = [("10", 1), ("alice|on|>pw|(+get|~a)", 2), ("b|on|~x|+@read", 5), ("c", 8)];
        assert_eq!(read, expected.map(|(args, line)| (args.to_string(), line)));
        for (text, expected) in [
            ("[[user]]\nrules = \"on\"\n", "at line 1\n>>> '[[user]]'\na user needs a name"),
            ("\n[[user]]\nname = \"a\"\nrule = \"on\"\n", "at line 2\n>>> '[[user]]'\na user has no rule"),
            ("[[user]]\nname = \"a\"\nrules = \"'on\"\n", "unbalanced quotes"),
        ] {
            let error = read_all(text).unwrap_err();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }

    #[test]
    fn errors_name_the_line() {
        let table = [
            ("port = 1\nport = = 2\n", "at line 2"),
            ("[a]\nport = 1\n[b]\nport = 2\n", "port is given twice, here and in line 2"),
            ("replicaof = \"a 1\"\nslaveof = \"b 2\"\n", "slaveof is given twice"),
            ("port = [1, 2]\n", "port takes one value, not an array"),
            ("x = 1979-05-27\n", "datetime is no value"),
            ("[[port]]\nx = 1\n", "not an array of tables"),
        ];
        for (text, expected) in table {
            let error = read_all(text).unwrap_err();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
        assert!(read(b"a = \"\xff\"", &Source::Stdin)[0].is_err());
    }
}
