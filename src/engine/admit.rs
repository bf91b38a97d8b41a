//! What may refuse a request before it runs: authentication, users' rules, the state of the server, its memory, its role.

use std::sync::atomic::Ordering::Relaxed;

use super::command::Command;
use super::execute::Run;
use super::{Engine, PauseScope};
use crate::acl::Occasion;
use crate::catalog::{Flags, Spec};
use crate::config::Settings;
use crate::resp::{Args, Protocol, WireError};
use crate::scripting::{ScriptDigest, ScriptFlags};
use crate::session::{Counterpart, ReplyMode, Session};

/// What a replica, which gets all keys with the stream, may not send.
const TOUCHES_KEYSPACE: Flags = Flags::WRITE.union(Flags::READONLY).union(Flags::MAY_REPLICATE);
const NOT_FOR_REPLICAS: WireError = WireError::fixed("ERR Replica can't interact with the keyspace");

/// A request that is not run, and its row where it has one.
pub(super) struct Refusal {
    pub row: Option<usize>,
    pub error: WireError,
}

impl Engine {
    /// A command's flags, with what the script that it runs declares.
    pub(super) fn effective_flags(&self, spec: &Spec, args: Args<'_>) -> Flags {
        let flags = spec.flags;
        let Some(subject) = args.get(1).filter(|_| flags.intersects(Flags::RUNS_SCRIPT)) else { return flags };
        let declared = if flags.contains(Flags::RUNS_TEXT) {
            self.scripts.flags_of(subject)
        } else if flags.contains(Flags::RUNS_DIGEST) {
            ScriptDigest::given(subject).and_then(|digest| self.scripts.find(&digest))
        } else {
            self.libraries.find(subject)
        };
        let Some(declared) = declared else { return flags };
        if declared.contains(ScriptFlags::UNDECLARED) {
            // It may read anything: nothing that is stale.
            return flags - Flags::STALE;
        }
        let mut flags = flags - (Flags::STALE | Flags::DENYOOM | Flags::WRITE | Flags::MAY_REPLICATE);
        flags.set(Flags::WRITE, !declared.contains(ScriptFlags::NO_WRITES));
        flags.set(Flags::DENYOOM, !declared.intersects(ScriptFlags::NO_WRITES | ScriptFlags::ALLOW_OOM));
        flags.set(Flags::STALE, declared.contains(ScriptFlags::ALLOW_STALE));
        flags
    }

