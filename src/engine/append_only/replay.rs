//! Running the commands of a part, as a client would that may do everything and never waits.
//!
//! A command was written when it took effect, so it must find what it found then: nothing expires while a part is replayed. What it changes
//! goes nowhere else, since nobody reads the feed yet.

use std::sync::Arc;

use crate::acl::{CommandIndex, Rules, User};
use crate::catalog::Flags;
use crate::config::Settings;
use crate::config::values::EventClasses;
use crate::data::limits::Limits;
use crate::engine::execute::{Ending, Run};
use crate::engine::{Engine, Hold, encoding_limits};
use crate::metrics::Totals;
use crate::resp::{Args, OwnedArgs};
use crate::session::{Client, ClientId, Peer, Session};

/// Commands after which others may enter the gate exclusively.
const COMMANDS_PER_HOLD: usize = 64;

/// A command that this server does not have.
pub(super) struct Unknown(pub Vec<u8>);

/// Runs commands.
pub(super) struct Replayer {
    engine: &'static Engine,
    settings: Settings,
    limits: Limits,
    session: Session,
    exclusive: bool,
    reply: Vec<u8>,
    hold: Hold<'static>,
    held: usize,
}

impl Replayer {
    /// `exclusive` says that the caller holds the gate exclusively.
    pub fn new(engine: &'static Engine, settings: &Settings, exclusive: bool) -> Self {
        let mut settings = settings.clone();
        // Nobody asked for these commands now: they are nobody's events and in nobody's figures.
        settings.logging.slowlog_log_slower_than = -1;
        settings.logging.latency_monitor_threshold = 0;
        settings.logging.latency_tracking = false;
        settings.logging.notify_keyspace_events = EventClasses::default();
        Self {
            engine,
            limits: encoding_limits(&settings),
            settings,
            session: Session::new(Arc::new(client(engine)), true, engine.background_worker()),
            exclusive,
            reply: Vec::new(),
            hold: Hold::Nothing,
            held: 0,
        }
    }

    /// Whether a transaction has begun and not ended.
    pub fn is_in_transaction(&self) -> bool {
        self.session.transaction.is_some()
    }

    /// Runs a command, or queues it in a transaction.
    pub fn run(&mut self, args: OwnedArgs) -> Result<(), Unknown> {
        let args = args.as_args();
        let unknown = || Unknown(args.at(0).to_vec());
        let row = self.engine.table.resolve_replayed(args).map_err(|_| unknown())?;
        let spec = &self.engine.table.row(row).spec;
        if !spec.accepts(args.len()) {
            return Err(unknown());
        }
        if self.is_in_transaction() && !spec.flags.contains(Flags::NOT_QUEUED) {
            self.engine.queue(&mut self.session, row, args);
            return Ok(());
        }
        self.call(row, args);
        Ok(())
    }

    fn call(&mut self, row: usize, args: Args<'_>) {
        let engine = self.engine;
        let hold = self.enter();
        let mut run = Run::outside(&self.settings, &self.limits);
        (run.replays, run.hold) = (true, hold);
        self.reply.clear();
        engine.run_replayed(&mut run, &mut self.session, row, args, &mut self.reply);
        self.hold = run.hold;
        if self.reply.first() == Some(&b'-') {
            Totals::bump(&engine.workers[self.session.worker].totals.unexpected_errors, 1);
            tracing::warn!(
                "== CRITICAL == This server is sending an error to its AOF-loading-client: '{}' after processing the \
                 command '{}'",
                String::from_utf8_lossy(&self.reply[1..]).trim_end(),
                engine.table.row(row).spec.name
            );
        }
    }

    /// Leaves the gate until the next command.
    pub fn step_out(&mut self) {
        self.hold = Hold::Nothing;
    }

    /// The hold on the gate for the next command; left now and then, so that others get their turn.
    fn enter(&mut self) -> Hold<'static> {
        if self.exclusive {
            return Hold::Lent;
        }
        let hold = std::mem::replace(&mut self.hold, Hold::Nothing);
        self.held += 1;
        if !hold.is_nothing() && self.held < COMMANDS_PER_HOLD {
            return hold;
        }
        drop(hold);
        self.held = 0;
        self.engine.gate.shared()
    }
}

impl Engine {
    /// Runs a command that must not wait.
    fn run_replayed(
        &'static self,
        run: &mut Run<'_>,
        session: &mut Session,
        row: usize,
        args: Args<'_>,
        reply: &mut Vec<u8>,
    ) {
        let command = self.table.row(row);
        if command.spec.flags.contains(Flags::RUNS_QUEUE) {
            // A waiter is what only a single command can become.
            let _ = self.execute_transaction(run, session, row, args, reply);
            return;
        }
        let exclusive = command.spec.flags.contains(Flags::EXCLUSIVE);
        if exclusive && !run.hold.is_exclusive() {
            run.hold = Hold::Nothing;
            run.hold = self.gate.exclusive();
        }
        let mut keys = self.lock_keys(run, session.db, [(session.db, command, args)].into_iter(), exclusive);
        let ending = self.invoke(run, session, row, args, reply, &mut keys, false);
        debug_assert!(matches!(ending, Ending::Replied), "nothing that is replayed waits");
        let created = self.release(run, session.worker, keys);
        self.serve_waiters(run, session.worker, created);
        if let Hold::Exclusive(_) = run.hold {
            run.hold = Hold::Nothing;
        }
    }
}

/// The client that the commands see; it is not connected, and may do everything.
fn client(engine: &Engine) -> Client {
    let commands = CommandIndex::new(engine.table.rows().iter().map(|row| &row.spec));
    let user = User::new(b"", Rules::of_default_user(&commands));
    let peer = Peer { address: "append-only-file".into(), local: String::new(), fd: -1 };
    Client::new(ClientId(0), peer, None, crate::base::clock::UnixMillis::now().0, Arc::new(user))
}
