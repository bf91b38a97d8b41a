//! What can be said to the debugger: a word, or its first letter, and arguments.

use crate::base::number::parse_i64;
use crate::resp::{Args, OwnedArgs};

/// A command of the debugger.
#[derive(Debug)]
pub(super) enum Command {
    /// Shows what there is.
    Help,
    /// Runs to the next line.
    Step,
    /// Runs to the next breakpoint.
    Continue,
    /// Shows the lines around one, or around where the script is, and how many on both sides.
    List(Option<i64>, i64),
    /// Shows all lines.
    Whole,
    /// Shows one variable, or those of the function that runs.
    Print(Option<Vec<u8>>),
    /// Shows breakpoints, or changes them.
    Break(Vec<Point>),
    /// Shows who called whom.
    Trace,
    /// Runs Lua code.
    Eval(Vec<u8>),
    /// Runs a command of the server.
    Redis(OwnedArgs),
    /// Sets how long what is shown may be, or tells it.
    MaxLength(Option<i64>),
    /// Ends the script.
    Abort,
}

/// What happens to a breakpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Point {
    /// One is set.
    Set(usize),
    /// One is removed.
    Remove(usize),
    /// All are removed.
    RemoveAll,
    /// This is no number of a line.
    Invalid(Vec<u8>),
}

/// Lines shown on both sides, if nothing else is said.
const CONTEXT_LINES: i64 = 5;

/// Reads a command; `None` if there is no such one.
pub(super) fn parse(args: Args<'_>) -> Option<Command> {
    let given = |word: &str| args.is(0, word) || args.is(0, &word[..1]);
    Some(if given("help") {
        Command::Help
    } else if given("step") || given("next") {
        Command::Step
    } else if given("continue") {
        Command::Continue
    } else if given("list") {
        let around = args.get(1).map(leading_number).filter(|line| *line > 0);
        Command::List(around, args.get(2).map_or(CONTEXT_LINES, leading_number))
    } else if given("whole") {
        Command::Whole
    } else if given("print") {
        Command::Print(args.get(1).filter(|_| args.len() == 2).map(<[u8]>::to_vec))
    } else if given("break") {
        Command::Break(args.from(1).map(point).collect())
    } else if given("trace") {
        Command::Trace
    } else if given("eval") {
        Command::Eval(args.from(1).collect::<Vec<_>>().join(&b" "[..]))
    } else if given("redis") && args.len() > 1 {
        Command::Redis(args.from(1).collect())
    } else if given("maxlen") {
        Command::MaxLength(args.get(1).filter(|_| args.len() == 2).map(leading_number))
    } else if given("abort") {
        Command::Abort
    } else {
        return None;
    })
}

fn point(argument: &[u8]) -> Point {
    let line = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    match parse_i64(argument) {
        None => Point::Invalid(argument.to_vec()),
        Some(0) => Point::RemoveAll,
        Some(number @ 1..) => Point::Set(line(number.unsigned_abs())),
        Some(number) => Point::Remove(line(number.unsigned_abs())),
    }
}

/// The number that a text begins with, as C's `atoi` reads it; without one it is 0.
fn leading_number(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    let value = digits.fold(0i64, |value, digit| (value * 10 + i64::from(digit - b'0')).min(i64::from(i32::MAX)));
    if negative { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> String {
        let args: OwnedArgs = line.split(' ').map(str::as_bytes).collect();
        match parse(args.as_args()) {
            Some(Command::Eval(code)) => format!("eval {}", code.escape_ascii()),
            Some(Command::Print(Some(name))) => format!("print {}", name.escape_ascii()),
            Some(Command::Redis(args)) => format!("redis {}", args.as_args().len()),
            Some(command) => format!("{command:?}"),
            None => "unknown".to_owned(),
        }
    }

    #[test]
    fn commands_have_a_word_and_a_letter() {
        for (line, command) in [
            ("h", "Help"),
            ("HELP", "Help"),
            ("s", "Step"),
            ("next", "Step"),
            ("N", "Step"),
            ("c", "Continue"),
            ("l", "List(None, 5)"),
            ("list 3", "List(Some(3), 5)"),
            ("l 0 2", "List(None, 2)"),
            ("l x -1", "List(None, -1)"),
            ("l 12abc 99999999999", "List(Some(12), 2147483647)"),
            ("w", "Whole"),
            ("p", "Print(None)"),
            ("print x", "print x"),
            ("p x y", "Print(None)"),
            ("b", "Break([])"),
            ("b 3 -4 0 x 01", "Break([Set(3), Remove(4), RemoveAll, Invalid([120]), Invalid([48, 49])])"),
            ("b -9223372036854775808", "Break([Remove(9223372036854775808)])"),
            ("t", "Trace"),
            ("e", "eval "),
            ("eval return 1", "eval return 1"),
            ("r", "unknown"),
            ("redis get x", "redis 2"),
            ("m", "MaxLength(None)"),
            ("maxlen 10", "MaxLength(Some(10))"),
            ("maxlen 1 2", "MaxLength(None)"),
            ("a", "Abort"),
            ("abort", "Abort"),
            ("hello", "unknown"),
            ("", "unknown"),
            ("restart", "unknown"),
        ] {
            assert_eq!(parsed(line), command, "{line}");
        }
    }
}
