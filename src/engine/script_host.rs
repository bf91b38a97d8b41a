//! The server as a running script sees it: calling commands, with the checks that hold for scripts.
//!
//! A script runs inside the command that called it, under the exclusive gate: its commands use that command's keys, and act for
//! the same client. Its session is its own, so that SELECT and the protocol do not reach the caller's.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::change::{Replay, Replayed};
use super::command::{CommandResult, Outcome};
use super::context::Context;
use super::execute::{Ending, Run};
use super::gate::Hold;
use super::script_stack::{listen, step_aside};
use super::{Engine, encoding_limits};
use crate::acl::Occasion;
use crate::base::release::{RELEASE, Release};
use crate::catalog::Flags;
use crate::config::Settings;
use crate::data::limits::Limits;
use crate::keyspace::Keys;
use crate::resp::{Args, OwnedArgs, Protocol, WireError};
use crate::scripting::{Errors, Heard, Host, ReplicationTargets, SharedHost, Verdict};
use crate::session::Session;

/// How a script may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScriptRules {
    /// Its name, for whoever asks what runs: a digest, or a function's name.
    pub kind: ScriptKind,
    /// Whether writing is refused.
    pub read_only: bool,
    /// Whether commands that need memory may run when it is over the limit.
    pub allow_oom: bool,
}

/// What a script was called by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptKind {
    /// EVAL and its kin.
    Script,
    /// FCALL and its kin.
    Function,
}

/// The server, lent to one run of a script.
struct ScriptHost {
    engine: &'static Engine,
    settings: Arc<Settings>,
    limits: Limits,
    rules: ScriptRules,
    name: String,
    /// The request that called the script.
    request: OwnedArgs,
    session: Session,
    /// The calling command's keys.
    keys: Keys<'static>,
    /// What its commands have changed, as it must be replayed.
    effects: Vec<Replayed>,
    targets: ReplicationTargets,
    /// Whether memory was over the limit when the script began.
    over_memory: bool,
    wrote: bool,
    started: Instant,
    threshold: Option<Duration>,
}

impl Context<'_> {
    /// Runs a script within this command: `run` gets the host to lend to it, and writes the reply.
    pub fn run_script(
        &mut self,
        name: &str,
        rules: ScriptRules,
        run: impl FnOnce(&SharedHost, &mut crate::resp::Reply<'_>) -> Result<Errors, WireError>,
    ) -> CommandResult {
        let engine = self.engine;
        let start = self.reply.position();
        let placeholder =
            Keys::exclusive(self.keys.keyspace(), self.keys.db(), self.keys.now, Engine::freshness(self.settings));
        let threshold = self.settings.general.busy_reply_threshold;
        let settings = engine.config.snapshot();
        let host = Rc::new(RefCell::new(ScriptHost {
            engine,
            limits: encoding_limits(&settings),
            settings,
            rules,
            name: name.to_owned(),
            request: self.args.to_owned(),
            session: engine.script_session(self.session),
            keys: std::mem::replace(self.keys, placeholder),
            effects: Vec::new(),
            targets: ReplicationTargets::all(),
            over_memory: self.session.over_memory,
            wrote: false,
            started: Instant::now(),
            threshold: (threshold > 0).then(|| Duration::from_millis(threshold)),
        }));
        let shared: SharedHost = host.clone();
        let ran = run(&shared, &mut self.reply);
        drop(shared);
        engine.running_script.end(&engine.gate);
        let mut host = host.borrow_mut();
        let own_db = self.keys.db();
        std::mem::swap(self.keys, &mut host.keys);
        self.keys.select(own_db);
        self.session.client.db.store(self.session.db.0, Relaxed);
        self.change.replay = Replay::Each(std::mem::take(&mut host.effects));
        for error in ran? {
            engine.count_error(self.session, &error);
        }
        let failed = self.reply.since(start).first() == Some(&b'-');
        Ok(if failed { Outcome::Failed } else { Outcome::Done })
    }
}

impl Engine {
    /// The session a script's commands run in.
    fn script_session(&self, caller: &Session) -> Session {
        let mut session = Session::new(Arc::clone(&caller.client), true, caller.worker);
        session.db = caller.db;
        session.over_memory = caller.over_memory;
        session.user = Arc::clone(&caller.user);
        session.in_script = true;
        session
    }
}

