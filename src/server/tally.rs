//! The summary of what was read out of a file: keys by type and by database, commands by name.

use std::collections::BTreeMap;

use crate::base::clock::UnixMillis;
use crate::persistence::rdb::code;
use crate::persistence::rdb::file::Key;

/// Names of commands that are told apart: more than there are, and a bound where the file is no file of commands.
const NAMES: usize = 1000;
/// No command has a longer name.
const MAX_NAME: usize = 64;

/// What was counted.
#[derive(Default)]
pub struct Tally {
    keys: u64,
    volatile: u64,
    expired: u64,
    empty: u64,
    functions: u64,
    databases: BTreeMap<u64, u64>,
    types: BTreeMap<&'static str, u64>,
    commands: BTreeMap<String, u64>,
    other_commands: u64,
}

impl Tally {
    /// A key of a snapshot, in a database.
    pub fn key(&mut self, db: u64, key: &Key) {
        self.keys += 1;
        self.volatile += u64::from(key.expiry.is_some());
        self.expired += u64::from(key.expiry.is_some_and(|when| when < UnixMillis::now()));
        self.empty += u64::from(key.value.is_none() && key.kind != code::kind::MODULE);
        *self.databases.entry(db).or_default() += 1;
        *self.types.entry(code::type_name(key.kind)).or_default() += 1;
    }

    /// A library of functions in a snapshot.
    pub fn function(&mut self) {
        self.functions += 1;
    }

    /// A command to be replayed.
    pub fn command(&mut self, name: &[u8]) {
        let name = String::from_utf8_lossy(&name[..name.len().min(MAX_NAME)]).to_ascii_lowercase();
        if self.commands.len() < NAMES || self.commands.contains_key(&name) {
            *self.commands.entry(name).or_default() += 1;
        } else {
            self.other_commands += 1;
        }
    }

    /// Whether a database was seen.
    pub fn has_database(&self, db: u64) -> bool {
        self.databases.contains_key(&db)
    }

    /// Lines about the keys, which are there even if there are none.
    pub fn of_keys(&self) -> String {
        let mut text = String::new();
        let mut line = |count: u64, what: &str| text.push_str(&format!("[info] {count} {what}\n"));
        line(self.keys, "keys read");
        line(self.volatile, "expires");
        line(self.expired, "already expired");
        if self.empty > 0 {
            line(self.empty, "keys without elements, which a start leaves out");
        }
        if self.functions > 0 {
            line(self.functions, "libraries of functions");
        }
        for (name, keys) in &self.types {
            line(*keys, &format!("of type {name}"));
        }
        for (db, keys) in &self.databases {
            line(*keys, &format!("in database {db}"));
        }
        text
    }

    /// Lines about the commands.
    pub fn of_commands(&self) -> String {
        let total = self.commands.values().sum::<u64>() + self.other_commands;
        let mut text = format!("[info] {total} commands read\n");
        for (name, count) in &self.commands {
            text.push_str(&format!("[info] {count} times {}\n", name.escape_debug()));
        }
        if self.other_commands > 0 {
            text.push_str(&format!("[info] {} times others\n", self.other_commands));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_counted_by_name_and_names_are_bounded() {
        let mut tally = Tally::default();
        for name in [&b"SET"[..], b"set", b"DEL", &[b'x'; 5000]] {
            tally.command(name);
        }
        let long = "x".repeat(MAX_NAME);
        let expected =
            format!("[info] 4 commands read\n[info] 1 times del\n[info] 2 times set\n[info] 1 times {long}\n");
        assert_eq!(tally.of_commands(), expected);
        (0..2 * NAMES).for_each(|n| tally.command(n.to_string().as_bytes()));
        assert!(tally.commands.len() == NAMES && tally.other_commands == NAMES as u64 + 3);
    }
}
