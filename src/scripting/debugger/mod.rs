//! The debugger of scripts: stops a script at a line, and does then what its client asks for, until it is told to go on.
//!
//! A session is one run of one script. Lua's hooks call the debugger before each line, from within the script; it talks to its
//! client through the [host](super::host::Host), who may let others work meanwhile. What it says and what commands there are, is
//! Redis's (`redis-cli --ldb-sync-mode` speaks it). A session ends with its script: who aborts it, sends what is no command, or
//! leaves while it does not come to an end, ends the script, and the script cannot catch that.

mod command;
mod dump;
mod frames;
mod help;
mod reply;
mod source;
mod transcript;
mod value;

use std::cell::{Cell, OnceCell, RefCell};
use std::time::{Duration, Instant};

use mlua::chunk::ChunkMode;
use mlua::debug::{Debug, DebugEvent};
use mlua::{Function, HookTriggers, Lua, MultiValue, Result, Value, VmState};
use scoped_tls::scoped_thread_local;

use self::command::{Command, Point};
use self::dump::Dump;
use self::frames::{Locals, frames};
use self::help::HELP;
use self::source::{NotSet, Source};
use self::transcript::{MAX_LINE_BYTES, Transcript};
use super::clock::KILLED;
use super::error::{reply_error, value_of};
use super::host::{Heard, ask};
use super::interpreter::SCRIPT;
use crate::resp::{OwnedArgs, WireError};

/// The source of what the client has typed.
pub(super) const TYPED: &str = "@ldb_eval";

const ABORTED: &str = "script aborted for user request";
const LEFT_ALONE: &str = "timeout during Lua debugging with client closing connection";
const TYPED_TOO_LONG: &str = "the code runs for too long";

/// What stands between an error of a Lua thread and where it happened.
const TRACEBACK: &[u8] = b"\nstack traceback:\n";

/// Arguments of a command that are shown.
const SHOWN_ARGUMENTS: usize = 10;

/// A debugging session.
pub struct Debugger {
    source: Source,
    transcript: RefCell<Transcript>,
    /// Whether the script stops at its next line; commands it calls meanwhile are shown.
    steps: Cell<bool>,
    /// Whether `redis.breakpoint` was called since the last line.
    asked: Cell<bool>,
    /// Whether what runs was typed by the client.
    runs_typed: Cell<bool>,
    /// Whether the client has left.
    alone: Cell<bool>,
    /// What ends the script, once that is decided.
    ending: Cell<Option<&'static str>>,
    /// When it began to run, or went on after its last stop.
    since: Cell<Instant>,
    /// For how long it may run from then on until it is stopped.
    patience: Duration,
    locals: OnceCell<Locals>,
}

/// What follows a command.
#[derive(PartialEq, Eq)]
enum Next {
    /// Another command.
    Listen,
    /// The script goes on.
    Run,
}

scoped_thread_local!(static CURRENT: Debugger);

/// The answer of the debugger of the script that runs, if it has one.
fn with_current<R>(question: impl FnOnce(&Debugger) -> R) -> Option<R> {
    CURRENT.is_set().then(|| CURRENT.with(question))
}

/// `redis.breakpoint`: stops at the next line; `false` without a debugger.
pub(super) fn stop_soon() -> bool {
    with_current(|debugger| debugger.asked.set(true)).is_some()
}

/// `redis.debug`: shows values to the client.
pub(super) fn show(_: &Lua, values: MultiValue) -> Result<()> {
    with_current(|debugger| debugger.show_values(&values));
    Ok(())
}

/// A command is called.
pub(super) fn note_call(args: &OwnedArgs) {
    with_current(|debugger| debugger.note_call(args));
}

/// A command cannot be called.
pub(super) fn note_error(error: &mlua::Error) {
    with_current(|debugger| debugger.note_error(&error.to_string()));
}

/// A command was called, or refused.
pub(super) fn note_reply(called: &std::result::Result<(), WireError>, reply: &[u8]) {
    with_current(|debugger| debugger.note_reply(called, reply));
}

/// What ends the script, if its debugger has decided that.
pub(super) fn ending() -> Option<&'static str> {
    with_current(|debugger| debugger.ending.get()).flatten()
}

