//! What the link to the primary is doing, for INFO and ROLE, and the handle to cut it with.

use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use parking_lot::Mutex;

use super::super::Engine;
use super::PrimaryAddress;
use crate::base::clock::UnixMillis;
use crate::replication::ReplOffset;
use crate::session::{Client, CloseReason};

/// How far the link has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkPhase {
    /// There is none.
    #[default]
    Down,
    /// It is being dialled.
    Connecting,
    /// Replica and primary introduce themselves.
    Handshake,
    /// The snapshot comes in.
    Transfer,
    /// The stream is being followed.
    Connected,
}

impl LinkPhase {
    /// As ROLE names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Down => "connect",
            Self::Connecting => "connecting",
            Self::Handshake => "handshake",
            Self::Transfer => "sync",
            Self::Connected => "connected",
        }
    }
}

/// A look at the link.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkReport {
    /// How far it has come.
    pub phase: LinkPhase,
    /// When something last came in, in Unix milliseconds.
    pub last_input: i64,
    /// Unix seconds since when the stream has not been followed; 0 if it never was.
    pub down_since: i64,
    /// Bytes of the snapshot that comes in, where they are known.
    pub transfer_total: u64,
    /// Bytes of it that have come in.
    pub transfer_read: u64,
    /// Whether the snapshot that comes in is to replace data that can be read meanwhile.
    pub loads_aside: bool,
    /// Bytes that have come in since the counters were set back.
    pub input_bytes: u64,
    /// Bytes of the stream that have come in, those included that have not been carried out.
    pub read_offset: u64,
}

#[derive(Default)]
struct Inner {
    report: LinkReport,
    client: Option<Arc<Client>>,
    socket: Option<TcpStream>,
}

/// The link as others see it.
#[derive(Default)]
pub struct LinkStatus {
    inner: Mutex<Inner>,
}

impl LinkStatus {
    /// A look.
    pub fn report(&self) -> LinkReport {
        self.inner.lock().report
    }

    /// Changes what is shown.
    pub fn update(&self, change: impl FnOnce(&mut LinkReport)) {
        change(&mut self.inner.lock().report);
    }

    /// The link has come to another phase.
    pub fn enter(&self, phase: LinkPhase) {
        let now = UnixMillis::now();
        self.update(|report| {
            report.phase = phase;
            report.last_input = now.0;
        });
    }

    /// Something has come in.
    pub fn heard(&self, bytes: u64) {
        let now = UnixMillis::now();
        self.update(|report| {
            report.last_input = now.0;
            report.input_bytes += bytes;
            report.read_offset += bytes;
        });
    }

    /// Some of the snapshot has come in.
    pub fn transferred(&self, bytes: u64) {
        let now = UnixMillis::now();
        self.update(|report| {
            report.last_input = now.0;
            report.input_bytes += bytes;
            report.transfer_read += bytes;
        });
    }

    /// The link is over this socket from now on.
    pub fn dialled(&self, socket: Option<TcpStream>) {
        self.inner.lock().socket = socket;
    }

    /// The client that stands for the primary.
    pub fn attach(&self, client: &Arc<Client>) {
        self.inner.lock().client = Some(Arc::clone(client));
    }

    /// The link has ended.
    pub fn ended(&self) {
        let mut inner = self.inner.lock();
        if inner.report.phase == LinkPhase::Connected {
            inner.report.down_since = UnixMillis::now().seconds();
        }
        inner.report.phase = LinkPhase::Down;
        inner.report.loads_aside = false;
        (inner.client, inner.socket) = (None, None);
    }

    /// Ends the link, whatever it is doing.
    pub fn cut(&self) {
        let mut inner = self.inner.lock();
        if let Some(client) = inner.client.take() {
            client.close(CloseReason::Asked);
        }
        if let Some(socket) = inner.socket.take() {
            // It may have ended by itself.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

/// What this server is.
pub enum RoleReport {
    /// A primary.
    Primary,
    /// A replica.
    Replica {
        /// Of whom.
        primary: PrimaryAddress,
        /// The link.
        link: LinkReport,
        /// Where it is in the stream.
        offset: ReplOffset,
        /// Whether it is anywhere.
        has_position: bool,
    },
}

impl Engine {
    /// What this server is.
    pub fn role(&self) -> RoleReport {
        let state = self.replication.state.lock();
        match state.primary.clone() {
            None => RoleReport::Primary,
            Some(primary) => RoleReport::Replica {
                primary,
                link: self.replication.link.report(),
                offset: self.feed.end(),
                has_position: state.continuable,
            },
        }
    }
}
