//! The shared part of a client: identity, figures for CLIENT LIST, and the mailbox other threads write to.
//!
//! Figures are atomics that the owning connection stores once per batch; texts that change rarely stand behind a
//! mutex. Nothing here is read on the request path.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::task::Waker;

use super::mailbox::{CloseReason, Mailbox, Signal};
use crate::acl::User;
use crate::config::values::BufferLimits;
use crate::resp::WireError;
use parking_lot::Mutex;

/// A client's number, ascending with the connection's age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

bitflags::bitflags! {
    /// What CLIENT LIST tells in its `flags` field, and what others must know of a client.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ClientFlags: u32 {
        /// In MONITOR mode.
        const MONITOR = 1 << 0;
        /// Inside MULTI.
        const MULTI = 1 << 1;
        /// Waiting in a blocking command.
        const BLOCKED = 1 << 2;
        /// A watched key changed.
        const DIRTY_CAS = 1 << 3;
        /// Will be closed when its reply is written.
        const CLOSE_AFTER_REPLY = 1 << 4;
        /// Excluded from client eviction.
        const NO_EVICT = 1 << 5;
        /// Does not touch freshness.
        const NO_TOUCH = 1 << 6;
        /// Came through the Unix socket.
        const UNIX_SOCKET = 1 << 7;
        /// Subscribed to channels.
        const PUBSUB = 1 << 8;
        /// A replica of ours.
        const REPLICA = 1 << 9;
        /// Our primary.
        const PRIMARY = 1 << 10;
        /// Will be closed at once.
        const CLOSE_ASAP = 1 << 11;
        /// Held back by CLIENT PAUSE.
        const PAUSED = 1 << 12;
        /// Tracks keys.
        const TRACKING = 1 << 20;
        /// Tracks prefixes instead of what it reads.
        const TRACKING_BCAST = 1 << 21;
        /// Tracks only what it asks for.
        const TRACKING_OPTIN = 1 << 22;
        /// Tracks all but what it asks for.
        const TRACKING_OPTOUT = 1 << 23;
        /// Has asked for it (`CLIENT CACHING`), for the next command.
        const TRACKING_CACHING = 1 << 24;
        /// Is not told what it changes itself.
        const TRACKING_NOLOOP = 1 << 25;
        /// Whoever was to get its messages is gone.
        const TRACKING_BROKEN = 1 << 26;
        /// All that CLIENT TRACKING sets anew.
        const TRACKING_STATE = Self::TRACKING_BCAST.bits()
            | Self::TRACKING_OPTIN.bits()
            | Self::TRACKING_OPTOUT.bits()
            | Self::TRACKING_CACHING.bits()
            | Self::TRACKING_NOLOOP.bits()
            | Self::TRACKING_BROKEN.bits();
    }
}

/// Where a client is and where it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// `address:port` of the client, or the path of the socket.
    pub address: String,
    /// `address:port` it connected to.
    pub local: String,
    /// The connection's file descriptor.
    pub fd: i32,
}

impl Peer {
    /// Whether the client is on this machine.
    pub fn is_loopback(&self) -> bool {
        match self.address.parse::<std::net::SocketAddr>() {
            Ok(address) => address.ip().to_canonical().is_loopback(),
            // A path: a Unix socket.
            Err(_) => true,
        }
    }
}

/// What TLS settled for a connection, in OpenSSL's spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFacts {
    /// `TLSv1.3`
    pub protocol: &'static str,
    /// `TLS_AES_256_GCM_SHA384`
    pub cipher: &'static str,
}

type Text = Box<[u8]>;