impl Debugger {
    /// Of a script, which stops at its first line, and then after `patience` at the latest.
    pub fn new(source: &[u8], patience: Duration) -> Self {
        Self {
            source: Source::new(source),
            transcript: RefCell::new(Transcript::new()),
            steps: Cell::new(true),
            asked: Cell::new(false),
            runs_typed: Cell::new(false),
            alone: Cell::new(false),
            ending: Cell::new(None),
            since: Cell::new(Instant::now()),
            patience,
            locals: OnceCell::new(),
        }
    }

    /// What is left to be said when the script has ended.
    pub fn farewell(&self) -> Vec<u8> {
        self.line("<endsession>");
        self.transcript.borrow_mut().take()
    }

    /// Runs something in an interpreter with the debugger on it. The hook that was there is not put back.
    pub(super) fn attach<R>(&self, lua: &Lua, triggers: HookTriggers, run: impl FnOnce() -> R) -> Result<R> {
        let locals = Locals::new(lua)?;
        let _ = self.locals.set(locals);
        store_failures(lua)?;
        lua.set_global_hook(triggers, |lua, event| {
            with_current(|debugger| debugger.notice(lua, event)).unwrap_or(Ok(()))?;
            Ok(VmState::Continue)
        })?;
        self.since.set(Instant::now());
        Ok(CURRENT.set(self, run))
    }

    /// The hook: a line is about to run, or many instructions have.
    fn notice(&self, lua: &Lua, event: &Debug<'_>) -> Result<()> {
        let is_line = matches!(event.event(), DebugEvent::Line);
        if let Some(text) = self.ending.get() {
            return Err(reply_error(text));
        }
        if !is_line && ask(|host| host.is_killed()).unwrap_or(false) {
            return Err(reply_error(KILLED));
        }
        let overdue = !is_line && self.since.get().elapsed() >= self.patience;
        if self.runs_typed.get() {
            return if overdue { Err(self.end(TYPED_TOO_LONG)) } else { Ok(()) };
        }
        if self.alone.get() {
            return if overdue { Err(self.end(LEFT_ALONE)) } else { Ok(()) };
        }
        if is_line {
            if event.source().source.is_none_or(|source| source != SCRIPT) {
                return Ok(());
            }
            self.source.current.set(event.current_line().unwrap_or(0));
        }
        let reason = if is_line && self.asked.take() {
            "redis.breakpoint() called"
        } else if is_line && self.source.stops_at(self.source.current.get()) {
            "break point"
        } else if overdue {
            "timeout reached, infinite loop?"
        } else if is_line && self.steps.get() {
            "step over"
        } else {
            return Ok(());
        };
        self.stop(lua, reason, overdue)
    }

    /// The script has stopped: the client is told why, and heard.
    fn stop(&self, lua: &Lua, reason: &str, overdue: bool) -> Result<()> {
        self.steps.set(false);
        let line = self.source.current.get();
        self.line(format!("* Stopped at {line}, stop reason = {reason}"));
        self.line(self.source.shown(line));
        loop {
            let said = self.transcript.borrow_mut().take();
            match ask(|host| host.converse(said)).unwrap_or(Heard::Gone) {
                Heard::Command(args) => {
                    if self.obey(lua, command::parse(args.as_args()))? == Next::Run {
                        break;
                    }
                }
                Heard::Broken(why) => return Err(self.end(why)),
                Heard::Gone => {
                    self.alone.set(true);
                    if ask(|host| host.is_killed()).unwrap_or(false) {
                        return Err(reply_error(KILLED));
                    }
                    if overdue {
                        return Err(self.end(LEFT_ALONE));
                    }
                    break;
                }
            }
        }
        self.since.set(Instant::now());
        Ok(())
    }

