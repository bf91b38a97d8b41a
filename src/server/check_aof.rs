//! `redis-tls check-aof FILE`: reads an append only file to its end, says how much of it is good, and cuts off the rest where that is wanted.
//!
//! The file is a manifest, then all its parts are read, or a single file, with a snapshot in front or without. Only the last part may be cut:
//! what follows a cut would count on what is gone. What is printed are the lines of `redis-check-aof`, which tools look at.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::ExitCode;

use super::tally::Tally;
use crate::base::system_text::system_text;
use crate::data::limits::Limits;
use crate::persistence::aof::check::{BadTime, Found, check};
use crate::persistence::aof::{Manifest, manifest};
use crate::persistence::rdb::file::{FileReader, Item, Modules};

/// A file of at least so many bytes may begin with a snapshot.
const LEAST_SNAPSHOT_BYTES: u64 = 8;

/// What is to be done about what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing.
    Report,
    /// Cut off what is not good, if the user says yes.
    Fix,
    /// Cut off what was written after this Unix time in seconds.
    Until(i64),
}

impl Wanted {
    /// As the command line says it.
    pub fn new(fix: bool, until: Option<i64>) -> Self {
        match until {
            Some(until) => Self::Until(until),
            None if fix => Self::Fix,
            None => Self::Report,
        }
    }
}

/// How a part is.
enum Verdict {
    Good,
    Empty,
    Cut,
    CutToTime(i64),
}

/// The check ends here; the text says why.
struct Aborted(String);

/// Checks a file.
pub fn run(path: &Path, wanted: Wanted) -> ExitCode {
    let mut out = std::io::stdout();
    let mut answer = String::new();
    let mut confirm = || {
        let read = std::io::stdin().read_line(&mut answer);
        read.is_ok() && answer.trim_start().starts_with(['y', 'Y'])
    };
    match (Checker { out: &mut out, confirm: &mut confirm, wanted }).run(path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Aborted(why)) => {
            // Whoever has stopped listening does not want to know.
            let _ = out.write_all(why.as_bytes());
            ExitCode::FAILURE
        }
    }
}

struct Checker<'a> {
    out: &'a mut dyn Write,
    /// Asks the user.
    confirm: &'a mut dyn FnMut() -> bool,
    wanted: Wanted,
}

