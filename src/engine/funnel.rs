//! The funnel: everything a command changed leaves here, once, under the locks it was made with.

use std::sync::atomic::Ordering::Relaxed;

use super::Engine;
use super::change::{Change, EventClass, Replay};
use super::execute::Run;
use crate::keyspace::{DbIndex, Effect, Entry, ExpiredFields, Keys};
use crate::metrics::Totals;
use crate::resp::{Args, OwnedArgs};
use crate::scripting::ReplicationTargets;

impl Engine {
    /// Passes a command's change on: removed keys first, then the command itself.
    pub(super) fn record(
        &self,
        run: &Run<'_>,
        keys: &mut Keys<'static>,
        args: Args<'_>,
        change: Change,
        worker: usize,
    ) {
        let (hits, misses) = keys.take_lookups();
        if hits > 0 {
            Totals::bump(&self.workers[worker].totals.hits, hits.into());
        }
        if misses > 0 {
            Totals::bump(&self.workers[worker].totals.misses, misses.into());
        }
        // What a command found expired goes with it as one, and so do the parts of what it did.
        let several = keys.has_effects() || matches!(&change.replay, Replay::As(commands) if commands.len() > 1);
        let gathers = several && self.feed.is_read() && run.effects.borrow().is_none();
        if gathers {
            *run.effects.borrow_mut() = Some(Vec::new());
        }
        self.record_whole(run, keys, args, change, worker);
        if gathers && let Some(effects) = run.effects.take() {
            self.feed.append_whole(&effects);
        }
    }

    fn record_whole(&self, run: &Run<'_>, keys: &mut Keys<'static>, args: Args<'_>, change: Change, worker: usize) {
        if keys.has_effects() {
            self.record_effects(run, keys, worker);
        }
        for event in change.events {
            self.publish_event(run, event.class, event.name, event.db, &event.key);
        }
        for (db, key) in keys.take_new() {
            self.publish_event(run, EventClass::NEW, "new", db, &key);
        }
        if change.dirty > 0 {
            self.dirty.fetch_add(change.dirty, Relaxed);
        } else if !change.always && !matches!(change.replay, Replay::Each(_)) {
            return;
        }
        if self.feed.is_read() && !run.replays {
            if change.replicas_only && run.effects.borrow().is_none() {
                self.feed.append_for_replicas(keys.db(), args.from(0));
            } else {
                self.replay(run, keys.db(), args, change.replay);
            }
        }
    }

    /// Passes on how a change must be replayed: to the feed, or to what collects the parts of a whole.
    fn replay(&self, run: &Run<'_>, db: DbIndex, args: Args<'_>, replay: Replay) {
        if let Some(effects) = &mut *run.effects.borrow_mut() {
            match replay {
                Replay::AsIs => effects.push((db, args.to_owned(), ReplicationTargets::all())),
                Replay::As(commands) => {
                    effects.extend(commands.into_iter().map(|command| (db, command, ReplicationTargets::all())));
                }
                Replay::Each(commands) => effects.extend(commands),
            }
            return;
        }
        match replay {
            Replay::AsIs => self.feed.append(db, std::iter::once(args.from(0))),
            Replay::As(commands) => {
                let commands: Vec<Args<'_>> = commands.iter().map(OwnedArgs::as_args).collect();
                self.feed.append(db, commands.iter().map(|command| command.from(0)));
            }
            Replay::Each(commands) => self.feed.append_whole(&commands),
        }
    }

    /// Keys that expired while a command looked at them, and lookups that found nothing; the rest is left for
    /// [`Engine::release`], with whatever must be told after it.
    fn record_effects(&self, run: &Run<'_>, keys: &mut Keys<'static>, worker: usize) {
        let mut expires_later = false;
        for effect in keys.take_effects() {
            match effect {
                Effect::Expired(db, entry) => self.record_expired(run, db, entry, worker),
                Effect::Missed(db, key) if !expires_later => self.record_missed(run, db, &key),
                other => {
                    expires_later |= matches!(other, Effect::SeenExpired(..));
                    keys.put_back(other);
                }
            }
        }
    }

    fn record_missed(&self, run: &Run<'_>, db: DbIndex, key: &[u8]) {
        self.publish_event(run, EventClass::KEY_MISS, "keymiss", db, key);
    }

