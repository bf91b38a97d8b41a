//! One request, from its arguments to its reply: look up the row, check, lock the keys, run, record.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use smallvec::SmallVec;

use super::Engine;
use super::admit::Refusal;
use super::blocking::Waiter;
use super::change::{Change, EventClass, Replayed};
use super::command::{Command, Outcome, Wait};
use super::context::Context;
use super::gate::Hold;
use super::reply_limit::ReplyLimit;
use crate::base::clock::UnixMillis;
use crate::catalog::{self, Flags, KeyFlags};
use crate::config::Settings;
use crate::data::limits::Limits;
use crate::keyspace::{Access, DbIndex, HashedKey, Keys, LockRequest};
use crate::metrics::Totals;
use crate::resp::{Args, Reply, WireError};
use crate::session::{ClientFlags, CloseReason, Counterpart, ReplyMode, ScriptDebugging, Session};

/// What the connection does next.
pub enum Flow {
    /// The next request.
    Continue,
    /// The next request, in a batch of its own: the configuration may have changed.
    NextBatch,
    /// Nothing until the script that was set aside has ended.
    Script,
    /// What the client sends next is for the debugger of its script, which has stopped.
    Debugger,
    /// Nothing until the waiter is served or its time is up.
    Wait(Arc<Waiter>),
    /// The same request again once CLIENT PAUSE allows, or a script is debugged no more.
    Paused,
    /// Send what is there, after this time.
    Hold(Duration),
    /// Send what is there, then close.
    Close,
}

/// What stays the same over one batch of requests.
pub struct Run<'r> {
    /// The configuration.
    pub settings: &'r Settings,
    /// Where encodings change.
    pub limits: &'r Limits,
    /// The hold on the gate.
    pub hold: Hold<'static>,
    /// When the last command ended: the next one starts then.
    pub clock: Instant,
    /// The wall clock, read once per batch and after slow commands.
    pub now: UnixMillis,
    /// The key of the request that runs, where it was hashed ahead.
    pub hashed: HashedKey,
    /// Whether what runs comes from our primary, who alone decides what has expired.
    pub from_primary: bool,
    /// Collects how changes must be replayed, where they are parts of a whole; otherwise each goes to the feed at once.
    pub effects: RefCell<Option<Vec<Replayed>>>,
    /// Where the reply begins that the next one is a part of, in a transaction.
    pub reply_start: Option<usize>,
    /// Whether commands are replayed that were written down when they took effect: what has expired since is still seen, and what they
    /// change is not written down again.
    pub replays: bool,
}

impl<'r> Run<'r> {
    /// Enters the gate for a batch; a busy gate is not entered.
    pub fn begin(engine: &'static Engine, settings: &'r Settings, limits: &'r Limits) -> Self {
        let hold = engine.gate.shared_unless_busy();
        Self { hold, ..Self::outside(settings, limits) }
    }

    /// Outside the gate.
    pub(super) fn outside(settings: &'r Settings, limits: &'r Limits) -> Self {
        Self {
            settings,
            limits,
            hold: Hold::Nothing,
            clock: Instant::now(),
            now: UnixMillis::now(),
            hashed: HashedKey::default(),
            from_primary: false,
            effects: RefCell::default(),
            reply_start: None,
            replays: false,
        }
    }
}

impl Engine {
    /// Runs one request of a connection; the reply goes to the end of `out`.
    pub fn execute(&'static self, run: &mut Run<'_>, session: &mut Session, args: Args<'_>, out: &mut Vec<u8>) -> Flow {
        if run.hold.is_nothing() && !self.enter_or_wait(run, args) {
            return Flow::Paused;
        }
        let admitted = self.admit(run, session, args);
        self.flush_tracking(run.settings, session, out);
        let start = out.len();
        let row = match admitted {
            Ok(row) => row,
            Err(Refusal { row, error }) => {
                if let Some(row) = row {
                    self.workers[session.worker].commands[row].rejected();
                }
                let error = self.abort_transaction(session, row, error);
                self.error_reply(session, out, &error);
                if session.outlet.is_some() {
                    self.refuse_reply(session, row, out, start);
                }
                return self.after_reply(session, out, start, Flags::NONE);
            }
        };
        let command = self.table.row(row);
        if session.transaction.is_some() && !command.spec.flags.contains(Flags::NOT_QUEUED) {
            self.queue(session, row, args);
            Reply::new(out, session.protocol).status("QUEUED");
            return self.after_reply(session, out, start, Flags::NONE);
        }
        if self.is_paused(run, session, command, args) {
            return Flow::Paused;
        }
        session.client.last_command.store(row as u32, Relaxed);
        let waiter = if self.may_take_long(run, session, command) {
            match self.call_on_own_stack(run, session, row, args, out) {
                Ok(waiter) => waiter,
                Err(flow) => return flow,
            }
        } else {
            self.call(run, session, row, args, out)
        };
        if session.outlet.is_some() && out.len() > start {
            self.refuse_reply(session, Some(row), out, start);
        }
        self.after_call(session, row, waiter, out, start)
    }

