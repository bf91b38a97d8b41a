//! Client-side caching: which clients may have which keys in a cache of their own, and telling them when those change.
//!
//! A client that tracks is remembered with every key it reads (the invalidation table), or, in broadcasting mode, with
//! prefixes of keys. A change of a key takes the key out of the table and posts a message to each of its clients, under
//! the locks the change is made with: who has read the key before is told, who reads it later is not. Broadcasts are
//! gathered, and sent when a batch of commands ends. While nobody tracks all this costs one look at a flag.
//!
//! What a client asked for stands in its flags, where all threads see it.

mod prefixes;
mod table;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use prefixes::Prefixes;
use table::Table;

use crate::config::values::BufferLimits;
use crate::resp::{Protocol, Reply};
use crate::session::{Client, ClientFlags, ClientId, Clients, Session};

/// Where RESP2 clients that get the messages of others listen.
const CHANNEL: &[u8] = b"__redis__:invalidate";
/// Keys given up at once when there are too many.
const MAX_EVICTIONS: usize = 1000;

/// What it takes to hand a message on.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    /// All clients.
    pub clients: &'a Clients,
    /// When a client that does not read is closed.
    pub limits: &'a BufferLimits,
}

/// What CLIENT TRACKING ON asks for.
#[derive(Clone, Copy, Debug)]
pub struct Mode {
    /// Who gets the messages; the client itself without.
    pub redirect: Option<ClientId>,
    /// BCAST, OPTIN, OPTOUT, NOLOOP, as flags of the client.
    pub options: ClientFlags,
}

/// What a message says.
enum Payload<'a> {
    /// These keys (an array in RESP).
    Keys(&'a [u8]),
    /// All keys.
    Everything,
}

/// Who tracks what.
#[derive(Default)]
pub struct Tracking {
    /// How many clients track.
    clients: AtomicUsize,
    table: Table,
    prefixes: Prefixes,
}

impl Tracking {
    /// Whether anybody tracks.
    pub fn any(&self) -> bool {
        self.clients.load(Relaxed) > 0
    }

    /// How many clients track.
    pub fn clients(&self) -> usize {
        self.clients.load(Relaxed)
    }

    /// How many keys are in the table.
    pub fn keys(&self) -> usize {
        self.table.keys()
    }

    /// How many pairs of a key and a client are in the table.
    pub fn items(&self) -> usize {
        self.table.items()
    }

    /// How many prefixes are watched.
    pub fn prefixes(&self) -> usize {
        self.prefixes.len()
    }

    /// `session` tracks from now on. A client that broadcasts watches these prefixes beside those it has; the empty one
    /// without any.
    pub fn enable(&self, session: &mut Session, mode: Mode, prefixes: &[&[u8]]) {
        let client = Arc::clone(&session.client);
        if !client.flags().contains(ClientFlags::TRACKING) {
            self.clients.fetch_add(1, Relaxed);
        }
        client.set_flags(ClientFlags::TRACKING_STATE, false);
        client.redirect.store(mode.redirect.map_or(0, |id| id.0), Relaxed);
        client.set_flags(ClientFlags::TRACKING | mode.options, true);
        if mode.options.contains(ClientFlags::TRACKING_BCAST) {
            let all: [&[u8]; 1] = [b""];
            for prefix in if prefixes.is_empty() { &all } else { prefixes } {
                if !session.tracking_prefixes.iter().any(|own| **own == **prefix) {
                    session.tracking_prefixes.push((*prefix).into());
                    self.prefixes.add(prefix, &client);
                }
            }
        }
        show(session);
    }

    /// `session` tracks nothing any more. Its keys stay in the table until they change or make room.
    pub fn disable(&self, session: &mut Session) {
        let client = &session.client;
        if !client.flags().contains(ClientFlags::TRACKING) {
            return;
        }
        for prefix in session.tracking_prefixes.drain(..) {
            self.prefixes.remove(&prefix, client.id);
        }
        client.set_flags(ClientFlags::TRACKING | ClientFlags::TRACKING_STATE, false);
        show(session);
        if self.clients.fetch_sub(1, Relaxed) == 1 {
            self.table.clear();
        }
    }

