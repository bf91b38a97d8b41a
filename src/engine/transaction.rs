//! MULTI and EXEC: queueing commands, and running what was queued as one.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::Engine;
use super::blocking::Waiter;
use super::execute::{Ending, Run};
use super::permissions::refused_since_queued;
use crate::acl::Occasion;
use crate::catalog::Flags;
use crate::keyspace::{Access, DbIndex, Keys, LockRequest};
use crate::resp::{Args, Reply, WireError};
use crate::session::{ClientFlags, Queued, Session, Transaction};

impl Engine {
    /// Opens a transaction.
    pub fn open_transaction(&self, session: &mut Session) {
        session.transaction = Some(Transaction::default());
        session.client.set_flags(ClientFlags::MULTI, true);
        session.client.queued.store(0, Relaxed);
    }

    /// Closes a transaction without running it; watched keys are no longer watched.
    pub fn close_transaction(&self, session: &mut Session) -> Option<Transaction> {
        self.watches.clear(session);
        session.client.set_flags(ClientFlags::MULTI | ClientFlags::DIRTY_CAS, false);
        session.client.queued.store(-1, Relaxed);
        session.client.queued_bytes.store(0, Relaxed);
        session.transaction.take()
    }

    /// Closes the open transaction, if one is.
    pub fn close_transaction_if_open(&self, session: &mut Session) -> Option<Transaction> {
        session.transaction.is_some().then(|| self.close_transaction(session)).flatten()
    }

    /// Puts a command into the open transaction.
    pub(super) fn queue(&self, session: &mut Session, row: usize, args: Args<'_>) {
        let Some(transaction) = &mut session.transaction else { return };
        let args = args.to_owned();
        transaction.bytes += args.memory_usage();
        transaction.queue.push(Queued { command: row, args });
        session.client.queued.store(transaction.queue.len() as i64, Relaxed);
        session.client.queued_bytes.store(transaction.bytes as u64, Relaxed);
    }

    pub(super) fn queue_needs_memory(&self, session: &Session) -> bool {
        self.any_queued_will(session, Flags::DENYOOM)
    }

    pub(super) fn queue_may_write(&self, session: &Session) -> bool {
        self.any_queued_will(session, Flags::WRITE | Flags::MAY_REPLICATE)
    }

    /// As [`Engine::any_queued`], with what scripts declare.
    pub(super) fn any_queued_will(&self, session: &Session, flags: Flags) -> bool {
        let queue = session.transaction.iter().flat_map(|transaction| &transaction.queue);
        queue.into_iter().any(|queued| {
            self.effective_flags(&self.table.row(queued.command).spec, queued.args.as_args()).intersects(flags)
        })
    }

    pub(super) fn any_queued_without(&self, session: &Session, flag: Flags) -> bool {
        let queue = session.transaction.iter().flat_map(|transaction| &transaction.queue);
        queue.into_iter().any(|queued| !self.table.row(queued.command).spec.flags.contains(flag))
    }

    pub(super) fn any_queued(&self, session: &Session, flags: Flags) -> bool {
        let queue = session.transaction.iter().flat_map(|transaction| &transaction.queue);
        queue.into_iter().any(|queued| self.table.row(queued.command).spec.flags.intersects(flags))
    }

    /// EXEC: runs the queue under the locks of all its keys, or exclusively where a queued command needs that.
    pub(super) fn execute_transaction(
        &'static self,
        run: &mut Run<'_>,
        session: &mut Session,
        exec_row: usize,
        exec_args: Args<'_>,
        out: &mut Vec<u8>,
    ) -> Option<Arc<Waiter>> {
        let Some(transaction) = session.transaction.as_ref() else {
            self.error_reply(session, out, &WireError::fixed("ERR EXEC without MULTI"));
            self.count_call(run, session, exec_row, exec_args, true, false);
            return None;
        };
        if transaction.aborted {
            self.close_transaction(session);
            self.error_reply(session, out, &WireError::EXEC_ABORT);
            self.count_call(run, session, exec_row, exec_args, true, false);
            return None;
        }
        // One database and row-declared keys only: then locking those keys is enough.
        let simple = !self.any_queued(session, Flags::EXCLUSIVE | Flags::WALKS | Flags::OTHER_DB);
        if !simple && !run.hold.upgrade(&self.gate) {
            self.close_transaction(session);
            self.error_reply(session, out, &self.running_script.busy_error());
            return None;
        }
        let created = self.run_queue(run, session, exec_row, out);
        self.count_call(run, session, exec_row, exec_args, false, false);
        self.serve_waiters(run, session.worker, created);
        if !simple {
            run.hold.downgrade(&self.gate);
        }
        None
    }

