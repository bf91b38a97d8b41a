//! Running what may run a script on a stack of its own, so that a script that takes too long can be set aside.
//!
//! A worker is one thread. A script that has run past `busy-reply-threshold` still holds the gate, but its worker must go on
//! serving: whoever comes is told that the server is busy, and SCRIPT KILL must be heard. So the request runs on its own
//! stack, from its beginning; the look at the clock in the middle of a script switches back to the worker, which resumes the
//! script a little later. A script that ends in time never switches.
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
use super::execute::{Flow, Run};
use super::gate::Hold;
use super::{Engine, encoding_limits};
use crate::base::clock::UnixMillis;
use crate::config::Settings;
use crate::resp::{Args, OwnedArgs};
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

type Stack = Coroutine<(), (), Done, DefaultStack>;

scoped_thread_local!(static SWITCH: Yielder<(), ()>);

thread_local! {
    /// The script this thread has set aside.
    static ASIDE: RefCell<Option<Stack>> = const { RefCell::new(None) };
    /// A stack nobody uses.
    static SPARE: Cell<Option<DefaultStack>> = const { Cell::new(None) };
}

/// Lets the worker of the running script serve others for a moment. Only for a script that has made the gate busy.
pub(super) fn step_aside() {
    if SWITCH.is_set() {
        SWITCH.with(|switch| switch.suspend(()));
    }
}

impl Engine {
    /// Runs a request on a stack of its own: its waiter, if it must wait. [`Flow::Script`] comes back as an error when a
    /// script was set aside; the session is then its own until [`Engine::resume_script`] hands it back.
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
        let stack = Coroutine::with_stack(stack, move |switch, ()| SWITCH.set(switch, || job.run()));
        match advance(stack) {
            Some(done) => {
                (run.hold, run.clock, run.now) = (done.hold, done.clock, done.now);
                *session = done.session;
                out.extend_from_slice(&done.reply);
                Ok(done.waiter)
            }
            None => Err(Flow::Script),
        }
    }

    /// Goes on with the script that this thread has set aside; `None` while it has not ended. What the connection does next
    /// comes back with its end.
    pub fn resume_script(&'static self, session: &mut Session, out: &mut Vec<u8>) -> Option<Flow> {
        let stack = ASIDE.with(|aside| aside.borrow_mut().take());
        let Some(stack) = stack else { return Some(Flow::Close) };
        let done = advance(stack)?;
        *session = done.session;
        let start = out.len();
        out.extend_from_slice(&done.reply);
        Some(self.after_call(session, done.row, done.waiter, out, start))
    }
}

/// Runs a stack until its request has ended, or sets it aside.
fn advance(mut stack: Stack) -> Option<Done> {
    match stack.resume(()) {
        CoroutineResult::Yield(()) => {
            ASIDE.with(|aside| *aside.borrow_mut() = Some(stack));
            None
        }
        CoroutineResult::Return(done) => {
            SPARE.set(Some(stack.into_stack()));
            Some(done)
        }
    }
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