    /// Enters the gate if it is not busy; `false` if the request must wait, since what makes it busy is a script that somebody
    /// debugs: nobody is told of that, however long it takes.
    #[cold]
    fn enter_or_wait(&'static self, run: &mut Run<'_>, args: Args<'_>) -> bool {
        let debugged = self.running_script.is_debugged();
        run.hold = self.gate.shared_unless_busy();
        let held = run.hold.is_nothing() && (debugged || self.running_script.is_debugged());
        !held || self.table.resolve(args).is_ok_and(|row| self.table.row(row).spec.flags.contains(Flags::ALLOW_BUSY))
    }

    /// Resolves when a request that had to wait may be tried again: CLIENT PAUSE has ended, or the debugging of a script.
    pub async fn may_go_on(&self) {
        if self.running_script.is_debugged() {
            self.running_script.debugging_ended().await;
        } else {
            self.pause.changed().await;
        }
    }

    /// A reply would be taken for a part of the stream: the replica that caused it is closed instead.
    #[cold]
    fn refuse_reply(&self, session: &Session, row: Option<usize>, out: &mut Vec<u8>, start: usize) {
        let name = row.map_or("<unknown>", |row| self.table.row(row).spec.name);
        if let Some(error) = out[start..].strip_prefix(b"-") {
            Totals::bump(&self.workers[session.worker].totals.unexpected_errors, 1);
            tracing::error!(
                "== CRITICAL == This master is sending an error to its replica: '-{}' after processing the command '{name}'",
                String::from_utf8_lossy(error).trim_end()
            );
        }
        out.truncate(start);
        let client = self.describe_client(&session.client, UnixMillis::now());
        tracing::warn!("Replica generated a reply to command '{name}', disconnecting it: {client}");
        session.client.close(CloseReason::Asked);
    }

    /// What the connection does after a command.
    pub(super) fn after_call(
        &self,
        session: &mut Session,
        row: usize,
        waiter: Option<Arc<Waiter>>,
        out: &mut Vec<u8>,
        start: usize,
    ) -> Flow {
        if let Some(waiter) = waiter {
            return Flow::Wait(waiter);
        }
        let flags = self.table.row(row).spec.flags;
        match self.after_reply(session, out, start, flags) {
            Flow::Continue if flags.contains(Flags::ADMIN) => Flow::NextBatch,
            flow => flow,
        }
    }

    /// Whether a command may run a script, which may then have to be set aside.
    fn may_take_long(&self, run: &Run<'_>, session: &Session, command: &Command) -> bool {
        let flags = command.spec.flags;
        flags.intersects(Flags::RUNS_SCRIPT | Flags::RUNS_QUEUE)
            && session.counterpart != Counterpart::Primary
            && (run.settings.general.busy_reply_threshold > 0 || session.debugging != ScriptDebugging::Off)
            && (flags.intersects(Flags::RUNS_SCRIPT) || self.any_queued(session, Flags::RUNS_SCRIPT))
    }

