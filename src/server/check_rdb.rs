//! `redis-tls check-rdb FILE`: reads a snapshot to its end as a start would, and says what is in it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::base::clock::UnixMillis;
use crate::data::limits::Limits;
use crate::persistence::rdb::file::{FileReader, Item, Key, Modules};
use crate::persistence::rdb::{RdbError, code};

/// Checks a file: what is in it, and whether all of it can be read.
pub fn run(path: &Path) -> Result<(String, bool), String> {
    let file = File::open(path).map_err(|error| format!("Cannot open {}: {error}", path.display()))?;
    let mut report = Report::default();
    report.line(0, format_args!("Checking RDB file {}", path.display()));
    let whole = match FileReader::new(file, true, Modules::Skipped) {
        Err(error) => {
            report.error(0, &error);
            false
        }
        Ok(mut reader) => match report.read(&mut reader) {
            Ok(()) => true,
            Err(error) => {
                report.error(reader.offset(), &error);
                if let Some(key) = reader.key() {
                    let name = String::from_utf8_lossy(key);
                    let _ = writeln!(report.text, "[additional info] Reading key '{name}' of database {}", report.db);
                }
                false
            }
        },
    };
    report.summary();
    Ok((report.text, whole))
}

/// What was found, and the text about it. Writing to a string cannot fail.
#[derive(Default)]
struct Report {
    text: String,
    keys: u64,
    volatile: u64,
    expired: u64,
    empty: u64,
    functions: u64,
    db: u64,
    databases: BTreeMap<u64, u64>,
    types: BTreeMap<&'static str, u64>,
}

impl Report {
    fn line(&mut self, offset: u64, text: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.text, "[offset {offset}] {text}");
    }

    fn error(&mut self, offset: u64, error: &RdbError) {
        self.text.push_str("--- RDB ERROR DETECTED ---\n");
        self.line(offset, format_args!("{error}"));
    }

    fn read<R: Read>(&mut self, reader: &mut FileReader<R>) -> Result<(), RdbError> {
        let limits = Limits::default();
        loop {
            let item = reader.next_item(&limits)?;
            let offset = reader.offset();
            match item {
                Item::Fact(name, value) => {
                    let (name, value) = (String::from_utf8_lossy(&name), String::from_utf8_lossy(&value));
                    self.line(offset, format_args!("AUX FIELD {name} = '{value}'"));
                }
                Item::Function(_) => self.functions += 1,
                Item::ModuleData(name) => self.line(offset, format_args!("MODULE AUX for: {name}")),
                Item::Database(db) => {
                    self.db = db;
                    if !self.databases.contains_key(&db) {
                        self.line(offset, format_args!("Selecting DB ID {db}"));
                    }
                }
                Item::Sizes(..) => {}
                Item::Key(key) => self.key(&key),
                Item::End { summed } => {
                    let sum = if summed {
                        "Checksum OK"
                    } else {
                        "RDB file was saved with checksum disabled: no check performed."
                    };
                    self.line(offset, format_args!("{sum}"));
                    self.line(offset, format_args!("\\o/ RDB looks OK! \\o/"));
                    return Ok(());
                }
            }
        }
    }

    fn key(&mut self, key: &Key) {
        self.keys += 1;
        self.volatile += u64::from(key.expiry.is_some());
        self.expired += u64::from(key.expiry.is_some_and(|when| when < UnixMillis::now()));
        self.empty += u64::from(key.value.is_none() && key.kind != code::kind::MODULE);
        *self.databases.entry(self.db).or_default() += 1;
        *self.types.entry(code::type_name(key.kind)).or_default() += 1;
    }

    fn summary(&mut self) {
        let mut info = |count: u64, what: std::fmt::Arguments<'_>| {
            let _ = writeln!(self.text, "[info] {count} {what}");
        };
        info(self.keys, format_args!("keys read"));
        info(self.volatile, format_args!("expires"));
        info(self.expired, format_args!("already expired"));
        if self.empty > 0 {
            info(self.empty, format_args!("keys without elements, which a start leaves out"));
        }
        if self.functions > 0 {
            info(self.functions, format_args!("libraries of functions"));
        }
        for (name, keys) in &self.types {
            info(*keys, format_args!("of type {name}"));
        }
        for (db, keys) in &self.databases {
            info(*keys, format_args!("in database {db}"));
        }
    }
}
