//! The command line as `redis-server` takes it: `[CONFIG] [-] [--directive value …]`.
//!
//! Options become directives of the `redis.conf` form, read after the file and standard input, so that the last word is
//! theirs. The rules are Redis's: a word that begins with `--` opens a directive unless the one before still waits for
//! its first value; name and value may share a word; `--save` without a value is `save ""`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::base::quoting::{quote, split_args};

/// What a command line asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// The configuration file.
    pub file: Option<PathBuf>,
    /// Read standard input after the file.
    pub stdin: bool,
    /// Directives, one per line.
    pub options: Vec<u8>,
}

impl CommandLine {
    /// Reads the arguments without the program's name.
    pub fn parse(args: &[OsString]) -> Self {
        let mut line = Self::default();
        let mut rest = args;
        if let Some(first) = args.first()
            && !first.as_bytes().starts_with(b"-")
        {
            line.file = Some(PathBuf::from(first));
            rest = &args[1..];
        }
        let mut waits_for_value = false;
        for (index, arg) in rest.iter().enumerate() {
            let bytes = arg.as_bytes();
            let next = rest.get(index + 1).map(|next| next.as_bytes());
            let first_or_last = (index == 0 && line.file.is_none()) || next.is_none();
            if bytes == b"-" && first_or_last {
                line.stdin = true;
            } else if let (false, Some(directive)) = (waits_for_value, bytes.strip_prefix(b"--")) {
                waits_for_value = line.open(directive, next);
            } else {
                line.options.extend_from_slice(quote(bytes).as_bytes());
                line.options.push(b' ');
                waits_for_value = false;
            }
        }
        line
    }

    /// Begins a directive; does it wait for a value?
    fn open(&mut self, directive: &[u8], next: Option<&[u8]>) -> bool {
        if !self.options.is_empty() {
            self.options.push(b'\n');
        }
        self.options.extend_from_slice(directive);
        self.options.push(b' ');
        let name_only = split_args(directive).is_some_and(|words| words.len() == 1);
        if !name_only {
            return false;
        }
        let followed_by_option = next.is_none_or(|next| next.starts_with(b"--"));
        if directive.eq_ignore_ascii_case(b"save") && followed_by_option {
            self.options.extend_from_slice(b"\"\"");
            return false;
        }
        !(directive.eq_ignore_ascii_case(b"sentinel") && followed_by_option)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_rules_of_redis_server() {
        let table: &[(&[&str], &str)] = &[
            (&["--port", "6380"], "port \"6380\" "),
            (&["--port", "6379", "6380"], "port \"6379\" \"6380\" "),
            (&["--port"], "port "),
            (&["--port", "--loglevel", "verbose"], "port \"--loglevel\" \"verbose\" "),
            (&["--port", "--bla", "--loglevel", "verbose"], "port \"--bla\" \nloglevel \"verbose\" "),
            (&["--maxmemory 700mb", "--timeout 3"], "maxmemory 700mb \ntimeout 3 "),
            (&["--save", "--loglevel", "verbose"], "save \"\"\nloglevel \"verbose\" "),
            (&["--loglevel", "verbose", "--save"], "loglevel \"verbose\" \nsave \"\""),
            (&["--save", "", "--timeout", "1"], "save \"\" \ntimeout \"1\" "),
            (&["--proc-title-template", "--save", "--save", ""], "proc-title-template \"--save\" \nsave \"\" "),
            (&["--sentinel", "--port", "1"], "sentinel \nport \"1\" "),
            (&["--port=6380"], "port=6380 "),
        ];
        for (args, options) in table {
            let args: Vec<OsString> = args.iter().map(OsString::from).collect();
            let line = CommandLine::parse(&args);
            assert_eq!(String::from_utf8(line.options).unwrap(), *options, "{args:?}");
            assert_eq!((line.file, line.stdin), (None, false));
        }
    }

    #[test]
    fn a_file_comes_first_and_standard_input_first_or_last() {
        let parse = |args: &[&str]| CommandLine::parse(&args.iter().map(OsString::from).collect::<Vec<_>>());
        let line = parse(&["redis.conf", "loglevel", "verbose", "--port", "1", "-"]);
        assert_eq!((line.file, line.stdin), (Some("redis.conf".into()), true));
        assert_eq!(line.options, b"\"loglevel\" \"verbose\" \nport \"1\" ");
        assert!(parse(&["-", "--port", "1"]).stdin);
        let line = parse(&["--requirepass", "-", "--port", "1"]);
        assert_eq!((line.stdin, line.options.starts_with(b"requirepass \"-\"")), (false, true));
    }
}