impl Checker<'_> {
    fn say(&mut self, text: &str) -> Result<(), Aborted> {
        self.out.write_all(text.as_bytes()).map_err(|error| Aborted(error.to_string()))
    }

    fn run(mut self, path: &Path) -> Result<(), Aborted> {
        let shown = path.display();
        let text = std::fs::File::open(path)
            .and_then(|file| {
                let mut head = Vec::new();
                file.take(64 << 10).read_to_end(&mut head)?;
                Ok(head)
            })
            .map_err(|error| Aborted(format!("Cannot open file {shown}: {}\n", system_text(&error))))?;
        if manifest::is_manifest(&text) {
            return self.parts(path);
        }
        self.say("Start checking Old-Style AOF\n")?;
        let name = shown.to_string();
        let verdict = self.part(&name, path, true)?;
        self.tell("AOF", &name, &verdict)
    }

    /// All parts of a manifest.
    fn parts(&mut self, path: &Path) -> Result<(), Aborted> {
        self.say("Start checking Multi Part AOF\n")?;
        let text = std::fs::read(path)
            .map_err(|error| Aborted(format!("Cannot open file {}: {}\n", path.display(), system_text(&error))))?;
        let manifest = Manifest::parse(&text).map_err(|error| {
            let place = error.line.map_or(String::new(), |(number, line)| {
                format!("Reading the manifest file, at line {number}\n>>> '{line}'\n")
            });
            Aborted(format!("\n*** FATAL AOF MANIFEST FILE ERROR ***\n{place}{}\n", error.reason))
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let count = manifest.parts().count();
        if let Some(base) = manifest.base() {
            let path = folder.join(&base.name);
            let format = if is_snapshot(&path)? { "RDB" } else { "RESP" };
            self.say(&format!("Start to check BASE AOF ({format} format).\n"))?;
            let verdict = self.part(&base.name, &path, count == 1)?;
            self.tell("BASE AOF", &base.name, &verdict)?;
        }
        if let [.., last] = manifest.increments() {
            self.say("Start to check INCR files.\n")?;
            for part in manifest.increments() {
                let verdict = self.part(&part.name, &folder.join(&part.name), part == last)?;
                self.tell("INCR AOF", &part.name, &verdict)?;
            }
        }
        self.say("All AOF files and manifest are valid\n")
    }

    fn tell(&mut self, kind: &str, name: &str, verdict: &Verdict) -> Result<(), Aborted> {
        let text = match verdict {
            Verdict::Good => format!("{kind} {name} is valid\n"),
            Verdict::Empty => format!("{kind} {name} is empty\n"),
            Verdict::Cut => format!("Successfully truncated AOF {name}\n"),
            Verdict::CutToTime(until) => format!("Successfully truncated AOF {name} to timestamp {until}\n"),
        };
        self.say(&text)
    }

    /// One part, called `name` in what is said.
    fn part(&mut self, name: &str, path: &Path, is_last: bool) -> Result<Verdict, Aborted> {
        let cannot = |what: &str, error: &std::io::Error| {
            Aborted(format!("Cannot {what} file {}: {}, aborting...\n", path.display(), system_text(error)))
        };
        let mut options = File::options();
        options.read(true).write(self.wanted != Wanted::Report);
        let mut file = options.open(path).map_err(|error| cannot("open", &error))?;
        let size = file.metadata().map_err(|error| cannot("stat", &error))?.len();
        if size == 0 {
            return Ok(Verdict::Empty);
        }
        let mut start = 0;
        if is_snapshot(path)? {
            start = self.snapshot(path, &file)?;
        }
        file.seek(SeekFrom::Start(start)).map_err(|error| cannot("read", &error))?;
        let until = if let Wanted::Until(until) = self.wanted { Some(until) } else { None };
        let shown = path.display().to_string();
        let mut tally = Tally::default();
        let found = check(BufReader::new(&file), start, &shown, until, |name| tally.command(name))
            .map_err(|BadTime(_)| Aborted("Invalid timestamp annotation\n".into()))?;
        self.say(&tally.of_commands())?;
        match (until, found.later) {
            (Some(until), Some(later)) => self.cut_to_time(&file, &shown, later, until, is_last),
            _ => self.judge(&file, name, size, &found, is_last),
        }
    }

    /// What is in front of the commands; where it ends.
    fn snapshot(&mut self, path: &Path, file: &File) -> Result<u64, Aborted> {
        const NOT_SANE: &str = "RDB preamble of AOF file is not sane, aborting.\n";
        self.say(&format!("Checking RDB file {}\n", path.display()))?;
        let damaged = |offset: u64, error: &dyn std::fmt::Display| {
            Aborted(format!("--- RDB ERROR DETECTED ---\n[offset {offset}] {error}\n{NOT_SANE}"))
        };
        let mut reader = FileReader::new(file, true, Modules::Skipped).map_err(|error| damaged(0, &error))?;
        reader.mend(true);
        let limits = Limits::default();
        let (mut db, mut tally) = (0, Tally::default());
        loop {
            match reader.next_item(&limits) {
                Ok(Item::End { .. }) => break,
                Ok(Item::Database(next)) => db = next,
                Ok(Item::Function(_)) => tally.function(),
                Ok(Item::Key(key)) => tally.key(db, &key),
                Ok(_) => {}
                Err(error) => return Err(damaged(reader.offset(), &error)),
            }
        }
        let offset = reader.offset();
        self.say(&format!(
            "[offset {offset}] \\o/ RDB looks OK! \\o/\n{}RDB preamble is OK, proceeding with AOF tail...\n",
            tally.of_keys()
        ))?;
        Ok(offset)
    }

    fn judge(&mut self, file: &File, name: &str, size: u64, found: &Found, is_last: bool) -> Result<Verdict, Aborted> {
        if found.is_foreign {
            self.say(&format!("AOF {name} format error\n"))?;
        }
        if let Some((offset, text)) = &found.error {
            self.say(&format!("0x{offset:>16x}: {text}\n"))?;
        }
        let (good, surplus) = (found.good_bytes, size.saturating_sub(found.good_bytes));
        if let (0, Wanted::Until(until)) = (surplus, self.wanted) {
            self.say(&format!("Truncate nothing in AOF {name} to timestamp {until}\n"))?;
            return Ok(Verdict::Good);
        }
        self.say(&format!(
            "AOF analyzed: filename={name}, size={size}, ok_up_to={good}, ok_up_to_line={}, diff={surplus}\n",
            found.line
        ))?;
        if surplus == 0 {
            return Ok(Verdict::Good);
        }
        if self.wanted != Wanted::Fix {
            return Err(Aborted(format!("AOF {name} is not valid. Use the --fix option to try fixing it.\n")));
        }
        if !is_last {
            return Err(Aborted(format!("Failed to truncate AOF {name} because it is not the last file\n")));
        }
        self.say(&format!(
            "This will shrink the AOF {name} from {size} bytes, with {surplus} bytes, to {good} bytes\nContinue? [y/N]: "
        ))?;
        self.out.flush().map_err(|error| Aborted(error.to_string()))?;
        if !(self.confirm)() {
            return Err(Aborted("Aborting...\n".into()));
        }
        cut(file, good).map_err(|_| Aborted(format!("Failed to truncate AOF {name}\n")))?;
        Ok(Verdict::Cut)
    }

    fn cut_to_time(
        &mut self,
        file: &File,
        name: &str,
        offset: u64,
        until: i64,
        is_last: bool,
    ) -> Result<Verdict, Aborted> {
        if offset == 0 {
            return Err(Aborted(format!("AOF {name} has nothing before timestamp {until}, aborting...\n")));
        }
        if !is_last {
            return Err(Aborted(format!(
                "Failed to truncate AOF {name} to timestamp {until} to offset {offset} because it is not the last file.\nIf \
                 you insist, please delete all files after this file according to the manifest file and delete the \
                 corresponding records in manifest file manually. Then re-run redis-check-aof.\n"
            )));
        }
        cut(file, offset).map_err(|_| Aborted(format!("Failed to truncate AOF {name} to timestamp {until}\n")))?;
        Ok(Verdict::CutToTime(until))
    }
}

fn cut(file: &File, bytes: u64) -> std::io::Result<()> {
    file.set_len(bytes)?;
    file.sync_all()
}

fn is_snapshot(path: &Path) -> Result<bool, Aborted> {
    let cannot = |error: std::io::Error| {
        Aborted(format!("Cannot open file {}: {}, aborting...\n", path.display(), system_text(&error)))
    };
    let mut start = Vec::new();
    File::open(path).and_then(|file| file.take(LEAST_SNAPSHOT_BYTES).read_to_end(&mut start)).map_err(cannot)?;
    Ok(start.len() as u64 == LEAST_SNAPSHOT_BYTES && start.starts_with(b"REDIS"))
}
