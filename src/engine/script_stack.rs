//! Running what may run a script on a stack of its own, so that a script that takes too long can be set aside.
//!
//! A worker is one thread. A script that has run past `busy-reply-threshold` still holds the gate, but its worker must go on
//! serving: whoever comes is told that the server is busy, and SCRIPT KILL must be heard. So the request runs on its own
//! stack, from its beginning; the look at the clock in the middle of a script switches back to the worker, which resumes the
//! script a little later. A script that ends in time never switches.
//!
//! A debugger talks to its client the same way: what it says and what it hears are what the switches carry, and whoever owns
//! the connection stands on the other side.
//!
//! At most one script is set aside in the whole process, since it keeps the gate. It stays on its thread: holds and keys may
//! not move. It owns everything it needs, the session included, until it ends.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Instant;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use scoped_tls::scoped_thread_local;

use super::blocking::Waiter;
use super::context::Context;
use super::execute::{Flow, Run};
use super::gate::Hold;
use super::{Engine, encoding_limits};
use crate::base::clock::UnixMillis;
use crate::config::Settings;
use crate::resp::{Args, OwnedArgs};
use crate::scripting::Heard;
use crate::session::Session;

/// Bytes of address space for a stack. Memory is taken as it is touched; Lua's own limit of nested calls keeps well below.
const STACK_BYTES: usize = 16 << 20;

/// A request on its own stack.
struct Job {
    engine: &'static Engine,
    settings: Arc<Settings>,
    session: Session,
    row: usize,
    args: OwnedArgs,
    hold: Hold<'static>,
    clock: Instant,
    now: UnixMillis,
}

/// A request that has ended.
struct Done {
    session: Session,
    hold: Hold<'static>,
    clock: Instant,
    now: UnixMillis,
    reply: Vec<u8>,
    waiter: Option<Arc<Waiter>>,
    row: usize,
}

/// Why a script gives its worker back.
enum Aside {
    /// It has run past its time.
    Overdue,
    /// Its debugger says something, and goes on at once.
    Says(Vec<u8>),
    /// Its debugger says something, and wants to hear what its client says next.
    Listens(Vec<u8>),
}

/// What a script goes on with: what its debugger hears, if that is what it waits for.
type Answer = Option<Heard>;
type Stack = Coroutine<Answer, Aside, Done, DefaultStack>;

scoped_thread_local!(static SWITCH: Yielder<Answer, Aside>);

thread_local! {
    /// The script this thread has set aside.
    static ASIDE: RefCell<Option<Stack>> = const { RefCell::new(None) };
    /// A stack nobody uses.
    static SPARE: Cell<Option<DefaultStack>> = const { Cell::new(None) };
}

/// Lets the worker of the running script serve others for a moment. Only for a script that has made the gate busy.
pub(super) fn step_aside() {
    if SWITCH.is_set() {
        SWITCH.with(|switch| switch.suspend(Aside::Overdue));
    }
}

/// Sends what a debugger says to its client, and waits for what that says next.
pub(super) fn listen(said: Vec<u8>) -> Heard {
    if !SWITCH.is_set() {
        return Heard::Gone;
    }
    SWITCH.with(|switch| switch.suspend(Aside::Listens(said))).unwrap_or(Heard::Gone)
}

impl Context<'_> {
    /// Whether what runs here can talk to its client before it ends: it needs a stack of its own for that.
    pub fn can_talk(&self) -> bool {
        SWITCH.is_set()
    }

    /// Sends something to the client before anything of the reply.
    pub fn say(&self, bytes: Vec<u8>) {
        if SWITCH.is_set() {
            SWITCH.with(|switch| switch.suspend(Aside::Says(bytes)));
        }
    }
}

impl Engine {
    /// Runs a request on a stack of its own: its waiter, if it must wait. [`Flow::Script`] or [`Flow::Debugger`] comes back as
    /// an error when a script was set aside; the session is then its own until [`Engine::resume_script`] hands it back.
    pub(super) fn call_on_own_stack(
        &'static self,
        run: &mut Run<'_>,
        session: &mut Session,
        row: usize,
        args: Args<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Option<Arc<Waiter>>, Flow> {
        let Ok(stack) = SPARE.take().map_or_else(|| DefaultStack::new(STACK_BYTES), Ok) else {
            // Without memory for a stack the script runs where it is, and cannot be set aside.
            return Ok(self.call(run, session, row, args, out));
        };
        let placeholder = session.placeholder();
        let job = Job {
            engine: self,
            settings: self.config.snapshot(),
            session: std::mem::replace(session, placeholder),
            row,
            args: args.to_owned(),
            hold: std::mem::replace(&mut run.hold, Hold::Nothing),
            clock: run.clock,
            now: run.now,
        };
        let stack = Coroutine::with_stack(stack, move |switch, _| SWITCH.set(switch, || job.run()));
        let done = advance(stack, None, out)?;
        (run.hold, run.clock, run.now) = (done.hold, done.clock, done.now);
        *session = done.session;
        out.extend_from_slice(&done.reply);
        Ok(done.waiter)
    }

    /// Goes on with the script that this thread has set aside, and tells what the connection does next: [`Flow::Script`] and
    /// [`Flow::Debugger`] while it has not ended. With the latter what the client says next is to come with the next call.
    pub fn resume_script(&'static self, session: &mut Session, heard: Option<Heard>, out: &mut Vec<u8>) -> Flow {
        let stack = ASIDE.with(|aside| aside.borrow_mut().take());
        let Some(stack) = stack else { return Flow::Close };
        let done = match advance(stack, heard, out) {
            Ok(done) => done,
            Err(flow) => return flow,
        };
        *session = done.session;
        let start = out.len();
        out.extend_from_slice(&done.reply);
        self.after_call(session, done.row, done.waiter, out, start)
    }
}

/// Runs a stack until its request has ended, or sets it aside. What a debugger says goes to `out`.
fn advance(mut stack: Stack, mut answer: Answer, out: &mut Vec<u8>) -> Result<Done, Flow> {
    let flow = loop {
        match stack.resume(answer.take()) {
            CoroutineResult::Yield(Aside::Overdue) => break Flow::Script,
            CoroutineResult::Yield(Aside::Says(said)) => out.extend_from_slice(&said),
            CoroutineResult::Yield(Aside::Listens(said)) => {
                out.extend_from_slice(&said);
                break Flow::Debugger;
            }
            CoroutineResult::Return(done) => {
                SPARE.set(Some(stack.into_stack()));
                return Ok(done);
            }
        }
    };
    ASIDE.with(|aside| *aside.borrow_mut() = Some(stack));
    Err(flow)
}

impl Job {
    fn run(self) -> Done {
        let Self { engine, settings, mut session, row, args, hold, clock, now } = self;
        let limits = encoding_limits(&settings);
        let mut run = Run { hold, clock, now, ..Run::outside(&settings, &limits) };
        let mut reply = Vec::new();
        let waiter = engine.call(&mut run, &mut session, row, args.as_args(), &mut reply);
        let Run { hold, clock, now, .. } = run;
        Done { session, hold, clock, now, reply, waiter, row }
    }
}