    /// Whether a client's reads are to be remembered now.
    pub fn wants(client: &Client) -> bool {
        let flags = client.flags();
        if !flags.contains(ClientFlags::TRACKING) || flags.contains(ClientFlags::TRACKING_BCAST) {
            return false;
        }
        let asked = flags.contains(ClientFlags::TRACKING_CACHING);
        if flags.contains(ClientFlags::TRACKING_OPTIN) {
            asked
        } else {
            !(flags.contains(ClientFlags::TRACKING_OPTOUT) && asked)
        }
    }

    /// A client has read a key.
    pub fn remember(&self, client: ClientId, key: &[u8]) {
        self.table.add(key, client);
    }

    /// A key has changed, by a client or by the server itself.
    pub fn invalidate(&self, delivery: Delivery<'_>, key: &[u8], by: Option<ClientId>) {
        self.prefixes.remember(key, by);
        self.forget(delivery, key, by);
    }

    /// Takes a key out of the table and tells its clients.
    fn forget(&self, delivery: Delivery<'_>, key: &[u8], by: Option<ClientId>) {
        let readers = self.table.take(key);
        if readers.is_empty() {
            return;
        }
        let keys = array_of(&[key]);
        for id in readers {
            let Some(client) = delivery.clients.get(id) else { continue };
            let flags = client.flags();
            // A client that broadcasts now may have read keys before it did.
            if !flags.contains(ClientFlags::TRACKING) || flags.contains(ClientFlags::TRACKING_BCAST) {
                continue;
            }
            if by == Some(id) && flags.contains(ClientFlags::TRACKING_NOLOOP) {
                continue;
            }
            send(delivery, &client, Payload::Keys(&keys));
        }
    }

    /// All keys of a database are gone: nobody can rely on anything.
    pub fn invalidate_all(&self, delivery: Delivery<'_>) {
        for client in delivery.clients.all() {
            if client.flags().contains(ClientFlags::TRACKING) {
                send(delivery, &client, Payload::Everything);
            }
        }
        self.table.clear();
    }

    /// Gives up keys, as if they had changed, while there are more than `max`; 0 is no limit.
    pub fn limit_keys(&self, delivery: Delivery<'_>, max: u64) {
        if max == 0 {
            return;
        }
        for _ in 0..MAX_EVICTIONS {
            if self.table.keys() as u64 <= max {
                return;
            }
            let Some(key) = self.table.any_key() else { return };
            self.forget(delivery, &key, None);
        }
    }

    /// Sends the broadcasts that have been gathered.
    pub fn broadcast(&self, delivery: Delivery<'_>) {
        self.prefixes.flush(|client, keys| {
            let keys: Vec<&[u8]> = keys.iter().map(|key| &**key).collect();
            send(delivery, client, Payload::Keys(&array_of(&keys)));
        });
    }
}

/// Shows the memory that a connection's prefixes take.
fn show(session: &Session) {
    // The prefix here and in the table of prefixes.
    const BYTES_EACH: usize = 96;
    let bytes: usize = session.tracking_prefixes.iter().map(|prefix| prefix.len() + BYTES_EACH).sum();
    session.client.tracking_bytes.store(bytes as u64, Relaxed);
}

fn array_of(keys: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut reply = Reply::new(&mut bytes, Protocol::Resp3);
    reply.array(keys.len());
    for key in keys {
        reply.bulk(key);
    }
    bytes
}

