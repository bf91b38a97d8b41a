//! The funnel: everything a command changed leaves here, once, under the locks it was made with.

use std::sync::atomic::Ordering::Relaxed;

use super::Engine;
use super::change::{Change, Event, EventClass, Replay};
use super::execute::Run;
use crate::keyspace::{DbIndex, Effect, Entry, Keys};
use crate::metrics::Totals;
use crate::resp::{Args, OwnedArgs};

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
        if keys.has_effects() {
            self.record_effects(run, keys, worker);
        }
        for event in change.events {
            self.publish_event(run, &event);
        }
        if change.dirty > 0 {
            self.dirty.fetch_add(change.dirty, Relaxed);
        } else if !change.always {
            return;
        }
        if self.feed.is_read() {
            match change.replay {
                Replay::AsIs => self.feed.append(keys.db(), std::iter::once(args.from(0))),
                Replay::As(commands) => {
                    let commands: Vec<Args<'_>> = commands.iter().map(OwnedArgs::as_args).collect();
                    self.feed.append(keys.db(), commands.iter().map(|command| command.from(0)));
                }
            }
        }
    }

    /// Keys that expired while a command looked at them; created and woken ones are left for [`Engine::release`].
    fn record_effects(&self, run: &Run<'_>, keys: &mut Keys<'static>, worker: usize) {
        for effect in keys.take_effects() {
            match effect {
                Effect::Expired(db, entry) => self.record_expired(run, db, entry, worker),
                other => keys.put_back(other),
            }
        }
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
        self.feed.append(db, std::iter::once([&b"DEL"[..], key].into_iter()));
        if run.settings.logging.notify_keyspace_events.0 != 0 {
            self.publish_event(run, &Event { class, name: event, db, key: key.into() });
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
                Effect::SeenExpired(db, key) => created.append(&mut self.expire_key(run, worker, db, &key)),
                Effect::Expired(db, entry) => self.record_expired(run, db, entry, worker),
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

    /// Counts an event as published if anybody could have asked for its class.
    fn publish_event(&self, run: &Run<'_>, event: &Event) {
        let wanted = EventClass::from_bits_truncate(run.settings.logging.notify_keyspace_events.0);
        if wanted.contains(event.class) && wanted.intersects(EventClass::KEYSPACE | EventClass::KEYEVENT) {
            tracing::trace!(event = event.name, db = event.db.0, "keyspace event");
        }
    }
}
