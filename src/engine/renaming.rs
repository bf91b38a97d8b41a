//! `rename-command`: commands under names that the configuration gives them, or under none.
//!
//! Only names that clients use change. Rules of users, statistics and COMMAND go by the names in the rows, and what is replayed (the
//! append only file, a primary's stream) may use either: a server keeps understanding what it wrote before a command got its new
//! name, and what is replayed in another form than it came.

use super::command::{Command, CommandTable};
use crate::resp::{Args, WireError};

impl CommandTable {
    /// Calls the command `from` by the name `to`, or by none where that is empty. A container takes its subcommands along.
    pub fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<(), &'static str> {
        let (from, to) = (from.to_ascii_lowercase(), to.to_ascii_lowercase());
        if from.contains(&b'|') || !self.by_name.contains_key(&*from) {
            return Err("No such command in rename-command");
        }
        if to.contains(&b'|') {
            return Err("The name of a command cannot contain '|'");
        }
        if to != from && self.by_name.contains_key(&*to) {
            return Err("Target command name already exists");
        }
        let belongs = |name: &[u8]| name.strip_prefix(&*from).is_some_and(|rest| matches!(rest, [] | [b'|', ..]));
        let moving: Vec<(Box<[u8]>, usize)> = self.by_name.extract_if(|name, _| belongs(name)).collect();
        for (name, index) in moving {
            self.renamed.insert(self.row(index).spec.name.as_bytes(), index);
            if !to.is_empty() {
                self.by_name.insert([&to, &name[from.len()..]].concat().into(), index);
            }
        }
        Ok(())
    }

    /// The rows that clients can name.
    pub fn offered(&self) -> impl Iterator<Item = &'static Command> + Clone {
        let named = self.by_name.len() == self.rows().len();
        let is_offered = move |index: &usize| named || self.by_name.values().any(|offered| offered == index);
        (0..self.rows().len()).filter(is_offered).map(|index| self.row(index))
    }

    /// The position of a row by the name that stands in it.
    pub fn own_position(&self, name: &str) -> Option<usize> {
        self.renamed.get(name.as_bytes()).copied().or_else(|| self.position(name.as_bytes()))
    }

    /// The position of what a replayed request asks for, under the name clients use or that of the row.
    pub fn resolve_replayed(&self, args: Args<'_>) -> Result<usize, WireError> {
        let own = |name: &[u8]| self.renamed.get(&*name.to_ascii_lowercase()).copied();
        self.resolve(args).or_else(|error| self.resolve_by(args, own).map_err(|_| error))
    }

    /// The position of a name longer than any row's: only a given name can be.
    #[cold]
    pub(super) fn long_position(&self, name: &[u8]) -> Option<usize> {
        if self.renamed.is_empty() { None } else { self.by_name.get(&*name.to_ascii_lowercase()).copied() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Flags, Spec};
    use crate::engine::Outcome;
    use crate::resp::OwnedArgs;

    const fn row(name: &'static str, flags: Flags) -> Command {
        Command { spec: Spec { name, flags, arity: -2, ..Spec::BASE }, run: |_| Ok(Outcome::Done) }
    }

    static ROWS: [Command; 4] = [
        row("get", Flags::NONE),
        row("set", Flags::NONE),
        row("config", Flags::CONTAINER),
        row("config|get", Flags::NONE),
    ];

    fn found(table: &CommandTable, line: &str) -> Option<usize> {
        table.resolve(line.split(' ').map(str::as_bytes).collect::<OwnedArgs>().as_args()).ok()
    }

    #[test]
    fn names_change_for_clients_only() {
        let mut table = CommandTable::new(&[&ROWS]);
        let long = "x".repeat(100);
        table.rename(b"GET", b"Set").unwrap_err();
        table.rename(b"SET", b"").unwrap();
        table.rename(b"get", b"SET").unwrap();
        table.rename(b"config", long.as_bytes()).unwrap();
        let cases = [
            ("get k", None),
            ("set k", Some(0)),
            ("config get", None),
            (&format!("{long} GET"), Some(3)),
            (&format!("{}y GET", &long[1..]), None),
        ];
        for (line, expected) in cases {
            assert_eq!(found(&table, line), expected, "{line}");
        }
        assert_eq!(table.offered().map(|row| row.spec.name).collect::<Vec<_>>(), ["get", "config", "config|get"]);
        assert_eq!(
            (table.own_position("set"), table.own_position("get"), table.own_position("none")),
            (Some(1), Some(0), None)
        );
        let replayed = |words: [&str; 2]| {
            table.resolve_replayed(words.map(str::as_bytes).into_iter().collect::<OwnedArgs>().as_args()).ok()
        };
        assert_eq!(
            (replayed(["SET", "k"]), replayed(["GET", "k"]), replayed(["CONFIG", "get"])),
            (Some(0), Some(0), Some(3))
        );
    }

    #[test]
    fn what_cannot_be_renamed_is_refused() {
        let mut table = CommandTable::new(&[&ROWS]);
        let cases: [(&[u8], &[u8], _); 5] = [
            (b"nosuch", b"x", "No such command in rename-command"),
            (b"config|get", b"x", "No such command in rename-command"),
            (b"get", b"SET", "Target command name already exists"),
            (b"get", b"a|b", "The name of a command cannot contain '|'"),
            (b"", b"", "No such command in rename-command"),
        ];
        for (from, to, reason) in cases {
            assert_eq!(table.rename(from, to), Err(reason));
        }
        assert_eq!(table.rename(b"get", b"GET"), Ok(()));
        assert_eq!(found(&table, "get k"), Some(0));
    }
}