    /// Runs a command whose turn it is; a waiter comes back when it must wait.
    pub(super) fn call(
        &'static self,
        run: &mut Run<'_>,
        session: &mut Session,
        row: usize,
        args: Args<'_>,
        out: &mut Vec<u8>,
    ) -> Option<Arc<Waiter>> {
        let command = self.table.row(row);
        let flags = command.spec.flags;
        if self.monitors.any() && !flags.intersects(Flags::SKIP_MONITOR | Flags::ADMIN | Flags::RUNS_QUEUE) {
            self.monitors.show(&command.spec, session, args, &run.settings.limits.client_output_buffer_limit);
        }
        if flags.contains(Flags::RUNS_QUEUE) {
            let waiter = self.execute_transaction(run, session, row, args, out);
            // Shown behind what it ran, also where it refused to run anything.
            if self.monitors.any() {
                self.monitors.show(
                    &self.table.row(row).spec,
                    session,
                    args,
                    &run.settings.limits.client_output_buffer_limit,
                );
            }
            return waiter;
        }
        let exclusive = flags.contains(Flags::EXCLUSIVE);
        if exclusive && !run.hold.upgrade(&self.gate) {
            self.workers[session.worker].commands[row].rejected();
            self.error_reply(session, out, &self.running_script.busy_error());
            return None;
        }
        let mut keys = self.lock_keys(run, session.db, [(session.db, command, args)].into_iter(), exclusive);
        let waiter = match self.invoke(run, session, row, args, out, &mut keys, true) {
            Ending::Waits(wait) => Some(self.park(session, row, args, wait)),
            Ending::Replied => None,
        };
        (session.written, session.logged) = (self.feed.end().0, self.feed.tail.end());
        let created = self.release(run, session.worker, keys);
        self.serve_waiters(run, session.worker, created);
        if exclusive {
            run.hold.downgrade(&self.gate);
        }
        waiter
    }