    /// An entry was removed because it had expired.
    pub(super) fn record_expired(&self, run: &Run<'_>, db: DbIndex, entry: Entry, worker: usize) {
        Totals::bump(&self.workers[worker].totals.expired, 1);
        self.record_removed(run, db, entry.key(), EventClass::EXPIRED, "expired");
        if run.settings.memory.lazyfree_lazy_expire {
            self.reclaimer.drop_entry(entry);
        }
    }

    /// A key was removed by the server itself.
    pub(super) fn record_removed(
        &self,
        run: &Run<'_>,
        db: DbIndex,
        key: &[u8],
        class: EventClass,
        event: &'static str,
    ) {
        if class == EventClass::EXPIRED {
            self.watches.expired(db, key);
        } else {
            self.watches.touch(db, key);
        }
        self.key_invalid(run.settings, key, None);
        match &mut *run.effects.borrow_mut() {
            Some(effects) if self.feed.is_read() => {
                effects.push((db, [&b"DEL"[..], key].into_iter().collect(), ReplicationTargets::all()));
            }
            _ => self.feed.append(db, std::iter::once([&b"DEL"[..], key].into_iter())),
        }
        if run.settings.logging.notify_keyspace_events.0 != 0 {
            self.publish_event(run, class, event, db, key);
        }
    }

    /// Fields were removed from a hash because they had expired.
    pub(super) fn record_expired_fields(&self, run: &Run<'_>, db: DbIndex, expired: &ExpiredFields) {
        let ExpiredFields { key, fields, emptied } = expired;
        self.key_changed(run.settings, db, key, None);
        let mut command: Vec<&[u8]> = vec![b"HDEL", key];
        command.extend(fields.iter().map(|field| &**field));
        self.feed.append(db, std::iter::once(command.into_iter()));
        if run.settings.logging.notify_keyspace_events.0 != 0 {
            self.publish_event(run, EventClass::HASH, "hexpired", db, key);
            if *emptied {
                self.publish_event(run, EventClass::GENERIC, "del", db, key);
            }
        }
    }

    /// Unlocks a command's keys, removes what was seen expired under a read lock, and hands back what waiting clients may look for.
    pub(super) fn release(
        &'static self,
        run: &Run<'_>,
        worker: usize,
        mut keys: Keys<'static>,
    ) -> Vec<(DbIndex, Box<[u8]>)> {
        if !keys.has_effects() {
            return Vec::new();
        }
        let effects = keys.take_effects();
        drop(keys);
        let mut created = Vec::new();
        for effect in effects {
            match effect {
                Effect::Created(db, key) | Effect::Woken(db, key) => created.push((db, key)),
                // On a replica it stays until the primary says so.
                Effect::SeenExpired(..) if self.replication.is_replica() => {}
                Effect::SeenExpired(db, key) => created.append(&mut self.expire_key(run, worker, db, &key)),
                Effect::Expired(db, entry) => self.record_expired(run, db, entry, worker),
                Effect::Missed(db, key) => self.record_missed(run, db, &key),
                // Freed without the locks, wherever that happens.
                Effect::Replaced(entry) if run.settings.memory.lazyfree_lazy_server_del => {
                    self.reclaimer.drop_entry(entry);
                }
                Effect::Replaced(entry) => drop(entry),
            }
        }
        created.reverse();
        created
    }

    /// Publishes an event on the channels of its key and of its name, as `notify-keyspace-events` says.
    fn publish_event(&self, run: &Run<'_>, class: EventClass, event: &'static str, db: DbIndex, key: &[u8]) {
        let wanted = EventClass::from_bits_truncate(run.settings.logging.notify_keyspace_events.0);
        if !wanted.contains(class) || self.pubsub.is_silent() {
            return;
        }
        let limits = &run.settings.limits.client_output_buffer_limit;
        if wanted.contains(EventClass::KEYSPACE) {
            let channel = [format!("__keyspace@{}__:", db.0).as_bytes(), key].concat();
            self.pubsub.publish(&channel, event.as_bytes(), limits);
        }
        if wanted.contains(EventClass::KEYEVENT) {
            let channel = format!("__keyevent@{}__:{event}", db.0);
            self.pubsub.publish(channel.as_bytes(), key, limits);
        }
    }
}
