//! The table against Redis 7.2.6: name, arity, flags, categories, keys, tips and arguments of each of its 370 commands.
//!
//! `redis-7.2.6.tsv` holds the facts of the JSON files from which Redis makes its own table, in the notation of this one; SENTINEL
//! apart. Whatever differs is an addition ([`super::additions`]) or stands in [`expected`].

use std::collections::{BTreeMap, BTreeSet};

use super::additions::ADDED;
use super::table;
use crate::base::release::{RELEASE, Release};
use crate::catalog::{BeginSearch, Categories, FindKeys, Flags, KeySpec, Spec};

const FACTS: &str = include_str!("redis-7.2.6.tsv");

/// What is compared of one command: the columns of the file.
type Facts = [String; 9];

/// The columns, for whoever reads a failure.
const COLUMNS: [&str; 9] = ["name", "arity", "flags", "categories", "key range", "keys", "tips", "origin", "arguments"];

/// The flags that are Redis's own, shown or not.
const REDIS_FLAGS: Flags = Flags::from_bits_retain((1 << 23) - 1);

/// Seven commands that scripts may call since 7.2.
const NOT_WAITING_IN_SCRIPTS: [&str; 7] = ["blmove", "blpop", "brpop", "brpoplpush", "bzpopmax", "bzpopmin", "wait"];

/// What 7.2.6 says of each command, changed where 7.0 is followed.
fn expected() -> BTreeMap<&'static str, Facts> {
    let lines = FACTS.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| (line.split('\t').next().unwrap(), expected_of(line))).collect()
}

fn expected_of(line: &'static str) -> Facts {
    let columns: Vec<&str> = line.split('\t').collect();
    let [name, arity, flags, categories, range, keys, tips, origin, arguments] = columns[..] else {
        panic!("nine columns: {line}")
    };
    let mut arity = arity.to_owned();
    let mut flags = flags_named(flags);
    if RELEASE == Release::Redis70 {
        if NOT_WAITING_IN_SCRIPTS.contains(&name) {
            flags |= Flags::NOSCRIPT;
        }
        if ["command|getkeys", "command|getkeysandflags"].contains(&name) {
            arity = "-4".into();
        }
    }
    [name, &arity, &format!("{flags:?}"), categories, range, keys, tips, origin, arguments].map(str::to_owned)
}

fn flags_named(names: &str) -> Flags {
    names.split_whitespace().fold(Flags::NONE, |flags, name| {
        flags | Flags::from_name(&name.to_uppercase()).unwrap_or_else(|| panic!("a flag: {name}"))
    })
}

fn actual_of(spec: &Spec) -> Facts {
    let range = spec.legacy_range();
    let keys: Vec<String> = spec.keys.iter().map(key_spec).collect();
    let categories: Vec<&str> = spec.all_categories().names().collect();
    let mut origin = format!("{} {}", spec.group.name(), spec.since);
    if let Some(deprecated) = spec.deprecated {
        origin.push_str(&format!(" {}", deprecated.since));
    }
    [
        spec.name.to_owned(),
        spec.arity.to_string(),
        format!("{:?}", spec.flags & REDIS_FLAGS),
        categories.join(" "),
        format!("{} {} {}{}", range.first, range.last, range.step, if range.movable { " movable" } else { "" }),
        keys.join(", "),
        spec.tips.join(" "),
        origin,
        spec.args.to_owned(),
    ]
}

fn key_spec(spec: &KeySpec) -> String {
    let flags: Vec<&str> = spec.flags.names().collect();
    let begin = match spec.begin {
        BeginSearch::Index(position) => position.to_string(),
        BeginSearch::Keyword { word, from } => format!("{word}{from:+}"),
        BeginSearch::Unknown => "?".into(),
    };
    let find = match spec.find {
        FindKeys::Range { last, step, limit } => format!("range {last} {step} {limit}"),
        FindKeys::Keynum { count, first, step } => format!("keynum {count} {first} {step}"),
        FindKeys::Unknown => "unknown".into(),
    };
    format!("{} @{begin} {find}", flags.join(" "))
}

#[test]
fn the_commands_are_those_of_redis_7_2_and_the_additions() {
    let table = table();
    let names: BTreeSet<&str> = table.rows().iter().map(|row| row.spec.name).collect();
    let mut wanted: BTreeSet<&str> = expected().into_keys().collect();
    assert_eq!(wanted.len(), 370);
    assert_eq!(wanted.iter().filter(|name| !name.contains('|')).count(), 241);
    wanted.extend(ADDED.iter().flat_map(|(_, names)| names.iter().copied()));
    assert_eq!(names, wanted);
}

#[test]
fn each_command_is_what_redis_7_2_says() {
    let table = table();
    let mut wrong = Vec::new();
    for (name, wanted) in expected() {
        let row = table.row(table.position(name.as_bytes()).unwrap_or_else(|| panic!("no {name}")));
        for (column, (wanted, actual)) in COLUMNS.iter().zip(wanted.into_iter().zip(actual_of(&row.spec))) {
            if wanted != actual {
                wrong.push(format!("{name}, {column}:\n    Redis {wanted}\n    here  {actual}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_command_is_described() {
    for row in table().rows() {
        let summary = row.spec.summary;
        assert!(summary.ends_with('.') && summary.len() <= 80, "{}: {summary:?}", row.spec.name);
    }
}

#[test]
fn containers_and_subcommands_belong_together() {
    let table = table();
    let containers = table.rows().iter().filter(|row| row.spec.is_container()).map(|row| row.spec.name);
    let parents = table.rows().iter().filter_map(|row| row.spec.container());
    assert_eq!(containers.collect::<BTreeSet<_>>(), parents.collect::<BTreeSet<_>>());
    assert_eq!(Categories::NAMES.len(), 21);
}