    /// Locks the keys of one or more commands.
    pub(super) fn lock_keys<'c>(
        &'static self,
        run: &Run<'_>,
        db: DbIndex,
        commands: impl Iterator<Item = (DbIndex, &'static Command, Args<'c>)>,
        exclusive: bool,
    ) -> Keys<'static> {
        let freshness = Self::freshness(run.settings);
        let mut keys = if exclusive || run.hold.is_exclusive() {
            if !run.replays {
                self.expire_all_fields(run);
            }
            Keys::exclusive(&self.keyspace, db, run.now, freshness)
        } else {
            let mut requests = SmallVec::<[LockRequest; 4]>::new();
            let mut hashed = HashedKey::default();
            for (db, command, args) in commands {
                let writes = command.spec.flags.contains(Flags::WRITE);
                catalog::for_each_key(
                    &command.spec,
                    args.len(),
                    |i| args.at(i),
                    |index, spec| {
                        let key = args.at(index);
                        let hash = run.hashed.of(key).unwrap_or_else(|| self.keyspace.hash(key));
                        hashed = HashedKey::new(key, hash);
                        // A command that only reads may still note something in the value (PFCOUNT).
                        let access = if writes || spec.contains(KeyFlags::RW) { Access::Write } else { Access::Read };
                        requests.push(LockRequest { db, hash, access });
                    },
                );
                self.add_target_database(command, args, db, &mut requests);
            }
            if !run.replays {
                self.expire_fields_of(run, &requests);
            }
            let mut keys = Keys::lock(&self.keyspace, db, &requests, run.now, freshness);
            keys.remember(hashed);
            keys
        };
        keys.report_created(self.waiters.any());
        let events = EventClass::from_bits_truncate(run.settings.logging.notify_keyspace_events.0);
        keys.report_events(events.contains(EventClass::NEW), events.contains(EventClass::KEY_MISS));
        keys.see_expired = run.from_primary || run.replays;
        keys
    }

    /// COPY and MOVE touch the same key names in a second database, which the row marks.
    fn add_target_database(
        &self,
        command: &Command,
        args: Args<'_>,
        db: DbIndex,
        requests: &mut SmallVec<[LockRequest; 4]>,
    ) {
        if !command.spec.flags.contains(Flags::OTHER_DB) {
            return;
        }
        let named = (1..args.len()).filter_map(|i| crate::base::number::parse_i64(args.at(i)));
        let others: SmallVec<[DbIndex; 2]> = named
            .filter(|n| (0..i64::from(self.keyspace.count())).contains(n))
            .map(|n| DbIndex(n as u32))
            .filter(|other| *other != db)
            .collect();
        for other in others {
            for index in 1..args.len().min(3) {
                requests.push(LockRequest {
                    db: other,
                    hash: self.keyspace.hash(args.at(index)),
                    access: Access::Write,
                });
            }
        }
    }

    /// Runs the handler, records the change and the figures. The locks stay with the keys.
    #[allow(clippy::too_many_arguments, reason = "the parts of one call, each needed")]
    pub(super) fn invoke(
        &'static self,
        run: &mut Run<'_>,
        session: &mut Session,
        row: usize,
        args: Args<'_>,
        out: &mut Vec<u8>,
        keys: &mut Keys<'static>,
        may_wait: bool,
    ) -> Ending {
        let command = self.table.row(row);
        keys.no_touch =
            session.client.flags().contains(ClientFlags::NO_TOUCH) && !command.spec.flags.contains(Flags::TOUCHES);
        let start = out.len();
        let protocol = session.protocol;
        let limit = ReplyLimit::of(run.settings, session);
        let mut context = Context {
            args,
            command,
            keys: &mut *keys,
            reply: Reply::new(out, protocol).limited(limit.end(run.reply_start.unwrap_or(start))),
            change: Change::default(),
            session: &mut *session,
            engine: self,
            settings: run.settings,
            limits: run.limits,
            may_wait,
        };
        let mut result = (command.run)(&mut context);
        if context.reply.is_futile() && matches!(result, Ok(Outcome::Done | Outcome::Failed)) {
            self.reply_passed(limit, context.session, &mut context.reply, start);
            result = Ok(Outcome::Failed);
        }
        let change = context.change;
        let failed = matches!(result, Err(_) | Ok(Outcome::Failed));
        let ending = match result {
            Ok(Outcome::Done | Outcome::Failed) => Ending::Replied,
            Ok(Outcome::Wait(wait)) => Ending::Waits(wait),
            Err(error) => {
                out.truncate(start);
                self.error_reply(session, out, &error);
                Ending::Replied
            }
        };
        let own = !run.from_primary && !run.replays;
        if own && self.replication.is_replica() && command.spec.flags.contains(Flags::WRITE) {
            self.note_own_keys(keys, command, args);
        }
        self.record(run, keys, args, change, session.worker);
        // What a script reads, its host remembers.
        if !matches!(run.hold, Hold::Lent) {
            self.remember_reads(&session.client, command, command, args);
        }
        let waits = matches!(ending, Ending::Waits(_));
        self.count_call(run, session, row, args, failed, waits);
        if !waits {
            self.log_large(run, session, row, args, out.len() - start);
        }
        ending
    }

    pub(super) fn count_call(
        &self,
        run: &mut Run<'_>,
        session: &Session,
        row: usize,
        args: Args<'_>,
        failed: bool,
        waits: bool,
    ) {
        let end = Instant::now();
        let nanos = end.duration_since(run.clock).as_nanos() as u64;
        run.clock = end;
        let micros = nanos / 1000;
        if micros > 500 {
            run.now = UnixMillis::now();
        }
        let worker = &self.workers[session.worker];
        Totals::bump(&worker.totals.commands, 1);
        let flags = self.table.row(row).spec.flags;
        // A command that waits is counted, with its whole time, when it ends; only its first attempt is quick.
        if !waits {
            worker.commands[row].ran(nanos, failed, run.settings.logging.latency_tracking);
        }
        let settings = run.settings;
        if !waits {
            self.log_slow(run, session, row, args, micros);
        }
        let threshold = settings.logging.latency_monitor_threshold;
        if threshold > 0 && micros >= threshold * 1000 && !waits {
            let event = if flags.contains(Flags::FAST) { "fast-command" } else { "command" };
            self.latency.note(event, run.now.seconds(), micros / 1000);
        }
    }

    /// Counts an error.
    pub(super) fn count_error(&self, session: &Session, error: &WireError) {
        Totals::bump(&self.workers[session.worker].totals.errors, 1);
        self.errors.count(error.code());
    }

    /// Writes an error reply and counts it.
    pub fn error_reply(&self, session: &Session, out: &mut Vec<u8>, error: &WireError) {
        self.count_error(session, error);
        Reply::new(out, session.protocol).error(error);
    }

    /// CLIENT REPLY, and closing after a reply.
    fn after_reply(&self, session: &mut Session, out: &mut Vec<u8>, start: usize, flags: Flags) -> Flow {
        if session.reply_mode != ReplyMode::On {
            if !flags.contains(Flags::PUSHES) {
                out.truncate(start);
            }
            session.reply_mode = match session.reply_mode {
                ReplyMode::SkipNext => ReplyMode::Skip,
                ReplyMode::Skip => ReplyMode::On,
                other => other,
            };
        }
        Self::count_down_caching(session);
        let hold = std::mem::take(&mut session.hold_replies);
        match (session.close_after_reply, hold.is_zero()) {
            (true, _) => Flow::Close,
            (false, true) => Flow::Continue,
            (false, false) => Flow::Hold(hold),
        }
    }
}

/// How an invocation ended.
pub(super) enum Ending {
    /// The reply is written.
    Replied,
    /// It wants to wait.
    Waits(Wait),
}