    fn run_queue(
        &'static self,
        run: &mut Run<'_>,
        session: &mut Session,
        exec_row: usize,
        out: &mut Vec<u8>,
    ) -> Vec<(DbIndex, Box<[u8]>)> {
        let Some(transaction) = session.transaction.as_ref() else { return Vec::new() };
        // Before the locks of the queue, since each look takes a lock of its own.
        let expired = self.watched_expired(run, session);
        let commands = transaction.queue.iter().map(|q| (session.db, self.table.row(q.command), q.args.as_args()));
        let mut keys = self.lock_keys(run, session.db, commands, false);
        // Looked at under the locks: whoever changes a watched key before them is seen, nobody can after.
        let broken = session.watch_broken.load(Relaxed) || expired;
        let Some(transaction) = self.close_transaction(session) else { return Vec::new() };
        if broken {
            Reply::new(out, session.protocol).null_array();
            return Vec::new();
        }
        run.reply_start = Some(out.len());
        Reply::new(out, session.protocol).array(transaction.queue.len());
        let outer = run.effects.replace(Some(Vec::new()));
        for queued in &transaction.queue {
            let spec = &self.table.row(queued.command).spec;
            if let Err(denial) = session.user.check(queued.command, spec, queued.args.as_args()) {
                session.client.last_command.store(exec_row as u32, Relaxed);
                self.note_denial(session, Occasion::Multi, spec, queued.args.as_args(), denial);
                self.error_reply(session, out, &refused_since_queued(denial));
                continue;
            }
            keys.select(session.db);
            if self.monitors.any()
                && !self.table.row(queued.command).spec.flags.intersects(Flags::SKIP_MONITOR | Flags::ADMIN)
            {
                self.monitors.show(
                    &self.table.row(queued.command).spec,
                    session,
                    queued.args.as_args(),
                    &run.settings.limits.client_output_buffer_limit,
                );
            }
            session.client.last_command.store(queued.command as u32, Relaxed);
            let ending = self.invoke(run, session, queued.command, queued.args.as_args(), out, &mut keys, false);
            debug_assert!(matches!(ending, Ending::Replied), "no command waits inside a transaction");
        }
        run.reply_start = None;
        // Under the locks of the queue: what took effect as one is replayed as one.
        let effects = run.effects.replace(outer).unwrap_or_default();
        self.feed.append_whole(&effects);
        (session.written, session.logged) = (self.feed.end().0, self.feed.tail.end());
        self.release(run, session.worker, keys)
    }

    /// Whether a watched key has expired since WATCH, though nobody has removed it yet.
    fn watched_expired(&'static self, run: &Run<'_>, session: &Session) -> bool {
        let expired = |watched: &crate::session::WatchedKey| {
            let request = LockRequest { db: watched.db, hash: self.keyspace.hash(&watched.key), access: Access::Read };
            let requests = if run.hold.is_exclusive() { &[][..] } else { &[request][..] };
            let freshness = Self::freshness(run.settings);
            let keys = if run.hold.is_exclusive() {
                Keys::exclusive(&self.keyspace, watched.db, run.now, freshness)
            } else {
                Keys::lock(&self.keyspace, watched.db, requests, run.now, freshness)
            };
            keys.holds_expired(&watched.key)
        };
        session.watched.iter().any(|watched| !watched.stale.load(Relaxed) && expired(watched))
    }
}
