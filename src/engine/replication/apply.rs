//! Carrying out the primary's stream, and passing it on.
//!
//! Each command (a transaction is one) and its bytes in the feed come under the same hold of the gate, so a snapshot for a replica of
//! this server is never between the two.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::super::execute::{Flow, Run};
use super::super::{Engine, Hold, encoding_limits};
use crate::base::clock::UnixMillis;
use crate::catalog::Flags;
use crate::config::Settings;
use crate::config::values::PropagationError;
use crate::keyspace::DbIndex;
use crate::metrics::Totals;
use crate::replication::{is_endless, stream_limits};
use crate::resp::{Args, Parsed, Parser};
use crate::session::{Client, Counterpart, Session};

/// Room given back when a large command has been carried out.
const SPARE_BYTES: usize = 1 << 20;

/// The stream cannot be read; the text says why.
#[derive(Debug)]
pub struct StreamBroken(pub String);

/// Carries out one link's stream.
pub struct Applier {
    engine: &'static Engine,
    session: Session,
    parser: Parser,
    input: Vec<u8>,
    /// What the command that runs replies; the primary does not hear it.
    reply: Vec<u8>,
    /// What has been passed on of the input.
    passed_on: usize,
    /// What has been carried out or queued of it.
    done: usize,
}

impl Applier {
    /// For the stream of `client`, which is in database `db`.
    pub fn new(engine: &'static Engine, client: Arc<Client>, db: DbIndex) -> Self {
        let mut session = Session::new(client, true, engine.background_worker());
        session.counterpart = Counterpart::Primary;
        session.db = db;
        session.client.db.store(db.0, Relaxed);
        let (parser, input, reply) = (Parser::new(), Vec::new(), Vec::new());
        Self { engine, session, parser, input, reply, passed_on: 0, done: 0 }
    }

    /// Whether the primary has asked how far this server is.
    pub fn take_question(&mut self) -> bool {
        std::mem::take(&mut self.session.must_confirm)
    }

    /// Carries out what has come in, as far as it is whole.
    pub fn apply(&mut self, bytes: &[u8]) -> Result<(), StreamBroken> {
        self.input.extend_from_slice(bytes);
        let settings = self.engine.config.snapshot();
        let limits = encoding_limits(&settings);
        let mut run = Run::outside(&settings, &limits);
        run.from_primary = true;
        run.hold = self.engine.gate.shared();
        self.session.client.last_seen.store(UnixMillis::now().0, Relaxed);
        let bounds = stream_limits(settings.limits.proto_max_bulk_len);
        let result = loop {
            let rest = &self.input[self.done..];
            match self.parser.parse(rest, bounds) {
                Parsed::Incomplete if is_endless(bounds, rest.len()) => {
                    break Err(StreamBroken("Protocol error from master: a command without an end".into()));
                }
                Parsed::Incomplete => break Ok(()),
                Parsed::Broken(error) => break Err(StreamBroken(format!("Protocol error from master: {error}"))),
                Parsed::Nothing => self.advance(),
                Parsed::Request => self.carry_out(&mut run, &settings),
            }
        };
        drop(run);
        self.engine.broadcast_changes(&settings);
        // Nobody waits for a reply: what the primary is told of the disk says how far that is.
        let _ = self.engine.log_changes(&settings);
        self.input.drain(..self.passed_on);
        self.done -= self.passed_on;
        self.passed_on = 0;
        if self.input.capacity() > SPARE_BYTES && self.input.len() < SPARE_BYTES / 2 {
            self.input.shrink_to(SPARE_BYTES);
        }
        result
    }

    fn carry_out(&mut self, run: &mut Run<'_>, settings: &Settings) {
        let engine = self.engine;
        let args = self.parser.args(&self.input[self.done..]);
        let alone = engine.needs_gate(&self.session, args).then(|| {
            drop(std::mem::replace(&mut run.hold, Hold::Lent));
            engine.gate.exclusive()
        });
        self.reply.clear();
        self.reply.shrink_to(SPARE_BYTES);
        if let Flow::Wait(waiter) = engine.execute(run, &mut self.session, args, &mut self.reply) {
            engine.waiters.forget(&waiter);
        }
        if self.reply.first() == Some(&b'-') {
            Totals::bump(&engine.workers[self.session.worker].totals.unexpected_errors, 1);
            report_error(settings, &self.reply, args);
        }
        self.advance();
        if alone.is_some() {
            drop(alone);
            run.hold = engine.gate.shared();
        }
    }

    /// Goes behind the request that was parsed. What is part of a transaction is passed on with its end.
    fn advance(&mut self) {
        self.done += self.parser.consumed();
        self.parser.next();
        if self.session.transaction.is_none() {
            self.engine.feed.append_proxied(&self.input[self.passed_on..self.done], self.session.db);
            self.passed_on = self.done;
        }
    }
}

/// A command that the primary carried out has failed here: the two are no longer the same.
fn report_error(settings: &Settings, reply: &[u8], args: Args<'_>) {
    let (text, name) = (String::from_utf8_lossy(reply), String::from_utf8_lossy(args.at(0)));
    tracing::error!(
        "== CRITICAL == This replica is sending an error to its master: '{}' after processing the command '{}'",
        text.trim_start_matches('-').trim_end(),
        name.to_lowercase()
    );
    let replication = &settings.replication;
    // Whoever writes to a replica has taken it upon himself that the two differ.
    if replication.replica_read_only && replication.propagation_error_behavior != PropagationError::Ignore {
        tracing::error!(
            "This replica stops (propagation-error-behavior): it sent an error to its master after processing the command '{name}'"
        );
        std::process::abort();
    }
}

impl Engine {
    /// Whether a command of the primary's stream needs all keys to itself.
    fn needs_gate(&self, session: &Session, args: Args<'_>) -> bool {
        let Ok(row) = self.table.resolve_replayed(args) else { return false };
        let flags = self.table.row(row).spec.flags;
        if flags.contains(Flags::RUNS_QUEUE) {
            return self.any_queued(session, Flags::EXCLUSIVE | Flags::WALKS | Flags::OTHER_DB);
        }
        flags.contains(Flags::EXCLUSIVE) && (session.transaction.is_none() || flags.contains(Flags::NOT_QUEUED))
    }
}