/// The shared part of one client.
pub struct Client {
    /// Its number.
    pub id: ClientId,
    /// Where it is.
    pub peer: Peer,
    /// TLS facts, in an encrypted group.
    pub tls: Option<TlsFacts>,
    /// Unix time in seconds when it connected.
    pub connected_at: i64,
    name: Mutex<Box<[u8]>>,
    /// Name and version of its client library.
    library: Mutex<(Text, Text)>,
    user: Mutex<Arc<User>>,
    flags: AtomicU32,
    /// Unix time in milliseconds of the last command.
    pub last_seen: AtomicI64,
    /// The selected database.
    pub db: AtomicU32,
    /// The protocol version.
    pub resp: AtomicU32,
    /// Commands queued by MULTI, or -1.
    pub queued: AtomicI64,
    /// Bytes of queued commands.
    pub queued_bytes: AtomicU64,
    /// Watched keys.
    pub watched: AtomicU32,
    /// Bytes in the query buffer.
    pub query_bytes: AtomicU64,
    /// Capacity of the query buffer.
    pub query_capacity: AtomicU64,
    /// Bytes of reply not sent yet.
    pub output_bytes: AtomicU64,
    /// Room of the output buffer, and what TLS holds of it.
    pub output_capacity: AtomicU64,
    /// The highest number of reply bytes buffered recently.
    pub output_peak: AtomicU64,
    /// Bytes of arguments of an unfinished request.
    pub argument_bytes: AtomicU64,
    /// Position of the last command in the command table, or `u32::MAX`.
    pub last_command: AtomicU32,
    /// Subscriptions: channels, patterns, shard channels.
    pub subscriptions: [AtomicU32; 3],
    /// Total bytes read, and written.
    pub traffic: [AtomicU64; 2],
    /// Bytes of its subscriptions.
    pub subscription_bytes: AtomicU64,
    /// Who gets its invalidation messages, by number; 0 is the client itself.
    pub redirect: AtomicU64,
    /// Bytes of the prefixes it tracks.
    pub tracking_bytes: AtomicU64,
    /// Bytes it has been counted with against `maxmemory-clients`.
    pub counted_memory: AtomicU64,
    /// Unix time in seconds since when it is above its soft output limit; 0 while it is below.
    pub soft_limit_since: AtomicI64,
    mailbox: Mailbox,
}

impl Client {
    /// A client that just connected.
    pub fn new(id: ClientId, peer: Peer, tls: Option<TlsFacts>, connected_at_ms: i64, user: Arc<User>) -> Self {
        Self {
            id,
            peer,
            tls,
            connected_at: connected_at_ms / 1000,
            name: Mutex::default(),
            library: Mutex::default(),
            user: Mutex::new(user),
            flags: AtomicU32::new(0),
            last_seen: AtomicI64::new(connected_at_ms),
            db: AtomicU32::new(0),
            resp: AtomicU32::new(2),
            queued: AtomicI64::new(-1),
            queued_bytes: AtomicU64::new(0),
            watched: AtomicU32::new(0),
            query_bytes: AtomicU64::new(0),
            query_capacity: AtomicU64::new(0),
            output_bytes: AtomicU64::new(0),
            output_capacity: AtomicU64::new(0),
            output_peak: AtomicU64::new(0),
            argument_bytes: AtomicU64::new(0),
            last_command: AtomicU32::new(u32::MAX),
            subscriptions: Default::default(),
            traffic: Default::default(),
            subscription_bytes: AtomicU64::new(0),
            redirect: AtomicU64::new(0),
            tracking_bytes: AtomicU64::new(0),
            counted_memory: AtomicU64::new(0),
            soft_limit_since: AtomicI64::new(0),
            mailbox: Mailbox::default(),
        }
    }

    /// Its flags.
    pub fn flags(&self) -> ClientFlags {
        ClientFlags::from_bits_truncate(self.flags.load(Relaxed))
    }

    /// Sets or clears flags.
    pub fn set_flags(&self, flags: ClientFlags, on: bool) {
        if on {
            self.flags.fetch_or(flags.bits(), Relaxed);
        } else {
            self.flags.fetch_and(!flags.bits(), Relaxed);
        }
    }

    /// The name given by CLIENT SETNAME; empty without one.
    pub fn name(&self) -> Box<[u8]> {
        self.name.lock().clone()
    }

    /// Whether a client may be named so.
    pub fn check_name(name: &[u8]) -> Result<(), WireError> {
        check_attribute(name, "Client names")
    }

    /// Names it; an empty name takes the name away. Names are printable and have no spaces.
    pub fn set_name(&self, name: &[u8]) -> Result<(), WireError> {
        Self::check_name(name)?;
        *self.name.lock() = name.into();
        Ok(())
    }

    /// Library name and version given by CLIENT SETINFO.
    pub fn library(&self) -> (Text, Text) {
        self.library.lock().clone()
    }

    /// Sets the library's name.
    pub fn set_library_name(&self, name: &[u8]) -> Result<(), WireError> {
        check_attribute(name, "lib-name")?;
        self.library.lock().0 = name.into();
        Ok(())
    }