impl ScriptHost {
    /// The row of a command that the script may run.
    fn admit(&mut self, args: Args<'_>) -> Result<usize, (Option<usize>, WireError)> {
        let row = match self.engine.table.resolve(args) {
            Ok(row) => row,
            Err(error) if error.text().starts_with("ERR wrong number") => {
                return Err((None, WireError::fixed(WRONG_ARITY)));
            }
            Err(_) => return Err((None, WireError::fixed("ERR Unknown Redis command called from script"))),
        };
        let spec = &self.engine.table.row(row).spec;
        let refuse = |text| Err((Some(row), WireError::fixed(text)));
        if !spec.accepts(args.len()) {
            return refuse(WRONG_ARITY);
        }
        if spec.flags.contains(Flags::NOSCRIPT) && !self.engine.running_script.all_commands_allowed() {
            return refuse("ERR This Redis command is not allowed from script");
        }
        if let Err(denial) = self.session.user.check(row, spec, args) {
            self.engine.note_denial(&self.session, Occasion::Lua, spec, args, denial);
            let message = denial.script_message(self.session.user.name(), spec);
            return Err((Some(row), WireError::new(format!("ERR {message}"))));
        }
        if self.rules.read_only && spec.flags.intersects(Flags::WRITE | Flags::MAY_REPLICATE) {
            return refuse("ERR Write commands are not allowed from read-only scripts.");
        }
        if spec.flags.contains(Flags::DENYOOM) && self.over_memory && !self.rules.allow_oom && !self.wrote {
            return Err((Some(row), WireError::OUT_OF_MEMORY));
        }
        // What the primary or the append only file says is done whatever this server's role.
        if !self.keys.see_expired
            && let Err(error) = self.engine.check_script_command(&self.settings, spec, self.wrote)
        {
            return Err((Some(row), error));
        }
        self.wrote |= spec.flags.contains(Flags::WRITE);
        Ok(row)
    }

    /// Runs an admitted command.
    fn invoke(&mut self, row: usize, args: Args<'_>, reply: &mut Vec<u8>) {
        let engine = self.engine;
        self.keys.select(self.session.db);
        let mut run = Run::outside(&self.settings, &self.limits);
        run.hold = Hold::Lent;
        run.now = self.keys.now;
        run.from_primary = self.keys.see_expired;
        run.effects = RefCell::new(Some(std::mem::take(&mut self.effects)));
        let spec = &engine.table.row(row).spec;
        if engine.monitors.any() && !spec.flags.intersects(Flags::SKIP_MONITOR | Flags::ADMIN) {
            engine.monitors.show(spec, &self.session, args, &self.settings.limits.client_output_buffer_limit);
        }
        let known = run.effects.borrow().as_ref().map_or(0, Vec::len);
        let ending = engine.invoke(&mut run, &mut self.session, row, args, reply, &mut self.keys, false);
        debug_assert!(matches!(ending, Ending::Replied), "no command waits inside a script");
        self.remember_reads(row, args);
        self.effects = run.effects.take().unwrap_or_default();
        self.effects[known..].iter_mut().for_each(|(.., targets)| *targets = self.targets);
    }
}

impl ScriptHost {
    /// Notes for a client that caches keys what its script may have told it: by 7.0's rule all keys that the script was
    /// called with as soon as it reads anything, by 7.2's the keys it reads.
    fn remember_reads(&self, row: usize, args: Args<'_>) {
        let (table, client) = (&self.engine.table, &self.session.client);
        let command = table.row(row);
        match RELEASE {
            Release::Redis72 => self.engine.remember_reads(client, command, command, args),
            Release::Redis70 => {
                let request = self.request.as_args();
                if let Ok(caller) = table.resolve(request) {
                    self.engine.remember_reads(client, command, table.row(caller), request);
                }
            }
        }
    }
}

const WRONG_ARITY: &str = "ERR Wrong number of args calling Redis command from script";

impl Host for ScriptHost {
    fn call(&mut self, args: &OwnedArgs, reply: &mut Vec<u8>) -> Result<(), WireError> {
        let args = args.as_args();
        match self.admit(args) {
            Ok(row) => {
                self.invoke(row, args, reply);
                Ok(())
            }
            Err((row, error)) => {
                if let Some(row) = row {
                    self.engine.workers[self.session.worker].commands[row].rejected();
                }
                self.engine.count_error(&self.session, &error);
                Err(error)
            }
        }
    }

    fn protocol(&self) -> Protocol {
        self.session.protocol
    }

    fn set_protocol(&mut self, protocol: Protocol) {
        self.session.protocol = protocol;
    }

    fn set_replication(&mut self, targets: ReplicationTargets) {
        self.targets = targets;
    }

    fn may_run(&self, args: &OwnedArgs) -> Option<bool> {
        let args = args.as_args();
        let row = self.engine.table.resolve(args).ok()?;
        Some(self.session.user.check(row, &self.engine.table.row(row).spec, args).is_ok())
    }

    fn interrupt(&mut self) -> Verdict {
        let Some(threshold) = self.threshold else { return Verdict::Continue };
        let running = &self.engine.running_script;
        if !running.is_known() {
            let elapsed = self.started.elapsed();
            if elapsed < threshold {
                return Verdict::Continue;
            }
            let command = if self.rules.kind == ScriptKind::Script { "SCRIPT KILL" } else { "FUNCTION KILL" };
            tracing::warn!(
                "Slow script detected: still in execution after {} milliseconds. You can try killing the script using the \
                 {command} command. Script name is: {}.",
                elapsed.as_millis(),
                self.name
            );
            running.make_known(&self.engine.gate, self.rules.kind, &self.name, &self.request, self.started);
        }
        running.set_wrote(self.wrote);
        step_aside();
        if running.is_killed() { Verdict::Kill } else { Verdict::Continue }
    }

    fn converse(&mut self, said: Vec<u8>) -> Heard {
        let running = &self.engine.running_script;
        running.hold_for_debugger(&self.engine.gate, self.rules.kind, &self.name, &self.request, self.started);
        running.set_wrote(self.wrote);
        listen(said)
    }

    fn is_killed(&self) -> bool {
        self.engine.running_script.is_killed()
    }
}
