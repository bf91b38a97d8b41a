//! One directive: a name, its words, and where it was given.

use std::path::PathBuf;

use super::error::LoadError;

/// Where directives come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
    /// The command line.
    CommandLine,
}

/// The place of a directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file or the like.
    pub source: Source,
    /// The line, counted from 1.
    pub line: usize,
    /// The line's text without surrounding blanks.
    pub text: String,
}

/// A name with its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// In lower case.
    pub name: String,
    /// What follows the name.
    pub args: Vec<Vec<u8>>,
    /// Where it was given.
    pub origin: Origin,
}

impl Directive {
    /// The error of a directive that is well formed and still cannot be followed.
    pub fn refused(&self, reason: impl Into<String>) -> LoadError {
        LoadError::line(&self.origin, reason, "")
    }
}