    /// Does what the client says.
    fn obey(&self, lua: &Lua, command: Option<Command>) -> Result<Next> {
        let Some(command) = command else {
            self.line("<error> Unknown Redis Lua debugger command or wrong number of arguments.");
            return Ok(Next::Listen);
        };
        match command {
            Command::Step => {
                self.steps.set(true);
                return Ok(Next::Run);
            }
            Command::Continue => return Ok(Next::Run),
            Command::Abort => return Err(self.end(ABORTED)),
            Command::Help => HELP.iter().for_each(|line| self.line(*line)),
            Command::List(around, context) => {
                let around = around.and_then(|line| usize::try_from(line).ok()).unwrap_or(self.source.current.get());
                self.source.around(around, context).for_each(|line| self.line(line));
            }
            Command::Whole => self.source.whole().for_each(|line| self.line(line)),
            Command::Print(Some(name)) => self.print(lua, &name),
            Command::Print(None) => self.print_all(lua),
            Command::Break(points) if points.is_empty() => self.show_breakpoints(),
            Command::Break(points) => points.into_iter().for_each(|point| self.change_breakpoint(point)),
            Command::Trace => self.trace(lua),
            Command::Eval(code) => self.run_typed(lua, &code)?,
            Command::Redis(args) => self.call(&args),
            Command::MaxLength(length) => self.transcript.borrow_mut().limit(length),
        }
        Ok(Next::Listen)
    }

    fn line(&self, line: impl Into<Vec<u8>>) {
        self.transcript.borrow_mut().line(line);
    }

    /// Decides what ends the script.
    fn end(&self, text: &'static str) -> mlua::Error {
        self.ending.set(Some(text));
        reply_error(text)
    }

    /// A dump that begins so, of which no more is made than will be seen.
    fn dump(&self, prefix: &str, show: impl FnOnce(&mut Dump)) {
        let mut dump = Dump::new(prefix, self.transcript.borrow().room());
        show(&mut dump);
        self.transcript.borrow_mut().dump(dump.into_text());
    }

    /// The variable of that name in the innermost function that has one.
    fn print(&self, lua: &Lua, name: &[u8]) {
        let find =
            |locals: &Locals| frames(lua).find_map(|frame| locals.of(&frame).find(|(own, _)| own.as_bytes() == name));
        let found = self.locals.get().and_then(find).map(|(_, value)| value);
        let value = found.or_else(|| match name {
            b"KEYS" | b"ARGV" => lua.globals().get::<Value>(std::str::from_utf8(name).ok()?).ok(),
            _ => None,
        });
        match value {
            Some(value) => self.dump("<value> ", |dump| value::show(&value, dump)),
            None => self.line("No such variable."),
        }
    }

    /// All variables of the function that runs.
    fn print_all(&self, lua: &Lua) {
        let mut any = false;
        if let (Some(locals), Some(frame)) = (self.locals.get(), frames(lua).next()) {
            for (name, value) in locals.of(&frame) {
                any = true;
                self.dump(&format!("<value> {name} = "), |dump| value::show(&value, dump));
            }
        }
        if !any {
            self.line("No local variables in the current context.");
        }
    }

    fn show_breakpoints(&self) {
        let lines = self.source.breakpoints();
        if lines.is_empty() {
            self.line("No breakpoints set. Use 'b <line>' to add one.");
            return;
        }
        self.line(format!("{} breakpoints set:", lines.len()));
        lines.into_iter().for_each(|line| self.line(self.source.shown(line)));
    }

    fn change_breakpoint(&self, point: Point) {
        match point {
            Point::Set(line) => match self.source.set(line) {
                Ok(()) => self.source.around(line, 1).for_each(|line| self.line(line)),
                Err(NotSet::TooMany) => self.line("Too many breakpoints set."),
                Err(NotSet::WrongLine) => self.line("Wrong line number."),
            },
            Point::Remove(line) if self.source.remove(line) => self.line("Breakpoint removed."),
            Point::Remove(_) => self.line("No breakpoint in the specified line."),
            Point::RemoveAll => {
                self.source.remove_all();
                self.line("All breakpoints removed.");
            }
            Point::Invalid(text) => self.line([b"Invalid argument:'", &text[..], b"'"].concat()),
        }
    }

    fn trace(&self, lua: &Lua) {
        for (index, frame) in frames(lua).enumerate() {
            let word = if index == 0 { "In" } else { "From" };
            self.line(format!("{word} {}:", frame.name.as_deref().unwrap_or("top level")));
            self.line(self.source.shown(frame.line));
        }
    }

