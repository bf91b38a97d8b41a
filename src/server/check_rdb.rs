//! `redis-tls check-rdb FILE`: reads a snapshot to its end as a start would, and says what is in it.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::tally::Tally;
use crate::data::limits::Limits;
use crate::persistence::rdb::RdbError;
use crate::persistence::rdb::file::{FileReader, Item, Modules};

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
    report.text.push_str(&report.tally.of_keys());
    Ok((report.text, whole))
}

/// What was found, and the text about it. Writing to a string cannot fail.
#[derive(Default)]
struct Report {
    text: String,
    db: u64,
    tally: Tally,
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
        reader.mend(true);
        let limits = Limits::default();
        loop {
            let item = reader.next_item(&limits)?;
            let offset = reader.offset();
            match item {
                Item::Fact(name, value) => {
                    let (name, value) = (String::from_utf8_lossy(&name), String::from_utf8_lossy(&value));
                    self.line(offset, format_args!("AUX FIELD {name} = '{value}'"));
                }
                Item::Function(_) => self.tally.function(),
                Item::ModuleData(name) => self.line(offset, format_args!("MODULE AUX for: {name}")),
                Item::Database(db) => {
                    self.db = db;
                    if !self.tally.has_database(db) {
                        self.line(offset, format_args!("Selecting DB ID {db}"));
                    }
                }
                Item::Sizes(..) => {}
                Item::Key(key) => {
                    if let Some(what) = key.mended {
                        let (name, db) = (String::from_utf8_lossy(&key.name), self.db);
                        self.line(
                            offset,
                            format_args!("WARNING key '{name}' of database {db} will be put right: {what}"),
                        );
                    }
                    self.tally.key(self.db, &key);
                }
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
}
