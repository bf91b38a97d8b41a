//! Clients that wait: parked when their command has nothing to take yet, served by whoever makes what they wait for.

use std::sync::Arc;

use super::Engine;
use super::blocking::Waiter;
use super::command::{Lost, Wait};
use super::execute::{Ending, Run};
use crate::acl::Occasion;
use crate::keyspace::DbIndex;
use crate::metrics::Totals;
use crate::resp::{Args, Reply};
use crate::session::{ClientFlags, Session};

impl Engine {
    pub(super) fn park(&self, session: &mut Session, row: usize, args: Args<'_>, mut wait: Wait) -> Arc<Waiter> {
        let client = Arc::clone(&session.client);
        client.set_flags(ClientFlags::BLOCKED, true);
        let args = wait.retry_as.take().unwrap_or_else(|| args.to_owned());
        let waiter = Arc::new(Waiter::new(client, row, args, session.db, session.protocol, wait));
        self.waiters.park(&waiter);
        if waiter.wait.acks.is_some() {
            self.await_acks(&waiter);
        }
        waiter
    }

    /// Counts a command whose wait ended without its having run again: as one that failed where it was ended by an error.
    pub fn count_unblocked(&self, worker: usize, waiter: &Waiter, by_error: bool) {
        if by_error {
            Totals::bump(&self.workers[worker].totals.errors, 1);
            self.errors.count("UNBLOCKED");
        }
        let tracked = self.config.settings().logging.latency_tracking;
        self.workers[worker].commands[waiter.command].ran(0, by_error, tracked);
    }

    /// Runs the parked commands of clients that wait for keys that came into being, or have something new for them.
    pub(super) fn serve_waiters(
        &'static self,
        run: &mut Run<'_>,
        worker: usize,
        mut created: Vec<(DbIndex, Box<[u8]>)>,
    ) {
        while let Some((db, key)) = created.pop() {
            for waiter in self.waiters.of_key(db, &key) {
                let Some(mut over) = waiter.claim() else { continue };
                if !self.serve(run, worker, &waiter, db, &key, &mut created) {
                    continue;
                }
                *over = true;
                drop(over);
                self.waiters.forget(&waiter);
            }
        }
    }

    /// Tries to run a waiter's command; `false` while it must wait on. Keys that this creates in turn are added.
    fn serve(
        &'static self,
        run: &mut Run<'_>,
        worker: usize,
        waiter: &Waiter,
        db: DbIndex,
        key: &[u8],
        created: &mut Vec<(DbIndex, Box<[u8]>)>,
    ) -> bool {
        let command = self.table.row(waiter.command);
        let args = waiter.args.as_args();
        let mut keys = self.lock_keys(run, db, [(db, command, args)].into_iter(), false);
        let fits = keys.peek(key).is_some_and(|entry| entry.value().type_name() == waiter.wait.type_name);
        match &waiter.wait.lost {
            Lost::Ignore if !fits => {
                // A key that has expired meanwhile goes now that somebody has looked.
                created.append(&mut self.release(run, worker, keys));
                return false;
            }
            Lost::Answer(error) if !fits => {
                created.append(&mut self.release(run, worker, keys));
                self.errors.count(error.code());
                let mut out = Vec::new();
                Reply::new(&mut out, waiter.protocol).error(error);
                Self::end_wait(waiter, out);
                return true;
            }
            _ => {}
        }
        let mut stand_in = Session::new(Arc::clone(&waiter.client), true, worker);
        stand_in.db = db;
        stand_in.protocol = waiter.protocol;
        let mut out = Vec::new();
        // The rules may have changed while the client waited.
        if let Err(denial) = stand_in.user.check(waiter.command, &command.spec, args) {
            drop(keys);
            let error = self.refuse(&stand_in, Occasion::TopLevel, &command.spec, args, denial);
            self.workers[worker].commands[waiter.command].rejected();
            self.error_reply(&stand_in, &mut out, &error);
            waiter.client.set_flags(ClientFlags::BLOCKED, false);
            waiter.client.post(crate::session::Signal::Unblocked(out));
            return true;
        }
        let ending = self.invoke(run, &mut stand_in, waiter.command, args, &mut out, &mut keys, true);
        created.append(&mut self.release(run, worker, keys));
        match ending {
            Ending::Waits(_) => false,
            Ending::Replied => {
                Self::end_wait(waiter, out);
                true
            }
        }
    }

    fn end_wait(waiter: &Waiter, reply: Vec<u8>) {
        waiter.client.set_flags(ClientFlags::BLOCKED, false);
        waiter.client.post(crate::session::Signal::Unblocked(reply));
    }
}
