//! What goes wrong with configurations, in the words that reach people and clients.

use std::fmt;
use std::path::PathBuf;

use super::directive::{Origin, Source};
use super::table;

/// The version of Redis whose behaviour this server has; clients and tools decide by it.
pub const REDIS_VERSION: &str = "7.2.6";

/// Why a configuration could not be loaded. Its text is complete: what, where, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// A file cannot be read.
    Open {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        reason: String,
    },
    /// A directive is wrong.
    Line {
        /// Where it stands.
        origin: Origin,
        /// Redis's reason, or ours where Redis has none.
        reason: String,
        /// The way out; may be empty.
        hint: String,
    },
    /// Values do not fit together, and none of those in question was given by anybody.
    Conflict(String),
}

impl LoadError {
    /// A wrong directive, with what we can say about the way out.
    pub(super) fn line(origin: &Origin, reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Line { origin: origin.clone(), reason: reason.into(), hint: hint.into() }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { path, reason } => write!(
                f,
                "Fatal error, can't open config file '{}': {reason}\nredis-tls: give the path of a readable file, \
                 or none to start with the defaults.",
                path.display()
            ),
            Self::Line { origin, reason, hint } => {
                write!(
                    f,
                    "\n*** FATAL CONFIG FILE ERROR (Redis {REDIS_VERSION}) ***\n\
                     Reading the configuration file, at line {}\n>>> '{}'\n{reason}\nredis-tls: {}: {}",
                    origin.line,
                    origin.text,
                    place(origin),
                    if hint.is_empty() { "correct this directive or remove it." } else { hint }
                )
            }
            Self::Conflict(sentence) => {
                write!(f, "\n*** FATAL CONFIG FILE ERROR (Redis {REDIS_VERSION}) ***\n{sentence}")
            }
        }
    }
}

impl std::error::Error for LoadError {}

fn place(origin: &Origin) -> String {
    match &origin.source {
        Source::File(path) => format!("{}, line {}", path.display(), origin.line),
        Source::Stdin => format!("standard input, line {}", origin.line),
        Source::CommandLine => "command line".into(),
    }
}

/// The way out of an unknown name: what it probably was meant to be.
pub(super) fn suggestion(name: &str) -> String {
    if let Some((given, _)) = name.split_once('=') {
        return format!("name and value are separate words, as in --{given} VALUE.");
    }
    let nearest = table::names().map(|(_, known)| (distance(name, known), known)).min();
    match nearest {
        Some((distance, known)) if distance <= 1 + known.len() / 5 => format!("did you mean {known}?"),
        _ => "redis-tls.toml lists every directive with its description.".into(),
    }
}

/// The number of letters to insert, delete or replace between two names.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// Why `CONFIG SET` changed nothing. The text is the error reply, code included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetError {
    /// No such parameter.
    Unknown(String),
    /// Not while the data set is being loaded.
    Loading,
    /// One of the parameters cannot be set so.
    Failed {
        /// The parameter to look at.
        argument: String,
        /// Why.
        reason: String,
    },
}

impl fmt::Display for SetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => {
                write!(f, "ERR Unknown option or number of arguments for CONFIG SET - '{name}'")
            }
            Self::Loading => f.write_str("LOADING Redis is loading the dataset in memory"),
            Self::Failed { argument, reason } => {
                write!(f, "ERR CONFIG SET failed (possibly related to argument '{argument}')")?;
                if reason.is_empty() { Ok(()) } else { write!(f, " - {reason}") }
            }
        }
    }
}

impl std::error::Error for SetError {}

/// Why `CONFIG REWRITE` wrote nothing. The text is the error reply, code included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RewriteError {
    /// The server was started without a file.
    NoFile,
    /// The file cannot be read, understood or replaced.
    Failed(String),
}

impl fmt::Display for RewriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFile => f.write_str("ERR The server is running without a config file"),
            Self::Failed(reason) => write!(f, "ERR Rewriting config file: {reason}"),
        }
    }
}

impl std::error::Error for RewriteError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_get_a_suggestion() {
        assert_eq!(suggestion("max-memory"), "did you mean maxmemory?");
        assert_eq!(suggestion("tls-certfile"), "did you mean tls-cert-file?");
        assert!(suggestion("port=6380").contains("--port VALUE"));
        assert!(suggestion("completely-unrelated-thing").contains("lists every directive"));
    }
}
