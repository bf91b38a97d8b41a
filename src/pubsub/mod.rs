//! Publish and subscribe: who listens to which channel or pattern, and handing a message to them.
//!
//! Messages go into the mailboxes of the listening clients; whoever publishes never waits for a reader. A listener gets
//! the messages of one publisher in the order they were published. Knows neither commands nor keys.

mod channels;
mod message;
mod patterns;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use channels::Channels;
use patterns::Patterns;

use crate::config::values::BufferLimits;
use crate::session::{Client, ClientFlags, ClientId, Session, SubscriptionKind};

/// Those who listen to one name.
type Listeners = indexmap::IndexMap<ClientId, Arc<Client>, ahash::RandomState>;

/// All subscriptions of all clients.
#[derive(Default)]
pub struct PubSub {
    channels: Channels,
    shard_channels: Channels,
    patterns: Patterns,
}

impl PubSub {
    /// `session` listens from now on; `false` when it did before.
    pub fn subscribe(&self, session: &mut Session, kind: SubscriptionKind, name: &[u8]) -> bool {
        let new = session.subscriptions.insert(kind, name);
        if new {
            let client = Arc::clone(&session.client);
            match kind {
                SubscriptionKind::Channel => self.channels.add(name, client),
                SubscriptionKind::ShardChannel => self.shard_channels.add(name, client),
                SubscriptionKind::Pattern => self.patterns.add(name, client),
            }
            show(session);
        }
        new
    }

    /// `session` does not listen any more; `false` when it did not before. Nothing is posted to it afterwards.
    pub fn unsubscribe(&self, session: &mut Session, kind: SubscriptionKind, name: &[u8]) -> bool {
        let found = session.subscriptions.remove(kind, name);
        if found {
            let id = session.client.id;
            match kind {
                SubscriptionKind::Channel => self.channels.remove(name, id),
                SubscriptionKind::ShardChannel => self.shard_channels.remove(name, id),
                SubscriptionKind::Pattern => self.patterns.remove(name, id),
            }
            show(session);
        }
        found
    }

    /// `session` listens to nothing any more.
    pub fn leave(&self, session: &mut Session) {
        for kind in [SubscriptionKind::Channel, SubscriptionKind::Pattern, SubscriptionKind::ShardChannel] {
            while let Some(name) = session.subscriptions.any_of(kind) {
                self.unsubscribe(session, kind, &name);
            }
        }
    }

    /// Hands a message to all who listen to a channel, by its name or by a pattern: how many they are.
    pub fn publish(&self, channel: &[u8], message: &[u8], limits: &BufferLimits) -> usize {
        self.channels.publish(b"message", channel, message, limits) + self.patterns.publish(channel, message, limits)
    }

    /// Hands a message to all who listen to a shard channel: how many they are.
    pub fn publish_to_shard(&self, channel: &[u8], message: &[u8], limits: &BufferLimits) -> usize {
        self.shard_channels.publish(b"smessage", channel, message, limits)
    }

    /// Whether nobody listens to any channel or pattern.
    pub fn is_silent(&self) -> bool {
        self.channels.is_empty() && self.patterns.is_empty()
    }

    /// How many names of a kind somebody listens to.
    pub fn len_of(&self, kind: SubscriptionKind) -> usize {
        match kind {
            SubscriptionKind::Channel => self.channels.len(),
            SubscriptionKind::ShardChannel => self.shard_channels.len(),
            SubscriptionKind::Pattern => self.patterns.len(),
        }
    }

    /// How many listen to a name.
    pub fn listeners(&self, kind: SubscriptionKind, name: &[u8]) -> usize {
        match kind {
            SubscriptionKind::Channel => self.channels.listeners(name),
            SubscriptionKind::ShardChannel => self.shard_channels.listeners(name),
            SubscriptionKind::Pattern => self.patterns.listeners(name),
        }
    }

    /// All names of a kind that somebody listens to.
    pub fn names(&self, kind: SubscriptionKind) -> Vec<Box<[u8]>> {
        self.names_where(kind, |_| true)
    }

    /// What a client listens to: for those who must look at another connection, since it goes through everything.
    pub fn of_client(&self, kind: SubscriptionKind, id: ClientId) -> Vec<Box<[u8]>> {
        self.names_where(kind, |listeners| listeners.contains_key(&id))
    }

    fn names_where(&self, kind: SubscriptionKind, wanted: impl Fn(&Listeners) -> bool) -> Vec<Box<[u8]>> {
        match kind {
            SubscriptionKind::Channel => self.channels.names_where(wanted),
            SubscriptionKind::ShardChannel => self.shard_channels.names_where(wanted),
            SubscriptionKind::Pattern => self.patterns.names_where(wanted),
        }
    }
}

/// Shows a connection's subscriptions to the other threads.
fn show(session: &Session) {
    let (client, own) = (&session.client, &session.subscriptions);
    for kind in [SubscriptionKind::Channel, SubscriptionKind::Pattern, SubscriptionKind::ShardChannel] {
        client.subscriptions[kind as usize].store(own.len_of(kind) as u32, Relaxed);
    }
    client.subscription_bytes.store(own.memory_usage() as u64, Relaxed);
    client.set_flags(ClientFlags::PUBSUB, !own.is_empty());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(id: u64) -> Session {
        Session::new(Arc::new(Client::unconnected(id)), true, 0)
    }

    fn received(session: &Session) -> String {
        let mut out = Vec::new();
        session.client.take_messages(&mut out);
        String::from_utf8(out).unwrap().replace("\r\n", " ")
    }

    #[test]
    fn a_message_reaches_channel_and_pattern_in_this_order() {
        let (pubsub, limits) = (PubSub::default(), BufferLimits::default());
        let (mut both, mut other) = (session(1), session(2));
        assert!(pubsub.subscribe(&mut both, SubscriptionKind::Pattern, b"n*"));
        assert!(pubsub.subscribe(&mut both, SubscriptionKind::Channel, b"news"));
        assert!(pubsub.subscribe(&mut other, SubscriptionKind::ShardChannel, b"news"));
        assert_eq!(pubsub.publish(b"news", b"hi", &limits), 2);
        assert_eq!(
            received(&both),
            "*3 $7 message $4 news $2 hi *4 $8 pmessage $2 n* $4 news $2 hi ",
            "RESP2 has arrays"
        );
        assert_eq!(received(&other), "");
        assert_eq!(pubsub.publish_to_shard(b"news", b"x", &limits), 1);
        assert_eq!(received(&other), "*3 $8 smessage $4 news $1 x ");
    }

    #[test]
    fn who_leaves_leaves_nothing_behind() {
        let (pubsub, limits) = (PubSub::default(), BufferLimits::default());
        let mut own = session(1);
        for kind in [SubscriptionKind::Channel, SubscriptionKind::Pattern, SubscriptionKind::ShardChannel] {
            pubsub.subscribe(&mut own, kind, b"a");
            pubsub.subscribe(&mut own, kind, b"b");
            assert_eq!((pubsub.len_of(kind), pubsub.listeners(kind, b"a")), (2, 1));
            assert_eq!(pubsub.of_client(kind, ClientId(1)).len(), 2);
        }
        assert!(own.client.flags().contains(ClientFlags::PUBSUB));
        pubsub.leave(&mut own);
        assert!(!own.client.flags().contains(ClientFlags::PUBSUB));
        assert!(pubsub.is_silent() && pubsub.len_of(SubscriptionKind::ShardChannel) == 0);
        assert_eq!(pubsub.publish(b"a", b"x", &limits), 0);
    }
}