    /// Everything that may refuse a command before it runs.
    pub(super) fn admit(
        &'static self,
        run: &mut Run<'_>,
        session: &mut Session,
        args: Args<'_>,
    ) -> Result<usize, Refusal> {
        let resolved = match self.table.resolve(args) {
            Err(_) if session.counterpart == Counterpart::Primary => self.table.resolve_replayed(args),
            resolved => resolved,
        };
        let row = resolved.map_err(|error| {
            if speaks_http(args) {
                tracing::warn!(
                    "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis. \
                     Connection from {} aborted.",
                    session.client.peer.address
                );
                (session.reply_mode, session.close_after_reply) = (ReplyMode::Off, true);
            }
            Refusal { row: None, error }
        })?;
        let refuse = |error| Err(Refusal { row: Some(row), error });
        let spec = &self.table.row(row).spec;
        if !spec.accepts(args.len()) {
            return refuse(WireError::wrong_arity(spec.name));
        }
        match session.counterpart {
            Counterpart::Client => {}
            Counterpart::Primary => {
                self.heed_disk_as_replica(run, session, spec, args);
                return Ok(row);
            }
            Counterpart::Replica if spec.flags.intersects(TOUCHES_KEYSPACE) => return refuse(NOT_FOR_REPLICAS),
            Counterpart::Replica => {}
        }
        if !session.authenticated && !spec.flags.contains(Flags::NO_AUTH) && self.must_authenticate(session) {
            return refuse(WireError::NO_AUTH);
        }
        if spec.flags.contains(Flags::PROTECTED) && !self.allows_protected(run.settings, session, spec.name) {
            return refuse(protected_refusal(spec.name));
        }
        if session.transaction.is_some() && spec.flags.contains(Flags::NO_MULTI) {
            return refuse(WireError::fixed("ERR Command not allowed inside a transaction"));
        }
        if let Err(denial) = session.user.check(row, spec, args) {
            session.client.last_command.store(row as u32, Relaxed);
            let occasion = if session.transaction.is_some() { Occasion::Multi } else { Occasion::TopLevel };
            return refuse(self.refuse(session, occasion, spec, args, denial));
        }
        let loading = self.saving.loads.is_active() && !spec.flags.contains(Flags::LOADING);
        if run.hold.is_nothing() {
            // A script that is being loaded may be what holds the gate.
            if loading {
                return refuse(WireError::LOADING);
            }
            // Keys may be looked at inside the gate only.
            let allowed = spec.flags.contains(Flags::ALLOW_BUSY) && !spec.has_keys();
            return if allowed { Ok(row) } else { refuse(self.running_script.busy_error()) };
        }
        session.over_memory = false;
        if run.settings.memory.maxmemory > 0 && self.may_evict(run.settings, run.now) {
            let over = !self.free_memory(run, session.worker);
            session.over_memory = over;
            // Queueing takes memory too; EXEC is refused if anything queued needs more.
            let queued = session.transaction.is_some() && !spec.flags.contains(Flags::NOT_QUEUED);
            let denied = queued
                || self.effective_flags(spec, args).contains(Flags::DENYOOM)
                || (spec.flags.contains(Flags::RUNS_QUEUE) && self.queue_needs_memory(session));
            if over && denied {
                return refuse(WireError::OUT_OF_MEMORY);
            }
        }
        if let Some(error) = self.disk_refusal(run.settings)
            && self.heeds_disk(session, spec, args)
        {
            return refuse(error);
        }
        if let Err(error) = self.check_role(run.settings, session, spec, args) {
            return refuse(error);
        }
        if loading {
            return refuse(WireError::LOADING);
        }
        if spec.flags.contains(Flags::NO_ASYNC_LOADING) && self.replication.link.report().loads_aside {
            return refuse(WireError::LOADING);
        }
        if session.protocol == Protocol::Resp2
            && !session.subscriptions.is_empty()
            && !spec.flags.contains(Flags::WHILE_SUBSCRIBED)
        {
            return refuse(subscribed_refusal(spec.name));
        }
        Ok(row)
    }

    /// A refused command spoils an open transaction; a refused EXEC ends it, and says so even where none was open.
    pub(super) fn abort_transaction(&self, session: &mut Session, row: Option<usize>, error: WireError) -> WireError {
        if let Some(transaction) = &mut session.transaction {
            transaction.aborted = true;
        }
        if !row.is_some_and(|row| self.table.row(row).spec.flags.contains(Flags::RUNS_QUEUE)) {
            return error;
        }
        self.close_transaction(session);
        // Its code takes the place of the general one.
        let cause = error.to_string();
        let cause = cause.strip_prefix("ERR ").unwrap_or(&cause);
        WireError::new(format!("EXECABORT Transaction discarded because of: {cause}"))
    }

    fn allows_protected(&self, settings: &Settings, session: &Session, name: &str) -> bool {
        let setting = if name.starts_with("debug") {
            settings.security.enable_debug_command
        } else {
            settings.security.enable_module_command
        };
        setting.allows(session.client.peer.is_loopback())
    }

    pub(super) fn is_paused(&self, run: &Run<'_>, session: &Session, command: &Command, args: Args<'_>) -> bool {
        let Some(scope) = self.pause.current(run.now) else { return false };
        let linked = session.counterpart != Counterpart::Client;
        if linked || command.spec.flags.contains(Flags::IGNORES_PAUSE) {
            return false;
        }
        scope == PauseScope::All
            || self.effective_flags(&command.spec, args).intersects(Flags::WRITE | Flags::MAY_REPLICATE)
            || (command.spec.flags.contains(Flags::RUNS_QUEUE) && self.queue_may_write(session))
    }
}

/// Whether a request is a line of HTTP that no client of this server sends: a browser was made to send it.
fn speaks_http(args: Args<'_>) -> bool {
    args.is(0, "host:") || args.is(0, "post")
}

fn protected_refusal(name: &str) -> WireError {
    let name = name.split('|').next().unwrap_or(name).to_ascii_uppercase();
    let option = name.to_ascii_lowercase();
    WireError::new(format!(
        "ERR {name} command not allowed. If the enable-{option}-command option is set to \"local\", you can run it from a \
         local connection, otherwise you need to set this option in the configuration file, and then restart the server."
    ))
}

fn subscribed_refusal(name: &str) -> WireError {
    WireError::new(format!(
        "ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this \
         context"
    ))
}
