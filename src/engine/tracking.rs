//! Client-side caching, seen from the commands: what is remembered when keys are read and told when they change.

use super::Engine;
use super::command::Command;
use crate::catalog::{self, Flags};
use crate::config::Settings;
use crate::keyspace::DbIndex;
use crate::resp::Args;
use crate::session::{Client, ClientFlags, ClientId, Session};
use crate::tracking::{Delivery, Tracking};

impl Engine {
    fn delivery<'a>(&'a self, settings: &'a Settings) -> Delivery<'a> {
        Delivery { clients: &self.clients, limits: &settings.limits.client_output_buffer_limit }
    }

    /// A key has changed: transactions that watch it must not run, caches that hold it are told. `by` is the client that
    /// changed it, if one did.
    pub fn key_changed(&self, settings: &Settings, db: DbIndex, key: &[u8], by: Option<ClientId>) {
        self.watches.touch(db, key);
        self.key_invalid(settings, key, by);
    }

    /// Caches that hold a key are told; which database it is in makes no difference to them.
    pub(super) fn key_invalid(&self, settings: &Settings, key: &[u8], by: Option<ClientId>) {
        if self.tracking.any() {
            self.tracking.invalidate(self.delivery(settings), key, by);
        }
    }

    /// A database has been emptied.
    pub fn database_emptied(&self, settings: &Settings) {
        if self.tracking.any() {
            self.tracking.invalidate_all(self.delivery(settings));
        }
    }

    /// Remembers the keys that a client's command has read. Its locks must still be held: a change must find the reader.
    pub(super) fn remember_reads(&self, client: &Client, command: &Command, named_by: &Command, args: Args<'_>) {
        if self.tracking.any() && reads(command) && Tracking::wants(client) {
            let remember = |index| self.tracking.remember(client.id, args.at(index));
            catalog::for_each_key(&named_by.spec, args.len(), |i| args.at(i), |index, _| remember(index));
        }
    }

    /// Keeps the table of keys to its limit.
    pub fn limit_tracked_keys(&self, settings: &Settings) {
        if self.tracking.any() {
            self.tracking.limit_keys(self.delivery(settings), settings.limits.tracking_table_max_keys);
        }
    }

    /// What comes before a command's reply: what was told to its client for another reason than the command itself.
    pub(super) fn flush_tracking(&self, settings: &Settings, session: &Session, out: &mut Vec<u8>) {
        if self.tracking.any() {
            self.limit_tracked_keys(settings);
            if session.client.has_mail() {
                session.client.take_messages(out);
            }
        }
    }

    /// Sends the broadcasts that the commands of a batch have caused.
    pub fn broadcast_changes(&self, settings: &Settings) {
        if self.tracking.any() {
            self.tracking.broadcast(self.delivery(settings));
        }
    }

    /// CLIENT CACHING holds for one command, or for one transaction.
    pub(super) fn count_down_caching(session: &mut Session) {
        if session.caching > 0 && session.transaction.is_none() {
            session.caching -= 1;
            if session.caching == 0 {
                session.client.set_flags(ClientFlags::TRACKING_CACHING, false);
            }
        }
    }
}

/// Whether the keys among a command's arguments are read by it; a script's may be, or not.
fn reads(command: &Command) -> bool {
    command.spec.flags.contains(Flags::READONLY) && !command.spec.flags.intersects(Flags::RUNS_SCRIPT)
}