    /// Runs code that the client has typed: an expression, or else a statement. It has a Lua thread of its own, since hooks do not
    /// work within a hook, and without them nothing would end it.
    fn run_typed(&self, lua: &Lua, code: &[u8]) -> Result<()> {
        let compile = |code: &[u8]| lua.load(code).set_name(TYPED).set_mode(ChunkMode::Text).into_function();
        let compiled = compile(&[b"return ", code].concat()).or_else(|_| compile(code));
        self.runs_typed.set(true);
        self.since.set(Instant::now());
        let ended = compiled.and_then(|code| lua.create_thread(code)?.resume::<Value>(()));
        self.runs_typed.set(false);
        self.ending.set(None);
        match ended {
            Ok(value) => self.dump("<retval> ", |dump| value::show(&value, dump)),
            Err(error) => self.line([b"<error> ", &text_of(lua, &error)[..]].concat()),
        }
        store_failures(lua)
    }

    /// Runs a command that the client has typed.
    fn call(&self, args: &OwnedArgs) {
        self.steps.set(true);
        self.note_call(args);
        let mut reply = Vec::new();
        if let Some(called) = ask(|host| host.call(args, &mut reply)) {
            self.note_reply(&called, &reply);
        }
        self.steps.set(false);
    }

    fn note_call(&self, args: &OwnedArgs) {
        if !self.steps.get() {
            return;
        }
        let args = args.as_args();
        let mut dump = Dump::new("<redis>", MAX_LINE_BYTES);
        for argument in args.from(0).take(SHOWN_ARGUMENTS) {
            dump.add(b" ");
            dump.add(argument);
        }
        if args.len() > SHOWN_ARGUMENTS {
            // The one that these words stand for is not counted.
            dump.add(format!(" ... ({} more)", args.len() - SHOWN_ARGUMENTS - 1).as_bytes());
        }
        self.line(dump.into_text());
    }

    fn note_reply(&self, called: &std::result::Result<(), WireError>, reply: &[u8]) {
        match called {
            _ if !self.steps.get() => {}
            Ok(()) => {
                if reply.starts_with(b"-") {
                    self.line([b"<error> ", reply.trim_ascii_end()].concat());
                }
                self.dump("<reply> ", |dump| reply::show(reply, dump));
            }
            Err(error) => self.note_error(error.text()),
        }
    }

    /// An error that is no reply.
    fn note_error(&self, text: &str) {
        if self.steps.get() {
            self.line(match text.strip_prefix("ERR ") {
                Some(text) => format!("<error> {text}"),
                None => format!("<error> -{text}"),
            });
        }
    }

    fn show_values(&self, values: &MultiValue) {
        let mut dump = Dump::new(format!("<debug> line {}: ", self.source.current.get()), MAX_LINE_BYTES);
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                dump.add(b", ");
            }
            value::show(value, &mut dump);
        }
        self.line(dump.into_text());
    }
}

/// The text of an error of typed code.
fn text_of(lua: &Lua, error: &mlua::Error) -> Vec<u8> {
    let value = match error {
        mlua::Error::SyntaxError { message, .. } => return message.as_bytes().to_vec(),
        other => value_of(lua, other).unwrap_or(Value::Nil),
    };
    let value = match &value {
        Value::Table(table) => table.raw_get("err").unwrap_or(Value::Nil),
        _ => value,
    };
    let text = lua.coerce_string(value).ok().flatten();
    let text = text.map_or_else(|| error.to_string().into_bytes(), |text| text.as_bytes().to_vec());
    // Where it happened is of no interest: the code is a line of its own.
    let end = text.windows(TRACEBACK.len()).position(|window| window == TRACEBACK).unwrap_or(text.len());
    text[..end].to_vec()
}

/// Every call from Lua into Rust sets a place for its error aside. Where none is in store, it puts a new one under the variables of
/// the function that calls, which moves them for that time: a hook would read them one off. So some are always in store.
fn store_failures(lua: &Lua) -> Result<()> {
    let inner = lua.create_function(|_, ()| Ok(()))?;
    let outer = lua.create_function(|_, inner: Function| inner.call::<()>(()))?;
    outer.call(inner)
}
