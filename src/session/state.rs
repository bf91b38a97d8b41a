//! The part of a client that only its own connection touches: everything a command may read or change of "this
//! connection".

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::client::Client;
use super::replica::{Outlet, ReplicaFacts};
use super::subscriptions::Subscriptions;
use crate::acl::User;
use crate::keyspace::DbIndex;
use crate::resp::{OwnedArgs, Protocol};

/// CLIENT REPLY.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ReplyMode {
    /// Every command is answered.
    #[default]
    On,
    /// None is.
    Off,
    /// The command after this one is not.
    SkipNext,
    /// This one is not.
    Skip,
}

/// A command queued by MULTI.
#[derive(Debug)]
pub struct Queued {
    /// Position in the command table.
    pub command: usize,
    /// Its arguments.
    pub args: OwnedArgs,
}

/// An open transaction.
#[derive(Debug, Default)]
pub struct Transaction {
    /// What was queued.
    pub queue: Vec<Queued>,
    /// A command failed to queue: EXEC will refuse.
    pub aborted: bool,
    /// Bytes of the queued arguments.
    pub bytes: usize,
}

/// A key under WATCH.
#[derive(Clone, Debug)]
pub struct WatchedKey {
    /// Its database.
    pub db: DbIndex,
    /// The key.
    pub key: Box<[u8]>,
    /// Whether it had expired (but was not removed yet) when WATCH was called: its removal is then no change.
    pub stale: Arc<AtomicBool>,
}

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Counterpart {
    /// A client.
    #[default]
    Client,
    /// Our primary, whose commands are carried out without questions.
    Primary,
    /// A replica of ours, which gets the stream and nothing else.
    Replica,
}

/// SCRIPT DEBUG.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ScriptDebugging {
    /// Scripts run as they are.
    #[default]
    Off,
    /// The client asked for a kind of debugging that there is not. Its scripts would do for good what it believes to be undone.
    Refused,
    /// Its next script runs under the debugger.
    On,
}

/// One connection's own state.
pub struct Session {
    /// The shared part.
    pub client: Arc<Client>,
    /// The selected database.
    pub db: DbIndex,
    /// The protocol.
    pub protocol: Protocol,
    /// The user whose rules its requests are judged by.
    pub user: Arc<User>,
    /// Whether the client has proved that it may act as its user.
    pub authenticated: bool,
    /// Its certificate has made it its user: AUTH as somebody else is refused.
    pub has_certificate_user: bool,
    /// For how long replies are to be held back.
    pub hold_replies: Duration,
    /// The open transaction.
    pub transaction: Option<Transaction>,
    /// Watched keys.
    pub watched: Vec<WatchedKey>,
    /// Set by whoever changes a watched key.
    pub watch_broken: Arc<AtomicBool>,
    /// Channels and patterns it listens to.
    pub subscriptions: Subscriptions,
    /// Prefixes of keys it tracks.
    pub tracking_prefixes: Vec<Box<[u8]>>,
    /// How many commands CLIENT CACHING still holds for: itself and the next one, or a transaction.
    pub caching: u8,
    /// CLIENT REPLY.
    pub reply_mode: ReplyMode,
    /// Close once the reply is written.
    pub close_after_reply: bool,
    /// Whether the client is a MONITOR.
    pub monitor: bool,
    /// SCRIPT DEBUG.
    pub debugging: ScriptDebugging,
    /// Which worker's figures its commands count in.
    pub worker: usize,
    /// Whether memory was over the limit before the command that runs.
    pub over_memory: bool,
    /// Whether its commands are called by a script.
    pub in_script: bool,
    /// Who is at the other end.
    pub counterpart: Counterpart,
    /// The primary has asked how far this server is.
    pub must_confirm: bool,
    /// Where the feed ended after its last command, in bytes.
    pub written: u64,
    /// Where the tail of the append only file ended after its last command, in bytes.
    pub logged: u64,
    /// What it has said of itself as a replica.
    pub replica: ReplicaFacts,
    /// Where its output comes from once it is a replica.
    pub outlet: Option<Box<dyn Outlet>>,
}

impl Session {
    /// A session right after connecting.
    pub fn new(client: Arc<Client>, authenticated: bool, worker: usize) -> Self {
        Self {
            user: client.user(),
            client,
            db: DbIndex(0),
            protocol: Protocol::Resp2,
            authenticated,
            has_certificate_user: false,
            hold_replies: Duration::ZERO,
            transaction: None,
            watched: Vec::new(),
            watch_broken: Arc::default(),
            subscriptions: Subscriptions::default(),
            tracking_prefixes: Vec::new(),
            caching: 0,
            reply_mode: ReplyMode::On,
            close_after_reply: false,
            monitor: false,
            debugging: ScriptDebugging::Off,
            worker,
            over_memory: false,
            in_script: false,
            counterpart: Counterpart::Client,
            must_confirm: false,
            written: 0,
            logged: 0,
            replica: ReplicaFacts::default(),
            outlet: None,
        }
    }

    /// Acts as another user from now on.
    pub fn act_as(&mut self, user: Arc<User>) {
        self.client.set_user(Arc::clone(&user));
        self.user = user;
    }

    /// What stands in a session's place while a script has it.
    pub fn placeholder(&self) -> Self {
        Self::new(Arc::clone(&self.client), false, self.worker)
    }
}
