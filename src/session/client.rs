//! The shared part of a client: identity, figures for CLIENT LIST, and the mailbox other threads write to.
//!
//! Figures are atomics that the owning connection stores once per batch; texts that change rarely stand behind a
//! mutex. Nothing here is read on the request path.

use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicI64, AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::task::Waker;

use crate::acl::User;
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

/// Something another thread wants of a connection.
#[derive(Debug)]
pub enum Signal {
    /// Bytes to send: a message, a monitor line, the reply of a command that was blocked.
    Send(Vec<u8>),
    /// The blocking command is over; these bytes are its reply.
    Unblocked(Vec<u8>),
    /// Close the connection; whether what was written so far should still be sent.
    Close {
        /// Replies first.
        after_reply: bool,
    },
}

/// The mailbox: bounded by the client's output buffer limits, which whoever posts checks through `pending_bytes`.
#[derive(Default)]
struct Mailbox {
    signals: Vec<Signal>,
    bytes: usize,
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
    /// Capacity of the output buffer.
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
    mailbox: Mutex<Mailbox>,
    /// Whether the mailbox holds something, readable without its lock.
    has_mail: AtomicBool,
    /// Wakes the connection's task.
    waker: Mutex<Option<Waker>>,
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
            mailbox: Mutex::default(),
            has_mail: AtomicBool::new(false),
            waker: Mutex::default(),
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

    /// Puts a signal into the mailbox and wakes the connection.
    pub fn post(&self, signal: Signal) {
        {
            let mut mailbox = self.mailbox.lock();
            if let Signal::Send(bytes) | Signal::Unblocked(bytes) = &signal {
                mailbox.bytes += bytes.len();
            }
            mailbox.signals.push(signal);
            self.has_mail.store(true, Release);
        }
        if let Some(waker) = &*self.waker.lock() {
            waker.wake_by_ref();
        }
    }

    /// Bytes waiting in the mailbox.
    pub fn pending_bytes(&self) -> usize {
        self.mailbox.lock().bytes
    }

    /// Whether the mailbox holds something.
    pub fn has_mail(&self) -> bool {
        self.has_mail.load(Acquire)
    }

    /// Empties the mailbox.
    pub fn take_mail(&self) -> Vec<Signal> {
        let mut mailbox = self.mailbox.lock();
        mailbox.bytes = 0;
        self.has_mail.store(false, Relaxed);
        std::mem::take(&mut mailbox.signals)
    }

    /// The task to wake when something is posted. Look at [`Client::has_mail`] afterwards.
    pub fn register(&self, waker: &Waker) {
        *self.waker.lock() = Some(waker.clone());
    }
}

fn check_attribute(value: &[u8], what: &str) -> Result<(), WireError> {
    if value.iter().all(|b| (b'!'..=b'~').contains(b)) {
        return Ok(());
    }
    Err(WireError::new(format!("ERR {what} cannot contain spaces, newlines or special characters.")))
}