/// Posts a message for a client to whoever gets its messages.
fn send(delivery: Delivery<'_>, client: &Client, payload: Payload<'_>) {
    let redirect = client.redirect.load(Relaxed);
    if redirect == 0 {
        return post(delivery, client, payload, false);
    }
    match delivery.clients.get(ClientId(redirect)) {
        Some(target) => post(delivery, &target, payload, true),
        None => {
            client.set_flags(ClientFlags::TRACKING_BROKEN, true);
            if client.resp.load(Relaxed) > 2 {
                let mut bytes = Vec::new();
                let mut reply = Reply::new(&mut bytes, Protocol::Resp3);
                reply.push(2);
                reply.bulk(b"tracking-redir-broken");
                reply.int(redirect as i64);
                client.push(&bytes, delivery.limits);
            }
        }
    }
}

fn post(delivery: Delivery<'_>, target: &Client, payload: Payload<'_>, redirected: bool) {
    let protocol = if target.resp.load(Relaxed) > 2 { Protocol::Resp3 } else { Protocol::Resp2 };
    let mut bytes = Vec::new();
    let mut reply = Reply::new(&mut bytes, protocol);
    match protocol {
        Protocol::Resp3 => {
            reply.push(2);
            reply.bulk(b"invalidate");
        }
        // RESP2 has messages for subscribers only.
        Protocol::Resp2 if redirected && target.flags().contains(ClientFlags::PUBSUB) => {
            reply.array(3);
            reply.bulk(b"message");
            reply.bulk(CHANNEL);
        }
        Protocol::Resp2 => return,
    }
    match payload {
        Payload::Keys(keys) => reply.raw(keys),
        Payload::Everything => reply.null(),
    }
    target.push(&bytes, delivery.limits);
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World {
        tracking: Tracking,
        clients: Clients,
        limits: BufferLimits,
    }

    impl World {
        fn new() -> Self {
            Self { tracking: Tracking::default(), clients: Clients::default(), limits: BufferLimits::default() }
        }

        fn session(&self, resp: u32) -> Session {
            let client = Arc::new(Client::unconnected(self.clients.next_id().0));
            client.resp.store(resp, Relaxed);
            self.clients.add(Arc::clone(&client));
            Session::new(client, true, 0)
        }

        fn delivery(&self) -> Delivery<'_> {
            Delivery { clients: &self.clients, limits: &self.limits }
        }

        fn track(&self, session: &mut Session, options: ClientFlags, redirect: Option<ClientId>, prefixes: &[&[u8]]) {
            self.tracking.enable(session, Mode { redirect, options }, prefixes);
        }
    }

    fn received(session: &Session) -> String {
        let mut out = Vec::new();
        session.client.take_messages(&mut out);
        String::from_utf8(out).unwrap().replace("\r\n", " ")
    }

    const INVALID: &str = ">2 $10 invalidate *1 $1 k ";

    #[test]
    fn a_key_that_was_read_is_told_once() {
        let world = World::new();
        let mut reader = world.session(3);
        world.track(&mut reader, ClientFlags::empty(), None, &[]);
        world.tracking.remember(reader.client.id, b"k");
        assert_eq!((world.tracking.keys(), world.tracking.items(), world.tracking.clients()), (1, 1, 1));
        world.tracking.invalidate(world.delivery(), b"other", None);
        world.tracking.invalidate(world.delivery(), b"k", Some(reader.client.id));
        world.tracking.invalidate(world.delivery(), b"k", None);
        assert_eq!(received(&reader), INVALID);
        world.tracking.remember(reader.client.id, b"k");
        world.tracking.disable(&mut reader);
        assert_eq!((world.tracking.keys(), world.tracking.items(), world.tracking.any()), (0, 0, false));
    }

    #[test]
    fn noloop_spares_who_made_the_change() {
        let world = World::new();
        let (mut own, mut other) = (world.session(3), world.session(3));
        for session in [&mut own, &mut other] {
            world.track(session, ClientFlags::TRACKING_NOLOOP, None, &[]);
            world.tracking.remember(session.client.id, b"k");
        }
        world.tracking.invalidate(world.delivery(), b"k", Some(own.client.id));
        assert_eq!((received(&own).as_str(), received(&other).as_str()), ("", INVALID));
    }

    #[test]
    fn broadcasts_gather_per_prefix() {
        let world = World::new();
        let (mut all, mut some) = (world.session(3), world.session(3));
        world.track(&mut all, ClientFlags::TRACKING_BCAST, None, &[]);
        world.track(&mut some, ClientFlags::TRACKING_BCAST | ClientFlags::TRACKING_NOLOOP, None, &[b"a:", b"b:"]);
        assert_eq!(world.tracking.prefixes(), 3);
        let own = Some(some.client.id);
        for (key, by) in [(&b"a:1"[..], own), (b"a:2", None), (b"b:1", own), (b"c", None), (b"a:2", None)] {
            world.tracking.invalidate(world.delivery(), key, by);
        }
        assert_eq!(received(&all), "", "nothing before the batch ends");
        world.tracking.broadcast(world.delivery());
        assert_eq!(received(&all), ">2 $10 invalidate *4 $3 a:1 $3 a:2 $3 b:1 $1 c ");
        assert_eq!(received(&some), ">2 $10 invalidate *1 $3 a:2 ");
        world.tracking.broadcast(world.delivery());
        assert_eq!(received(&all), "");
        world.tracking.disable(&mut some);
        assert_eq!(world.tracking.prefixes(), 1);
    }

    #[test]
    fn messages_can_go_to_another_client() {
        let world = World::new();
        let (mut reader, target) = (world.session(3), world.session(2));
        world.track(&mut reader, ClientFlags::empty(), Some(target.client.id), &[]);
        world.tracking.remember(reader.client.id, b"k");
        world.tracking.invalidate(world.delivery(), b"k", None);
        assert_eq!(received(&target), "", "RESP2 needs a subscription");
        target.client.set_flags(ClientFlags::PUBSUB, true);
        world.tracking.remember(reader.client.id, b"k");
        world.tracking.invalidate(world.delivery(), b"k", None);
        world.tracking.invalidate_all(world.delivery());
        let message = "*3 $7 message $20 __redis__:invalidate ";
        assert_eq!(received(&target), format!("{message}*1 $1 k {message}$-1 "));
        world.clients.remove(&target.client);
        world.tracking.remember(reader.client.id, b"k");
        world.tracking.invalidate(world.delivery(), b"k", None);
        assert_eq!(received(&reader), ">2 $21 tracking-redir-broken :2 ");
        assert!(reader.client.flags().contains(ClientFlags::TRACKING_BROKEN));
    }

    #[test]
    fn the_table_keeps_to_its_limit() {
        let world = World::new();
        let mut reader = world.session(3);
        world.track(&mut reader, ClientFlags::empty(), None, &[]);
        for number in 0..300 {
            world.tracking.remember(reader.client.id, format!("key{number}").as_bytes());
        }
        world.tracking.limit_keys(world.delivery(), 0);
        assert_eq!(world.tracking.keys(), 300);
        world.tracking.limit_keys(world.delivery(), 10);
        assert_eq!(world.tracking.keys(), 10);
        assert_eq!(received(&reader).matches("invalidate").count(), 290, "who loses a key is told");
    }

    #[test]
    fn opting_in_and_out_decides_what_is_remembered() {
        let world = World::new();
        let session = world.session(3);
        let client = &session.client;
        let tracking = ClientFlags::TRACKING;
        for (flags, wanted) in [
            (ClientFlags::empty(), false),
            (tracking, true),
            (tracking | ClientFlags::TRACKING_BCAST, false),
            (tracking | ClientFlags::TRACKING_OPTIN, false),
            (tracking | ClientFlags::TRACKING_OPTIN | ClientFlags::TRACKING_CACHING, true),
            (tracking | ClientFlags::TRACKING_OPTOUT, true),
            (tracking | ClientFlags::TRACKING_OPTOUT | ClientFlags::TRACKING_CACHING, false),
        ] {
            client.set_flags(ClientFlags::all(), false);
            client.set_flags(flags, true);
            assert_eq!(Tracking::wants(client), wanted, "{flags:?}");
        }
    }
}