    /// Sets the library's version.
    pub fn set_library_version(&self, version: &[u8]) -> Result<(), WireError> {
        check_attribute(version, "lib-ver")?;
        self.library.lock().1 = version.into();
        Ok(())
    }

    /// The user it acts as.
    pub fn user(&self) -> Arc<User> {
        Arc::clone(&self.user.lock())
    }

    /// Notes the user it acts as; [`super::Session::act_as`] does so.
    pub(super) fn set_user(&self, user: Arc<User>) {
        *self.user.lock() = user;
    }

    /// Who gets its invalidation messages: 0 is itself, -1 nobody.
    pub fn redirected_to(&self) -> i64 {
        if self.flags().contains(ClientFlags::TRACKING) { self.redirect.load(Relaxed) as i64 } else { -1 }
    }

    /// Bytes it takes: buffers, queued commands, watched keys, subscriptions.
    pub fn memory_usage(&self) -> u64 {
        // A watched key: its entry here and in the table of watched keys, the name apart.
        const WATCHED_KEY_BYTES: u64 = 64;
        size_of::<Self>() as u64
            + self.query_capacity.load(Relaxed)
            + self.output_memory()
            + self.queued_bytes.load(Relaxed)
            + u64::from(self.watched.load(Relaxed)) * WATCHED_KEY_BYTES
            + self.subscription_bytes.load(Relaxed)
            + self.tracking_bytes.load(Relaxed)
    }

    /// Bytes that what waits to be sent takes.
    pub fn output_memory(&self) -> u64 {
        let in_connection = self.output_bytes.load(Relaxed).max(self.output_capacity.load(Relaxed));
        in_connection + self.pending_bytes() as u64
    }

    /// Puts a signal into the mailbox and wakes the connection.
    pub fn post(&self, signal: Signal) {
        match signal {
            Signal::Close { after_reply: false } => self.close(CloseReason::Asked),
            other => self.mailbox.post(other),
        }
    }

    /// Queues a message, and closes the client if that passes its output limit. RESP2 clients get a push as an array.
    pub fn push(&self, bytes: &[u8], limits: &BufferLimits) {
        self.mailbox.push(bytes, || self.resp.load(Relaxed) == 2);
        self.enforce_output_limit(limits);
    }

    /// Closes the connection as soon as its task gets to it; nothing more is sent.
    pub fn close(&self, reason: CloseReason) {
        self.set_flags(ClientFlags::CLOSE_ASAP, true);
        self.mailbox.close(reason);
    }

    /// Why it is to be closed, if it is.
    pub fn closing(&self) -> Option<CloseReason> {
        self.flags().contains(ClientFlags::CLOSE_ASAP).then(|| self.mailbox.closing()).flatten()
    }

    /// Bytes waiting in the mailbox.
    pub fn pending_bytes(&self) -> usize {
        self.mailbox.bytes()
    }

    /// Whether the mailbox holds something.
    pub fn has_mail(&self) -> bool {
        self.mailbox.has_mail()
    }

    /// Empties the mailbox.
    pub fn take_mail(&self) -> Vec<Signal> {
        self.mailbox.take()
    }

    /// Takes the messages out of the mailbox, to the end of `out`; other signals stay.
    pub fn take_messages(&self, out: &mut Vec<u8>) {
        self.mailbox.take_messages(out, || {});
    }

    /// Changes the protocol: messages of the old one go to the end of `out`, later ones are of the new one.
    pub fn change_protocol(&self, version: u32, out: &mut Vec<u8>) {
        self.mailbox.take_messages(out, || self.resp.store(version, Relaxed));
    }

    /// The task to wake when something is posted. Look at [`Client::has_mail`] afterwards.
    pub fn register(&self, waker: &Waker) {
        self.mailbox.register(waker);
    }
}

fn check_attribute(value: &[u8], what: &str) -> Result<(), WireError> {
    if value.iter().all(|b| (b'!'..=b'~').contains(b)) {
        return Ok(());
    }
    Err(WireError::new(format!("ERR {what} cannot contain spaces, newlines or special characters.")))
}

#[cfg(test)]
impl Client {
    /// A client that is connected to nothing.
    pub(crate) fn unconnected(id: u64) -> Self {
        let peer = Peer { address: "127.0.0.1:1".into(), local: "127.0.0.1:2".into(), fd: 0 };
        Self::new(ClientId(id), peer, None, 0, crate::acl::testing::default_user())
    }
}
